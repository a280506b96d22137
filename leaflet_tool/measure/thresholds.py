"""From which probability on a label is predicted: one threshold a label, fitted on validation rows and nothing else.

Rare labels have few validation positives, on which the best threshold is mostly chance. Two things hold it steady: it
is the median of those that are best in resamples of the groups, as in the original topics study (there of seven random
subsets), and it is drawn towards the threshold that is best for all labels together, the more the fewer positives it
rests on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from leaflet_tool.errors import InputError
from leaflet_tool.measure.intervals import bootstrap_weights
from leaflet_tool.measure.label_ranking import Ranking, ranking
from leaflet_tool.measure.label_sets import HALF, BoolArray
from leaflet_tool.measure.predictions import SMALLEST_PROBABILITY
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.storage import MADE_BY

OBJECTIVES: dict[Objective, float] = {"f1": 1.0, "f2": 2.0, "f0.5": 0.5}
"""What thresholds are to be best at, and its beta: how much more recall counts than precision (van Rijsbergen 1979)."""
RESAMPLES = 51
"""An odd number, so that the median is a threshold that was the best of one."""
SHRINKAGE = 3.0
"""Positives that the threshold for all labels counts as: with so many of its own, a label's goes half the way.

TF-IDF with logistic regression on the titles of 5,882 pictures, 31 labels, thresholds from 220 rows, judged by 883
others (mean of four splits): macro-F1 0.268 and micro-F1 0.409, with neither resamples nor shrinkage 0.257 and 0.341.
More shrinkage is as good there, but costs recall where rare labels have low probabilities because they are rare.
"""
FITTED, GLOBAL = "label", "global"


@dataclass(frozen=True)
class Threshold:
    """One label's; `source` is "global" where validation had no positive, so that it is the one for all labels."""

    threshold: float
    positives: int
    source: str


@dataclass(frozen=True)
class Thresholds:
    """The threshold for all labels together, each label's own, and how they were found."""

    global_: float
    labels: Mapping[str, Threshold]
    objective: str
    fitted: Mapping[str, Any]

    def of(self, label: str) -> float:
        """From where on `label` is predicted; for one that was not fitted, from where any is."""
        return self.labels[label].threshold if label in self.labels else self.global_

    @property
    def by_label(self) -> dict[str, float]:
        """Each label's threshold, as `label_sets.from_label_probabilities` takes them."""
        return {label: self.of(label) for label in self.labels}

    @property
    def unfitted(self) -> list[str]:
        """The labels without a positive in validation."""
        return [label for label, found in self.labels.items() if found.source == GLOBAL]

    def to_json(self) -> dict[str, Any]:
        labels = {label: asdict(found) for label, found in self.labels.items()}
        return {"objective": self.objective, "global": self.global_, "fitted": dict(self.fitted), "labels": labels}

    @classmethod
    def from_json(cls, value: Any, name: str = "thresholds.json") -> Self:
        """What `to_json` gave; an InputError names `name` and what is wrong in it."""
        try:
            labels = {str(label): Threshold(**found) for label, found in value["labels"].items()}
            found = cls(value["global"], labels, value["objective"], value.get("fitted", {}))
        except (AttributeError, KeyError, TypeError):
            raise InputError(f"{name} does not hold thresholds", hint=MADE_BY) from None
        given = {"the one for all labels": found.global_, **{repr(label): found.of(label) for label in labels}}
        if odd := [f"{of}: {each!r}" for of, each in given.items() if not _is_share(each)]:
            raise InputError.listing(f"thresholds in {name} that are not between 0 and 1", odd, hint=MADE_BY)
        return found


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def fit(
    probabilities: pd.DataFrame,
    truth: BoolArray,
    *,
    groups: Sequence[str] | pd.Series,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
    resamples: int = RESAMPLES,
    shrinkage: float = SHRINKAGE,
) -> Thresholds:
    """Thresholds of the columns of `probabilities`, for which `truth` `[rows, classes]` and each row's group are known.

    Candidates lie above 0, halfway from one probability to the next lower one. Without resamples it is the best one on
    the rows themselves, and without `shrinkage` none is drawn anywhere. Where no row has a label, all are 0.5.
    """
    if objective not in OBJECTIVES:
        raise InputError(f"there is no objective {objective!r}", hint=f"known are {', '.join(OBJECTIVES)}")
    beta, values = OBJECTIVES[objective], probabilities.to_numpy(dtype=float)
    owners, names = pd.factorize(np.asarray(groups, dtype=object))
    chance = {"count": len(names), "seed": seed, "resamples": resamples}
    pooled = ranking(truth.ravel(), values.ravel(), np.repeat(owners, values.shape[1]), len(names))
    overall = _best(pooled, beta, **chance) if truth.any() else HALF
    found = {}
    for label, positive, column in zip(probabilities.columns, truth.T, values.T, strict=True):
        own = _best(ranking(positive, column, owners, len(names)), beta, **chance) if positive.any() else overall
        positives = int(positive.sum())
        threshold = _drawn(own, overall, positives, shrinkage) if positives else overall
        found[str(label)] = Threshold(threshold, positives, FITTED if positives else GLOBAL)
    facts = {"rows": len(values), "groups": len(names), "resamples": resamples, "shrinkage": shrinkage, "seed": seed}
    return Thresholds(overall, found, objective, facts)


def _best(found: Ranking, beta: float, *, count: int, seed: int, resamples: int) -> float:
    """The median of the thresholds that are best in resamples that have a positive; of equals the highest counts."""
    whole = np.ones((1, count))
    limits = np.concatenate(
        [_best_of(found, beta, block) for block in bootstrap_weights(count, seed=seed, resamples=resamples)]
        or [np.empty(0)]
    )
    return float(np.median(limits if len(limits) else _best_of(found, beta, whole)))


def _best_of(found: Ranking, beta: float, weights: np.ndarray) -> np.ndarray:
    """The best threshold of each of the `[resamples, groups]` that has a positive."""
    right, rows = found.counts(weights)
    drawn = right[-1] > 0
    scores = right[:, drawn] / (beta**2 * right[-1, drawn] + rows[:, drawn])
    candidates = np.maximum((found.values + found.below) / 2, SMALLEST_PROBABILITY)
    return candidates[scores.argmax(axis=0)]


def _drawn(own: float, overall: float, positives: int, shrinkage: float) -> float:
    """A label's threshold drawn towards that for all, in logits: halfway with as many positives as `shrinkage`."""
    logits = logit(np.clip([own, overall], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    return float(expit(np.average(logits, weights=[positives, shrinkage])))
