"""Variants of a prepared folder: the same pages, whose training rows differ in stated settings and in nothing else.

A study compares models on rows of which all but those for training are the same. Deriving takes the manifest alone and
the recipe's own functions; the archive is not needed, and pictures are not copied.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from pydantic import Field, ValidationError

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    CAPTION,
    FOLD,
    ID,
    ROW,
    SOURCE,
    SPLIT,
    Prepared,
    own,
    read_prepared,
    read_table,
    split_labels,
    write_manifest,
    write_table,
)
from leaflet_tool.prepare import altered_copies, hierarchy, output, recipe
from leaflet_tool.prepare.augment import Augment
from leaflet_tool.prepare.dataset import Dataset, Resample
from leaflet_tool.prepare.facts import definition_in, facts, of_labels
from leaflet_tool.prepare.labels import joined
from leaflet_tool.prepare.section import Section, problem
from leaflet_tool.prepare.sources.rows import LABEL, REASON, Rows, skipped_frame
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE, LabelForm
from leaflet_tool.storage import LOCK, locked, write_json

ALTERED = "altered"
"""Where a variant keeps the altered copies of its own; `images` is a link to those of its base."""
VARIANT = "variant"
"""The part of prepare.json with a variant's settings."""


class Variant(Section):
    """What of the training rows differs; the defaults leave them as the base has them."""

    labels: LabelForm = "given"
    """The labels of rows for training and validation; given: as the base has them."""
    undersample: float = Field(default=PREPARE.undersample, gt=0, le=1)
    """Share of the training rows that is kept."""
    oversample: float = Field(default=PREPARE.oversample, ge=0, le=10)
    """Share of the training rows that is added as altered copies."""
    augment: Augment | None = None
    """Altered copies in place of those of the base; None keeps those, and adds others in the base's way."""


def build(content: Any, name: str) -> Variant:
    """The settings in `content`; an InputError lists every wrong key and value."""
    try:
        return Variant.model_validate(content)
    except ValidationError as error:
        problems = [problem(found, Variant) for found in error.errors()]
        hint = f"there are: {', '.join(Variant.model_fields)}"
        raise InputError.listing(f"{name} is no valid variant of a prepared folder", problems, hint=hint) from None


def derived(
    prepared: Prepared, out: Path, settings: Variant, *, workers: int = 0, progress: Progress = silent
) -> Prepared:
    """The variant of `prepared` in the folder `out`, made whole or not at all, and only where it is not there yet.

    Ids, groups, splits and test rows are those of the base. There are no folds: they would test on rows that differ.
    """
    told = {
        output.DERIVED_FROM: {"digest": prepared.digest, "folder": str(prepared.folder.resolve())},
        VARIANT: settings.model_dump(mode="json"),
    }
    earlier = output.facts(out)
    if (out / output.MANIFEST).is_file() and told.items() <= earlier.items():
        return read_prepared(out)
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or output.DERIVED_FROM in earlier)):
        raise InputError(f"{out} holds other things than a variant does and is left alone", hint="choose a new folder")
    check(prepared, settings)
    dataset = _definition(prepared, settings)
    rows, taken = recipe.taught(_rows(prepared, settings), dataset, ALTERED)
    frame = rows.frame[rows.frame[AUGMENTED_FROM].isin(["", *rows.frame[ID]])].reset_index(drop=True)
    with _replacing(out) as anew:
        _link(prepared.folder, anew, out)
        with TemporaryDirectory() as scratch, Store(Path(scratch) / "drawn") as store:
            how: dict[str, Any] = {"folder": ALTERED, "workers": workers, "progress": progress}
            frame = altered_copies.drawn(frame, anew, dataset, store, **how)
        _write(anew, replace(rows, frame=frame), prepared, _facts(prepared, dataset, rows, frame, taken) | told)
    return read_prepared(out)


