"""Drawings of several labels a row, in the style of `figures`; each function returns a Figure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from leaflet_tool.measure.data_figures import BAR, is_wide, log_axis, named
from leaflet_tool.measure.figures import COLOURS, INK, PALE, STYLE, blank_axes, cell_side, short
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
PANEL_NAME = 19
NUMBERED = 40
"""Up to so many labels a matrix spells its shares out."""
VIEW_WORDS = {"half": "predicted at 0.5", "thresholds": "predicted by thresholds"}
_SMALL = 7.0
_ZERO = 0.5
"""Where a logarithmic axis has its 0."""
_LINE: dict[str, Any] = {"color": PALE, "linewidth": 0.8, "dashes": (4, 3), "zorder": 1}


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
        axes.axhline(_column(first.classes, first.truth, label).mean(), **_LINE)
        for place, table in enumerate(tables.values()):
            truth = _column(table.classes, table.truth, label)
            recall, precision = _curve(truth, _column(table.classes, table.probabilities, label))
            axes.plot(recall, precision, drawstyle="steps-pre", color=_colour(place), linewidth=1.2)
        axes.set_title(f"{short(label, PANEL_NAME)}\n{_rows(truth)}", **_PANEL_TITLE)
    _outer_labels(figure, "recall", "precision")
    if len(tables) > 1:
        handles = [Line2D([], [], color=_colour(place), label=short(name)) for place, name in enumerate(tables)]
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
        axes.axvline(HALF, **_LINE)
        axes.plot(limits, scores, drawstyle="steps-pre", color=COLOURS[0], linewidth=1.2)
        if label in thresholds:
            axes.axvline(thresholds[label], color=COLOURS[1], linewidth=1.2)
        axes.set_title(f"{short(label, PANEL_NAME)}\n{_rows(truth)}", **_PANEL_TITLE)
    _outer_labels(figure, "threshold", "F1")
    fitted = Line2D([], [], color=COLOURS[1], label="fitted threshold")
    _panel_legend(figure, [fitted, Line2D([], [], color=PALE, linewidth=0.8, dashes=(4, 3), label="0.5")])
    return figure


@matplotlib.rc_context(STYLE)
def frequency_and_precision(per_class: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Average precision of each label by how many training rows it has, or where that is not known, judged rows.

    `per_class` is that of `label_evaluation`; bars are 95 % intervals, crosses what chance would reach. Labels without
    a positive are not drawn; names that would cover others are left out.
    """
    known = {label: found for label, found in per_class.items() if found["ap"] is not None}
    unit, key = ("training rows", "train") if all("train" in found for found in known.values()) else ("rows", "support")
    figure, axes = blank_axes(6.5, 4.2, "")
    across = np.array([max(found[key], 0.5) for found in known.values()])
    up = np.array([found["ap"] for found in known.values()])
    for place, found in zip(across, known.values(), strict=True):
        if found["ap_low"] is not None:
            axes.vlines(place, found["ap_low"], found["ap_high"], color=COLOURS[0], linewidth=1, alpha=0.35, zorder=2)
    axes.plot(across, [found["share"] for found in known.values()], "x", color=PALE, markersize=4, zorder=2)
    axes.plot(across, up, "o", color=COLOURS[0], markersize=4.5, zorder=3)
    if is_wide(across):
        log_axis(axes.xaxis, axes, unit)
        axes.set_xlim(across.min() / 1.5, across.max() * 1.5)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(unit)
        axes.margins(x=0.08)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("average precision")
    axes.grid()
    axes.legend(
        handles=[
            Line2D([], [], color=COLOURS[0], marker="o", linestyle="", markersize=4.5, label="the model"),
            Line2D([], [], color=PALE, marker="x", linestyle="", markersize=4, label="chance: share of the rows"),
        ],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        borderaxespad=0.3,
    )
    _name_dots(figure, axes, list(known), across, up)
    return figure


@matplotlib.rc_context(STYLE)
def label_distribution(views: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Figure:
    """Rows that have each label, and rows that were given it in each view, the most frequent first.

    `views` are those of `label_evaluation`: `per_class` of each view, by the view's name.
    """
    first = next(iter(views.values()))
    labels = sorted(first, key=lambda label: (-first[label]["support"], label))
    truth = np.array([first[label]["support"] for label in labels])
    counts = {view: np.array([found[label]["predicted"] for label in labels]) for view, found in views.items()}
    every, places = np.stack([truth, *counts.values()]), np.arange(len(labels))
    wide = is_wide(every.ravel())
    shown = np.maximum(every, _ZERO if wide else 0)
    figure, axes = blank_axes(5.5, BAR * len(labels) + 0.2, "")
    axes.hlines(places, shown.min(axis=0), shown.max(axis=0), color=PALE, linewidth=0.8, zorder=1)
    axes.plot(shown[0], places, "|", color=INK, markersize=11, markeredgewidth=2, label="true", clip_on=False)
    for place, (view, found) in enumerate(zip(counts, shown[1:], strict=True)):
        axes.plot(
            found,
            places,
            "Do"[place % 2],
            color=_colour(place),
            markersize=4.5,
            label=VIEW_WORDS.get(view, view),
            clip_on=False,
        )
    if wide:
        log_axis(axes.xaxis, axes, "rows")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}" if value > _ZERO else "0")
        axes.set_xlim(shown.min() / 1.15, every.max() * 1.3)
    else:
        axes.set_xlim(0, max(1, every.max()) * 1.05)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("rows")
    named(axes, labels)
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.3)
    return figure


