"""What Tesseract is given to read: the upright page in grey, of a size at which it reads best."""

import math
import sys
from pathlib import Path

from PIL import Image

from leaflet_tool.prepare.images import upright

VERSION = 1
"""Raised with every change that may change the text."""
PIXELS = 2_500_000
"""Size to which a page is brought: about 180 dots an inch of a sheet of A4."""
ENLARGED = 2.0
"""How much wider and higher a small page is made at most."""


def rendition(original: Path, frame: int = 0, *, pixels: int = PIXELS, enlarged: float = ENLARGED) -> Image.Image:
    """One page of an original, 8 bits of grey, of about `pixels` as far as `enlarged` allows."""
    # a JPEG is decoded at a fraction of its size, but not so small that a page three times as long as wide suffers
    # and what has a working copy is not too large to be read
    page, _ = upright(original, round(1.7 * math.sqrt(pixels)), frame=frame, max_pixels=sys.maxsize)
    grey = page.convert("L")
    scale = min(math.sqrt(pixels / (grey.width * grey.height)), enlarged)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
