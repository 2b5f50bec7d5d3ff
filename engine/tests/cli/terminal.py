"""A terminal in memory: what a person would see after all that a program wrote."""

from __future__ import annotations

import io
import re

_CODES = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|\r\n|[\r\n]|[^\x1b\r\n]+")


class FakeTerminal(io.StringIO):
    """A stream that is a terminal, as high as it needs to be."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)

    def screen(self) -> list[str]:
        """Give the lines that are seen, without colours, and without blanks at their ends."""
        return show(self.getvalue())


def show(text: str) -> list[str]:
    """Give the lines that a terminal shows after *text*."""
    lines: list[str] = [""]
    row = column = 0
    for found in _CODES.finditer(text):
        code, letter = found[1], found[2]
        if letter == "A":
            row -= int(code or 1)
        elif letter == "K":
            lines[row] = ""
        elif letter is None and found[0] == "\r":
            column = 0
        elif letter is None and found[0].endswith("\n"):
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif letter is None:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + found[0] + line[column + len(found[0]) :]
            column += len(found[0])
    return [line.rstrip() for line in lines]
