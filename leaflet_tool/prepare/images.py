"""Working copies: upright, RGB, of bounded size, as JPEG. The originals are only read."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from leaflet_tool.storage import replacing

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000")
"""What is opened: nothing that starts an interpreter or reads a second file."""
DEPTHS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in images of floats, and of 8, 10, 12, 14 and 16 bits."""

Image.init()
SUFFIXES = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}


@dataclass(frozen=True)
class Task:
    """One image to be copied, its copy's longest side in pixels and JPEG's quality."""

    source: Path
    target: Path
    max_side: int
    quality: int


@dataclass(frozen=True)
class Copy:
    """The SHA-256 of a working copy, or why there is none."""

    digest: str = ""
    reason: str = ""


def working_copy(task: Task) -> Copy:
    """Writes the copy, whole or not at all; an unreadable image gives the reason instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities of files that can be read all the same
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            data = _encoded(task.source, task.max_side, task.quality)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Copy(reason="unreadable image: too many pixels")
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        what = " ".join(str(error).split()) or type(error).__name__
        return Copy(reason=f"unreadable image: {what.replace(str(task.source), task.source.name)}")
    with replacing(task.target, "wb") as file:
        file.write(data)
    return Copy(digest=hashlib.sha256(data).hexdigest())


def _encoded(source: Path, max_side: int, quality: int) -> bytes:
    """The working copy's bytes."""
    with Image.open(source, formats=FORMATS) as image:
        image.draft(None, (2 * max_side, 2 * max_side))  # lets a JPEG decode at a fraction of its size
        copy = upright_rgb(image)
    copy.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    copy.save(data, "JPEG", quality=quality)
    return data.getvalue()


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