def check(prepared: Prepared, settings: Variant) -> None:
    """Refuses a base that is a variant, and what needs a hierarchy where there is none."""
    if output.DERIVED_FROM in prepared.facts:
        raise InputError(f"{prepared.folder} is a variant itself", hint="derive from the folder it was derived from")
    if settings.labels != "given" and not prepared.taxonomy:
        hint = "prepare it with --taxonomy, or leave labels as they are given"
        raise InputError(f"labels: {settings.labels} follows a taxonomy, and {prepared.folder} has none", hint=hint)


def _definition(prepared: Prepared, settings: Variant) -> Dataset:
    """The base's definition as the recipe would follow it here: copies that the base has are not made again."""
    dataset = definition_in(prepared.facts, f"{prepared.folder}/prepare.json")
    augment = settings.augment or dataset.augment.model_copy(update={"copies": 0})
    resample = Resample(undersample=settings.undersample, oversample=settings.oversample)
    return dataset.model_copy(update={"augment": augment, "resample": resample})


def _rows(prepared: Prepared, settings: Variant) -> Rows:
    """The base's rows with their LABEL as the settings want it, and what it skipped."""
    frame = prepared.frame.drop(columns=FOLD, errors="ignore")
    frame = frame.assign(**{name: "" for name in (CAPTION, AUGMENTED_FROM) if name not in frame})
    frame = frame if settings.augment is None else own(frame)
    several, names = prepared.label.multiple, frame[prepared.label.name]
    cells = pd.Series([tuple(split_labels(name)) if several else (name,) for name in names], frame.index, dtype=object)
    shaped = hierarchy.shaped(cells, prepared.taxonomy, settings.labels)
    frame = frame.assign(**{LABEL: cells.where(frame[SPLIT] == "test", shaped)})
    path = prepared.folder / output.SKIPPED
    skipped = read_table(path)[[SOURCE, ROW, REASON]] if path.is_file() else skipped_frame()
    return Rows(frame.reset_index(drop=True), skipped, prepared.folder)


def _link(base: Path, anew: Path, out: Path) -> None:
    """Shows the base's pictures where `out` will be."""
    images = base.resolve() / output.IMAGES
    if images.is_dir():
        (anew / output.IMAGES).symlink_to(os.path.relpath(images, out.resolve()), target_is_directory=True)


def _facts(
    prepared: Prepared, dataset: Dataset, rows: Rows, frame: pd.DataFrame, taken: pd.DataFrame
) -> dict[str, Any]:
    """prepare.json: what the base says, with the counts of these rows."""
    base, rows = prepared.facts, replace(rows, frame=frame)
    counted = facts(Path(base.get("archive", "")), dataset, rows, base.get("tesseract"))
    of_base = {name: base[name] for name in ("archive", "dataset", "settings") if name in base}
    return base | counted | of_base | of_labels(frame, taken, dataset, prepared.taxonomy)


def _write(anew: Path, rows: Rows, prepared: Prepared, told: dict[str, Any]) -> None:
    """Writes the manifest with the base's columns, what was skipped, and prepare.json."""
    label, frame = prepared.label, rows.frame
    frame = frame.assign(**{label.name: frame[LABEL].map(joined).astype(str)})
    columns = [name for name in prepared.frame if name not in (FOLD, AUGMENTED_FROM)]
    if frame[AUGMENTED_FROM].ne("").any():
        columns.insert(columns.index(SOURCE), AUGMENTED_FROM)
    write_manifest(frame[columns].fillna(""), anew / output.MANIFEST, label)
    write_table(rows.skipped, anew / output.SKIPPED)
    write_json(anew / output.FACTS, told)


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """An empty folder beside `out` that takes its place when the block ends well, and vanishes otherwise."""
    anew = out.with_name(f".{out.name}{output.ANEW}")
    with locked(anew):
        for path in anew.iterdir():
            if path.name != LOCK:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        try:
            yield anew
        except BaseException:
            shutil.rmtree(anew, ignore_errors=True)
            raise
        if out.exists():
            shutil.rmtree(out)
        anew.rename(out)
