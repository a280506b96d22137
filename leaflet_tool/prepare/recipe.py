"""The recipe: an archive becomes a prepared folder, step by step."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.cluster import check_answers
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    BRIGHTNESS,
    CAPTION,
    FOLD,
    GROUP,
    HEIGHT,
    ID,
    IMAGE,
    IMAGE_REGIONS,
    LABEL_BEFORE,
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
from leaflet_tool.prepare import (
    altered_copies,
    changes,
    checks,
    corrections,
    duplicates,
    estimate,
    expansion,
    exports,
    groups,
    intake,
    labels,
    long_tail,
    output,
    pages,
    resampling,
    sources,
    splits,
    taxonomies,
)
from leaflet_tool.prepare.changes import Changes
from leaflet_tool.prepare.corrections import Applied
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.facts import check_same, facts, of_labels
from leaflet_tool.prepare.output import Earlier
from leaflet_tool.prepare.sources.rows import LABEL, Rows
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE, Backend
from leaflet_tool.storage import locked, write_json

log = logging.getLogger(__name__)
Outcomes = dict[str, dict[str, Any]]


def prepare(
    archive: Path,
    out: Path,
    definition: Dataset,
    *,
    corrected: Path | None = None,
    force: bool = False,
    dry_run: bool = False,
    workers: int = 0,
    backend: Backend = PREPARE.backend,
    ray_address: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Prepares `archive` in the folder `out`, going on with what is there; returns what prepare.json holds.

    `corrected` is a file of corrections that a review exported.
    """
    where: dict[str, Any] = {"backend": backend, "ray_address": ray_address}
    check_answers(ray_address)
    dataset = sources.resolved(archive, definition)
    checks.report(checks.declared(dataset), "the definition asks for what this archive has not")
    taxonomy = taxonomies.read(dataset.taxonomy, archive)
    output.check(out, archive, dataset)
    if force and out.is_dir() and not dry_run:
        with locked(out), output.replaced(out) as anew:
            return prepare(archive, anew, definition, corrected=corrected, workers=workers, progress=progress, **where)
    version = None if dataset.named_columns.text else pages.reader_version(dataset.ocr)
    rows = intake.accepted(archive, dataset, taxonomy)
    mended = corrections.checked(corrected, rows.frame, dataset, taxonomy) if corrected else None
    counts = expansion.Counts() if dry_run else expansion.counts_in(out / output.COUNTED)
    rows = expansion.expanded(rows, counts, workers=workers, progress=progress)
    estimate.announce(rows, out, dataset, version, workers=workers, force=force)
    if dry_run:
        earlier = _earlier(out, dataset, corrected, force)
        removed = changes.gone(earlier, rows)
        frame, mending = corrections.applied(rows.frame, mended, dataset, taxonomy)
        rows, outcomes = selected(replace(rows, frame=frame), dataset, earlier)
        frame, same = placed(rows.frame, dataset, earlier)
        more = _told(outcomes, frame, same, changes.since(earlier, removed, frame), mending)
        rows, taken = taught(replace(rows, frame=frame), dataset)
        more |= of_labels(rows.frame, taken, dataset, taxonomy)
        return facts(archive, dataset, rows, version, more)
    with locked(out):
        earlier = _earlier(out, dataset, corrected, force)
        output.remove_unfinished(out)
        with Store(out / output.COPIES) as store, Store(out / output.COUNTED) as counted:
            removed = changes.gone(earlier, rows)
            before = changes.digests(store) if earlier.facts else {}
            counted.put_all(counts)
            # a corrected label may make room in a full class
            reach = pages.everything if mended else _reach(dataset, earlier)
            rows = pages.copied(rows, out, dataset.images, store, wanted=reach, workers=workers, progress=progress)
            frame, mending = corrections.applied(rows.frame, mended, dataset, taxonomy)
            rows, outcomes = selected(replace(rows, frame=frame), dataset, earlier)
            frame = pages.read(rows.frame, rows.root, dataset.ocr, version, workers=workers, progress=progress, **where)
            frame = pages.turned(frame, rows.root, out, dataset.images, store, workers=workers, progress=progress)
            rows = replace(rows, frame=frame)
            rows = pages.with_regions(rows, out, dataset, store, workers=workers, progress=progress)
            frame, same = placed(rows.frame, dataset, earlier)
            more = _told(outcomes, frame, same, changes.since(earlier, removed, frame, before), mending)
            pairs = duplicates.table(frame, same)
            rows, taken = taught(replace(rows, frame=frame), dataset)
            frame = altered_copies.drawn(rows.frame, out, dataset, store, workers=workers, progress=progress)
            rows = replace(rows, frame=frame)
            told = facts(archive, dataset, rows, version, more | of_labels(frame, taken, dataset, taxonomy))
            _write(out, rows, taken, pairs, mending, archive, dataset, told)
            output.remove_copies(out, store, set(store.keys()) - _pictures(frame, dataset) - _pictures(taken, dataset))
        return told


def _pictures(frame: pd.DataFrame, dataset: Dataset) -> set[str]:
    """The names of all files of `images` that the rows show."""
    columns = [IMAGE, *(IMAGE_REGIONS[name] for name in dataset.regions)]
    return {Path(name).name for column in columns for name in frame[column]}


