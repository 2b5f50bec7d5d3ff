"""Reading a flow's steps from wherever Python got them."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import sys
import zipfile
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from plait.graph.build import analyse
from plait.graph.read import read_flow, show_path
from plait.graph.syntax import find_mentions


class FlowSpec:
    """Stands in for the flow package's base class."""


def step(function: Any) -> Any:
    """Mark a step as the flow package does."""
    function.is_step = True
    return function


NAMES = {"FlowSpec": FlowSpec, "step": step, "functools": functools}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that writes a module's text to a file and imports it."""
    monkeypatch.chdir(tmp_path)

    def load_module(name: str, text: str | bytes, **names: object) -> ModuleType:
        path = tmp_path / f"{name}.py"
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        vars(module).update(NAMES | names)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load_module


def slugs(cls: type) -> list[str]:
    return [finding.slug for finding in analyse(cls)[1]]


def test_steps_of_base_classes_and_mixins_in_other_files_are_read(load: Any) -> None:
    """Attribute lookup decides which definition of a step counts, wherever its file is."""
    mixin = load(
        "a_mixin",
        """
        class Mixin:
            @step
            def middle(self):
                self.next(self.last)
        """,
    )
    base = load(
        "a_base",
        """
        class Base(FlowSpec):
            @step
            def start(self):
                self.next(self.middle)
            @step
            def middle(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """,
    )
    flow = load(
        "a_flow",
        '''
        class Child(Mixin, Base):
            """All of them."""
            @step
            def last(self):
                self.next(self.end)
        ''',
        Mixin=mixin.Mixin,
        Base=base.Base,
    )

    graph, findings = analyse(flow.Child)

    assert findings == []
    assert graph is not None
    assert (graph.flow, graph.doc) == ("Child", "All of them.")
    assert [(n.name, n.file, n.line, n.targets) for n in graph.nodes.values()] == [
        ("start", "a_base.py", 4, ("middle",)),
        ("middle", "a_mixin.py", 4, ("last",)),
        ("last", "a_flow.py", 5, ("end",)),
        ("end", "a_base.py", 10, ()),
    ]


def test_a_step_that_a_derived_class_replaces_is_not_one_any_more(load: Any) -> None:
    """What is overridden by something that is no step is gone."""
    flow = load(
        "a_flow",
        """
        class Base(FlowSpec):
            @step
            def start(self):
                self.next(self.end)
            @step
            def extra(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        class Child(Base):
            extra = None
        """,
    )

    assert slugs(flow.Base) == ["unreachable-step"]
    assert slugs(flow.Child) == []


