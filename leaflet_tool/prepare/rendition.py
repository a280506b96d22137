"""What Tesseract is given to read: the upright page in grey, at a size and in a light in which it reads best.

Chosen by benchmarks/ocr_quality.py, 40 pages or more of each set. Against the same picture with its shadows and skew,
word recall on drawn photographs is 0.933 instead of 0.857, precision 0.947 instead of 0.922 (with one step alone recall
is 0.865 at most); on receipts, which are scanned, both stay within 0.003; on leaflets 104.9 words a page are certain
instead of 100.1. Sauvola's threshold read worse (16 pages: recall 0.70 on receipts instead of 0.79), and stretched
contrast no better (24 pages).
"""

import math
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from leaflet_tool.prepare.images import TURNS, upright

VERSION = 2
"""Raised with every change that may change the text."""
PIXELS = 2_500_000
"""Size to which a page is brought: about 180 dots an inch of a sheet of A4."""
ENLARGED = 2.0
"""How much wider and higher a small page is made at most."""

PAPER = 245
"""Grey that paper gets where shadows are taken out."""
DARKEST = 32
"""Paper is taken to be at least so bright: what is darker around is print."""
SKEW, COARSE, FINE = 5.0, 0.5, 0.25
"""The largest angle that is set straight, and the steps in which it is sought, degrees."""
SHARPER = 1.15
"""How many times sharper the lines must be at an angle than as they are."""
SKEW_SIDE = 500
"""Longest side at which the angle is sought."""


def flattened(picture: Image.Image) -> Image.Image:
    """Shadows taken out: every pixel over the brightness of the paper around it."""
    small = picture.resize((max(1, picture.width // 16), max(1, picture.height // 16)), Image.Resampling.BOX)
    paper = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(4))
    gain = Image.fromarray(PAPER / np.maximum(np.asarray(paper, dtype=np.float32), DARKEST))
    flat = np.asarray(gain.resize(picture.size, Image.Resampling.BILINEAR)) * np.asarray(picture)
    return Image.fromarray(np.minimum(flat, 255, out=flat).astype(np.uint8))


def deskewed(picture: Image.Image) -> Image.Image:
    """Turned by the small angle at which lines of print stand out sharpest from the space between them."""
    angle = _skew(picture)
    return picture.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255) if angle else picture


def rendition(
    original: Path,
    frame: int = 0,
    *,
    pixels: int = PIXELS,
    enlarged: float = ENLARGED,
    steps: Sequence[Callable[[Image.Image], Image.Image]] = (flattened,),
) -> Image.Image:
    """One page of an original, 8 bits of grey, of about `pixels` as far as `enlarged` allows."""
    # a JPEG is decoded at a fraction of its size, but not so small that a page three times as long as wide suffers,
    # and what has a working copy is not too large to be read
    page, _ = upright(original, round(1.7 * math.sqrt(pixels)), frame=frame, max_pixels=sys.maxsize)
    grey = page.convert("L")
    # resampling goes by rows first, and Tesseract's layout may turn on the last bit: all pages are made standing
    lies = grey.width > grey.height
    if lies:
        grey = grey.transpose(TURNS[90])
    scale = min(math.sqrt(pixels / (grey.width * grey.height)), enlarged)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    picture = grey.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    for step in steps:
        picture = step(picture)
    return picture.transpose(TURNS[270]) if lies else picture


def laid(rendered: Path, turn: int = 0) -> Path:
    """A copy of a rendition beside it, turned clockwise and then set straight: skew is not seen in lines that stand."""
    path = rendered.with_stem(f"{rendered.stem}-{turn}")
    with Image.open(rendered) as picture:
        deskewed(picture.transpose(TURNS[turn]) if turn else picture).save(path)
    return path


def _skew(picture: Image.Image) -> float:
    """The angle, in degrees against the clock, by which a turn makes lines level; 0 where none is clearly better."""
    small = picture.copy()
    small.thumbnail((SKEW_SIDE, SKEW_SIDE), Image.Resampling.BOX)
    paper = np.asarray(small.filter(ImageFilter.GaussianBlur(12)), dtype=np.float32)
    ink = np.clip(paper - np.asarray(small, dtype=np.float32) - 8, 0, 60)
    height, width = ink.shape
    aside = np.arange(width) - width / 2
    before = np.zeros((width + 1, height), dtype=np.float32)  # whole numbers, so that sums of them are exact
    np.cumsum(ink.T, axis=0, out=before[1:])

    def sharpness(angle: float) -> float:
        """How unevenly ink is spread over the rows when the picture is turned by `angle`."""
        down = np.rint(-math.tan(math.radians(angle)) * aside).astype(int) + width
        profile = np.zeros(height + 2 * width)
        steps = np.flatnonzero(np.diff(down)) + 1  # between them columns move by the same number of rows
        for left, right in pairwise((0, *steps.tolist(), width)):
            profile[down[left] : down[left] + height] += before[right] - before[left]
        return float((np.diff(np.trim_zeros(profile, "b")) ** 2).sum())

    best = max(np.arange(-SKEW, SKEW + COARSE, COARSE).tolist(), key=sharpness)
    best = max((best - FINE, best, best + FINE), key=sharpness)
    return best if sharpness(best) > SHARPER * sharpness(0.0) else 0.0