def _earlier(out: Path, dataset: Dataset, corrected: Path | None, force: bool) -> Earlier:
    """What an earlier run left in `out`, unless it is to be forgotten."""
    earlier = Earlier() if force else output.earlier(out)
    if earlier.facts:
        check_same(earlier.facts, dataset, out)
        corrections.check_given(earlier.facts, corrected, out)
    return earlier


def _reach(dataset: Dataset, earlier: Earlier) -> pages.Wanted:
    """Which pages need working copies: not those that come too late for a class of limited size."""
    known = set(earlier.pages[ID])
    return lambda frame, broken: long_tail.within_reach(frame, dataset, known, broken)


def selected(rows: Rows, dataset: Dataset, earlier: Earlier) -> tuple[Rows, Outcomes]:
    """Rows after the policies for rare and full classes, and what became of each class.

    An InputError when one class is left.
    """
    chosen = long_tail.selection(rows.frame, dataset, set(earlier.pages[ID]))
    rows = replace(rows, frame=rows.frame.assign(**{LABEL: chosen.cells})).without(chosen.reasons)
    problems = checks.one_class(labels.classes(rows.frame[LABEL]), dataset.label.name)
    if problems:
        hint = "keep the rare classes with --rare keep, or lower --rare-minimum"
        raise InputError.listing("too little is left after unreadable images and rare classes", problems, hint=hint)
    return rows, chosen.outcomes


def placed(frame: pd.DataFrame, dataset: Dataset, earlier: Earlier) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`frame` with every SPLIT filled: as declared, as before, or as its group is placed now; and its duplicates."""
    same = duplicates.pairs(frame, dataset.duplicates)
    frame = groups.settled(frame, same, earlier)
    sizes = labels.rows_by_group(corrections.uncorrected(frame), frame[GROUP])
    seed = dataset.split.seed
    known = dict(zip(frame[GROUP], frame[SPLIT], strict=True))
    sides = splits.place(
        sizes,
        {group: side for group, side in known.items() if side},
        splits.split_shares(dataset.split.fractions),
        seed,
    )
    frame = frame.assign(**{SPLIT: frame[GROUP].map(sides).astype(str)})
    if dataset.split.folds and not frame[FOLD].ne("").any():
        shares = splits.fold_shares(dataset.split.folds)
        folds = splits.place(sizes, groups.folds(frame, earlier), shares, seed)
        frame = frame.assign(**{FOLD: frame[GROUP].map(folds).astype(str)})
    for warning in (*checks.thin_splits(frame), *checks.crossings(frame, same)):
        log.warning(warning)
    return frame, same


def taught(rows: Rows, dataset: Dataset, folder: str = output.IMAGES) -> tuple[Rows, pd.DataFrame]:
    """Rows after under-sampling with those of altered copies, to be drawn in `folder`, and the rows taken out."""
    seed, how = dataset.split.seed, dataset.resample
    rows, taken = resampling.undersampled(rows, how.undersample, seed)
    frame = altered_copies.with_copies(rows.frame, dataset.augment, how.oversample, seed=seed, folder=folder)
    return replace(rows, frame=frame), taken


def _told(
    outcomes: Outcomes, frame: pd.DataFrame, same: pd.DataFrame, since: Changes, mending: Applied | None
) -> dict[str, Any]:
    """What prepare.json says beyond the rows themselves; what changed is said to people at once."""
    since.tell()
    mended = {"corrections": mending.facts} if mending else {}
    return {"labels": outcomes, "duplicates": duplicates.counts(frame, same), **since.counts(), **mended}


def _write(
    out: Path,
    rows: Rows,
    taken: pd.DataFrame,
    pairs: pd.DataFrame,
    mending: Applied | None,
    archive: Path,
    dataset: Dataset,
    told: dict[str, Any],
) -> None:
    """Writes the files, prepare.json last: where it is, the others are whole."""
    (out / output.REPORT).unlink(missing_ok=True)  # it would tell of the data as they were
    manifest = as_manifest(rows.frame, dataset)
    write_manifest(manifest, out / output.MANIFEST, dataset.label)
    write_table(rows.skipped, out / output.SKIPPED)
    (out / output.UNDERSAMPLED).unlink(missing_ok=True)
    if len(taken):
        write_table(as_manifest(taken, dataset), out / output.UNDERSAMPLED)
    (out / output.UNCORRECTED).unlink(missing_ok=True)
    if mending and len(mending.left):
        write_table(mending.left, out / output.UNCORRECTED)
    write_table(pairs, out / output.DUPLICATES)
    exports.write(manifest, out, archive, dataset)
    write_json(out / output.FACTS, told)


def as_manifest(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The manifest's columns in its order, the label after the text's."""
    name = dataset.label.name
    frame = frame.assign(**{name: frame[LABEL].map(labels.joined).astype(str)})
    folds = [FOLD] if frame[FOLD].ne("").all() else []
    augmented = [AUGMENTED_FROM] if frame[AUGMENTED_FROM].ne("").any() else []
    before = [LABEL_BEFORE] if frame[LABEL_BEFORE].ne("").any() else []
    captions = [CAPTION] if frame[CAPTION].ne("").any() else []
    regions = [IMAGE_REGIONS[name] for name in dataset.regions]
    read = [TEXT, *captions, OCR_STATUS, OCR_CONFIDENCE, OCR_WORDS, ROTATION]
    seen = [WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS]
    return frame[
        [ID, IMAGE, *regions, *read, name, *before, GROUP, PAGE, SPLIT, *folds, *augmented, SOURCE, ROW, *seen]
    ]
