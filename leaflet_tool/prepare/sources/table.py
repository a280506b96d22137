"""A table with named columns: CSV, TSV, JSON lines or Parquet, the former also gzipped."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import CAPTION, IMAGE, ROW, SOURCE, TEXT
from leaflet_tool.prepare.dataset import Columns, Dataset
from leaflet_tool.prepare.section import nearest
from leaflet_tool.prepare.sources.rows import (
    LABEL,
    Rows,
    as_text,
    must_exist,
    raw_frame,
    relative,
    skipped_frame,
    whole,
)

Record = tuple[str, dict[str, Any]]
"""Row number as a person counts, and the row's cells by column."""

USUAL = {
    "image": ("image", "file_name"),
    "label": ("label",),
    "labels": ("labels",),
    **{name: (name,) for name in ("text", "caption", "group", "page", "split", "fold", "id")},
}
"""Column names that are taken when the definition declares none."""
ONE_A_LINE = 'a JSON-lines file has one object a line, as in {"image": "a.jpg", "label": "x"}'
LONGEST_CELL = 2**31 - 1


def read(archive: Path, dataset: Dataset) -> Rows:
    """One row a record; the blank lines of a CSV are none."""
    path = find(archive, dataset.source.file)
    records = list(load(path, dataset.source.delimiter))
    if not records:
        raise InputError(f"{path} has no rows", hint="a table needs a line of column names and rows below it")
    names = list(dict.fromkeys(name for _, record in records for name in record))
    columns = _checked(dataset.columns or usual(names), names, path)
    raw, problems = [], []
    for row, record in records:
        try:
            raw.append(_raw(record, columns) | {ROW: row})
        except ValueError as error:
            problems.append(f"row {row}, {error}")
    if problems:
        hint = "lists belong into a column of labels; write the others as text"
        raise InputError.listing(f"{path} has cells that are not text", problems, hint=hint)
    return Rows(raw_frame(raw), skipped_frame(), path.parent, tuple(names))


def find(archive: Path, file: str) -> Path:
    """The table: the archive itself, or `file` in it."""
    if not must_exist(archive).is_dir():
        return archive
    if not file:
        raise InputError(
            f"{archive} is a folder; a table was expected",
            hint="give the table itself, or name it in the dataset definition: source: {type: table, file: NAME}",
        )
    return must_exist(archive / file)


def header(path: Path, delimiter: str = "") -> list[str]:
    """The columns of a table."""
    return list(dict.fromkeys(name for _, record in load(path, delimiter) for name in record))


def usual(names: list[str]) -> Columns:
    """The columns of a table that go by their usual names."""
    found = {meaning: name for meaning, usual in USUAL.items() for name in reversed(usual) if name in names}
    if "label" in found:
        found.pop("labels", None)
    return Columns(**found)


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix[1:]


def is_table(path: Path) -> bool:
    """Whether the name is a table's."""
    return _suffix(path) in LOADERS


def load(path: Path, delimiter: str = "") -> Iterator[Record]:
    """The rows of a table, by the ending of its name."""
    if not is_table(path):
        known = ", ".join(f".{name}" for name in LOADERS)
        raise InputError(f"{path} is not a table that can be read", hint=f"the name should end in one of {known}")
    try:
        yield from LOADERS[_suffix(path)](path, delimiter)
    except (UnicodeDecodeError, gzip.BadGzipFile, zlib.error, EOFError, IsADirectoryError) as error:
        raise InputError(f"{path} cannot be read: {error}", hint="tables are UTF-8") from error


def _csv(path: Path, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_CELL)
    with _open(path) as file:
        lines = csv.reader(file, delimiter=delimiter or ",", strict=True)
        try:
            names = next(lines, [])
            _unique(names, path)
            for number, cells in enumerate(lines, start=2):
                if cells and len(cells) != len(names):
                    raise InputError(
                        f"{path}, row {number}: {len(cells)} cells, but the header has {len(names)}",
                        hint=f"put a cell with the delimiter {delimiter or ','!r} in it in quotes, or declare another "
                        "one: source: {delimiter: ';'}",
                    )
                if cells:
                    yield str(number), dict(zip(names, cells, strict=True))
        except csv.Error as error:
            raise InputError(f"{path}, line {lines.line_num}: {error}", hint="look for a lone quote there") from error


def _tsv(path: Path, delimiter: str) -> Iterator[Record]:
    return _csv(path, delimiter or "\t")


def _json_lines(path: Path, delimiter: str) -> Iterator[Record]:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}, line {number}: not JSON: {error}", hint=ONE_A_LINE) from error
            if not isinstance(record, dict):
                kind = type(record).__name__
                raise InputError(f"{path}, line {number}: an object was expected, not a {kind}", hint=ONE_A_LINE)
            yield str(number), record


def _parquet(path: Path, delimiter: str) -> Iterator[Record]:
    import pyarrow
    from pyarrow import parquet

    try:
        batches = parquet.ParquetFile(path).iter_batches()
        records = (record for batch in batches for record in batch.to_pylist())
        yield from ((str(number), record) for number, record in enumerate(records, start=1))
    except pyarrow.ArrowException as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}", hint="write the file anew") from error


LOADERS: dict[str, Callable[[Path, str], Iterator[Record]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "parquet": _parquet,
}


def _open(path: Path) -> io.TextIOBase:
    if path.suffix.lower() == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _unique(names: list[str], path: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError.listing(f"{path} has columns of the same name", list(map(repr, twice)), hint="rename them")


def _checked(columns: Columns, names: list[str], path: Path) -> Columns:
    """`columns`, or one InputError for all that the table does not have."""
    problems = []
    for meaning, name in columns.named().items():
        if name not in names:
            near = nearest(name, names)
            problems.append(f"{meaning}: there is no column {name!r}" + (f", did you mean {near!r}?" if near else ""))
    if not (columns.image or columns.text):
        problems.append("neither an image nor a text column is named")
    if problems:
        raise InputError.listing(f"{path} lacks columns", problems, hint=f"its columns are: {', '.join(names)}")
    return columns


def _raw(record: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """One raw row; a ValueError names the column that does not hold text."""
    raw: dict[str, Any] = {}
    for meaning, name in columns.named().items():
        value = record.get(name)
        if meaning in ("label", "labels"):
            raw[LABEL] = value
            continue
        try:
            text = as_text(value) if meaning in (TEXT, CAPTION) else whole(as_text(value))
        except ValueError as error:
            raise ValueError(f"column {name!r} {error}") from None
        raw[meaning] = text if meaning in (IMAGE, TEXT, CAPTION) else text.strip()
    image = relative(raw.get(IMAGE, ""))
    return raw | {IMAGE: image, SOURCE: image}
