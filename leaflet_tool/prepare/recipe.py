"""The recipe: an archive becomes a prepared folder, step by step."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    BRIGHTNESS,
    FOLD,
    GROUP,
    HEIGHT,
    ID,
    IMAGE,
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
    write_manifest,
    write_table,
)
from leaflet_tool.prepare import altered_copies, checks, exports, intake, labels, output, pages, sources, splits
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.facts import check_same, facts
from leaflet_tool.prepare.sources.rows import LABEL, Rows
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.storage import locked, write_json

log = logging.getLogger(__name__)


def prepare(
    archive: Path,
    out: Path,
    definition: Dataset,
    *,
    force: bool = False,
    dry_run: bool = False,
    workers: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Prepares `archive` in the folder `out`, going on with what is there; returns what prepare.json holds."""
    dataset = sources.resolved(archive, definition)
    output.check(out, archive, dataset)
    version = None if dataset.named_columns.text else pages.reader_version(dataset.ocr)
    rows = intake.accepted(archive, dataset)
    if dry_run:
        rows = selected(rows, dataset)
        frame = placed(rows.frame, dataset, _settled(out, dataset, force))
        frame = altered_copies.with_copies(frame, dataset.augment)
        return facts(archive, dataset, replace(rows, frame=frame), version)
    with locked(out):
        settled = _settled(out, dataset, force)
        if force:
            output.clear(out)
        output.remove_unfinished(out)
        with Store(out / output.COPIES) as store:
            rows = pages.copied(rows, out, dataset.images, store, workers=workers, progress=progress)
            rows = selected(rows, dataset)
            frame = pages.read(rows.frame, rows.root, dataset.ocr, version, workers=workers, progress=progress)
            frame = pages.turned(frame, rows.root, out, dataset.images, store, workers=workers, progress=progress)
            frame = altered_copies.with_copies(placed(frame, dataset, settled), dataset.augment)
            frame = altered_copies.drawn(frame, out, dataset, store, workers=workers, progress=progress)
            rows = replace(rows, frame=frame)
            told = _write(out, rows, dataset, archive, version)
            output.remove_copies(out, store, set(store.keys()) - {Path(name).name for name in rows.frame[IMAGE]})
        return told


def _settled(out: Path, dataset: Dataset, force: bool) -> dict[str, str]:
    """The split of every group that an earlier run placed in `out`."""
    earlier = output.Earlier() if force else output.earlier(out)
    if earlier.facts:
        check_same(earlier.facts, dataset, out)
    return earlier.splits


def selected(rows: Rows, dataset: Dataset) -> Rows:
    """Rows after the policy for rare classes; an InputError when one class is left."""
    cells = labels.without_rare(rows.frame[LABEL], rows.frame[GROUP], dataset.rare)
    rows = replace(rows, frame=rows.frame.assign(**{LABEL: cells})).without(intake.reason(cells.isna(), "rare class"))
    problems = checks.one_class(labels.classes(rows.frame[LABEL]), dataset.label.name)
    if problems:
        raise InputError.listing("too little is left after unreadable images and rare classes", problems)
    return rows


def placed(frame: pd.DataFrame, dataset: Dataset, settled: Mapping[str, str]) -> pd.DataFrame:
    """`frame` with every SPLIT filled: as declared, as before, or as its group is placed now."""
    declared = frame.loc[frame[SPLIT] != "", [GROUP, SPLIT]]
    known = dict(settled) | dict(zip(declared[GROUP], declared[SPLIT], strict=True))
    groups = labels.by_group(frame[LABEL], frame[GROUP])
    placed = splits.place(groups, known, dataset.split.fractions, dataset.split.seed)
    frame = frame.assign(**{SPLIT: frame[GROUP].map(placed).astype(str)})
    for warning in checks.thin_splits(frame):
        log.warning(warning)
    return frame


def _write(out: Path, rows: Rows, dataset: Dataset, archive: Path, version: str | None) -> dict[str, Any]:
    """Writes the files, prepare.json last: where it is, the others are whole."""
    told = facts(archive, dataset, rows, version)
    manifest = as_manifest(rows.frame, dataset)
    write_manifest(manifest, out / output.MANIFEST, dataset.label)
    write_table(rows.skipped, out / output.SKIPPED)
    exports.write(manifest, out, archive, dataset)
    write_json(out / output.FACTS, told)
    return told


def as_manifest(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The manifest's columns in its order, the label after the text's."""
    name = dataset.label.name
    frame = frame.assign(**{name: frame[LABEL].map(labels.joined).astype(str)})
    folds = [FOLD] if frame[FOLD].ne("").all() else []
    augmented = [AUGMENTED_FROM] if frame[AUGMENTED_FROM].ne("").any() else []
    read = [TEXT, OCR_STATUS, OCR_CONFIDENCE, OCR_WORDS, ROTATION]
    seen = [WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS]
    return frame[[ID, IMAGE, *read, name, GROUP, PAGE, SPLIT, *folds, *augmented, SOURCE, ROW, *seen]]
