"""The manifest: the columns every stage meets at, their meaning, and the one way in and out."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from leaflet_tool.errors import InputError
from leaflet_tool.storage import MADE_BY, read_json, replacing, sha256

ID, IMAGE, TEXT, OCR_STATUS = "id", "image", "text", "ocr_status"
GROUP, PAGE, SPLIT, FOLD = "group", "page", "split", "fold"
SOURCE, ROW = "source", "row"

SPLITS = ("train", "validation", "test")
OCR_STATUSES = ("read", "blank", "failed", "not_run")
LABEL_DELIMITER = "|"

MEANING = {
    ID: "stable name of the page: the same page has it again after the next prepare",
    IMAGE: "working copy, relative to the prepared folder; empty when the archive gives text only",
    TEXT: "what Tesseract read, or what the archive gave; empty when there is none",
    OCR_STATUS: "read, blank (nothing found), failed (Tesseract gave up) or not_run (text was given, or OCR is off)",
    GROUP: "what must stay in one split: the leaflet, else the page itself",
    PAGE: "page within the leaflet as the archive numbers it; may be empty",
    SPLIT: "train, validation or test",
    FOLD: "optional: the fold in which the page is held out, from 0",
    SOURCE: "the archive's own file, relative to the archive; empty when a row has no file",
    ROW: "the archive's own row as a spreadsheet shows it (the header is row 1), the line of a JSON-lines file, or "
    "file:line of a label file; empty when there is no table",
}
REQUIRED = tuple(column for column in MEANING if column != FOLD)
UNFIT = re.compile(r"[./\\:\x00-\x1f]")
"""What a label's name may not contain."""
NOTHING_TO_READ = "a page must have an image or a text"
PANDERAS_WORDS = {
    "field_uniqueness": "must not repeat a value",
    "not_nullable": "must be text",
    "dtype": "must be text",
}
FIRST_ROW = 2
"""Spreadsheet number of a manifest's first row of data."""


@dataclass(frozen=True)
class Label:
    """What is predicted: the manifest's column of that name, one class a row or several joined by `|`."""

    name: str
    multiple: bool = False

    def __post_init__(self) -> None:
        hint = "give it another name with label_name in the dataset definition"
        if not self.name or self.name in MEANING:
            raise InputError(f"the label cannot be called {self.name!r}: the manifest uses that name itself", hint=hint)
        if UNFIT.search(self.name):
            raise InputError(
                f"the label cannot be called {self.name!r}: Ludwig makes files and modules of the name", hint=hint
            )


@dataclass(frozen=True)
class Prepared:
    """A prepared folder as later stages see it; `frame` holds text in every column."""

    folder: Path
    frame: pd.DataFrame
    label: Label
    digest: str
    facts: dict[str, Any]

    @property
    def classes(self) -> list[str]:
        """Every class of the manifest, sorted."""
        return classes_of(self.frame[self.label.name], self.label.multiple)


def split_labels(cell: str) -> list[str]:
    """The labels in one manifest cell of a dataset with several labels a row."""
    return cell.split(LABEL_DELIMITER) if cell else []


def classes_of(cells: Iterable[str], multiple: bool) -> list[str]:
    """Sorted distinct classes; empty cells count as no class."""
    if multiple:
        return sorted({label for cell in cells for label in split_labels(cell)})
    return sorted({cell for cell in cells if cell})


def schema(label: Label) -> pa.DataFrameSchema:
    """What a manifest must satisfy; extra columns are the archive's own and pass."""
    columns = {name: pa.Column(str, description=MEANING[name]) for name in REQUIRED}
    columns[ID] = pa.Column(str, _filled(), unique=True, description=MEANING[ID])
    columns[GROUP] = pa.Column(str, _filled(), description=MEANING[GROUP])
    columns[SPLIT] = pa.Column(str, _one_of(SPLITS), description=MEANING[SPLIT])
    columns[OCR_STATUS] = pa.Column(str, _one_of(OCR_STATUSES), description=MEANING[OCR_STATUS])
    number = pa.Check.str_matches(r"^\d+$", error="must be a number from 0")
    columns[FOLD] = pa.Column(str, number, required=False, description=MEANING[FOLD])
    columns[label.name] = pa.Column(
        str, [] if label.multiple else _filled(), description="the class, or several joined by |"
    )
    return pa.DataFrameSchema(
        columns,
        checks=pa.Check(
            lambda frame: (frame[IMAGE] != "") | (frame[TEXT] != "") | (frame[OCR_STATUS] != "not_run"),
            error=NOTHING_TO_READ,
        ),
    )


def _filled() -> pa.Check:
    return pa.Check(lambda cells: cells != "", error="must not be empty")


def _one_of(words: Iterable[str]) -> pa.Check:
    return pa.Check.isin(words, error=f"must be one of {', '.join(words)}")


def validate(frame: pd.DataFrame, label: Label, name: str) -> pd.DataFrame:
    """`frame` unchanged, or one InputError with every failure by column and row."""
    try:
        schema(label).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        hint = "mend these cells, or run prepare again"
        raise InputError.listing(
            f"{name} is not a valid manifest", _failures(errors.failure_cases), hint=hint
        ) from None
    return frame


def _failures(cases: pd.DataFrame) -> list[str]:
    """Readable failures, a line per column and check, with the first rows as a spreadsheet numbers them."""
    missing = cases[cases["check"] == "column_in_dataframe"]
    lines = [f"column {name!r} is missing" for name in missing["failure_case"]]
    for (check, column), found in cases.drop(index=missing.index).groupby(["check", "column"], sort=False):
        rows = sorted({int(index) + FIRST_ROW for index in found["index"].dropna()})
        places = f" (row{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:5]))}{' …' if len(rows) > 5 else ''})"
        if check == NOTHING_TO_READ:
            lines.append(check + places)
        else:
            wanted = PANDERAS_WORDS.get(str(check).partition("(")[0], check)
            lines.append(f"column {column!r} {wanted}, but has {str(found['failure_case'].iloc[0])!r}{places}")
    return list(dict.fromkeys(lines))


def read_table(path: Path) -> pd.DataFrame:
    """A CSV of ours as text throughout: `NA`, `1` and `no` stay what they are."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} is missing", hint=MADE_BY) from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, IsADirectoryError) as error:
        raise InputError(f"{path} is not readable as CSV: {str(error).strip()}", hint=MADE_BY) from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A CSV with Unix line ends, whole or not at all."""
    # a bare carriage return would end a row for whoever reads the file: the csv module leaves it unquoted
    returns = any(frame[column].astype(str).str.contains("\r", regex=False).any() for column in frame)
    with replacing(path) as file:
        frame.to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL)


def write_manifest(frame: pd.DataFrame, path: Path, label: Label) -> None:
    """Checks, then writes the manifest whole or not at all."""
    write_table(validate(frame.reset_index(drop=True), label, path.name), path)


def read_prepared(folder: Path) -> Prepared:
    """The prepared folder, its manifest checked; an InputError says how to make one where there is none."""
    if not (folder / "manifest.csv").is_file():
        raise InputError(
            f"{folder} has no manifest.csv", hint=f"make it with: leaflet-tool prepare ARCHIVE --out {folder}"
        )
    facts = read_json(folder / "prepare.json")
    try:
        label = Label(facts["label"]["name"], facts["label"]["multiple"])
    except (KeyError, TypeError):
        raise InputError(
            f"{folder / 'prepare.json'} does not say what the label is", hint="run prepare again"
        ) from None
    path = folder / "manifest.csv"
    return Prepared(folder, validate(read_table(path), label, str(path)), label, sha256(path), facts)
