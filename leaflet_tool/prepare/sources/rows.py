"""Rows as an archive gives them, before anything is judged: what the sources hand on."""

import math
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    BRIGHTNESS,
    CAPTION,
    FOLD,
    GROUP,
    HEIGHT,
    ID,
    IMAGE,
    LABEL_BEFORE,
    OCR_CONFIDENCE,
    OCR_STATUS,
    OCR_WORDS,
    PAGE,
    ROTATION,
    ROW,
    SHARPNESS,
    SOURCE,
    SPLIT,
    TEXT,
    WIDTH,
    own,
)

LABEL = "label"
"""Raw label: text, a list of texts, or nothing; named after the dataset only in the manifest."""
ORIGINAL, FRAME, DIGEST, PHASH, FINE, LAYER = "original", "frame", "digest", "phash", "fine", "layer"
"""Not in the manifest: the archive's file under `Rows.root`, which page of a file of several (from 0; empty: its only
one), the SHA-256 of the file's bytes and that page, the perceptual hash of the upright copy in 64 bits and in 256 (all
hexadecimal), and the text that the file itself holds for the page."""
RAW = (
    *(ID, IMAGE, FRAME, TEXT, CAPTION, OCR_STATUS, OCR_CONFIDENCE, OCR_WORDS, ROTATION, LABEL, GROUP, PAGE, SPLIT),
    *(LABEL_BEFORE, FOLD, AUGMENTED_FROM, SOURCE, ROW, WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS),
    *(ORIGINAL, DIGEST, PHASH, FINE, LAYER),
)
REASON = "reason"
MISSING = "missing file"
NO_ROW = "no row names it"
"""Of what lies beside the images of a table or of label files."""
A_FOLDER, UNREADABLE_FOLDER = "a folder, not an image", "folder cannot be read"


@dataclass(frozen=True)
class Rows:
    """`frame` has the columns RAW, all text but LABEL; `skipped` has source, row, reason; images lie under `root`."""

    frame: pd.DataFrame
    skipped: pd.DataFrame
    root: Path
    columns: tuple[str, ...] = ()
    """The archive's own columns, where it has any."""

    @property
    def found(self) -> int:
        """Everything the archive holds, kept or not."""
        return len(own(self.frame)) + len(self.skipped)

    def without(self, reasons: pd.Series) -> "Rows":
        """The rows whose reason is empty; the others join the skipped ones."""
        frame, skipped = part(self.frame, reasons)
        return replace(self, frame=frame, skipped=pd.concat([self.skipped, skipped], ignore_index=True))


def part(frame: pd.DataFrame, reasons: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with an empty reason, and source, row and reason of the others."""
    dropped = reasons != ""
    skipped = frame.loc[dropped, [SOURCE, ROW]].assign(**{REASON: reasons[dropped]})
    return frame[~dropped].reset_index(drop=True), skipped.reset_index(drop=True)


def raw_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Records as a frame with the columns RAW; what a record lacks is empty."""
    records = list(records)
    columns = {name: [record.get(name, "") for record in records] for name in RAW}
    return pd.DataFrame(
        {name: pd.Series(cells, dtype=object if name == LABEL else str) for name, cells in columns.items()}
    )


def skipped_frame(entries: Iterable[tuple[str, str, str]] = ()) -> pd.DataFrame:
    """Skipped inputs from (source, row, reason)."""
    return pd.DataFrame(list(entries), columns=[SOURCE, ROW, REASON], dtype=str)


def as_text(value: Any) -> str:
    """A cell as text: nothing becomes empty, 1.0 becomes 1; a ValueError says what cannot be text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            if math.isnan(value):
                return ""
            return str(int(value)) if value.is_integer() else repr(value)
        case list() | tuple() | dict() | bytes():
            raise ValueError(f"holds a {type(value).__name__}, not a text")
    return str(value)


def whole(text: str) -> str:
    """`text`, or a ValueError when it holds what no UTF-8 file can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate)") from None
    return text


def place(row: Mapping[str, Any]) -> str:
    """Where a person finds a row: its number in the table, else its file."""
    return f"row {row[ROW]}" if row[ROW] else str(row[SOURCE])


def relative(name: str) -> str:
    """A path in the archive's own words, without detours such as `./` or `a/../`."""
    return posixpath.normpath(name) if name else ""


def legible(name: str, reason: str = "") -> tuple[str, str, str]:
    """A skipped input (source, row, reason) by its name; one that is not UTF-8 is spelt out, and that is the reason."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode(errors="backslashreplace").decode(), "", "name is not UTF-8"
    return name, "", reason


def misplaced(root: Path, name: str) -> str:
    """Why the file `name` cannot be read from under `root`, or an empty string."""
    if PurePosixPath(name).is_absolute() or name.startswith("../"):
        return "path leaves the archive"
    try:
        real = (root / name).resolve()
        if not real.is_relative_to(root.resolve()):
            return "link leaves the archive" if (root / name).is_symlink() else "path leaves the archive"
        if real.is_dir():
            return A_FOLDER
        if real.is_file():
            return ""
        return "neither a file nor a folder" if real.exists() else MISSING
    except (OSError, RuntimeError, ValueError) as error:
        return f"cannot be opened: {error}"


def must_exist(path: Path) -> Path:
    """`path`, or an InputError."""
    if not path.exists():
        raise InputError(f"{path} does not exist", hint="check the path")
    return path
