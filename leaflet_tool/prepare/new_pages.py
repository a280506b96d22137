"""New pages for prediction: prepared and read as the training pages were, without labels."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import CAPTION, GROUP, ID, IMAGE, IMAGE_REGIONS, OCR_STATUS, PAGE, ROW, SOURCE, TEXT
from leaflet_tool.prepare import expansion, intake, output, pages
from leaflet_tool.prepare.dataset import Dataset, Source
from leaflet_tool.prepare.facts import definition_in
from leaflet_tool.prepare.sources import folders, table
from leaflet_tool.prepare.sources.rows import Rows, raw_frame, skipped_frame
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import Region

log = logging.getLogger(__name__)
COLUMNS = [ID, IMAGE, TEXT, CAPTION, OCR_STATUS, GROUP, PAGE, SOURCE, ROW]


def read_new_pages(
    paths: Sequence[Path],
    facts: dict[str, Any],
    folder: Path,
    *,
    text: bool = True,
    regions: Sequence[Region] = (),
    workers: int = 0,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images, folders and tables of new pages as rows of a manifest without label and split, and what was skipped.

    `facts` is the prepare.json of the training data; working copies go to `folder`, which IMAGE is relative to.
    SOURCE is the path as given, and the ids depend on it. Without `text`, Tesseract is not run, and only the `regions`
    named are made, whatever training did.
    """
    dataset = definition_in(facts).model_copy(update={"regions": tuple(regions)})
    rows = expansion.expanded(found(paths, dataset), workers=workers, progress=progress)
    unread = text and (rows.frame[OCR_STATUS] == pages.UNREAD).any()
    version = pages.reader_version(dataset.ocr) if unread else None
    if version and dataset.named_columns.text:
        log.warning("the texts of the training data were given; those of the new images are read by Tesseract")
    with Store(folder / output.COPIES) as store:
        rows = pages.copied(rows, folder, dataset.images, store, workers=workers, progress=progress)
        frame = pages.read(rows.frame, rows.root, dataset.ocr, version, workers=workers, progress=progress)
        frame = pages.turned(frame, rows.root, folder, dataset.images, store, workers=workers, progress=progress)
        rows = replace(rows, frame=frame)
        rows = pages.with_regions(rows, folder, dataset, store, workers=workers, progress=progress)
    return rows.frame[[*COLUMNS, *(IMAGE_REGIONS[name] for name in regions)]], rows.skipped


def found(paths: Sequence[Path], dataset: Dataset) -> Rows:
    """The new pages, of which no image is opened; OCR_STATUS says which of them Tesseract would have to read."""
    rows = _named(_joined([_given(path, dataset) for path in _existing(paths)]))
    return intake.not_empty(rows, ", ".join(map(str, paths)))


def _existing(paths: Sequence[Path]) -> Sequence[Path]:
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise InputError.listing("there is nothing at", missing, hint="check the paths")
    return paths


def _given(path: Path, dataset: Dataset) -> Rows:
    """The rows of one folder, table or image, IMAGE being absolute and SOURCE the path as given."""
    if path.is_dir():
        names, skipped = folders.files(path)
        rows = Rows(raw_frame({IMAGE: name, SOURCE: name} for name in names), skipped_frame(skipped), path)
        rows = intake.usable(rows, _without_columns(dataset))
    elif table.is_table(path):
        dataset = _for_table(path, dataset)
        rows, path = intake.usable(table.read(path, dataset), dataset), path.parent
    else:
        real = path.resolve()
        rows = Rows(raw_frame([{IMAGE: real.name, SOURCE: path.name}]), skipped_frame(), real.parent)
        rows, path = intake.usable(rows, _without_columns(dataset)), path.parent
    frame = rows.frame.assign(
        **{
            IMAGE: rows.frame[IMAGE].map(lambda name: str(rows.root.resolve() / name) if name else ""),
            SOURCE: _prefixed(rows.frame[SOURCE], path),
        }
    )
    return replace(rows, frame=frame, skipped=rows.skipped.assign(**{SOURCE: _prefixed(rows.skipped[SOURCE], path)}))


def _prefixed(names: pd.Series, folder: Path) -> pd.Series:
    return names.map(lambda name: (folder / name).as_posix() if name else "").astype(str)


def _without_columns(dataset: Dataset) -> Dataset:
    """The definition for images that come without a table: their text is not given."""
    return dataset.model_copy(update={"columns": None})


def _for_table(path: Path, dataset: Dataset) -> Dataset:
    """The definition for a table of new pages: the training table's columns, as far as prediction needs them."""
    names = table.header(path, dataset.source.delimiter)
    columns = dataset.named_columns if dataset.source.type == "table" else table.usual(names)
    optional = {key: "" for key in ("caption", "group", "page", "id") if getattr(columns, key) not in names}
    columns = columns.model_copy(update={"label": "", "labels": "", "split": "", "fold": "", **optional})
    source = Source(type="table", delimiter=dataset.source.delimiter)
    return dataset.model_copy(update={"source": source, "columns": columns})


def _joined(parts: list[Rows]) -> Rows:
    """All rows as one, each image once."""
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    skipped = pd.concat([part.skipped for part in parts], ignore_index=True)
    repeats = frame[SOURCE].ne("") & frame.duplicated(SOURCE)
    return Rows(frame, skipped, Path("/")).without(intake.reason(repeats, "listed twice"))


def _named(rows: Rows) -> Rows:
    """`rows` with ids and groups; declared ids must differ."""
    ids = intake.page_ids(rows.frame.assign(**{IMAGE: rows.frame[SOURCE]}))
    frame = rows.frame.assign(**{ID: rows.frame[ID].where(rows.frame[ID] != "", ids)})
    twice = sorted(set(frame.loc[frame.duplicated(ID), ID]))
    if twice:
        raise InputError.listing("ids of new pages are used twice", list(map(repr, twice)), hint="make them differ")
    return replace(rows, frame=frame.assign(**{GROUP: frame[GROUP].where(frame[GROUP] != "", frame[ID])}))
