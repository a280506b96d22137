"""The manifest: the columns every stage meets at, their meaning, and the one way in and out.

A text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line's end, perhaps
after apostrophes, and is no plain number) is written with an apostrophe more in front, which `read_table` takes off.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pandera.pandas as pa

from leaflet_tool.errors import InputError
from leaflet_tool.settings import Region
from leaflet_tool.storage import MADE_BY, read_json, replacing, sha256
from leaflet_tool.taxonomy import Taxonomy

ID, IMAGE, TEXT, CAPTION, OCR_STATUS = "id", "image", "text", "caption", "ocr_status"
OCR_CONFIDENCE, OCR_WORDS, ROTATION = "ocr_confidence", "ocr_words", "rotation"
GROUP, PAGE, SPLIT, FOLD, AUGMENTED_FROM = "group", "page", "split", "fold", "augmented_from"
SOURCE, ROW = "source", "row"
LABEL_BEFORE = "label_before"
WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS = "width", "height", "brightness", "sharpness"

REGIONS: tuple[Region, ...] = get_args(Region)
"""Halves of a page that a model may look at beside the whole."""
IMAGE_REGIONS = {region: f"{IMAGE}_{region}" for region in REGIONS}
"""The column of each region."""

SPLITS = ("train", "validation", "test")
OCR_STATUSES = ("read", "blank", "failed", "not_run")
LABEL_DELIMITER = "|"

MEANING = {
    ID: "stable name of the page: the same page has it again after the next prepare",
    IMAGE: "working copy, relative to the prepared folder; empty when the archive gives text only",
    **{
        column: f"optional: the {region} half of the page, resized to a square, as another working copy beside its own"
        for region, column in IMAGE_REGIONS.items()
    },
    TEXT: "what Tesseract read, or what the archive gave; empty when there is none",
    CAPTION: "the words of the file's name, and those of the archive's own caption; empty without either",
    OCR_STATUS: "read, blank (nothing found), failed (Tesseract gave up) or not_run (text was given, or OCR is off)",
    OCR_CONFIDENCE: "mean of Tesseract's confidence in its words, 0 to 100; empty when it read none",
    OCR_WORDS: "number of words Tesseract read; empty when it was not run",
    ROTATION: "degrees clockwise by which the page was turned upright: 0, 90, 180 or 270; empty: nobody looked",
    LABEL_BEFORE: "optional: the label before a correction by prepare --corrections; empty where none was made",
    GROUP: "what must stay in one split: the leaflet, else the page itself",
    PAGE: "page within the leaflet as the archive numbers it, else within a file of several; may be empty",
    SPLIT: "train, validation or test",
    FOLD: "optional: the fold in which the page is held out, from 0",
    AUGMENTED_FROM: "the id of the training page of which this one is an altered copy; empty for the archive's own",
    SOURCE: "the archive's own file, relative to the archive; empty when a row has no file",
    ROW: "the archive's own row as a spreadsheet shows it (the header is row 1), the line of a JSON-lines file, or "
    "file:line of a label file; empty when there is no table",
    WIDTH: "width of the original as it stands upright (a PDF's page: as drawn), pixels; empty without an image",
    HEIGHT: "height of the original as it stands upright (a PDF's page: as drawn), pixels; empty without an image",
    BRIGHTNESS: "mean grey level of the page, 0 (black) to 255 (white); empty without an image",
    SHARPNESS: "variance of the page's Laplacian: low for a blurred or an empty page; empty without an image",
}
OPTIONAL = (
    *IMAGE_REGIONS.values(),
    *(CAPTION, OCR_CONFIDENCE, OCR_WORDS, ROTATION, LABEL_BEFORE, FOLD, AUGMENTED_FROM),
    *(WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS),
)
REQUIRED = tuple(column for column in MEANING if column not in OPTIONAL)
UNFIT = re.compile(r"[./\\:\x00-\x1f]")
"""What a label's name may not contain."""
NOTHING_TO_READ = "a page must have an image or a text"
LEAKING_COPY = "an altered copy must be in train, as the page it is made from, and in its group"
PANDERAS_WORDS = {
    "field_uniqueness": "must not repeat a value",
    "not_nullable": "must be text",
    "dtype": "must be text",
}
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a cell begins that a spreadsheet would run, or that is guarded against it."""
GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""What a spreadsheet takes for a number: nothing in it runs."""
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

    @property
    def taxonomy(self) -> Taxonomy:
        """The hierarchy of the labels; an empty one where none was given."""
        return Taxonomy(self.facts.get("taxonomy") or {})


