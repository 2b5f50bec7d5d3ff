"""Text of the user's that becomes a part of a line of ours."""

from __future__ import annotations


def show_name(name: str) -> str:
    """Give a name as one line of text without control characters; any bytes may have become it."""
    text = name.encode("utf-8", "backslashreplace").decode()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
