"""Figures of one model trained at several seeds: their mean, with intervals that know both the seeds and the test rows.

All models are judged on the same resamples of the same groups, so a difference of two of them is a paired one. What is
resampled are the test rows' groups; the seeds are not drawn, but averaged: the interval is one of the mean over these
seeds. How far the seeds lie apart stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leaflet_tool.measure import label_evaluation, metrics
from leaflet_tool.measure.intervals import Interval, basic_interval, bootstrap_weights, interval
from leaflet_tool.measure.label_evaluation import resampled
from leaflet_tool.measure.label_metrics import Figures, judged, label_sums
from leaflet_tool.measure.label_pairs import bootstrap_p
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.metrics import METRICS, category_sums
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.taxonomy import Taxonomy


@dataclass(frozen=True)
class Scores:
    """Every figure by name, and its value in each resample; those of predicted labels are called `view.figure`."""

    values: Mapping[str, float]
    drawn: Mapping[str, FloatArray]
    groups: int
    raised: frozenset[str] = frozenset()
    """The figures that chance raises, whose intervals are the basic ones; differences have none."""

    def interval(self, name: str) -> Interval:
        """A figure with its 95 % interval."""
        drawn = self.drawn[name]
        bounds = basic_interval if name in self.raised else interval
        return bounds(self.values[name], drawn[np.isfinite(drawn)], self.groups)

    def minus(self, other: "Scores") -> "Scores":
        """The paired differences."""
        names = [name for name in self.values if name in other.values]
        values = {name: self.values[name] - other.values[name] for name in names}
        return Scores(values, {name: self.drawn[name] - other.drawn[name] for name in names}, self.groups)

    def p(self, name: str) -> float | None:
        """Of a difference: two-sided p by the bootstrap, None where there is no spread."""
        drawn = self.drawn[name][np.isfinite(self.drawn[name])]
        return bootstrap_p(drawn) if self.groups > 1 and len(drawn) else None


def scores(
    predictions: pd.DataFrame,
    *,
    classes: Sequence[str] | None = None,
    taxonomy: Taxonomy | None = None,
    seed: int,
    resamples: int,
) -> Scores:
    """Every figure of one model's predictions; of several labels a row, judged by `classes`."""
    if is_multiple(predictions):
        sums = label_sums(judged(predictions, classes), taxonomy)
        drawn = _flat(resampled(sums, seed=seed, resamples=resamples))
        total = {name: float(value[0]) for name, value in _flat(sums.total()).items()}
        return Scores(total, drawn, sums.groups, label_evaluation.RAISED_BY_CHANCE)
    single = category_sums(predictions)
    groups = len(single.log_loss)
    blocks = [single.weighted(weights) for weights in bootstrap_weights(groups, seed=seed, resamples=resamples)]
    return Scores(
        {name: float(metric(single.total())) for name, metric in METRICS.items()},
        {name: np.concatenate([metric(block) for block in blocks]) for name, metric in METRICS.items()},
        groups,
        metrics.RAISED_BY_CHANCE,
    )


def _flat(figures: Figures) -> dict[str, FloatArray]:
    views = {f"{view}.{name}": value for view, found in figures.views.items() for name, value in found.items()}
    return {**figures.scores, **views}


def mean(each: Sequence[Scores]) -> Scores:
    """The mean over the seeds, resample by resample."""
    first = each[0]
    return Scores(
        {name: float(np.mean([one.values[name] for one in each])) for name in first.values},
        {name: np.mean([one.drawn[name] for one in each], axis=0) for name in first.values},
        first.groups,
        first.raised,
    )


def spread(each: Sequence[Scores], name: str) -> float | None:
    """Standard deviation of a figure over the seeds; None of a single one."""
    return float(np.std([one.values[name] for one in each], ddof=1)) if len(each) > 1 else None
