"""Deciding only where a model is sure enough: risk by coverage, and from which confidence on a precision is kept.

An answer is what a model predicts for a row; of several labels a row, each pair of a row and a label that is more
likely than not. Sureness that is to be acted on is calibrated: `answers` takes calibrated predictions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.intervals import Interval, bootstrap_weights, interval
from leaflet_tool.measure.label_sets import HALF, BoolArray, is_multiple, truth_matrix
from leaflet_tool.measure.metrics import ratio
from leaflet_tool.measure.predictions import CONFIDENCE, LABEL, PREDICTED, FloatArray, probabilities_of

ASSURANCE = 0.9
"""How sure it is that what a threshold decides has the precision asked for: level of a one-sided bound.

Simulated with 30 to 900 validation rows and accuracies near 0.83, thresholds for 0.9 and 0.95 miss their precision in
no more than 10 % of samples, as they should. The smallest confidence with that precision on the rows themselves misses
it in half of them. Bounds corrected for every threshold tried (Geifman and El-Yaniv 2017, algorithm 1) do in 1 %, but
decide far less: of 200 rows 0.12 instead of 0.54 in one case.
"""
POINTS = 200
"""A curve is thinned to so many points."""
_CELLS = 1_000_000
"""Cells of an array of (resamples, answers) at a time (8 MB)."""


@dataclass(frozen=True)
class Answers:
    """Confidence, whether it is right, and the number of its group, of each answer; `count` is that of all groups."""

    confidence: FloatArray
    right: BoolArray
    groups: NDArray[np.intp]
    count: int

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Answers from parts that share no group."""
        starts = np.cumsum([0, *(part.count for part in parts)])
        groups = [part.groups + start for part, start in zip(parts, starts, strict=False)]
        return cls(
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.right for part in parts]),
            np.concatenate(groups),
            int(starts[-1]),
        )


@dataclass(frozen=True)
class Threshold:
    """From which confidence on answers are given for a precision of `target`; None where the rows can't show so much.

    `rows` answers of `groups` groups, `right` of them right, lie above it; `bound` is what is shown of their precision.
    Without a threshold, these are those of the highest bound.
    """

    target: float
    confidence: float | None
    rows: int
    groups: int
    right: int
    bound: float


def answers(predictions: pd.DataFrame) -> Answers:
    """The answers of calibrated predictions."""
    owners, names = pd.factorize(predictions[GROUP])
    if not is_multiple(predictions):
        right = (predictions[PREDICTED] == predictions[LABEL]).to_numpy()
        return Answers(predictions[CONFIDENCE].to_numpy(dtype=float), right, owners, len(names))
    values = probabilities_of(predictions)
    likely = values >= HALF
    return Answers(values[likely], truth_matrix(predictions)[likely], owners[np.nonzero(likely)[0]], len(names))


def threshold_for(known: Answers, target: float) -> Threshold:
    """The smallest confidence above which the precision of `known` answers is surely `target` or more.

    Surely means that the one-sided bound (Clopper and Pearson 1934) reaches it, counting the answers of a group as one.
    """
    order = np.argsort(-known.confidence, kind="stable")
    values, right = known.confidence[order], np.cumsum(known.right[order])
    rows = np.arange(1, len(values) + 1)
    groups = np.cumsum(~pd.Series(known.groups[order]).duplicated().to_numpy())
    last = np.append(values[1:] != values[:-1], True) if len(values) else np.empty(0, dtype=bool)
    bounds = np.where(last, lower_bound(right / rows, groups), -1.0)
    if not len(values):
        return Threshold(target, None, 0, 0, 0, 0.0)
    reached = np.flatnonzero(bounds >= target)
    place = reached[-1] if len(reached) else bounds.argmax()
    found = float(values[place]) if len(reached) else None
    return Threshold(target, found, int(rows[place]), int(groups[place]), int(right[place]), float(bounds[place]))


def lower_bound(share: FloatArray, count: NDArray[np.intp]) -> FloatArray:
    """What a share of `count` independent answers is at least, with ASSURANCE; 0 for a share of 0."""
    hits = share * count
    return np.where(hits > 0, beta.ppf(1 - ASSURANCE, np.maximum(hits, 1e-9), count - hits + 1), 0.0)


