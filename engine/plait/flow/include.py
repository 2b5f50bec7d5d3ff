"""`IncludeFile`: a parameter whose value is the content of a file, read when the run starts."""

from __future__ import annotations

import os
from typing import Any

from plait.base.errors import UsageError, nearest
from plait.flow.parameters import Parameter
from plait.flow.types import BadValue, ValueKind


class UnreadableInclude(UsageError):
    """The file of an IncludeFile is not there or cannot be read."""

    slug = "unreadable-include"

    def __init__(self, parameter: IncludeFile, path: str, why: str) -> None:
        beside = os.path.join(parameter.folder, path)
        fix = f"give a file that can be read: --{parameter.name} PATH"
        if os.path.isfile(beside):
            fix = f"paths begin in the folder that you are in; give --{parameter.name} {beside}"
        super().__init__(
            f"the file of '{parameter.name}' cannot be read: '{path}'",
            why=f"{why}; {look_around(path)}",
            fix=fix,
            where=parameter.where,
        )


def look_around(path: str) -> str:
    """Say what a path that names no file may have meant, or where it begins."""
    folder, name = os.path.split(path)
    if os.path.exists(path):  # then it is not the name that is wrong
        name = ""
    try:
        hint = nearest(name, os.listdir(folder or "."))
    except (OSError, ValueError):  # there is no such folder either, or none that can be listed
        hint = ""
    return hint if "did you mean" in hint else f"the folder that you are in is {os.getcwd()}"


class UndecodableInclude(UsageError):
    """The file of an IncludeFile is not text of the encoding that it is declared to have."""

    slug = "undecodable-include"

    def __init__(self, parameter: IncludeFile, path: str, error: UnicodeDecodeError) -> None:
        super().__init__(
            f"the file of '{parameter.name}' is not {parameter.encoding} text: '{path}'",
            why=f"byte {error.start} of it is 0x{error.object[error.start]:02x}: {error.reason}",
            fix="declare it with the encoding that it has, such as encoding='latin-1', or with "
            "is_text=False if it is not text",
            where=parameter.where,
        )


class _Path:
    """The kind of value that the command line gives for a file."""

    words = "the path of a file"
    choices = ()

    def parse(self, text: str) -> object:
        if not text:
            raise BadValue("the path is empty")
        return os.path.expanduser(text)

    def accept(self, value: object) -> object:
        if not isinstance(value, os.PathLike):
            raise BadValue(f"{value!r} ({type(value).__name__}) is not a path")
        return self.parse(os.fsdecode(value))

    def format(self, value: object) -> str:
        return str(value)


class IncludeFile(Parameter):
    """A parameter that holds the content of a file, read once, when a run starts.

    Args:
        name: What the command line calls it, as `--name PATH`.
        is_text: Whether its value is `str`; else it is `bytes`.
        encoding: The encoding of the text; UTF-8 by default.
        default: The path of the file when none is given: a path, or a function of a
            `DeployContext` that gives one. Relative paths begin in the working directory.
        required: Whether a path has to be given. Has no effect beside a default.
        help: What it is for.
        show_default: Whether help shows the default.
    """

    def __init__(
        self,
        name: str,
        is_text: bool = True,
        encoding: str | None = None,
        default: Any = None,
        required: bool | None = None,
        help: str | None = None,  # noqa: A002  # the name that users of workflow engines know
        show_default: bool | None = None,
    ) -> None:
        super().__init__(
            name, default=default, help=help, required=required, show_default=show_default
        )
        self.is_text = is_text
        self.encoding = encoding or "utf-8"
        # The file's name may be relative to a working directory that is another one later.
        self.folder = os.path.dirname(os.path.abspath(self.where.file))

    @property
    def kind(self) -> ValueKind:
        """A path, on the command line."""
        return _Path()

    def check_default(self) -> object:
        """Give the default path. Raises BadValue if it or the encoding is none."""
        import codecs

        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise BadValue(f"there is no encoding {self.encoding!r}") from None
        return super().check_default()

    def read(self, value: object, source: str = "") -> object:
        """Give the content of the file whose path is *value*.

        Raises:
            BadParameterValue: *value* is not a path.
            UnreadableInclude: There is no such file, or it can't be read.
            UndecodableInclude: It is not text of the encoding declared.
        """
        path = super().read(value, source)
        assert isinstance(path, str)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            why = getattr(error, "strerror", None) or str(error)
            raise UnreadableInclude(self, path, why) from None
        if not self.is_text:
            return content
        try:
            text = content.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise UndecodableInclude(self, path, error) from None
        # As Python's text mode does, so that a file written on Windows gives the same lines.
        return text.replace("\r\n", "\n").replace("\r", "\n")
