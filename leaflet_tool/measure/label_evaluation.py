"""A set of predictions of several labels a row in figures: per page and per leaflet, each with its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.measure.intervals import LEVEL, Interval, basic_interval, bootstrap_weights, interval
from leaflet_tool.measure.label_metrics import SHARES, Figures, Judged, LabelSums, judged, label_sums
from leaflet_tool.measure.label_sets import BoolArray, by_group, checked, unseen_labels
from leaflet_tool.measure.predictions import LABEL, FloatArray, mixed_groups
from leaflet_tool.settings import TRAIN
from leaflet_tool.taxonomy import Taxonomy

RAISED_BY_CHANCE = frozenset({"macro_ap", "macro_pr_auc_trapezoid"})
"""Figures that come out higher the fewer positives a label has, and higher still in a resample: 31 labels of which the
rarest has six positives in 900 rows have their true macro AP in the basic intervals in nine of ten samples, in those of
the percentiles in three of four; in 300 rows in 86 % against 34 %."""
METHOD = (
    "percentile bootstrap over groups; basic bootstrap for the areas under labels' curves and their macro means; "
    "a resample's macro means leave out labels without a positive in it"
)


def evaluate_labels(
    predictions: pd.DataFrame,
    *,
    train_counts: Mapping[str, int] | None = None,
    taxonomy: Taxonomy | None = None,
    follows: Taxonomy | None = None,
    seed: int,
    resamples: int = TRAIN.resamples,
) -> dict[str, Any]:
    """Everything a researcher may quote of `predictions`, ready for JSON; an InputError when there is nothing to judge.

    `train_counts` are the training rows of each label, put beside the label's figures; coherence is judged by the
    `taxonomy`, and `follows` is the one that the pages' predictions follow, so that leaflets' do. As in
    `evaluation.evaluate` a leaflet is a group, over which all intervals are drawn.
    """
    pages = checked(predictions)
    if not pages[LABEL].any():
        raise InputError("no row of the predictions has a label", hint="judge rows of which some have labels")
    chance = {"seed": seed, "resamples": resamples}
    units = {"page": pages, "leaflet": by_group(pages, follows)}
    return {
        **{unit: _figures_of(rows, train_counts or {}, taxonomy, **chance) for unit, rows in units.items()},
        "mixed_groups": mixed_groups(pages),
        "intervals": {"level": LEVEL, "method": METHOD, "resamples": resamples, "seed": seed},
    }


def _figures_of(
    predictions: pd.DataFrame, train_counts: Mapping[str, int], taxonomy: Taxonomy | None, *, seed: int, resamples: int
) -> dict[str, Any]:
    rows = judged(predictions)
    sums = label_sums(rows, taxonomy)
    total, drawn = sums.total(), resampled(sums, seed=seed, resamples=resamples)
    scores = {name: (value, drawn.scores[name]) for name, value in total.scores.items()}
    return {
        "rows": len(rows.truth),
        "groups": sums.groups,
        "labels_per_row": float(rows.truth.sum(axis=1).mean()),
        "ranked_rows": int(sums.scores.ranked.sum()),
        "most_frequent": rows.most_frequent(),
        "figures": _intervals(scores, sums.groups),
        "views": {
            view: {
                "figures": _intervals(
                    {name: (value, drawn.views[view][name]) for name, value in figures.items()}, sums.groups
                ),
                "per_class": _per_class(rows.truth, rows.views[view], rows.classes),
            }
            for view, figures in total.views.items()
        },
        "per_class": _areas(rows, total, drawn, train_counts, sums.groups),
        "without_positives": [name for name, there in zip(rows.classes, rows.present, strict=True) if not there],
        "unseen_labels": unseen_labels(predictions),
    }


def resampled(sums: LabelSums, *, seed: int, resamples: int) -> Figures:
    """Every figure in each resample of the groups."""
    blocks = [sums.figures(weights) for weights in bootstrap_weights(sums.groups, seed=seed, resamples=resamples)]
    return Figures.joined(blocks) if blocks else sums.total().none()


def _intervals(figures: Mapping[str, tuple[FloatArray, FloatArray]], groups: int) -> dict[str, Interval]:
    """Each figure with its interval; left out are those of which there is nothing to average."""
    return {
        name: (basic_interval if name in RAISED_BY_CHANCE else interval)(value[0], drawn[np.isfinite(drawn)], groups)
        for name, (value, drawn) in figures.items()
        if np.isfinite(value[0])
    }


def _per_class(truth: BoolArray, predicted: BoolArray, classes: list[str]) -> dict[str, dict[str, float | int]]:
    """Precision, recall, F1, and the rows given the label and having it; 0 where there are none."""
    counts = tuple(table.sum(axis=0).astype(float) for table in (truth & predicted, predicted, truth))
    shares = {name: share(*counts) for name, share in SHARES.items()}
    return {
        label: {
            **{name: float(values[place]) for name, values in shares.items()},
            "predicted": int(counts[1][place]),
            "support": int(counts[2][place]),
        }
        for place, label in enumerate(classes)
    }


def _areas(
    rows: Judged, total: Figures, drawn: Figures, train_counts: Mapping[str, int], groups: int
) -> dict[str, dict[str, Any]]:
    """Each label's areas under its curve, None without a positive; its `share` of the rows is the area of chance."""
    found = {}
    for place, label in enumerate(rows.classes):
        support = int(rows.support[place])
        spread = drawn.average_precision[:, place]
        bounds = basic_interval(total.average_precision[0, place], spread[np.isfinite(spread)], groups)
        found[label] = {
            "ap": bounds["value"] if support else None,
            "ap_low": bounds["low"] if support else None,
            "ap_high": bounds["high"] if support else None,
            "pr_auc_trapezoid": float(total.trapezoid[0, place]) if support else None,
            "support": support,
            "share": support / len(rows.truth),
            **({"train": int(train_counts.get(label, 0))} if train_counts else {}),
        }
    return found