def needed(target: float) -> int:
    """How many groups, all of them right, it takes to show a precision of `target`."""
    return int(np.ceil(np.log(1 - ASSURANCE) / np.log(target)))


def decided(asked: Answers, limit: float | None) -> BoolArray:
    """The answers that are given: those of at least the confidence `limit`, none without one."""
    return np.zeros(len(asked.confidence), dtype=bool) if limit is None else asked.confidence >= limit


def precision_and_coverage(asked: Answers, given: BoolArray, *, seed: int, resamples: int) -> dict[str, Any]:
    """Share of right ones among the answers `given`, None without any, and their share of all, with intervals."""

    def by_group(values: BoolArray) -> FloatArray:
        return np.bincount(asked.groups, values.astype(float), asked.count)

    sums = np.stack([by_group(each) for each in (asked.right & given, given, np.ones_like(given))], axis=1)
    right, count, every = sums.sum(axis=0)
    blocks = [weights @ sums for weights in bootstrap_weights(asked.count, seed=seed, resamples=resamples)]
    drawn = np.concatenate(blocks) if blocks else np.empty((0, 3))
    some = drawn[drawn[:, 1] > 0]
    return {
        "answers": int(count),
        "right": int(right),
        "precision": interval(right / count, some[:, 0] / some[:, 1], asked.count) if count else None,
        "coverage": interval(count / max(1, every), ratio(drawn[:, 1], drawn[:, 2]), asked.count),
    }


def risk_coverage(asked: Answers) -> list[dict[str, float]]:
    """Share of the answers above each confidence and the share of wrong ones among them, from the surest on.

    Of many points some are left out. None of no answer.
    """
    if not len(asked.confidence):
        return []
    order, ends = _ranked(asked)
    wrong = np.cumsum(~asked.right[order])
    places = np.unique(ends)
    places = places[np.unique(np.linspace(0, len(places) - 1, min(POINTS, len(places))).round().astype(int))]
    return [
        {
            "confidence": float(asked.confidence[order][place]),
            "coverage": float((place + 1) / len(order)),
            "risk": float(wrong[place] / (place + 1)),
        }
        for place in places
    ]


def coverage_at(asked: Answers, target: float) -> float:
    """The largest share of these answers that a threshold could give with precision `target`, chosen in hindsight."""
    order, ends = _ranked(asked)
    right = np.cumsum(asked.right[order])
    places = np.unique(ends)
    reached = places[right[places] >= target * (places + 1)]
    return float((reached[-1] + 1) / len(order)) if len(reached) else 0.0


def area(asked: Answers, *, seed: int, resamples: int) -> Interval | None:
    """Area under the curve of risk by coverage (Geifman and El-Yaniv 2017), with its interval; None of no answer.

    It is the mean risk when each answer in turn is the least sure one that is given: 0 at best, and the share of wrong
    answers where confidence tells nothing.
    """
    if not len(asked.confidence):
        return None
    order, ends = _ranked(asked)
    owners, wrong = asked.groups[order], ~asked.right[order]

    def areas(weights: FloatArray) -> FloatArray:
        drawn = weights[:, owners]
        rows, errors = (np.cumsum(each, axis=1)[:, ends] for each in (drawn, drawn * wrong))
        return ratio((drawn * ratio(errors, rows)).sum(axis=1), drawn.sum(axis=1))

    some = max(1, _CELLS // len(order))
    drawn = [
        areas(weights[start : start + some])
        for weights in bootstrap_weights(asked.count, seed=seed, resamples=resamples)
        for start in range(0, len(weights), some)
    ]
    return interval(areas(np.ones((1, asked.count)))[0], np.concatenate([np.empty(0), *drawn]), asked.count)


def _ranked(asked: Answers) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order from the surest on, and for each place in it the last of equal confidence."""
    order = np.argsort(-asked.confidence, kind="stable")
    values = asked.confidence[order]
    return order, np.searchsorted(-values, -values, side="right") - 1
