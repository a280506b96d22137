"""Drawings of several labels a row, in the style of `figures`; each function returns a Figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from leaflet_tool.measure.data_figures import BAR, is_wide, log_axis, named
from leaflet_tool.measure.figures import COLOURS, GUIDE, INK, PALE, STYLE, blank_axes, cell_side, colour_of, short
from leaflet_tool.measure.predictions import FloatArray

NUMBERED = 40
"""Up to so many labels a matrix spells its shares out."""
NAME_LENGTH = 19
_SMALL = 7.0
_ZERO = 0.5
"""Where a logarithmic axis has its 0."""


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

    `views` are those of `label_evaluation`: `per_class` of each view, by what people call it.
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
            color=colour_of(place),
            markersize=4.5,
            label=view,
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


_BESIDE = [(right, rise) for rise in (0.0, 7.0, -7.0, 13.0, -13.0) for right in (True, False)]
"""Where a name may stand: right or left of its dot, level, above or below by points."""


@matplotlib.rc_context(STYLE)
def threshold_dots(labels: Mapping[str, Mapping[str, Any]], overall: float) -> Figure:
    """Each label's threshold, of labels with most validation positives first; the line is the one for all labels.

    `labels` are those of `Thresholds.to_json()`; hollow dots are labels without a positive.
    """
    names = sorted(labels, key=lambda label: (-labels[label]["positives"], label))
    figure, axes = blank_axes(5.5, BAR * len(names) + 0.2, "")
    axes.axvline(overall, **GUIDE)
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


def _name_dots(figure: Figure, axes: Axes, names: Sequence[str], across: FloatArray, up: FloatArray) -> None:
    """Names beside their dots, highest first, where they cover neither a dot nor another name; `axes` fill `figure`."""
    size = figure.get_size_inches() * 72
    dots = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([across, up]))) * size
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in dots]
    for place in np.argsort(-up, kind="stable"):
        text = short(names[place], NAME_LENGTH)
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
