"""Pictures in a card, with all of their bytes, so that the page needs nothing else."""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape
from typing import Any

from plait.base.errors import PlaitError
from plait.cards.components import Component

_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
}


class BadImage(PlaitError):
    """Something that is no picture was given as one."""

    slug = "bad-image"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is no picture that a card can show",
            why="it shows PNG, JPEG, GIF, WebP, BMP and SVG, as bytes",
            fix="write Image(bytes), Image.from_pil_image(image), or Image.from_matplotlib(figure)",
        )


class Image(Component):
    """A picture.

    Args:
        src: Its bytes: PNG, JPEG, GIF, WebP, BMP or SVG; or an image of Pillow's, or a figure of
            Matplotlib's.
        label: What stands below it, and what is read to those who do not see it.

    Raises:
        BadImage: *src* is none of these.
    """

    def __init__(self, src: Any, label: str | None = None) -> None:
        if hasattr(src, "savefig") or hasattr(getattr(src, "figure", None), "savefig"):
            src = _draw_figure(src)
        elif hasattr(src, "save") and hasattr(src, "mode"):
            src = _draw_pil(src)
        if not isinstance(src, (bytes, bytearray, memoryview)):
            raise BadImage(f"a value of type {type(src).__qualname__}")
        self._bytes = bytes(src)
        self._kind = _find_kind(self._bytes)
        self._label = label

    @classmethod
    def from_matplotlib(cls, plot: Any, label: str | None = None) -> Image:
        """Make it of a figure of Matplotlib's, or of the figure that axes belong to.

        Args:
            plot: The figure or axes; drawn as it is now.
            label: What stands below it.
        """
        return cls(_draw_figure(plot), label)

    @classmethod
    def from_pil_image(cls, pilimage: Any, label: str | None = None) -> Image:
        """Make it of an image of Pillow's.

        Args:
            pilimage: The image, as it is now.
            label: What stands below it.
        """
        return cls(_draw_pil(pilimage), label)

    def render(self) -> str:
        """Give the picture as HTML."""
        label = "" if self._label is None else escape(str(self._label))
        below = f"<figcaption>{label}</figcaption>" if label else ""
        data = b64encode(self._bytes).decode("ascii")
        return (
            f'<figure><img alt="{label}" src="data:image/{self._kind};base64,{data}">'
            f"{below}</figure>"
        )


def _draw_figure(plot: Any) -> bytes:
    figure: Any = plot if hasattr(plot, "savefig") else getattr(plot, "figure", None)
    if not hasattr(figure, "savefig"):
        raise BadImage(f"a value of type {type(plot).__qualname__}")
    out = io.BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    return out.getvalue()


def _draw_pil(image: Any) -> bytes:
    out = io.BytesIO()
    # PNG knows fewer kinds of colours than Pillow.
    known = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")
    (image if known else image.convert("RGB")).save(out, format="PNG")
    return out.getvalue()


def _find_kind(data: bytes) -> str:
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    # As an image, the browser runs no script that it may hold and loads nothing.
    if b"<svg" in data[:1000]:
        return "svg+xml"
    raise BadImage(f"what begins with {data[:8]!r}")
