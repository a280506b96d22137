"""Working copies: upright, RGB, of bounded size, as JPEG. The originals are only read."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from leaflet_tool.prepare import formats, pdf, rgb
from leaflet_tool.prepare.texts import clean
from leaflet_tool.settings import PREPARE
from leaflet_tool.storage import replacing

TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Degrees clockwise to Pillow's transposition, which counts the other way."""
SEEN_SIDE = 512
"""Longest side at which brightness and sharpness are measured: so they do not depend on the camera's resolution."""
UNREADABLE = "unreadable image"

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is lower than ours may be


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
    """Perceptual hash of 64 bits, and below one of 256."""
    fine: str = ""
    width: int = 0
    height: int = 0
    brightness: float = 0.0
    sharpness: float = 0.0
    layer: str = ""
    """The text that the file itself holds for the page; a PDF may."""
    reason: str = ""


class TooManyPixelsError(ValueError):
    """A picture that is larger than allowed."""


def working_copy(task: Task) -> Copy:
    """Writes the copy, whole or not at all; an unreadable image gives the reason instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities of files that can be read all the same
            page, copy = _read(task)
    except MemoryError:  # the process has reached its limit, and may not be able to go on
        raise
    except Exception as error:  # a broken file makes decoders raise nearly anything
        return Copy(reason=f"{UNREADABLE}: {_told(error, task.source)}")
    if page:
        with replacing(task.target, "wb") as file:
            page.save(file, "JPEG", quality=task.quality)
    return copy


def _told(error: Exception, source: Path) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is broken from its beginning"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    what = " ".join(clean(str(error)).split())
    return what.replace(str(source), source.name) or type(error).__name__


def _read(task: Task) -> tuple[Image.Image | None, Copy]:
    """The copy and what is seen of it; no copy of a file that is not opened."""
    head = formats.head(task.source)
    refusal = formats.refusal(head, task.source.suffix)
    if refusal:
        return None, Copy(reason=refusal)
    is_pdf = formats.kind(head) == formats.PDF
    side = task.max_side if is_pdf else 2 * task.max_side  # of a picture more is decoded, to be made smaller well
    page, size = upright(task.source, side, frame=task.frame, turn=task.turn or 0, max_pixels=task.max_pixels)
    page.thumbnail((task.max_side, task.max_side), Image.Resampling.LANCZOS)
    layer = clean(pdf.text_layer(task.source, task.frame)) if is_pdf else ""
    return page, seen(page, size, page_digest(task.source, task.frame), layer)


def upright(
    original: Path | bytes, side: int, *, frame: int = 0, turn: int = 0, max_pixels: int = PREPARE.max_pixels
) -> tuple[Image.Image, tuple[int, int]]:
    """One page in RGB as a person sees it, at least `side` pixels long where the original is, and the original's size.

    `turn` is in degrees clockwise and comes on top of what the file says. A page of a PDF is drawn at `side` pixels.
    """
    head = original[: formats.HEAD] if isinstance(original, bytes) else formats.head(original)
    if formats.kind(head) == formats.PDF:
        page = pdf.drawn(io.BytesIO(original) if isinstance(original, bytes) else original, frame, side)
        size = page.size
    else:
        page, size = _decoded(original, side, frame, max_pixels)
    if turn:
        page = page.transpose(TURNS[turn])
    return page, size[::-1] if turn in (90, 270) else size


def _decoded(original: Path | bytes, side: int, frame: int, max_pixels: int) -> tuple[Image.Image, tuple[int, int]]:
    file = io.BytesIO(original) if isinstance(original, bytes) else original
    with Image.open(file, formats=formats.READ) as image:
        if frame:  # the first picture shown is not everywhere number 0
            image.seek(frame)
        size = image.size
        if size[0] * size[1] > max_pixels:
            raise TooManyPixelsError(f"more than {max_pixels:,} pixels")
        image.draft(None, (side, side))  # lets a JPEG decode at a fraction of its size
        page, lies = rgb.seen(image, side)
    return page, size[::-1] if lies else size


def page_digest(source: Path, frame: int) -> str:
    """SHA-256, in hex, of a file's bytes and the number of a page in it."""
    status = source.stat()
    return hashlib.sha256(f"{_file_digest(source, status.st_size, status.st_mtime_ns)}\0{frame}".encode()).hexdigest()


@lru_cache(maxsize=4)
def _file_digest(source: Path, size: int, changed: int) -> str:
    """Once for all pages of a file, as long as its size and time of change are the same."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seen(page: Image.Image, size: tuple[int, int], digest: str, layer: str = "") -> Copy:
    """What the manifest and the search for duplicates want to know of a working copy."""
    from scipy.ndimage import laplace  # here, because workers that read text need neither this nor imagehash

    grey = page.convert("L")
    small = grey.copy()
    small.thumbnail((SEEN_SIDE, SEEN_SIDE), Image.Resampling.LANCZOS)
    levels = np.asarray(small, dtype=np.float64)
    phash, fine = perceptual_hashes(small)
    return Copy(
        digest=digest,
        phash=phash,
        fine=fine,
        width=size[0],
        height=size[1],
        brightness=round(float(levels.mean()), 1),
        sharpness=round(float(laplace(levels).var()), 1),
        layer=layer,
    )


def perceptual_hashes(small: Image.Image) -> tuple[str, str]:
    """The hash of 64 bits and that of 256, hexadecimal, of a grey page of SEEN_SIDE pixels."""
    import imagehash

    return str(imagehash.phash(small)), str(imagehash.phash(small, hash_size=16))
