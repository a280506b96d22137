"""What a model's confidence is worth: calibrated on some rows, and judged on others, per page and per leaflet."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from leaflet_tool.manifest import GROUP, split_labels
from leaflet_tool.measure import label_sets, predictions, selective
from leaflet_tool.measure.calibration import Calibration, calibrated, fit
from leaflet_tool.measure.calibration_error import before_and_after
from leaflet_tool.measure.label_sets import HALF, BoolArray, is_multiple
from leaflet_tool.measure.predictions import LABEL, PREDICTED, PROBABILITY, classes_of, probabilities_of
from leaflet_tool.measure.selective import Answers
from leaflet_tool.settings import CONFIDENCE as DEFAULTS
from leaflet_tool.taxonomy import Taxonomy

CALIBRATED, DECISION, UNDECIDED = "calibrated_confidence", "decision", "undecided"
CALIBRATED_LABEL = "calibrated_"
"""Before the name of each of several labels."""


@dataclass(frozen=True)
class Part:
    """Predictions of rows that calibrate a model, and of rows that it is judged by."""

    known: pd.DataFrame
    judged: pd.DataFrame
    follows: Taxonomy | None = None
    """The hierarchy that the model's predictions follow."""

    @classmethod
    def apart(cls, known: pd.DataFrame, judged: pd.DataFrame, follows: Taxonomy | None = None) -> Self:
        """A part of rows of one archive: groups that are judged calibrate nothing, should one lie in two splits."""
        return cls(known[~known[GROUP].isin(set(judged[GROUP]))], judged, follows)

    def by_leaflet(self) -> Self:
        """The same, one row a leaflet."""
        return replace(self, known=by_group(self.known, self.follows), judged=by_group(self.judged, self.follows))


def judge(
    parts: Sequence[Part], *, targets: Sequence[float] = DEFAULTS.targets, seed: int, resamples: int
) -> dict[str, Any]:
    """Calibration error, log loss and Brier score before and after, risk by coverage, and what `targets` come to.

    Calibration and thresholds are fitted on the known rows of each part, and judged on its other rows; of several parts
    (folds) the judged rows are put together. Leaflets have a calibration and thresholds of their own.
    """
    chance = {"seed": seed, "resamples": resamples}
    return {
        "page": _figures_of(parts, targets, **chance),
        "leaflet": _figures_of([part.by_leaflet() for part in parts], targets, **chance),
        "assurance": selective.ASSURANCE,
        **chance,
    }


def calibrated_part(part: Part, found: Calibration) -> Part:
    """Both kinds of rows with calibrated probabilities."""
    known, judged = (calibrated(each, found, part.follows) for each in (part.known, part.judged))
    return replace(part, known=known, judged=judged)


def summary(found: Calibration) -> dict[str, Any]:
    """What was fitted, in a few words for metrics.json; calibration.json has all of it."""
    shown = asdict(found)
    return {"kind": found.kind, **{name: value for name, value in shown.items() if name != "labels"}}


def by_group(rows: pd.DataFrame, follows: Taxonomy | None = None) -> pd.DataFrame:
    """One row a leaflet, whichever kind of label there is."""
    if rows.empty:
        return rows
    return label_sets.by_group(rows, follows) if is_multiple(rows) else predictions.by_group(rows)


def _figures_of(parts: Sequence[Part], targets: Sequence[float], *, seed: int, resamples: int) -> dict[str, Any]:
    chance: dict[str, int] = {"seed": seed, "resamples": resamples}
    fitted = [fit(part.known) for part in parts]
    after = [calibrated_part(*each) for each in zip(parts, fitted, strict=True)]
    raw, better = (pd.concat([part.judged for part in each], ignore_index=True) for each in (parts, after))
    asked = Answers.joined([selective.answers(part.judged) for part in after])
    return {
        "rows": len(raw),
        "groups": int(raw[GROUP].nunique()),
        "calibration": [summary(found) for found in fitted],
        **before_and_after(raw, better, **chance),
        "risk_coverage": {"area": selective.area(asked, **chance), "points": selective.risk_coverage(asked)},
        "targets": [_at(after, asked, target, **chance) for target in targets],
    }


