"""How the content of a file becomes a parameter."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plait.base.errors import shown_path
from plait.flow.definition import read_definition
from plait.flow.include import IncludeFile
from plait.flow.parameters import (
    BadParameterValue,
    InvalidParameters,
    describe,
    resolve_parameters,
)
from plait.flow.spec import FlowSpec
from plait.flow.step import step

HERE = shown_path(__file__)


class Count(FlowSpec):
    text = IncludeFile("text", help="What to count.")
    image = IncludeFile("image", is_text=False)
    latin = IncludeFile("latin", encoding="latin-1")

    @step
    def start(self) -> None:
        self.length = len(self.text)
        self.next(self.end)

    @step
    def end(self) -> None: ...


COUNT = read_definition(Count)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a few files."""
    (tmp_path / "text.txt").write_bytes("grüß\r\ngott\rend\n".encode())
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\xff")
    (tmp_path / "latin.txt").write_bytes("grüß".encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resolve(**given: object) -> dict[str, object]:
    return resolve_parameters(COUNT, given, {})


def find(**given: object) -> Any:
    with pytest.raises(InvalidParameters) as caught:
        resolve(**given)
    (found,) = caught.value.findings
    return found


@pytest.mark.usefixtures("folder")
def test_the_content_is_the_value() -> None:
    """Text with the line ends of Python's text mode, bytes as they are, nothing for no file."""
    assert resolve(text="text.txt", image="image.png", latin="latin.txt") == {
        "text": "grüß\ngott\nend\n",
        "image": b"\x89PNG\r\n\xff",
        "latin": "grüß",
    }
    assert resolve() == {"text": None, "image": None, "latin": None}


def test_a_path_may_be_an_object_or_begin_in_the_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in other programs."""
    monkeypatch.setenv("HOME", str(folder))

    assert resolve(latin=folder / "latin.txt")["latin"] == "grüß"
    assert resolve(latin="~/latin.txt")["latin"] == "grüß"


@pytest.mark.parametrize("default", ["latin.txt", Path("latin.txt"), lambda context: "latin.txt"])
@pytest.mark.usefixtures("folder")
def test_the_default_may_be_a_path_or_a_function(default: Any) -> None:
    """It is read when the run starts, not when the class is made."""
    flow: Any = type("Made", (Count,), {"x": IncludeFile("x", encoding="latin-1", default=default)})

    assert resolve_parameters(read_definition(flow), {}, {})["x"] == "grüß"


def test_a_missing_file_is_named_with_the_folder(folder: Path) -> None:
    """Most often somebody is in another folder."""
    found = find(text="nowhere.txt")

    assert found.slug == "unreadable-include"
    assert found.what == "the file of 'text' cannot be read: 'nowhere.txt'"
    assert found.why == f"No such file or directory; the folder that you are in is {folder}"
    assert found.fix == "give a file that can be read: --text PATH"
    assert found.where.file == HERE


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("path", "why"),
    [("texxt.txt", "did you mean 'text.txt'"), ("no/where", "the folder that you are in")],
)
def test_a_file_of_nearly_that_name_is_pointed_at(path: str, why: str) -> None:
    """In the folder that was named."""
    assert why in find(text=path).why


@pytest.mark.usefixtures("folder")
def test_a_file_beside_the_flow_is_pointed_at() -> None:
    """Its path is given as the cure."""
    name = os.path.basename(__file__)

    assert find(text=name).fix == (
        f"paths begin in the folder that you are in; give --text {__file__}"
    )
    assert IncludeFile("other").folder == os.path.dirname(__file__)


@pytest.mark.parametrize(
    ("path", "why"), [(".", "Is a directory"), ("a\0b", "embedded null byte"), ("", "is empty")]
)
@pytest.mark.usefixtures("folder")
def test_what_is_no_file_is_refused(path: str, why: str) -> None:
    """With the reason of the system, and no guess at another name."""
    said = find(text=path).why
    assert why in said
    assert "did you mean" not in said


def test_what_is_no_path_is_refused_without_a_word_on_where_it_comes_from() -> None:
    """It may come from a variable or not; it is said only if it does."""
    file = IncludeFile("data")

    with pytest.raises(BadParameterValue) as caught:
        file.read(3)
    assert caught.value.findings[0].what == "parameter 'data' cannot be 3"
    assert caught.value.findings[0].fix == "give the path of a file: --data VALUE"
    with pytest.raises(BadParameterValue, match="cannot be 3, from PLAIT_RUN_DATA"):
        file.read(3, "PLAIT_RUN_DATA")


@pytest.mark.usefixtures("folder")
def test_text_of_another_encoding_is_refused() -> None:
    """With the place of the byte, and what to declare."""
    found = find(text="latin.txt")

    assert found.slug == "undecodable-include"
    assert found.what == "the file of 'text' is not utf-8 text: 'latin.txt'"
    assert found.why.startswith("byte 2 of it is 0xfc: ")
    assert found.fix == (
        "declare it with the encoding that it has, such as encoding='latin-1', or with "
        "is_text=False if it is not text"
    )


def test_it_is_offered_as_a_path() -> None:
    """On the command line."""
    about = describe(IncludeFile("data", default="movies.csv", required=True))

    assert (about.words, about.default, about.required) == (
        "the path of a file",
        "movies.csv",
        False,
    )
    assert repr(Count.text) == "<IncludeFile 'text'>"


@pytest.mark.usefixtures("folder")
def test_steps_read_the_content(bench: Callable[..., Any]) -> None:
    """Like any parameter."""
    assert bench(Count, text="text.txt").run()["length"] == 14
