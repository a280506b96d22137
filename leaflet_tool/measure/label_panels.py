"""Small multiples of several labels a row, a panel a label, in the style of `figures`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from leaflet_tool.measure.figures import COLOURS, GUIDE, STYLE, colour_of, short
from leaflet_tool.measure.label_metrics import judged
from leaflet_tool.measure.label_ranking import ranking
from leaflet_tool.measure.label_sets import HALF, BoolArray
from leaflet_tool.measure.predictions import FloatArray

COLUMNS, PANEL = 5, 1.2
"""Panels in a row of small multiples, and the side of one, inches."""
PANELS = 40
"""Up to so many labels, the most frequent, have a panel of their own where none are asked for."""
POINTS = 150
"""A curve is drawn through so many points at most: more cannot be told apart in a panel."""
NAME_LENGTH = 19
_SMALL = 7.0
_TITLE: dict[str, Any] = {"fontsize": _SMALL, "pad": 3, "loc": "left", "linespacing": 1.15}


@matplotlib.rc_context(STYLE)
def precision_recall(runs: Mapping[str, pd.DataFrame], *, labels: Sequence[str] | None = None) -> Figure:
    """Precision by recall of each label, a panel each; dashed is the label's share of the rows, which chance reaches.

    `runs` are predictions frames of the same rows; without `labels` the most frequent ones that occur are drawn.
    """
    tables = {name: judged(frame) for name, frame in runs.items()}
    first = next(iter(tables.values()))
    chosen = first.most_frequent(PANELS) if labels is None else list(labels)
    figure = Figure()
    for axes, label in _panels(figure, chosen):
        axes.axhline(_column(first.classes, first.truth, label).mean(), **GUIDE)
        for place, table in enumerate(tables.values()):
            truth = _column(table.classes, table.truth, label)
            recall, precision = _curve(truth, _column(table.classes, table.probabilities, label))
            axes.plot(recall, precision, drawstyle="steps-pre", color=colour_of(place), linewidth=1.2)
        axes.set_title(f"{short(label, NAME_LENGTH)}\n{_rows(truth)}", **_TITLE)
    _outer_labels(figure, "recall", "precision")
    if len(tables) > 1:
        handles = [Line2D([], [], color=colour_of(place), label=short(name)) for place, name in enumerate(tables)]
        _panel_legend(figure, handles)
    return figure


@matplotlib.rc_context(STYLE)
def f1_by_threshold(
    predictions: pd.DataFrame, thresholds: Mapping[str, float], *, labels: Sequence[str] | None = None
) -> Figure:
    """F1 of each label by the threshold it would be predicted from, a panel each, with its threshold and 0.5 marked.

    Without `labels` the most frequent ones that occur are drawn.
    """
    table = judged(predictions)
    chosen = table.most_frequent(PANELS) if labels is None else list(labels)
    figure = Figure()
    for axes, label in _panels(figure, chosen):
        truth = _column(table.classes, table.truth, label)
        limits, scores = _f1_curve(truth, _column(table.classes, table.probabilities, label))
        axes.axvline(HALF, **GUIDE)
        axes.plot(limits, scores, drawstyle="steps-pre", color=COLOURS[0], linewidth=1.2)
        if label in thresholds:
            axes.axvline(thresholds[label], color=COLOURS[1], linewidth=1.2)
        axes.set_title(f"{short(label, NAME_LENGTH)}\n{_rows(truth)}", **_TITLE)
    _outer_labels(figure, "threshold", "F1")
    fitted = Line2D([], [], color=COLOURS[1], label="fitted threshold")
    _panel_legend(figure, [fitted, Line2D([], [], **GUIDE, label="0.5")])
    return figure


def _column(classes: Sequence[str], table: np.ndarray, label: str) -> np.ndarray:
    """A label's column; nothing, or probability 0, for one that the table has not."""
    return table[:, classes.index(label)] if label in classes else np.zeros(len(table), dtype=table.dtype)


def _curve(truth: BoolArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Recall and precision at each cut that gains recall, from recall 0 on."""
    right, rows = _cuts(truth, values)[:2]
    kept = _thinned(len(right))
    recall, precision = right[kept] / max(1, truth.sum()), right[kept] / rows[kept]
    return np.insert(recall, 0, 0.0), np.insert(precision, 0, precision[0] if len(precision) else 0.0)


def _f1_curve(truth: BoolArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Thresholds, rising, and the F1 of each: at every probability there is."""
    order = np.sort(np.unique(values))
    limits = np.append(order[_thinned(len(order))], 1.0)
    above = np.array([values >= limit for limit in limits])
    predicted = above.sum(axis=1)
    return limits, 2 * (above & truth).sum(axis=1) / np.maximum(1, predicted + truth.sum())


def _cuts(truth: BoolArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positives and rows down to each probability that a positive has."""
    right, rows = ranking(truth, values, np.zeros(len(truth), dtype=np.intp), 1).counts(np.ones((1, 1)))
    return right[:, 0], rows[:, 0]


def _thinned(points: int) -> np.ndarray:
    """Places of at most POINTS of so many points, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, POINTS)).astype(int)) if points else np.empty(0, dtype=int)


def _panels(figure: Figure, labels: Sequence[str]) -> Iterator[tuple[Axes, str]]:
    """Axes for each label, from the top left on, whose scales are 0 to 1; numbers stand at the outer ones alone."""
    lines = max(1, -(-len(labels) // COLUMNS))
    columns = max(1, min(COLUMNS, len(labels)))
    step, rise = PANEL + 0.14, PANEL + 0.42
    width, height = columns * step, lines * rise
    figure.set_size_inches(width, height)
    for place, label in enumerate(labels):
        line, column = divmod(place, COLUMNS)
        corner = (column * step / width, 1 - (line + 1) * rise / height)
        axes = figure.add_axes((*corner, PANEL / width, PANEL / height))
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        lowest = place + COLUMNS >= len(labels)
        axes.set_xticklabels(("0", "0.5", "1") if lowest else (), fontsize=_SMALL)
        axes.set_yticklabels(("0", "0.5", "1") if column == 0 else (), fontsize=_SMALL)
        axes.tick_params(length=2, pad=2)
        axes.grid()
        yield axes, label


def _outer_labels(figure: Figure, across: str, up: str) -> None:
    """What the axes of all panels are, said at the first column and at the lowest panel of each column."""
    for place, axes in enumerate(figure.axes):
        if place % COLUMNS == 0:
            axes.set_ylabel(up, fontsize=_SMALL + 1, labelpad=2)
        if place + COLUMNS >= len(figure.axes):
            axes.set_xlabel(across, fontsize=_SMALL + 1, labelpad=2)


def _panel_legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.3)


def _rows(truth: BoolArray) -> str:
    count = int(truth.sum())
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
