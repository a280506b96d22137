"""Working copies: upright, RGB, of bounded size, as JPEG. The originals are only read."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import laplace

from leaflet_tool.storage import replacing

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000")
"""What is opened: nothing that starts an interpreter or reads a second file."""
DEPTHS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in images of floats, and of 8, 10, 12, 14 and 16 bits."""

TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Degrees clockwise to Pillow's transposition, which counts the other way."""
SEEN_SIDE = 512
"""Longest side at which brightness and sharpness are measured: so they do not depend on the camera's resolution."""

Image.init()
SUFFIXES = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}


@dataclass(frozen=True)
class Task:
    """One image to be copied: its copy's longest side in pixels, JPEG's quality, and the turn that sets it upright."""

    source: Path
    target: Path
    max_side: int
    quality: int
    max_pixels: int
    frame: int = 0
    """Which page of a file of several."""
    turn: int | None = None
    """Degrees clockwise: 0, 90, 180 or 270; None where a copy that is there may stay however it was turned."""


@dataclass(frozen=True)
class Copy:
    """What was seen of an image while it was copied, or the reason why there is no copy."""

    digest: str = ""
    """SHA-256 of the original's bytes and of the page in it."""
    phash: str = ""
    width: int = 0
    height: int = 0
    brightness: float = 0.0
    sharpness: float = 0.0
    reason: str = ""


def working_copy(task: Task) -> Copy:
    """Writes the copy, whole or not at all; an unreadable image gives the reason instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities of files that can be read all the same
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            original = task.source.read_bytes()
            page, size = upright(original, 2 * task.max_side, frame=task.frame, turn=task.turn or 0)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Copy(reason="unreadable image: too many pixels")
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        what = " ".join(str(error).split()) or type(error).__name__
        return Copy(reason=f"unreadable image: {what.replace(str(task.source), task.source.name)}")
    page.thumbnail((task.max_side, task.max_side), Image.Resampling.LANCZOS)
    with replacing(task.target, "wb") as file:
        page.save(file, "JPEG", quality=task.quality)
    return seen(page, size, hashlib.sha256(original + f"\0{task.frame}".encode()).hexdigest())


def upright(original: bytes, side: int, *, frame: int = 0, turn: int = 0) -> tuple[Image.Image, tuple[int, int]]:
    """One page as a person sees it, at least `side` pixels long where the original is, and the original's own size.

    `turn` is in degrees clockwise and comes on top of what EXIF says.
    """
    with Image.open(io.BytesIO(original), formats=FORMATS) as image:
        image.seek(frame)
        size = image.size
        image.draft(None, (side, side))  # lets a JPEG decode at a fraction of its size
        drafted = image.size
        page = upright_rgb(image)
    if turn:
        page = page.transpose(TURNS[turn])
    lies = (page.width < page.height) != (drafted[0] < drafted[1])
    return page, (size[1], size[0]) if lies else size


def seen(page: Image.Image, size: tuple[int, int], digest: str) -> Copy:
    """What the manifest and the search for duplicates want to know of a working copy."""
    grey = page.convert("L")
    small = grey.copy()
    small.thumbnail((SEEN_SIDE, SEEN_SIDE), Image.Resampling.LANCZOS)
    levels = np.asarray(small, dtype=np.float64)
    return Copy(
        digest=digest,
        phash=str(imagehash.phash(grey)),
        width=size[0],
        height=size[1],
        brightness=round(float(levels.mean()), 1),
        sharpness=round(float(laplace(levels).var()), 1),
    )


def upright_rgb(image: Image.Image) -> Image.Image:
    """The picture as a person sees it: turned as EXIF says, transparency on white, 8 bits a channel."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey levels brought to 0..255 by the depth they use: the smallest usual one that holds the brightest pixel."""
    levels = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    levels = levels - min(levels.min(), 0)
    brightest = levels.max()
    full = next((full for full in DEPTHS if brightest <= full), brightest)
    return Image.fromarray((levels * (255 / full)).round().astype(np.uint8))
