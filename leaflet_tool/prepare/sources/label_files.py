"""Label files: one a split, each line a path and its category, by name or by number."""

from collections.abc import Iterator
from pathlib import Path

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import IMAGE, ROW, SOURCE, SPLIT
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.sources.rows import LABEL, Rows, must_exist, raw_frame, relative, skipped_frame


def read(archive: Path, dataset: Dataset) -> Rows:
    """One row a line; the category is the last word, or what follows the last tab.

    A number of which the definition has the name becomes that name; what else is no class is told with all the rest.
    """
    if not must_exist(archive).is_dir():
        raise InputError(f"{archive} is a file; the folder of the label files was expected", hint="give its folder")
    if not dataset.source.files:
        raise InputError("the dataset definition names no label files", hint="source: {files: {train: train.txt, …}}")
    missing = [name for name in dataset.source.files.values() if not (archive / name).is_file()]
    if missing:
        hint = "name them in the dataset definition: source: {files: {train: train.txt, …}}"
        raise InputError.listing(f"label files are missing in {archive}", missing, hint=hint)
    names = {str(number): name for number, name in enumerate(dataset.source.categories)}
    records, problems = [], []
    for split, name in dataset.source.files.items():
        for number, line in _lines(archive / name):
            path, category = _parse(line)
            label = names.get(category, category)
            records.append({IMAGE: path, SOURCE: path, SPLIT: split, LABEL: label, ROW: f"{name}:{number}"})
            if not path:
                problems.append(f"{name}, line {number}: {line[:80]!r} is not a path and a category")
    if problems:
        hint = "each line is a path, a blank or tab, and a category"
        raise InputError.listing(f"the label files of {archive} cannot be read", problems, hint=hint)
    return Rows(raw_frame(records), skipped_frame(), archive / dataset.source.root)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error}", hint="save the file as UTF-8") from error
    yield from ((number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip())


def _parse(line: str) -> tuple[str, str]:
    """Path and category; a line of one word has no path."""
    path, _, category = line.rpartition("\t") if "\t" in line else line.rpartition(" ")
    return relative(path.strip()), category.strip()