def test_a_file_is_read_once_for_all_its_steps(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsing is the larger part of the time that `show` takes."""
    flow = load(
        "a_flow",
        """
        class F(FlowSpec):
            @step
            def start(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """,
    )
    parsed: list[int] = []
    import ast

    original = ast.parse
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(1) or original(text))

    assert slugs(flow.F) == []
    assert len(parsed) == 1


def test_tabs_unicode_and_another_encoding_are_read(load: Any) -> None:
    """The file's own encoding line holds, as it did for Python."""
    text = (
        "# -*- coding: latin-1 -*-\n"
        "class F(FlowSpec):\n"
        "\t'''Gr\xfc\xdfe.'''\n"
        "\t@step\n"
        "\tdef start(self):\n"
        "\t\t'''Stra\xdfe.'''\n"
        "\t\tself.gr\xf6\xdfe = ['\xe4']\n"
        "\t\tself.next(\n"
        "\t\t\tself.work,\n"
        "\t\t\tforeach='gr\xf6\xdfe',\n"
        "\t\t)\n"
        "\t@step\n"
        "\tdef work(self): self.next(self.join)\n"
        "\t@step\n"
        "\tdef join(self, inputs): self.next(self.end)\n"
        "\t@step\n"
        "\tdef end(self): pass\n"
    )
    flow = load("a_flow", text.encode("latin-1"))

    graph, findings = analyse(flow.F)

    assert findings == []
    assert graph is not None
    assert (graph.doc, graph["start"].doc) == ("Gr\xfc\xdfe.", "Stra\xdfe.")
    assert (graph["start"].foreach, graph["start"].next_line) == ("gr\xf6\xdfe", 8)


def test_two_classes_of_one_name_in_a_file_are_told_apart(load: Any) -> None:
    """Methods are found by their line, not by the name of their class."""
    flow = load(
        "a_flow",
        """
        def make(kind):
            if kind:
                class F(FlowSpec):
                    '''One.'''
                    @step
                    def start(self):
                        self.next(self.end)
                    @step
                    def end(self):
                        pass
            else:
                class F(FlowSpec):
                    '''Two.'''
                    @step
                    def start(self):
                        self.next(self.middle)
                    @step
                    def middle(self):
                        self.next(self.end)
                    @step
                    def end(self):
                        pass
            return F
        one, two = make(1), make(0)
        """,
    )

    graphs = [analyse(cls)[0] for cls in (flow.one, flow.two)]

    assert [(g.doc, [*g.nodes]) for g in graphs if g] == [
        ("One.", ["start", "end"]),
        ("Two.", ["start", "middle", "end"]),
    ]


def test_decorators_are_named_outermost_first_and_do_not_hide_the_step(load: Any) -> None:
    """Decorators may be called, dotted, over several lines, and wrap the function."""
    flow = load(
        "a_flow",
        """
        class plugins:
            def retry(**options):
                return lambda function: function
        def catch(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper
        class F(FlowSpec):
            @catch
            @plugins.retry(
                times=3,
            )
            @step
            def start(self):
                self.next(self.end)
            @(lambda function: function)
            @step
            def end(self):
                pass
        """,
    )

    graph, findings = analyse(flow.F)

    assert findings == []
    assert graph is not None
    assert graph["start"].decorators == ("catch", "retry")
    assert (graph["start"].line, graph["end"].decorators) == (16, ())


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_line_endings_are_read(load: Any, ending: str) -> None:
    """Lines are counted as Python counts them."""
    lines = [
        "class F(FlowSpec):",
        "    @step",
        "    def start(self):",
        "        x = 1",
        "        if x:",
        "            self.next(self.end)",
        "    @step",
        "    def end(self): pass",
    ]
    flow = load("a_flow", ending.join(lines).encode())

    (finding,) = analyse(flow.F)[1]

    assert (finding.slug, str(finding.where)) == ("next-not-last", "a_flow.py:6")


def test_a_notebook_cell_is_read_from_linecache() -> None:
    """Notebooks leave the text of their cells there, under a name that is no file."""
    text = dedent("""
        class F(FlowSpec):
            @step
            def start(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """)
    name = "<ipython-input-3-abc>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names: dict[str, Any] = {**NAMES, "__name__": "a_notebook"}
    exec(compile(text, name, "exec"), names)

    graph, findings = analyse(names["F"])

    assert findings == []
    assert graph is not None
    assert graph["end"].file == name


def test_a_module_in_a_zip_archive_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive's loader gives the text where there is no file."""
    text = """
class F:
    def start(self):
        self.next(self.end)
    def end(self):
        pass
    start.is_step = end.is_step = True
"""
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("zipped_flow.py", text)
    monkeypatch.syspath_prepend(str(tmp_path / "code.zip"))
    module = importlib.import_module("zipped_flow")
    monkeypatch.delitem(sys.modules, "zipped_flow")

    assert slugs(module.F) == []


def test_steps_without_source_are_one_finding() -> None:
    """Code from `exec` says so once, for all its steps, and nothing else."""
    text = """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        pass
    @step
    def other(self):
        pass
"""
    names: dict[str, Any] = {**NAMES, "__name__": "nowhere"}
    exec(text, names)

    (finding,) = analyse(names["F"])[1]

    assert finding.slug == "source-not-found"
    assert finding.what == "cannot read the source of steps 'start', 'end' and 'other'"
    assert str(finding.where) == "<string>:3"


def test_a_file_that_changed_after_its_import_is_noticed(load: Any, tmp_path: Path) -> None:
    """Lines that moved would give the wrong methods."""
    text = """
        class F(FlowSpec):
            @step
            def start(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """
    flow = load("a_flow", text)
    (tmp_path / "a_flow.py").write_text("# one line more\n" + dedent(text))

    assert [f.slug for f in analyse(flow.F)[1]] == ["source-not-found"] * 2
    assert "changed after Python read it" in analyse(flow.F)[1][0].why


def test_a_file_that_is_not_python_any_more_is_noticed(load: Any, tmp_path: Path) -> None:
    """A text that can't be parsed is said to be so."""
    flow = load(
        "a_flow",
        """
        class F(FlowSpec):
            @step
            def start(self):
                pass
        """,
    )
    (tmp_path / "a_flow.py").write_text("def :")

    found = analyse(flow.F)[1]

    assert [f.slug for f in found] == ["no-end", "source-not-found"]
    assert "is not Python" in found[1].why


def test_a_step_that_is_no_function_has_no_source() -> None:
    """Something that only claims to be a step is reported, at the module that is known."""

    class Odd:
        is_step = True

        def __call__(self) -> None: ...

    class F(FlowSpec):
        start = Odd()

    found = analyse(F)[1]

    assert [f.slug for f in found] == ["source-not-found", "no-end"]
    assert found[0].why.startswith("it is an Odd")


def test_a_wrapper_of_itself_does_not_hang() -> None:
    """A broken decorator may set `__wrapped__` to the function itself."""

    class F(FlowSpec):
        @step
        def start(self) -> None: ...

    F.start.__wrapped__ = F.start  # type: ignore[attr-defined]  # the breakage

    assert slugs(F) == ["no-end", "no-next"]


def test_attributes_that_answer_to_every_name_are_left_alone() -> None:
    """A class attribute may be an object whose `__getattr__` raises or says yes to all."""

    class Wild:
        def __getattr__(self, name: str) -> bool:
            raise RuntimeError(name)

    class F(FlowSpec):
        wild = Wild()

    assert [*read_flow(F).steps] == []


def test_a_flow_without_a_file_has_no_place() -> None:
    """A class that `type` made is nowhere."""
    flow = type("F", (FlowSpec,), {"__module__": "nowhere"})

    (finding,) = analyse(flow)[1]

    assert (finding.slug, finding.where) == ("no-start", None)


def test_a_class_without_methods_is_found_by_its_name(load: Any) -> None:
    """With no method to look for, the statement is found by the qualified name."""
    flow = load(
        "a_flow",
        """
        def make():
            class Empty(FlowSpec):
                '''Nothing.'''
            return Empty
        class Empty(FlowSpec):
            x = 1
        """,
    )

    assert str(read_flow(flow.make()).where) == "a_flow.py:3"
    assert str(read_flow(flow.Empty).where) == "a_flow.py:6"
    assert read_flow(type("Other", (), {"__module__": "a_flow"})).where is None


def test_a_name_with_two_underscores_is_shown_as_written(load: Any) -> None:
    """Python mangles such names; people know them as they wrote them."""
    flow = load(
        "a_flow",
        """
        class F(FlowSpec):
            @step
            def start(self):
                self.next(self.__hidden)
            @step
            def __hidden(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """,
    )

    (finding,) = analyse(flow.F)[1]

    assert (finding.slug, finding.fix) == ("bad-step-name", "call it 'hidden'")
    assert "'__hidden'" in finding.what


def test_a_deleted_working_directory_is_no_hindrance(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are then shown by their full path."""
    flow = load(
        "a_flow",
        """
        class F(FlowSpec):
            @step
            def start(self):
                self.next(self.end)
            @step
            def end(self):
                pass
        """,
    )
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    graph, _ = analyse(flow.F)

    assert graph is not None
    assert graph["start"].file == str(tmp_path / "a_flow.py")


def test_a_file_is_shown_by_its_full_path_outside_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path would begin with a row of dots."""
    monkeypatch.chdir(tmp_path)

    assert show_path(str(tmp_path / "a" / "f.py")) == "a/f.py"
    assert show_path(f"{tmp_path}-2/f.py") == f"{tmp_path}-2/f.py"


@pytest.mark.parametrize(
    "around",
    [
        "try:\n    import there_is_no_such_module\nexcept ImportError:",
        "try:\n    pass\nfinally:",
        "try:\n    pass\nexcept KeyError:\n    pass\nelse:",
        "match 1:\n  case _:",
        "with open(__file__):",
        "while True:",
    ],
)
def test_a_class_in_any_statement_is_read(load: Any, around: str) -> None:
    """As where a flow depends on what is installed."""
    flow = load(
        "a_flow",
        f"{around}\n"
        "    class F(FlowSpec):\n"
        "        @step\n"
        "        def start(self): self.next(self.end)\n"
        "        @step\n"
        "        def end(self): pass\n" + ("    break\n" if "while" in around else ""),
    )

    assert slugs(flow.F) == []


def test_half_a_character_in_a_source_is_no_hindrance() -> None:
    """A notebook's cell is a `str`, which may hold what no file can."""
    assert find_mentions("x = '\ud800'\nself.next()") == [2]


def test_a_sum_of_many_terms_is_no_hindrance(load: Any) -> None:
    """Expressions may nest deeper than Python's own stack."""
    flow = load(
        "a_flow",
        "class F(FlowSpec):\n"
        "    @step\n"
        "    def start(self):\n"
        f"        x = {' + '.join(['1'] * 900)}\n"
        "        self.next(self.end)\n"
        "    @step\n"
        "    def end(self): pass\n",
    )

    assert slugs(flow.F) == []
