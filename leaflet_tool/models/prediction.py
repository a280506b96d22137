"""Predictions for pages a run has not seen: photographs, folders, tables, or a prepared folder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    GROUP,
    ID,
    OCR_STATUS,
    PAGE,
    ROW,
    SOURCE,
    SPLIT,
    TEXT,
    own,
    read_prepared,
    regions_in,
    split_labels,
)
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.predictions import PREDICTED
from leaflet_tool.models import bases, checks, engine, rows, scoring
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare import new_pages
from leaflet_tool.prepare.facts import definition_in
from leaflet_tool.prepare.pages import UNREAD
from leaflet_tool.progress import Progress, silent

logger = logging.getLogger(__name__)

NONE = "(none)"
"""What pages without any predicted label are counted under."""
ORIGIN = (SOURCE, ROW, PAGE)
"""What tells the user which page a prediction is for."""


@dataclass(frozen=True)
class Predicted:
    """A predictions frame with its pages' origin, and the inputs that were skipped (source, row, reason)."""

    predictions: pd.DataFrame
    skipped: pd.DataFrame


def planned(run: Run, paths: Sequence[Path]) -> dict[str, int]:
    """What `predict` would do with `paths`: pages, pages that Tesseract would read, and inputs that are no pages."""
    if _is_prepared(paths):
        return {"pages": len(own(read_prepared(paths[0]).frame)), "ocr": 0, "skipped": 0}
    dataset = definition_in(run.facts["prepare"])
    found = new_pages.found(paths, dataset)
    reads = TEXT in bases.columns_read(run) and dataset.ocr.engine != "none"
    unread = int((found.frame[OCR_STATUS] == UNREAD).sum()) if reads else 0
    return {"pages": len(found.frame), "ocr": unread, "skipped": len(found.skipped)}


def _is_prepared(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and (paths[0] / "manifest.csv").is_file()


def predict(run: Run, paths: Sequence[Path], *, progress: Progress = silent) -> Predicted:
    """Prepares `paths` as the run's training data was prepared and predicts every page that could be read."""
    if _is_prepared(paths):
        prepared = read_prepared(paths[0])
        skipped = pd.DataFrame(columns=[SOURCE, ROW, "reason"])
        return Predicted(predict_pages(run, own(prepared.frame), prepared.folder), skipped)
    with TemporaryDirectory(prefix="leaflet-tool-") as scratch:
        folder = Path(scratch)
        frame, skipped = read_new_pages(run, paths, folder, progress=progress)
        if frame.empty:
            reasons = skipped[SOURCE] + ": " + skipped["reason"]
            raise InputError.listing("no page could be read", list(reasons), hint="give files that can be opened")
        return Predicted(predict_pages(run, frame, folder), skipped)


def read_new_pages(
    run: Run, paths: Sequence[Path], folder: Path, *, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New pages in `folder` as the run's training pages were prepared, with all that it reads, and what was skipped."""
    columns = bases.columns_read(run)
    wanted: dict[str, Any] = {"text": TEXT in columns, "regions": regions_in(columns), "progress": progress}
    return new_pages.read_new_pages(paths, run.facts["prepare"], folder, **wanted)


def predict_pages(run: Run, frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """A predictions frame for manifest-like rows whose images lie below `folder`.

    Folds vote by mean probability, and by mean threshold.
    """
    frame = _with_bases(run, frame, folder)
    table = table_for(run, frame, folder, outcome="nothing was predicted")
    votes = [scoring.predict(engine.load(model), table, run.label) for model in run.models()]
    predictions = voted(run, frame, votes, mean_thresholds(run, run.models()))
    origin = frame[list(ORIGIN)].reset_index(drop=True)
    return pd.concat([predictions.iloc[:, :1], origin, predictions.iloc[:, 1:]], axis=1)


def table_for(run: Run, frame: pd.DataFrame, folder: Path, *, outcome: str) -> pd.DataFrame:
    """Manifest-like rows as Ludwig wants them, without labels; an InputError for those that lack what the run reads."""
    checks.report(checks.input_problems(engine.complete(run.models()[0]), frame, folder), outcome)
    return rows.for_ludwig(frame.drop(columns=[run.label.name], errors="ignore"), folder, run.label)


def voted(
    run: Run, frame: pd.DataFrame, votes: Sequence[pd.DataFrame], limits: Mapping[str, float] | None
) -> pd.DataFrame:
    """The predictions frame of manifest-like rows, of which `votes` are the probabilities by some of a run's models."""
    label = run.label
    known = frame[label.name] if label.name in frame else [""] * len(frame)
    split = frame[SPLIT] if SPLIT in frame else [""] * len(frame)
    mean = reduce(pd.DataFrame.add, votes) / len(votes)
    pages = frame[[ID, GROUP]].assign(**{SPLIT: split})
    return scoring.frame_of(pages, known, mean, label, limits, checks.followed(run))


def mean_thresholds(run: Run, models: Sequence[Path]) -> dict[str, float] | None:
    """Each label's threshold, the mean of those of some of a run's models; None of a run that predicts one label."""
    if not run.label.multiple:
        return None
    return pd.DataFrame([scoring.thresholds_of(model).by_label for model in models]).mean().to_dict()


def counted(predictions: pd.DataFrame, column: str = PREDICTED) -> pd.Series:
    """Pages of each predicted class, the commonest first; each of several labels counts, NONE where there is none."""
    predicted = predictions[column]
    if is_multiple(predictions):
        predicted = predicted.map(lambda cell: split_labels(cell) or [NONE]).explode()
    return predicted.value_counts()


def _with_bases(run: Run, frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The rows with what a stack's base runs predict for them; those of any other run are as they were."""
    below = [predict_pages(base, frame, folder) for base in bases.of(run)]
    return frame.assign(**{bases.COLUMN: bases.cells(below, run.facts[bases.STACK]["classes"])}) if below else frame
