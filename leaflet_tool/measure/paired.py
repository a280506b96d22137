"""Two models on the same rows: the difference of their accuracies, and whether chance would explain it."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.intervals import bootstrap_weights, interval
from leaflet_tool.measure.label_pairs import paired_labels
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.predictions import LABEL, PREDICTED, FloatArray, by_group
from leaflet_tool.measure.same_rows import same_rows
from leaflet_tool.settings import TRAIN
from leaflet_tool.taxonomy import Taxonomy


def paired(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    seed: int,
    resamples: int = TRAIN.resamples,
    names: tuple[str, str] = ("a", "b"),
    follow: tuple[Taxonomy | None, Taxonomy | None] = (None, None),
) -> dict[str, Any]:
    """Accuracy of `a` minus that of `b` with its 95 % interval, and McNemar's exact test, per page and per leaflet.

    McNemar's test takes rows for independent, which pages of one leaflet are not: quote the leaflets' p.
    Of several labels a row it is what `label_pairs.paired_labels` says; `follow` is for it.
    """
    first, second = same_rows(a, b, names=names)
    if is_multiple(first):
        return paired_labels(first, second, seed=seed, resamples=resamples, names=names, follow=follow)
    return {
        "page": _compared(first, second, seed=seed, resamples=resamples),
        "leaflet": _compared(by_group(first), by_group(second), seed=seed, resamples=resamples),
    }


def _compared(a: pd.DataFrame, b: pd.DataFrame, *, seed: int, resamples: int) -> dict[str, Any]:
    """The comparison of two frames that have the same rows in the same order."""
    a_right = (a[PREDICTED] == a[LABEL]).to_numpy()
    b_right = (b[PREDICTED] == b[LABEL]).to_numpy()
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    groups, names = pd.factorize(a[GROUP])
    gain, rows = np.bincount(groups, a_right.astype(float) - b_right), np.bincount(groups).astype(float)
    resampled: list[FloatArray] = [
        (weights @ gain) / (weights @ rows) for weights in bootstrap_weights(len(names), seed=seed, resamples=resamples)
    ]
    return {
        "rows": len(a),
        "groups": len(names),
        "accuracy_difference": interval(
            gain.sum() / rows.sum(), np.concatenate(resampled or [np.empty(0)]), len(names)
        ),
        "only_a_right": only_a,
        "only_b_right": only_b,
        "mcnemar_p": mcnemar_exact(only_a, only_b),
    }


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided binomial p of the rows that only one model has right (McNemar 1947); 1 when there are none."""
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
