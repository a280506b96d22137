"""The recipe: an archive becomes a prepared folder, step by step."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    FOLD,
    GROUP,
    ID,
    IMAGE,
    OCR_STATUS,
    PAGE,
    ROW,
    SOURCE,
    SPLIT,
    TEXT,
    write_manifest,
    write_table,
)
from leaflet_tool.prepare import checks, intake, labels, output, pages, sources, splits
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
    if force and out.is_dir() and not dry_run:
        with locked(out), output.replaced(out) as anew:
            return prepare(archive, anew, definition, workers=workers, progress=progress)
    version = None if dataset.named_columns.text else pages.reader_version(dataset.ocr)
    rows = intake.accepted(archive, dataset)
    if dry_run:
        return facts(archive, dataset, divided(rows, dataset, _settled(out, dataset, force)), version)
    with locked(out):
        settled = _settled(out, dataset, force)
        output.remove_unfinished(out)
        with Store(out / output.COPIES) as store:
            rows, digests = pages.copied(rows, out, dataset.images, store, workers=workers, progress=progress)
            rows = divided(rows, dataset, settled)
            frame = pages.read(rows.frame, out, digests, dataset.ocr, version, workers=workers, progress=progress)
            told = _write(out, replace(rows, frame=frame), dataset, archive, version)
            output.remove_copies(out, store, set(store.keys()) - {Path(name).name for name in digests})
        return told


def _settled(out: Path, dataset: Dataset, force: bool) -> dict[str, str]:
    """The split of every group that an earlier run placed in `out`."""
    earlier = output.Earlier() if force else output.earlier(out)
    if earlier.facts:
        check_same(earlier.facts, dataset, out)
    return earlier.splits


def divided(rows: Rows, dataset: Dataset, settled: Mapping[str, str]) -> Rows:
    """Rows after the policy for rare classes, each with its split; an InputError when one class is left."""
    cells = labels.without_rare(rows.frame[LABEL], rows.frame[GROUP], dataset.rare)
    rows = replace(rows, frame=rows.frame.assign(**{LABEL: cells})).without(intake.reason(cells.isna(), "rare class"))
    problems = checks.one_class(labels.classes(rows.frame[LABEL]), dataset.label.name)
    if problems:
        hint = "keep the rare classes with --rare keep, or lower --rare-minimum"
        raise InputError.listing("too little is left after unreadable images and rare classes", problems, hint=hint)
    return replace(rows, frame=_placed(rows.frame, dataset, settled))


def _placed(frame: pd.DataFrame, dataset: Dataset, settled: Mapping[str, str]) -> pd.DataFrame:
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
    """Writes the three files, prepare.json last: where it is, the others are whole."""
    told = facts(archive, dataset, rows, version)
    write_manifest(as_manifest(rows.frame, dataset), out / output.MANIFEST, dataset.label)
    write_table(rows.skipped, out / output.SKIPPED)
    write_json(out / output.FACTS, told)
    return told


def as_manifest(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The manifest's columns in its order, the label after the text's."""
    name = dataset.label.name
    frame = frame.assign(**{name: frame[LABEL].map(labels.joined).astype(str)})
    folds = [FOLD] if frame[FOLD].ne("").all() else []
    return frame[[ID, IMAGE, TEXT, OCR_STATUS, name, GROUP, PAGE, SPLIT, *folds, SOURCE, ROW]]
