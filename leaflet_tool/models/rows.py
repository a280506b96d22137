"""The manifest's rows as Ludwig wants them: one CSV that trains the same with or without leaflet-tool.

Ludwig's set feature splits a cell at blanks (its tokenizer `space`), so labels of which a row has several are parted by
blanks, and a blank within a label becomes a no-break space.
"""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    CAPTION,
    ID,
    IMAGE,
    LABEL_DELIMITER,
    OCR_CONFIDENCE,
    OCR_STATUS,
    OCR_WORDS,
    ROTATION,
    SPLIT,
    SPLITS,
    TEXT,
    Label,
    own,
    read_cells,
    split_labels,
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
TEXTS = (TEXT, CAPTION)
"""The columns of free text."""
BLANK, NO_BREAK = " ", "\u00a0"
TOKENS = {"\\": "\\\\", NO_BREAK: "\\_", BLANK: NO_BREAK}
"""What stands for a character of a label in a cell of several: no blank is left, and nothing is lost."""
UNKNOWN = "<UNK>"
"""The token of Ludwig's own in every vocabulary, which is no class."""
TOKEN_PARTS = re.compile(r"\\[\\_]|\u00a0")


def image_columns(frame: pd.DataFrame, label: Label) -> list[str]:
    """The columns that hold working copies: `image` and its regions, but not a label of such a name."""
    named = [column for column in frame.columns if column == IMAGE or column.startswith(f"{IMAGE}_")]
    return [column for column in named if column != label.name]


def given(frame: pd.DataFrame, columns: Iterable[str], label: Label) -> pd.DataFrame:
    """The manifest's rows for a model that reads `columns`: altered copies only where it sees what was altered."""
    read = set(columns)
    if AUGMENTED_FROM not in frame or read & set(image_columns(frame, label)):
        return frame
    texts = [column for column in TEXTS if column in read and column in frame]
    parents = own(frame).set_index(ID)[texts].reindex(frame[AUGMENTED_FROM])
    altered = (parents.to_numpy() != frame[texts].to_numpy()).any(axis=1)
    return frame[frame.index.isin(own(frame).index) | altered]


def for_ludwig(frame: pd.DataFrame, folder: Path, label: Label) -> pd.DataFrame:
    """Rows with absolute image paths, splits as 0, 1, 2, and no cell that would be read as missing though it is not."""
    rows = frame.drop(columns=[OCR_STATUS, OCR_CONFIDENCE, OCR_WORDS, ROTATION], errors="ignore").copy()
    for column in image_columns(rows, label):
        rows[column] = [str((folder / cell).resolve()) if cell else "" for cell in rows[column]]
    if SPLIT in rows:
        rows[SPLIT] = rows[SPLIT].map(SPLIT_NUMBERS)
    if label.multiple and label.name in rows:
        # a blank alone is a row without labels: Ludwig would drop an empty cell, or make <UNK> of it
        rows[label.name] = [BLANK.join(map(token, split_labels(cell))) or BLANK for cell in rows[label.name]]
    for column in (*TEXTS, label.name):
        if column in rows:
            # Ludwig strips labels and splits texts, so a blank keeps a cell NA from vanishing and changes nothing else.
            rows[column] = [f"{cell} " if cell in READ_AS_MISSING else cell for cell in rows[column]]
    for column in TEXTS:
        if column in rows:
            rows[column] = [DELIMITER_BEFORE_QUOTE.sub(r"\1  ", cell) for cell in rows[column]]
    return rows


def read_as_missing(frame: pd.DataFrame, column: str) -> pd.Index:
    """The manifest's rows in which Ludwig finds nothing in a column that its inputs read."""
    cells = {""} if column in TEXTS else {"", *READ_AS_MISSING}
    return frame.index[frame[column].isin(cells)]


def write(rows: pd.DataFrame, path: Path) -> None:
    """Writes the CSV with every cell quoted, by which Ludwig's sniffer knows the comma for the delimiter."""
    with replacing(path) as file:
        rows.to_csv(file, index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")


def read(path: Path) -> pd.DataFrame:
    """The CSV as written, as text."""
    return read_cells(path)


def in_words(rows: pd.DataFrame, label: Label) -> pd.DataFrame:
    """The rows as the manifest has them: splits in words, labels without what `for_ludwig` does to them."""
    words = {number: word for word, number in SPLIT_NUMBERS.items()}
    cells = rows[label.name].str.strip(BLANK)
    if label.multiple:
        cells = cells.map(lambda cell: LABEL_DELIMITER.join(map(class_of, cell.split(BLANK))) if cell else "")
    return rows.assign(**{SPLIT: rows[SPLIT].map(words), label.name: cells})


def token(name: str) -> str:
    """A class as Ludwig's set feature knows it, of which a row may have several."""
    return "".join(TOKENS.get(character, character) for character in name)


def class_of(name: str) -> str:
    """The class behind one of the tokens in the vocabulary of Ludwig's set feature."""
    characters = {written: character for character, written in TOKENS.items()}
    return TOKEN_PARTS.sub(lambda found: characters[found[0]], name)