def own(frame: pd.DataFrame) -> pd.DataFrame:
    """The archive's own pages: every row that is no altered copy."""
    return frame[frame[AUGMENTED_FROM] == ""] if AUGMENTED_FROM in frame else frame


def regions_in(columns: Iterable[str]) -> list[Region]:
    """The regions whose columns are among `columns`, in the order of REGIONS."""
    columns = set(columns)
    return [region for region in REGIONS if IMAGE_REGIONS[region] in columns]


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
    for name in IMAGE_REGIONS.values():
        columns[name] = pa.Column(str, required=False, description=MEANING[name])
    columns[label.name] = pa.Column(
        str, [] if label.multiple else _filled(), description="the class, or several joined by |"
    )
    return pa.DataFrameSchema(
        columns,
        checks=[
            pa.Check(
                lambda frame: (frame[IMAGE] != "") | (frame[TEXT] != "") | (frame[OCR_STATUS] != "not_run"),
                error=NOTHING_TO_READ,
            ),
            pa.Check(_in_training, error=LEAKING_COPY),
        ],
    )


def _in_training(frame: pd.DataFrame) -> pd.Series:
    """Which rows are the archive's own, or altered copies where their page trains."""
    if AUGMENTED_FROM not in frame:
        return pd.Series(True, index=frame.index)
    trains = own(frame[frame[SPLIT] == "train"]).drop_duplicates(ID).set_index(ID)[GROUP]
    at_home = frame[AUGMENTED_FROM].map(trains) == frame[GROUP]
    return (frame[AUGMENTED_FROM] == "") | ((frame[SPLIT] == "train") & at_home)


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
        if check in (NOTHING_TO_READ, LEAKING_COPY):
            lines.append(check + places)
        else:
            wanted = PANDERAS_WORDS.get(str(check).partition("(")[0], check)
            lines.append(f"column {column!r} {wanted}, but has {str(found['failure_case'].iloc[0])!r}{places}")
    return list(dict.fromkeys(lines))


def read_table(path: Path) -> pd.DataFrame:
    """A CSV of `write_table` as text throughout: `NA`, `1` and `no` stay what they are."""
    frame = read_cells(path)
    return pd.DataFrame({_bare(name): frame[name].map(_bare) for name in frame}, dtype=str)


def read_cells(path: Path) -> pd.DataFrame:
    """A CSV as text throughout, each cell as it stands in the file."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} is missing", hint=MADE_BY) from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, IsADirectoryError) as error:
        raise InputError(f"{path} is not readable as CSV: {str(error).strip()}", hint=MADE_BY) from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A CSV with Unix line ends, in which no text is a formula, whole or not at all."""
    frame = pd.DataFrame({_guarded(name): frame[name].map(_guarded) for name in frame}, index=frame.index)
    # a bare carriage return would end a row for whoever reads the file: the csv module leaves it unquoted
    returns = any(
        "\r" in str(column) or frame[column].astype(str).str.contains("\r", regex=False).any() for column in frame
    )
    with replacing(path) as file:
        frame.to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL)


def _guarded(cell: Any) -> Any:
    """A text that would be run as a formula, with an apostrophe more; any other cell as it is."""
    runs = isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell)
    return f"'{cell}" if runs else cell


def _bare(cell: str) -> str:
    """The text that `_guarded` was given."""
    return cell[1:] if GUARDED.match(cell) else cell


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
