"""The package root: what users import, and that importing it costs nothing."""

from __future__ import annotations

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import plait
from plait.base.version import VERSION
from plait.client import source
from plait.wiring.stores import Stores

ROOT = Path(plait.__file__)


def run(code: str, folder: Path) -> str:
    """Run *code* in a Python of its own and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", plait.__all__)
def test_every_name_is_there(name: str) -> None:
    """And what it gives is called so, as far as it has a name of its own."""
    value = getattr(plait, name)

    assert name in dir(plait)
    if isinstance(value, type):
        assert value.__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="module 'plait' has no attribute 'Flwo'"):
        _ = plait.Flwo
    with pytest.raises(ImportError):
        exec("from plait import Flwo", {})


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    """What is imported for them only is what is loaded on demand."""
    for_checkers = {
        alias.name: node.module
        for block in ast.parse(ROOT.read_text(encoding="utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    offered = {name: for_checkers.get(name) for name in plait.__all__ if name != "__version__"}

    assert offered == {**plait._HOMES, "metadata": "plait.client.source"}
    assert len(plait.__all__) == len(set(plait.__all__))


def test_no_exported_name_is_hidden_by_a_package() -> None:
    """Importing a package of plait's makes it an attribute of the root; only `metadata` may."""
    folders = {path.name for path in ROOT.parent.iterdir() if path.is_dir()}
    modules = {path.stem for path in ROOT.parent.glob("*.py")}

    assert (folders | modules) & set(plait.__all__) == {"metadata"}


def test_metadata_is_a_function_and_a_package(tmp_path: Path) -> None:
    """Whichever is imported first, and however."""
    folder = tmp_path / ".plait"
    folder.mkdir()
    calls = (
        "from plait import metadata; import plait.metadata.protocol",
        "import plait.metadata.protocol as p; from plait import metadata",
        "import plait; from plait.metadata.protocol import Status; metadata = plait.metadata",
    )

    said = [run(f"{call}\nprint(metadata({str(tmp_path)!r}.join(('local@', ''))))", tmp_path)
            for call in calls]  # fmt: skip

    assert said == [f"local@{folder.resolve() / 'metadata.db'}"] * 3


def test_importing_it_loads_no_part_of_it(tmp_path: Path) -> None:
    """Only its version, and how a store would be opened."""
    code = (
        "import sys; before = set(sys.modules); import plait\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    loaded = run(code, tmp_path).split()

    assert [name for name in loaded if name.startswith("plait")] == [
        "plait",
        "plait.base",
        "plait.base.version",
        "plait.client",
        "plait.client.source",
        "plait.metadata",
    ]
    assert "typing" not in loaded


def test_reading_results_loads_nothing_that_only_running_needs(tmp_path: Path) -> None:
    """What a script that reads pays for is the client, and the stores once it reads."""
    code = (
        "import sys; from plait import Plait; assert Plait().flows == []\n"
        "print(*sorted(name for name in sys.modules if name.startswith('plait.')))"
    )

    loaded = run(code, tmp_path).split()

    floors = {name.split(".")[1] for name in loaded}
    assert floors.isdisjoint({"cli", "task", "flow", "graph", "plugins"})
    assert "plait.runtime.scheduler" not in loaded


def test_the_client_is_wired_to_the_real_stores_by_importing_plait() -> None:
    """Also where only a module of the client is imported, as unpickling does."""
    assert source._opener is not None
    assert isinstance(source._opener(None), Stores)
    assert importlib.import_module("plait.client.run").Run is plait.Run
    assert pickle.loads(pickle.dumps(plait.Run)) is plait.Run


def test_the_version_is_the_packages() -> None:
    """`plait.__version__` is written in one place."""
    assert plait.__version__ == VERSION
