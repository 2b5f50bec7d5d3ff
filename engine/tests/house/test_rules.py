"""Rules of this house that can be run; each failure says the cure."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import plait
from plait.base.errors import PlaitError
from plait.base.settings import SETTINGS

PACKAGE = Path(plait.__file__).parent
ROOT = PACKAGE.parent.parent
ERRORS = ROOT / "docs" / "errors"
TESTS = ROOT / "engine" / "tests"
LONGEST_MODULE = 400


def modules() -> list[str]:
    """Give the names of all modules of the package."""
    found = pkgutil.walk_packages([str(PACKAGE)], "plait.")
    return sorted(module.name for module in found)


def sources() -> list[Path]:
    """Give the files of engine and harness that hold code."""
    folders = [PACKAGE, ROOT / "harness" / "plait_harness"]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def errors() -> list[type[PlaitError]]:
    """Give every error class of the package."""
    for name in modules():
        importlib.import_module(name)

    def below(cls: type[PlaitError]) -> Iterator[type[PlaitError]]:
        for sub in cls.__subclasses__():
            yield sub
            yield from below(sub)

    return sorted(
        (e for e in set(below(PlaitError)) if e.__module__.startswith("plait.")),
        key=lambda e: e.__qualname__,
    )


def finding_slugs() -> set[str]:
    """Give the slugs that are written in the source as the first argument of a `Finding`."""
    slugs = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [k.value for k in node.keywords if k.arg == "slug"] + node.args[:1]
            if node.func.id == "Finding" and given and isinstance(given[0], ast.Constant):
                slugs.add(str(given[0].value))
    return slugs


def test_every_error_has_a_slug_of_its_own_and_a_page() -> None:
    """A person who meets a message can look it up by its slug."""
    own = {e.slug for e in errors() if "slug" in e.__dict__}
    slugs = own | finding_slugs()
    pages = {page.stem for page in ERRORS.glob("*.md")} - {"index", "common-mistakes"}

    missing = sorted(slugs - pages)
    assert not missing, f"write docs/errors/<slug>.md for: {missing}"
    stale = sorted(pages - slugs)
    assert not stale, f"no error has these slugs any more, remove their pages: {stale}"
    malformed = sorted(s for s in slugs if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", s))
    assert not malformed, f"slugs are kebab-case: {malformed}"


def test_no_two_errors_share_a_slug() -> None:
    """One slug, one mistake."""
    seen: dict[str, type] = {}
    for error in errors():
        if "slug" in error.__dict__:
            other = seen.setdefault(error.slug, error)
            assert other is error, f"{error} and {other} share the slug '{error.slug}'"


def test_the_index_of_errors_names_every_page() -> None:
    """A page that nobody can find is not there."""
    index = (ERRORS / "index.md").read_text(encoding="utf-8")
    lost = [p.stem for p in sorted(ERRORS.glob("*.md")) if f"({p.name})" not in index]

    assert [name for name in lost if name != "index"] == [], "list these in docs/errors/index.md"


def test_every_file_opens_with_its_reason_to_exist() -> None:
    """The first line of a module is a sentence that says why it is there."""
    for path in sources():
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        where = path.relative_to(ROOT)
        assert doc, f"{where}: open it with one sentence"
        assert doc.splitlines()[0].rstrip().endswith((".", "?")), f"{where}: a whole sentence"


def test_no_module_is_longer_than_400_lines() -> None:
    """A longer one is two things."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert not long, f"look for the two things in: {long}"


def test_every_exemption_says_its_reason() -> None:
    """A silenced check carries its reason on its line."""
    silenced = re.compile(r"#\s*(noqa|type:\s*ignore|pragma: no cover)(?P<rest>.*)$")
    reasoned = re.compile(r"^(:\s*[A-Z]+\d+[\w, ]*|\[[\w, -]+\])?\s*#\s*\w+")
    bare = []
    for path in [*sources(), *sorted(TESTS.rglob("*.py"))]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = silenced.search(line)
            if found and "re.compile" not in line and not reasoned.match(found["rest"]):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert not bare, f"say on the line why it is right: {bare}"


def test_tests_do_not_sleep() -> None:
    """A test waits for what it needs by `waiting.wait_for`, which alone sleeps, and has a limit.

    Strings are not looked into: a program that hangs until it is killed is what some tests are
    about.
    """
    tests = [*TESTS.rglob("*.py"), *(ROOT / "harness" / "selftests").rglob("*.py")]
    sleepers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted(tests)
        if path != TESTS / "waiting.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and "sleep" in ast.unparse(node.func).split(".")
    ]
    assert not sleepers, f"wait for the event instead, by waiting.wait_for: {sleepers}"


def test_every_variable_of_plait_is_a_setting() -> None:
    """Each PLAIT_ variable that the package reads is in `base.settings`, or is internal."""
    known = {setting.env for setting in SETTINGS.values()}
    read = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read |= set(re.findall(r"\APLAIT_[A-Z_]*[A-Z]\Z", node.value))
    unknown = sorted(v for v in read - known if not v.startswith("PLAIT_INTERNAL_"))

    assert not unknown, f"add to base/settings.py: {unknown}"
    assert all(s.meaning.endswith(".") for s in SETTINGS.values()), "a meaning is a sentence"


def test_the_package_names_no_place_of_a_machine() -> None:
    """Nothing that ships holds a path of somebody's machine."""
    homes = re.compile(r"/(home|root|work|Users)/(?!ada\b)[a-z]")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if homes.search(line)
    ]
    assert not found, f"a path of a machine: {found}"
