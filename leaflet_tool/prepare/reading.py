"""Reads batches of pages: rendered, turned upright and recognised. It needs the originals only, and keeps nothing."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from leaflet_tool.prepare import ocr, orientation
from leaflet_tool.prepare.ocr import TesseractFailedError
from leaflet_tool.prepare.rendition import deskewed, rendition
from leaflet_tool.prepare.tsv import Found
from leaflet_tool.settings import PREPARE, Orientation

BATCH = 16
"""Images that one Tesseract reads at most: enough that loading its model hardly counts."""


@dataclass(frozen=True)
class Page:
    """One page of an original to be read, with the SHA-256 of its bytes, how to read it and by which language packs."""

    path: Path
    frame: int
    digest: str
    language: str
    psm: int
    orientation: Orientation
    models: tuple[tuple[str, str], ...] = ()
    """Language packs and their SHA-256, as far as they are known."""

    @property
    def settings(self) -> str:
        """How it is read, in words."""
        return f"{self.language} psm={self.psm} orientation={self.orientation}"


@dataclass(frozen=True)
class Reading:
    """A page's text, how it was come by (one of manifest.OCR_STATUSES) and what went wrong, if anything did."""

    text: str
    status: str
    confidence: str = ""
    """Mean of the words', 0 to 100."""
    words: str = ""
    rotation: str = ""
    """Degrees clockwise by which the page was turned; empty where nobody looked."""
    problem: str = ""


def failed(problem: str) -> Reading:
    """A page that could not be read, and why."""
    return Reading("", "failed", problem=problem)


def read_batch(
    pages: Sequence[Page], timeout: float = PREPARE.ocr_timeout, scratch: Path | None = None
) -> list[Reading]:
    """A reading for each page; all are read with the first one's settings.

    A page on which Tesseract fails or takes more than `timeout` seconds costs that page only. Renditions lie, for as
    long as this takes, in a folder of their own below `scratch` or where the system keeps temporary files.
    """
    with TemporaryDirectory(prefix="batch-", dir=scratch) as folder:
        readings: dict[int, Reading] = {}
        images: dict[int, Path] = {}
        for number, page in enumerate(pages):
            rendered = _rendered(page)
            if isinstance(rendered, str):
                readings[number] = failed(rendered)
            else:
                images[number] = Path(folder, f"{number}.pgm")
                # a page that may lie turned is set straight once that is known
                (rendered if page.orientation == "detect" else deskewed(rendered)).save(images[number])
        if images:
            found = _found(list(images.values()), pages[0], timeout)
            readings |= dict(zip(images, found, strict=True))
    return [readings[number] for number in range(len(pages))]


def _rendered(page: Page) -> Image.Image | str:
    """The page's rendition, or why there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):  # about oddities of files that can be read all the same
            return rendition(page.path, page.frame)
    except MemoryError:
        raise
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        return " ".join(str(error).split()) or type(error).__name__


def _found(images: Sequence[Path], how: Page, timeout: float) -> list[Reading]:
    """What is read on each rendition, as the first page says."""

    def recognise(images: Sequence[Path]) -> list[Found | str]:
        return [found for part in batched(images, BATCH) for found in _recognised(part, how, timeout)]

    if how.orientation == "none":
        return [_reading(found, "") for found in recognise(images)]
    upright = orientation.set_upright(images, recognise, partial(ocr.turns, timeout=timeout))
    return [_reading(found, str(turn)) for found, turn in upright]


def _recognised(images: Sequence[Path], how: Page, timeout: float) -> list[Found | str]:
    """What is found on each image, by one Tesseract, or by one for each where the one for all fails."""
    try:
        return list(ocr.recognised(images, how.language, how.psm, timeout))
    except TesseractFailedError as error:
        if len(images) == 1:
            return [str(error)]
        return [found for image in images for found in _recognised([image], how, timeout)]


def _reading(found: Found | str, rotation: str) -> Reading:
    if isinstance(found, str):
        return failed(found)
    status, confidence = ("read", f"{found.confidence:.1f}") if found.text else ("blank", "")
    return Reading(found.text, status, confidence, str(len(found.words)), rotation)
