"""The manifest's rows as Ludwig wants them: one CSV that trains the same with or without leaflet-tool."""

import csv
import re
from pathlib import Path

import pandas as pd

from leaflet_tool.manifest import (
    IMAGE,
    OCR_CONFIDENCE,
    OCR_STATUS,
    OCR_WORDS,
    ROTATION,
    SPLIT,
    SPLITS,
    TEXT,
    read_cells,
)
from leaflet_tool.storage import replacing

SPLIT_NUMBERS = {word: str(number) for number, word in enumerate(SPLITS)}
"""Ludwig's fixed split knows 0, 1 and 2 only."""
READ_AS_MISSING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL"}
    | {"NaN", "None", "n/a", "nan", "null"}
)
"""Cells that pandas, and so Ludwig, takes for a missing value (documentation of pandas.read_csv, na_values)."""
DELIMITER_BEFORE_QUOTE = re.compile(r"([|\t]) ?(?=[\"']|\Z)")
"""What Ludwig's sniffer counts in favour of `|` or tab as the CSV's delimiter; the end of a cell is a quote too."""


def image_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that hold working copies: `image` and its regions."""
    return [column for column in frame.columns if column == IMAGE or column.startswith(f"{IMAGE}_")]


def for_ludwig(frame: pd.DataFrame, folder: Path, label: str) -> pd.DataFrame:
    """Rows with absolute image paths, splits as 0, 1, 2, and no cell that would be read as missing though it is not."""
    rows = frame.drop(columns=[OCR_STATUS, OCR_CONFIDENCE, OCR_WORDS, ROTATION], errors="ignore").copy()
    for column in image_columns(rows):
        rows[column] = [str((folder / cell).resolve()) if cell else "" for cell in rows[column]]
    if SPLIT in rows:
        rows[SPLIT] = rows[SPLIT].map(SPLIT_NUMBERS)
    for column in (TEXT, label):
        if column in rows:
            # Ludwig strips labels and splits texts, so a blank keeps a cell NA from vanishing and changes nothing else.
            rows[column] = [f"{cell} " if cell in READ_AS_MISSING else cell for cell in rows[column]]
    if TEXT in rows:
        rows[TEXT] = [DELIMITER_BEFORE_QUOTE.sub(r"\1  ", cell) for cell in rows[TEXT]]
    return rows


def write(rows: pd.DataFrame, path: Path) -> None:
    """Writes the CSV with every cell quoted, by which Ludwig's sniffer knows the comma for the delimiter."""
    with replacing(path) as file:
        rows.to_csv(file, index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")


def read(path: Path) -> pd.DataFrame:
    """The CSV as written, as text."""
    return read_cells(path)


def in_words(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    """The rows as the manifest has them: splits in words, labels without the blank that `for_ludwig` adds."""
    words = {number: word for word, number in SPLIT_NUMBERS.items()}
    return rows.assign(**{SPLIT: rows[SPLIT].map(words), label: rows[label].str.strip()})
