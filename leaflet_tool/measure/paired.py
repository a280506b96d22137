"""Two models on the same rows: the difference of their accuracies, and whether chance would explain it."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, ID, SPLIT
from leaflet_tool.measure import label_sets
from leaflet_tool.measure.intervals import bootstrap_weights, interval
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.predictions import LABEL, PREDICTED, FloatArray, by_group, checked
from leaflet_tool.settings import TRAIN


def paired(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    seed: int,
    resamples: int = TRAIN.resamples,
    names: tuple[str, str] = ("a", "b"),
) -> dict[str, Any]:
    """Accuracy of `a` minus that of `b` with its 95 % interval, and McNemar's exact test, per page and per leaflet.

    McNemar's test takes rows for independent, which pages of one leaflet are not: quote the leaflets' p.
    """
    first, second = same_rows(a, b, names=names)
    return {
        "page": _compared(first, second, seed=seed, resamples=resamples),
        "leaflet": _compared(by_group(first), by_group(second), seed=seed, resamples=resamples),
    }


def same_rows(
    a: pd.DataFrame, b: pd.DataFrame, *, names: tuple[str, str] = ("a", "b")
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`a`, and `b` in the order of `a`; an InputError names the ids that only one has, or that have another label."""
    if is_multiple(a) != is_multiple(b):
        one, several = names if is_multiple(b) else reversed(names)
        raise InputError(
            f"{one} predicts one label a page, {several} predicts several",
            hint="compare runs that predict the same column",
        )
    check = label_sets.checked if is_multiple(a) else checked
    first, second = check(a, names[0]).set_index(ID), check(b, names[1]).set_index(ID)
    problems = [f"{page}: only in {names[0]}" for page in first.index.difference(second.index)]
    problems += [f"{page}: only in {names[1]}" for page in second.index.difference(first.index)]
    common = first.index.intersection(second.index)
    for column in (LABEL, GROUP):
        here, there = first.loc[common, column], second.loc[common, column]
        differ = common[(here != there).to_numpy()]
        problems += [f"{page}: {column} {here[page]!r} in {names[0]}, {there[page]!r} in {names[1]}" for page in differ]
    if problems:
        raise InputError.listing(
            f"{names[0]} and {names[1]} were not judged on the same rows",
            problems,
            hint="compare runs of one prepared folder, evaluated on the same split",
        )
    second = second.loc[first.index].assign(**{SPLIT: first[SPLIT]})
    return first.reset_index(), second.reset_index()


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