@matplotlib.rc_context(STYLE)
def cooccurrence(counted: Mapping[str, Any], *, title: str = "") -> Figure:
    """Share of the rows with the label of the row that also have the label of the column, in per cent.

    `counted` is `imbalance.cooccurrence`'s: `classes` and `counts`.
    """
    classes = counted["classes"]
    counts = np.asarray(counted["counts"]).reshape(len(classes), len(classes))
    rows = counts.diagonal()
    shares = counts / np.maximum(rows, 1)[:, None]
    np.fill_diagonal(shares, np.nan)
    side = max(1, len(classes)) * cell_side(len(classes))
    figure, axes = blank_axes(side, side, title)
    edges = np.arange(len(classes) + 1) - 0.5
    axes.set_facecolor("#EFEFEF")
    axes.pcolormesh(edges, edges, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1.2)
    axes.set_xticks(range(len(classes)), [short(name) for name in classes], rotation=45, ha="right", va="top")
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
    axes.set_yticks(range(len(classes)), [f"{short(name)}  ({n:,})" for name, n in zip(classes, rows, strict=True)])
    axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5), xlabel="also", ylabel="of the rows with")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(classes) <= NUMBERED:
        _write_shares(axes, shares)
    return figure


@matplotlib.rc_context(STYLE)
def threshold_dots(labels: Mapping[str, Mapping[str, Any]], overall: float) -> Figure:
    """Each label's threshold, of labels with most validation positives first; the line is the one for all labels.

    `labels` are those of `Thresholds.to_json()`; hollow dots are labels without a positive.
    """
    names = sorted(labels, key=lambda label: (-labels[label]["positives"], label))
    figure, axes = blank_axes(5.5, BAR * len(names) + 0.2, "")
    axes.axvline(overall, **_LINE)
    for place, name in enumerate(names):
        found = labels[name]
        fill = COLOURS[0] if found["positives"] else "white"
        axes.plot(found["threshold"], place, "o", color=COLOURS[0], markerfacecolor=fill, markersize=5)
        text = f"{found['threshold']:.3f}  ({found['positives']:,})"
        axes.annotate(text, (1.02, place), xycoords=("axes fraction", "data"), va="center")
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("threshold (validation positives)")
    named(axes, names)
    axes.grid(axis="x")
    axes.annotate(
        f"all labels: {overall:.3f}",
        (overall, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        color=PALE,
    )
    return figure


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


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


_BESIDE = [(right, rise) for rise in (0.0, 7.0, -7.0, 13.0, -13.0) for right in (True, False)]
"""Where a name may stand: right or left of its dot, level, above or below by points."""
_PANEL_TITLE: dict[str, Any] = {"fontsize": _SMALL, "pad": 3, "loc": "left", "linespacing": 1.15}


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


def _name_dots(figure: Figure, axes: Axes, names: Sequence[str], across: FloatArray, up: FloatArray) -> None:
    """Names beside their dots, highest first, where they cover neither a dot nor another name; `axes` fill `figure`."""
    size = figure.get_size_inches() * 72
    dots = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([across, up]))) * size
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in dots]
    for place in np.argsort(-up, kind="stable"):
        text = short(names[place], PANEL_NAME)
        for right, rise in _BESIDE:
            x, y = dots[place]
            box = _text_box(text, x, y, right, rise)
            others = [other for spot, other in enumerate(taken) if spot != place]
            if box[0] >= 0 and box[1] >= 0 and not any(_overlap(box, other) for other in others):
                axes.annotate(
                    text,
                    (across[place], up[place]),
                    xytext=(5 if right else -5, rise),
                    textcoords="offset points",
                    ha="left" if right else "right",
                    va="center",
                    fontsize=_SMALL,
                )
                taken.append(box)
                break


def _text_box(text: str, x: float, y: float, right: bool, rise: float) -> tuple[float, float, float, float]:
    """Left, lower, right and upper edge of a text beside a dot, points."""
    width, left = 0.6 * _SMALL * len(text), 5.0
    start = x + left if right else x - left - width
    return start, y + rise - 5, start + width, y + rise + 5


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write_shares(axes: Axes, shares: FloatArray) -> None:
    """The per cent in each cell that has some, light on dark and dark on light."""
    size = min(7.0 if len(shares) > 15 else 9.0, cell_side(len(shares)) * 72 / (0.85 * 3))
    for row, column in zip(*np.nonzero(np.nan_to_num(shares) >= 0.005), strict=True):
        share = shares[row, column]
        colour = "white" if share > 0.55 else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center_baseline", fontsize=size, color=colour)


def _rows(truth: BoolArray) -> str:
    count = int(truth.sum())
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
