"""What Tesseract is given to read: the upright page in grey, of a size at which it reads best."""

from PIL import Image

from leaflet_tool.prepare.images import upright

VERSION = 1
"""Raised with every change that may change the text."""
SIDE = 1600
"""Longest side, pixels."""
ENLARGED = 2.0
"""Small pages are enlarged by this at most, towards SIDE."""


def rendition(original: bytes, frame: int = 0, *, side: int = SIDE, enlarged: float = ENLARGED) -> Image.Image:
    """One page of an original, 8 bits of grey, as far as `side` and `enlarged` allow of `side` pixels."""
    page, _ = upright(original, side, frame=frame)
    grey = page.convert("L")
    scale = min(side / max(grey.size), enlarged)
    width, height = (max(1, round(length * scale)) for length in grey.size)
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return grey if scale == 1 else grey.resize((width, height), smooth)
