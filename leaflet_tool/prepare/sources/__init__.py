"""What an archive may be. A new format is one module here and one line in `READERS`."""

import logging
from collections.abc import Callable
from pathlib import Path

from leaflet_tool.errors import InputError
from leaflet_tool.prepare import dataset as definitions
from leaflet_tool.prepare.dataset import Columns, Dataset
from leaflet_tool.prepare.sources import folders, label_files, table, unlisted
from leaflet_tool.prepare.sources.rows import Rows, must_exist

log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path, Dataset], Rows]] = {
    "folders": folders.read,
    "table": table.read,
    "label_files": label_files.read,
}


def read(archive: Path, dataset: Dataset) -> Rows:
    """Every row of the archive, and what was passed over."""
    rows = READERS[dataset.source.type](archive, dataset)
    return rows if dataset.source.type == "folders" else unlisted.counted(rows)


def definition(archive: Path, name: str | None) -> Dataset:
    """The definition called `name`, or the one that fits the look of the archive; its columns are resolved."""
    return resolved(archive, definitions.load(name or guessed(archive)))


def guessed(archive: Path) -> str:
    """The shipped definition that fits the look of the archive."""
    if not must_exist(archive).is_dir():
        name = "table"
    elif (archive / "metadata.csv").is_file():
        name = "metadata_csv"
    elif any(path.is_dir() for path in archive.iterdir()):
        name = "class_folders"
    else:
        raise InputError(
            f"{archive} holds neither metadata.csv nor class folders", hint="say how it is read with --dataset"
        )
    log.info("%s is read as %s (choose another with --dataset)", archive, name)
    return name


def resolved(archive: Path, dataset: Dataset) -> Dataset:
    """`dataset` with its columns declared: those of a table by their usual names where it declares none."""
    if dataset.columns is not None:
        return dataset
    if dataset.source.type != "table":
        return dataset.model_copy(update={"columns": Columns()})
    path = table.find(archive, dataset.source.file)
    columns = table.usual(table.header(path, dataset.source.delimiter))
    log.info("columns taken by their names: %s", ", ".join(f"{key} ({name})" for key, name in columns.named().items()))
    return dataset.model_copy(update={"columns": columns})
