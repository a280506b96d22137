"""Reads pages: rendered, turned upright and recognised. It needs the originals only, and keeps nothing."""

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from leaflet_tool.prepare.ocr import Osd, Recogniser
from leaflet_tool.prepare.orientation import set_upright
from leaflet_tool.prepare.rendition import deskewed, rendition
from leaflet_tool.prepare.tesseract import TesseractFailedError
from leaflet_tool.prepare.tsv import Found
from leaflet_tool.settings import PREPARE, Orientation


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


class Reader:
    """Reads one page after the other, by Tesseracts that stay for the next page of the same settings."""

    def __init__(self, timeout: float = PREPARE.ocr_timeout) -> None:
        self._timeout = timeout
        self._recognisers: dict[tuple[str, int], Recogniser] = {}

    def __call__(self, page: Page, scratch: Path | None = None) -> Reading:
        """The page's reading; one on which Tesseract fails, or takes more than the timeout's seconds, says so.

        Its renditions lie, for as long as this takes, in a folder of their own below `scratch` or where the system
        keeps temporary files.
        """
        rendered = _rendered(page)
        if isinstance(rendered, str):
            return failed(rendered)
        with TemporaryDirectory(prefix="page-", dir=scratch) as folder:
            image = Path(folder, "page.pgm")
            if page.orientation == "none":
                deskewed(rendered).save(image)
                return _reading(self._recognised(page, image), "")
            rendered.save(image)  # set straight once it is known how it lies
            found, turn = set_upright(image, partial(self._recognised, page), partial(self._turn, page))
            return _reading(found, str(turn))

    def close(self) -> None:
        """Ends its Tesseracts."""
        for each in self._recognisers.values():
            each.close()

    def _recogniser(self, page: Page) -> Recogniser:
        settings = page.language, page.psm
        if settings not in self._recognisers:
            self._recognisers[settings] = Recogniser(*settings)
        return self._recognisers[settings]

    def _recognised(self, page: Page, image: Path) -> Found | str:
        """What is found on one of the page's renditions, or why nothing is."""
        try:
            return self._recogniser(page).recognised(image, self._timeout)
        except TesseractFailedError as error:
            return str(error)

    def _turn(self, page: Page, image: Path) -> Osd | None:
        return self._recogniser(page).turn(image, self._timeout)


def _rendered(page: Page) -> Image.Image | str:
    """The page's rendition, or why there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):  # about oddities of files that can be read all the same
            return rendition(page.path, page.frame)
    except MemoryError:
        raise
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        return " ".join(str(error).split()) or type(error).__name__


def _reading(found: Found | str, rotation: str) -> Reading:
    if isinstance(found, str):
        return failed(found)
    status, confidence = ("read", f"{found.confidence:.1f}") if found.text else ("blank", "")
    return Reading(found.text, status, confidence, str(len(found.words)), rotation)
