"""A set of predictions in figures: per page and per leaflet, each with its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.intervals import LEVEL, Interval, basic_interval, bootstrap_weights, interval
from leaflet_tool.measure.label_evaluation import evaluate_labels
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.metrics import (
    METRICS,
    RAISED_BY_CHANCE,
    CategorySums,
    all_classes,
    calibration,
    category_sums,
    confusion,
    per_class,
    unseen_labels,
)
from leaflet_tool.measure.predictions import by_group, checked, mixed_groups
from leaflet_tool.settings import TRAIN
from leaflet_tool.taxonomy import Taxonomy

METHOD = f"percentile bootstrap over groups; basic bootstrap for {', '.join(sorted(RAISED_BY_CHANCE))}"


def evaluate(
    predictions: pd.DataFrame,
    *,
    seed: int,
    resamples: int = TRAIN.resamples,
    train_counts: Mapping[str, int] | None = None,
    taxonomy: Taxonomy | None = None,
    follows: Taxonomy | None = None,
) -> dict[str, Any]:
    """Everything a researcher may quote of `predictions`, ready for JSON; an InputError when there is nothing to judge.

    A leaflet is a group; the page figures' intervals are drawn over leaflets too.
    What can be quoted of several labels a row, `label_evaluation` says; the last three arguments are for it.
    """
    if is_multiple(predictions):
        known: dict[str, Any] = {"train_counts": train_counts, "taxonomy": taxonomy, "follows": follows}
        return evaluate_labels(predictions, **known, seed=seed, resamples=resamples)
    pages = checked(predictions)
    return {
        "page": _figures_of(pages, seed=seed, resamples=resamples),
        "leaflet": _figures_of(by_group(pages), seed=seed, resamples=resamples),
        "mixed_groups": mixed_groups(pages),
        "intervals": {
            "level": LEVEL,
            "method": METHOD,
            "resamples": resamples,
            "seed": seed,
        },
    }


def _figures_of(rows: pd.DataFrame, *, seed: int, resamples: int) -> dict[str, Any]:
    sums, classes = category_sums(rows), all_classes(rows)
    total = sums.total()
    return {
        "rows": len(rows),
        "groups": int(rows[GROUP].nunique()),
        "figures": figures(sums, seed=seed, resamples=resamples),
        "per_class": per_class(total, classes),
        "confusion": confusion(rows),
        "calibration": calibration(total),
        "unseen_labels": unseen_labels(rows),
    }


def figures(sums: CategorySums, *, seed: int, resamples: int) -> dict[str, Interval]:
    """Every metric of the sums of each group, with its interval; all metrics come from the same resamples."""
    groups, total = len(sums.log_loss), sums.total()
    blocks = [sums.weighted(weights) for weights in bootstrap_weights(groups, seed=seed, resamples=resamples)]
    found = {}
    for name, metric in METRICS.items():
        resampled = np.concatenate([metric(block) for block in blocks] or [np.empty(0)])
        found[name] = (basic_interval if name in RAISED_BY_CHANCE else interval)(metric(total), resampled, groups)
    return found
