"""What Tesseract is asked: which version and language packs it has, what it reads, how a page lies."""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from leaflet_tool.errors import MissingError
from leaflet_tool.prepare.tesseract import PROGRAM, Tesseract, TesseractFailedError
from leaflet_tool.prepare.tsv import Found, pages
from leaflet_tool.settings import Orientation

OSD = "osd"
"""The language pack that knows scripts and orientations."""
FOLDER = re.compile(r'^List of available languages in "(.*)" \(\d+\):$')
"""Where language packs lie, as Tesseract tells it from 5.0 on."""
TURN = re.compile(r"^Rotate: (\d+)\nOrientation confidence: ([0-9.]+)", re.MULTILINE)
TURN_END = re.compile(rb"^Script confidence:.*\n", re.MULTILINE)
"""The last of what is said of an image's turn."""
BLANK = b"P5 12 12 255 " + b"\xff" * 12 * 12
"""A picture without text, which is read at once: when Tesseract begins with it, it is done with the one before."""
TWO_PAGES = re.compile(rb"(?:^1\t.*\n(?s:.*?)){2}", re.MULTILINE)
"""Rows of a TSV in which two images begin."""


@dataclass(frozen=True)
class Osd:
    """Degrees clockwise that set an image upright, and how sure Tesseract is: from 0, without an upper end."""

    turn: int
    confidence: float


def tesseract_version(language: str, orientation: Orientation = "none") -> str:
    """Tesseract's version; a MissingError says what to install when it or a language pack is absent."""
    import pytesseract  # takes pandas with it, which those that only read do not need

    wanted = _wanted(language, orientation)
    try:
        version = str(pytesseract.get_tesseract_version())
    except (pytesseract.TesseractNotFoundError, SystemExit):
        raise MissingError("Tesseract is not installed, and there are pages to read", hint=_install(wanted)) from None
    packs = _packs()
    missing = [pack for pack in wanted if pack not in packs]
    if missing:
        raise MissingError(
            f"Tesseract has no language pack {', '.join(map(repr, missing))} (it has {', '.join(packs) or 'none'})",
            hint=_install(missing) + ("; or take pages as they lie: --orientation none" if OSD in missing else ""),
        )
    return version


def models(language: str, orientation: Orientation = "none") -> dict[str, str]:
    """SHA-256 of each language pack that reading takes, by its name; nothing of those that are not to be found."""
    try:
        told = FOLDER.match(next(iter(_listed()), ""))
    except OSError:
        return {}
    folder = told[1] if told else os.environ.get("TESSDATA_PREFIX", "")
    files = {pack: Path(folder, f"{pack}.traineddata") for pack in _wanted(language, orientation)} if folder else {}
    found = {}
    for pack, file in files.items():
        try:
            status = file.stat()
            found[pack] = _digest(file, status.st_size, status.st_mtime_ns)
        except OSError:
            continue
    return found


@cache
def _digest(file: Path, _size: int, _changed: int) -> str:
    """SHA-256 of a file in this state."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _wanted(language: str, orientation: Orientation) -> list[str]:
    return [*language.split("+"), *([OSD] if orientation == "detect" else [])]


def _packs() -> list[str]:
    """Installed language packs; pytesseract's own list leaves out names with digits or capitals."""
    return _listed()[1:]


def _listed() -> list[str]:
    """What Tesseract says of its language packs, a line each after one for all."""
    command = [PROGRAM, "--list-langs"]
    return os.fsdecode(subprocess.run(command, capture_output=True, check=False).stdout).splitlines()


def _install(packs: list[str]) -> str:
    debian = " ".join(f"tesseract-ocr-{pack.lower().replace('_', '-')}" for pack in packs)
    return (
        f"Debian, Ubuntu: apt-get install tesseract-ocr {debian}; "
        "macOS: brew install tesseract tesseract-lang; or do without text: --ocr none"
    )


class Recogniser:
    """Tesseracts that read images one after the other: one for the text, and one for how a page lies, when asked."""

    def __init__(self, language: str, psm: int) -> None:
        self._text = Tesseract("-l", language, "--psm", str(psm), "-c", "tessedit_create_tsv=1")
        self._turn = Tesseract("-l", OSD, "--psm", "0")

    def recognised(self, image: Path, timeout: float) -> Found:
        """The text on an image, or a TesseractFailedError; `timeout` in seconds."""
        blank = image.with_name("blank.pgm")
        blank.write_bytes(BLANK)
        written = self._text.told([image, blank], TWO_PAGES, timeout)
        try:
            return pages(written)[0]
        except ValueError as error:
            raise TesseractFailedError(f"Tesseract wrote something else than words: {error}") from None

    def turn(self, image: Path, timeout: float) -> Osd | None:
        """How an image has to be turned; None where Tesseract cannot say, mostly because there is too little text."""
        try:
            told = TURN.search(self._turn.told([image], TURN_END, timeout))
        except TesseractFailedError:  # it ends over an image with too few characters
            return None
        return Osd(int(told[1]), float(told[2])) if told else None

    def close(self) -> None:
        """Ends the processes."""
        self._text.close()
        self._turn.close()
