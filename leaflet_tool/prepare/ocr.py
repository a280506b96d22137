"""Calls Tesseract, several images to one process: the one module that knows how."""

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from leaflet_tool.errors import MissingError
from leaflet_tool.prepare.tsv import Found, pages
from leaflet_tool.settings import Orientation

PROGRAM = "tesseract"
ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""As many Tesseracts as there are cores are faster than one that spreads over all cores."""
OSD = "osd"
"""The language pack that knows scripts and orientations."""
FOLDER = re.compile(r'^List of available languages in "(.*)" \(\d+\):$')
"""Where language packs lie, as Tesseract tells it from 5.0 on."""
TURN = re.compile(r"^Rotate: (\d+)\nOrientation confidence: ([0-9.]+)", re.MULTILINE)


class TesseractFailedError(Exception):
    """Tesseract crashed, took too long, or did not tell about every image it was given."""


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


def recognised(images: Sequence[Path], language: str, psm: int, timeout: float) -> list[Found]:
    """The text on each image, or TesseractFailedError; `timeout` is in seconds for all of them."""
    output, problem = _run(images, "tsv", language, timeout, "--psm", str(psm), "-c", "tessedit_create_tsv=1")
    if problem:
        raise TesseractFailedError(problem)
    try:
        found = pages(output)
    except ValueError as error:
        raise TesseractFailedError(f"Tesseract wrote something else than words: {error}") from None
    if len(found) != len(images):
        raise TesseractFailedError(f"Tesseract told about {len(found)} of {len(images)} images")
    return found


def turns(images: Sequence[Path], timeout: float) -> list[Osd | None]:
    """How each image has to be turned; None where Tesseract cannot say, mostly because there is too little text."""
    found: list[Osd | None] = []
    while len(found) < len(images):
        output, problem = _run(images[len(found) :], OSD, OSD, timeout, "--psm", "0")
        told = [Osd(int(turn), float(confidence)) for turn, confidence in TURN.findall(output)]
        found += told[: len(images) - len(found)]
        if not told and "Too few characters" not in problem:  # it crashed or hangs, and does not say at which image
            found += [None] * (len(images) - len(found))
        elif len(found) < len(images):  # the first image that has too few characters ends the list
            found.append(None)
    return found


def _run(images: Sequence[Path], kind: str, language: str, timeout: float, *settings: str) -> tuple[str, str]:
    """What Tesseract wrote about `images` before it ended, and what went wrong, if anything did."""
    with TemporaryDirectory(prefix="tesseract-", dir=images[0].parent) as folder:
        names, base = Path(folder, "images.txt"), Path(folder, "out")
        names.write_bytes(b"".join(os.fsencode(image) + b"\n" for image in images))
        command = [PROGRAM, str(names), str(base), "-l", language, *settings]
        environment = {**os.environ, **ONE_THREAD}
        try:
            # by pytesseract every worker would import pandas first
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=timeout, check=False
            )
            told = " ".join(os.fsdecode(ended.stderr).split())
            problem = f"Tesseract ended with {ended.returncode}: {told}" if ended.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"Tesseract took longer than {timeout:.0f} s: timeout"
        output = base.with_suffix(f".{kind}")
        return output.read_text("utf-8", errors="replace") if output.exists() else "", problem
