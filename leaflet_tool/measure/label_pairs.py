"""Two models of several labels a row on the same rows: how far their figures differ, and whether chance explains it."""

from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.measure.intervals import interval
from leaflet_tool.measure.label_evaluation import resampled
from leaflet_tool.measure.label_metrics import Figures, judged, label_sums
from leaflet_tool.measure.label_sets import all_labels, by_group
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.measure.same_rows import same_rows
from leaflet_tool.settings import TRAIN
from leaflet_tool.taxonomy import Taxonomy

SCORES = ("macro_ap", "micro_ap")
VIEW_FIGURES = ("micro_f1", "macro_f1")


def paired_labels(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    seed: int,
    resamples: int = TRAIN.resamples,
    names: tuple[str, str] = ("a", "b"),
    follow: tuple[Taxonomy | None, Taxonomy | None] = (None, None),
) -> dict[str, Any]:
    """Figures of `a` minus those of `b`, each with its 95 % interval and `p`, per page and per leaflet.

    Both are judged on the same resamples of the groups, and by the labels that either knows. `follow` are the
    taxonomies that their predictions follow.
    """
    first, second = same_rows(a, b, names=names)
    leaflets = [by_group(*each) for each in zip((first, second), follow, strict=True)]
    return {
        "page": _compared(first, second, seed=seed, resamples=resamples),
        "leaflet": _compared(*leaflets, seed=seed, resamples=resamples),
    }


def _compared(a: pd.DataFrame, b: pd.DataFrame, *, seed: int, resamples: int) -> dict[str, Any]:
    """The comparison of two frames that have the same rows in the same order."""
    classes = sorted({*all_labels(a), *all_labels(b)})
    sums = [label_sums(judged(frame, classes)) for frame in (a, b)]
    groups = sums[0].groups
    values = [each.total() for each in sums]
    drawn = [resampled(each, seed=seed, resamples=resamples) for each in sums]

    def difference(name: str, view: str = "") -> dict[str, float | None]:
        value, spread = (_of(first, second, name, view) for first, second in (values, drawn))
        return _judged(float(value[0]), spread[np.isfinite(spread)], groups)

    return {
        "rows": len(a),
        "groups": groups,
        "differences": {name: difference(name) for name in SCORES},
        "views": {view: {name: difference(name, view) for name in VIEW_FIGURES} for view in values[0].views},
    }


def _of(a: Figures, b: Figures, name: str, view: str) -> FloatArray:
    """One figure of `a` minus that of `b` in each resample."""
    first, second = (each.views[view][name] if view else each.scores[name] for each in (a, b))
    return first - second


def _judged(value: float, drawn: FloatArray, groups: int) -> dict[str, float | None]:
    found = interval(value, drawn, groups)
    p = None if found["low"] is None else bootstrap_p(drawn)
    return {"value": found["value"], "low": found["low"], "high": found["high"], "p": p}


def bootstrap_p(drawn: FloatArray) -> float:
    """Two-sided p of no difference: twice the smaller share of resampled differences on either side of 0, at most 1.

    0 itself counts on both sides, and each side counts one resample more, so that p is never 0 (Davison and Hinkley
    1997, Bootstrap Methods, eq. 4.11 and section 5.5: the level at which the percentile interval just holds 0).
    """
    sides = [(drawn <= 0).sum(), (drawn >= 0).sum()]
    return float(min(1.0, 2 * (min(sides) + 1) / (len(drawn) + 1)))