def _at(parts: Sequence[Part], asked: Answers, target: float, *, seed: int, resamples: int) -> dict[str, Any]:
    """What becomes of the judged rows when a precision of `target` is asked for."""
    limits = [selective.threshold_for(selective.answers(part.known), target) for part in parts]
    return {
        "target": target,
        "thresholds": [asdict(limit) for limit in limits],
        **outcome(parts, [limit.confidence for limit in limits], seed=seed, resamples=resamples),
        "hindsight": selective.coverage_at(asked, target),
    }


def outcome(parts: Sequence[Part], limits: Sequence[float | None], *, seed: int, resamples: int) -> dict[str, Any]:
    """Precision and coverage on the judged rows of calibrated parts, each part's answers given from its limit on."""
    answers = [selective.answers(part.judged) for part in parts]
    given = np.concatenate([selective.decided(*each) for each in zip(answers, limits, strict=True)])
    found = selective.precision_and_coverage(Answers.joined(answers), given, seed=seed, resamples=resamples)
    return found | (_of_labels(parts, limits, found["right"]) if is_multiple(parts[0].judged) else {})


def _of_labels(parts: Sequence[Part], limits: Sequence[float | None], right: int) -> dict[str, float]:
    """Of several labels: the share of the true ones that are given, and how many a row are left to people."""
    rows = [part.judged for part in parts]
    true = sum(len(split_labels(cell)) for each in rows for cell in each[LABEL])
    left = sum(int(open_labels(probabilities_of(each), limit).sum()) for each, limit in zip(rows, limits, strict=True))
    return {"recall": right / max(1, true), "undecided": left / sum(map(len, rows))}


def open_labels(values: np.ndarray, limit: float | None) -> BoolArray:
    """The pairs `[rows, classes]` of a row and one of several labels that are neither given nor ruled out.

    A label is ruled out when its absence is as sure as its presence would have to be; without a limit, when it is less
    likely than not.
    """
    if limit is None:
        return values >= HALF
    return (values < limit) & (values > 1 - limit) & ~_given(values, limit)


def _given(values: np.ndarray, limit: float | None) -> BoolArray:
    return np.zeros(values.shape, dtype=bool) if limit is None else (values >= limit) & (values >= HALF)


def decide(
    frame: pd.DataFrame, calibration: Calibration, limit: float | None, follows: Taxonomy | None = None
) -> pd.DataFrame:
    """The predictions with calibrated confidence and a `decision`, empty where that is below `limit` or there is none.

    Of several labels those are decided whose calibrated probability reaches the limit; `undecided` are the ones that
    `open_labels` leaves to people. With the taxonomy that the predictions follow, the probabilities follow it when they
    are calibrated, too: what is decided brings the labels above it, and none is ruled out above one that is not.
    """
    classes, values = classes_of(frame), probabilities_of(calibrated(frame, calibration, follows))
    place = frame.columns.get_loc(PROBABILITY + classes[0])
    if is_multiple(frame):
        given = _given(values, limit)
        columns: dict[str, Any] = {DECISION: label_sets.cells(given, classes)}
        columns[UNDECIDED] = label_sets.cells(open_labels(values, limit), classes)
        columns |= {CALIBRATED_LABEL + name: values[:, column] for column, name in enumerate(classes)}
    else:
        sure = values.max(axis=1)
        enough = sure >= limit if limit is not None else np.zeros(len(frame), dtype=bool)
        columns = {CALIBRATED: sure, DECISION: frame[PREDICTED].where(enough, "")}
    head, tail = frame.iloc[:, :place], frame.iloc[:, place:]
    return pd.concat([head, pd.DataFrame(columns, index=frame.index), tail], axis=1)
