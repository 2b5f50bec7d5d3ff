"""The guide to reading results, done as it is written."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plait.client.namespaces import default_namespace

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "read-results.md"


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIT_USER", "ada")
    for variable in ("PLAIT_NAMESPACE", "PLAIT_DATASTORE_ROOT"):
        monkeypatch.delenv(variable, raising=False)
    yield
    default_namespace()


@pytest.mark.usefixtures("_project")
def test_every_example_does_what_it_shows() -> None:
    """The flow is run by the commands of the guide, then each example gives what it says."""
    text = GUIDE.read_text(encoding="utf-8")
    flow = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert flow is not None
    Path("sales.py").write_text(flow[1], encoding="utf-8")
    codes = [
        subprocess.run([sys.executable, *arguments], capture_output=True, check=False).returncode
        for _, *arguments in map(shlex.split, re.findall(r"^python sales.*$", text, re.MULTILINE))
    ]
    assert codes == [0, 1]
    examples = "\n".join(re.findall(r"```pycon\n(.*?)```", text, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, GUIDE.name, str(GUIDE), 0)
    said: list[str] = []

    failures, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)

    assert (failures, "".join(said)) == (0, "")
    assert tried > 50
