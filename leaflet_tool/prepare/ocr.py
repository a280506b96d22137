"""Reads pages with Tesseract: the one module that knows how to call it."""

import os
import subprocess
from collections import ChainMap
from dataclasses import dataclass
from pathlib import Path

import pytesseract

from leaflet_tool.errors import MissingError
from leaflet_tool.prepare.images import upright
from leaflet_tool.prepare.texts import clean
from leaflet_tool.settings import PREPARE

# one thread a Tesseract: as many of them as there are cores are faster than one that spreads over all cores
pytesseract.pytesseract.environ = ChainMap({"OMP_THREAD_LIMIT": "1"}, os.environ)


@dataclass(frozen=True)
class Page:
    """One page of an original to be read, with the SHA-256 of its bytes and how to read it."""

    path: Path
    frame: int
    digest: str
    language: str
    psm: int


@dataclass(frozen=True)
class Reading:
    """A page's text, how it was come by (one of manifest.OCR_STATUSES) and what went wrong, if anything did."""

    text: str
    status: str
    confidence: str = ""
    words: str = ""
    rotation: str = ""
    problem: str = ""


def tesseract_version(language: str) -> str:
    """Tesseract's version; a MissingError says what to install when it or a pack of `language` is absent."""
    try:
        version = str(pytesseract.get_tesseract_version())
    except (pytesseract.TesseractNotFoundError, SystemExit):
        raise MissingError("Tesseract is not installed, and there are pages to read", hint=_install(["eng"])) from None
    packs = _packs()
    missing = [pack for pack in language.split("+") if pack not in packs]
    if missing:
        raise MissingError(
            f"Tesseract has no language pack {', '.join(map(repr, missing))} (it has {', '.join(packs) or 'none'})",
            hint=_install(missing),
        )
    return version


def _packs() -> list[str]:
    """Installed language packs; pytesseract's own list leaves out names with digits or capitals."""
    command = [pytesseract.pytesseract.tesseract_cmd, "--list-langs"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()[1:]


def _install(packs: list[str]) -> str:
    debian = " ".join(f"tesseract-ocr-{pack.lower().replace('_', '-')}" for pack in packs)
    return (
        f"Debian, Ubuntu: apt-get install tesseract-ocr {debian}; "
        "macOS: brew install tesseract tesseract-lang; or do without text: --ocr none"
    )


def read(page: Page, timeout: float = PREPARE.ocr_timeout) -> Reading:
    """What Tesseract reads on one page; its failure or its taking too long costs this page's text only."""
    config = f"--psm {page.psm}"
    try:
        image, _ = upright(page.path.read_bytes(), PREPARE.max_side, frame=page.frame)
        image.thumbnail((PREPARE.max_side, PREPARE.max_side))
        text = clean(pytesseract.image_to_string(image, lang=page.language, config=config, timeout=timeout))
    except (RuntimeError, UnicodeDecodeError) as error:  # TesseractError is a RuntimeError, and so is a timeout
        return Reading("", "failed", problem=" ".join(str(error).split()))
    return Reading(text, "read" if text else "blank")
