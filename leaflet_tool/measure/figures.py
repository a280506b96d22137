"""Drawings of results in one quiet style: each function returns a Figure, `svg` and `png` render it.

No pyplot and no global figures. Names may hold anything: mathtext is off, and long ones are cut in the middle.
`data_figures`, `label_figures`, `label_panels` and `confidence_figures` draw in the same style.
"""

import io
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from leaflet_tool.measure.intervals import Interval

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito 2008, distinguishable with every common colour vision; without the yellow, which is lost on white."""
INK, PALE, GRID = "#222222", "#767676", "#E4E4E4"
NAME_LENGTH = 28
COUNTED_CLASSES = 40
"""Up to so many classes a confusion matrix spells its counts out."""
MARKED_EPOCHS = 30
"""Up to so many epochs, in the longest run, each one has its dot."""

_TRAINING: dict[str, Any] = {"dashes": (3, 2), "alpha": 0.6}
GUIDE: dict[str, Any] = {"color": PALE, "linewidth": 0.8, "dashes": (4, 3), "zorder": 1}
"""A line behind the others, to compare with: chance, a fixed limit, what is ideal."""
STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": PALE,
    "xtick.labelcolor": INK,
    "ytick.color": PALE,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "leaflet-tool",
}


def svg(figure: Figure) -> str:
    """The figure as an `<svg>` element whose text stays text; the same data give the same bytes."""
    rendered = _rendered(figure, format="svg", metadata={"Date": None}).decode()
    return rendered[rendered.index("<svg") :]


def png(figure: Figure, dpi: int = 144) -> bytes:
    """The figure as PNG."""
    return _rendered(figure, format="png", dpi=dpi)


@matplotlib.rc_context(STYLE)
def _rendered(figure: Figure, **options: Any) -> bytes:
    """The file's bytes; the style counts here too, since matplotlib makes its ticks only when it draws."""
    with io.BytesIO() as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # emoji, and scripts the font has not
        figure.savefig(file, bbox_inches="tight", pad_inches=0.1, **options)
        return file.getvalue()


def blank_axes(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """An empty figure whose axes are `width` x `height` inches; labels around them are added when it is rendered."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_title(_line(title))
    return figure, axes


def _line(text: str) -> str:
    """`text` on one line, without the control characters that XML forbids."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def short(name: str, length: int = NAME_LENGTH) -> str:
    """`name` on one line, of at most `length` characters: beginning and end stay, as names often differ at either."""
    line = _line(name) or "(no name)"
    if len(line) <= length:
        return line
    end = (length - 1) // 3
    return f"{line[: length - 1 - end].rstrip()}…{line[-end:].lstrip()}"


def colour_of(place: int) -> str:
    """The colour of the one in this place, from 0; there are COLOURS of them, and then they begin anew."""
    return COLOURS[place % len(COLOURS)]


def _words(metric: str) -> str:
    return metric.replace("_", " ")


@matplotlib.rc_context(STYLE)
def confusion_matrix(confusion: Mapping[str, Any], *, title: str = "") -> Figure:
    """True classes down, predicted ones across; colour is the share of the true class, the number counts rows.

    `confusion` is `metrics.confusion`'s: `classes` and `counts`.
    """
    classes, counts = confusion["classes"], np.asarray(confusion["counts"])
    rows = counts.sum(axis=1)
    shares = counts / np.maximum(rows, 1)[:, None]
    side = len(classes) * cell_side(len(classes))
    figure, axes = blank_axes(side, side, title)
    edges = np.arange(len(classes) + 1) - 0.5
    axes.pcolormesh(edges, edges, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1.2)
    axes.invert_yaxis()
    axes.set_xticks(range(len(classes)), [short(name) for name in classes], rotation=45, ha="right", va="top")
    axes.tick_params(axis="x", pad=3)
    axes.set_yticks(range(len(classes)), [f"{short(name)}  ({n})" for name, n in zip(classes, rows, strict=True)])
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (rows)")
    if len(classes) <= COUNTED_CLASSES:
        _write_counts(axes, counts, shares)
    return figure


def cell_side(classes: int) -> float:
    """Side of a cell, inches: few classes get large ones, and many make a larger figure."""
    return min(0.75, max(0.3, 4.5 / classes))


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    """The count in each cell that has one, light on dark and dark on light."""
    room = cell_side(len(counts)) * 72 / (0.85 * len(str(counts.max())))
    size = min(9.0 if len(counts) <= 15 else 7.0, room)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, str(counts[row, column]), ha="center", va="center_baseline", fontsize=size, color=colour)


@matplotlib.rc_context(STYLE)
def intervals(rows: Mapping[str, Interval], *, metric: str, baselines: Collection[str] = (), title: str = "") -> Figure:
    """A dot and its 95 % interval for each name, first on top; a dashed line goes up from each of the `baselines`."""
    figure, axes = blank_axes(5.5, 0.36 * len(rows) + 0.25, title)
    for place, (name, found) in enumerate(rows.items()):
        value, low, high = found["value"], found["low"], found["high"]
        baseline = name in baselines
        colour = PALE if baseline else COLOURS[0]
        if baseline:
            axes.axvline(value, **GUIDE)
        if low is not None and high is not None:
            axes.hlines(place, low, high, color=colour, linewidth=1.8, zorder=2)
        axes.plot(value, place, "o", color=colour, markerfacecolor="white" if baseline else colour, zorder=3)
        axes.annotate(_figure_text(found), (1.02, place), xycoords=("axes fraction", "data"), va="center")
    axes.set_yticks(range(len(rows)), [short(name) for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(_words(metric))
    return figure


def _figure_text(found: Interval) -> str:
    """`0.895  [0.880, 0.910]`, or the value alone where no interval could be had."""
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f}  [{found['low']:.3f}, {found['high']:.3f}]"


@matplotlib.rc_context(STYLE)
def learning_curves(runs: Mapping[str, Mapping[str, Sequence[float]]], *, metric: str, title: str = "") -> Figure:
    """`metric` by epoch for each run: `validation` as a line, `training`, where there is one, dashed and lighter."""
    figure, axes = blank_axes(5.5, 3.2, title)
    few = all(len(values) <= MARKED_EPOCHS for curves in runs.values() for values in curves.values())
    for place, (name, curves) in enumerate(runs.items()):
        validation, training = curves.get("validation", ()), curves.get("training", ())
        colour, marker = colour_of(place), "osD^v"[place // len(COLOURS) % 5]
        (full,) = axes.plot(range(1, len(validation) + 1), validation, color=colour, label=short(name))
        (dashed,) = axes.plot(range(1, len(training) + 1), training, color=colour, **_TRAINING)
        for line in (full, dashed):
            line.set(linewidth=1.4, markersize=3, marker=marker if few else "")
    axes.set_xlim(left=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    axes.set_xlabel("epoch")
    axes.set_ylabel(_words(metric))
    _legend(axes, training=any(curves.get("training") for curves in runs.values()))
    return figure


def _legend(axes: Axes, *, training: bool) -> None:
    """Runs by colour and, where there are `training` curves, what a dashed line is; right of the axes."""
    handles, _ = axes.get_legend_handles_labels()
    if training:
        handles.append(Line2D([], [], color=PALE, label="validation"))
        handles.append(Line2D([], [], color=PALE, label="training", **_TRAINING))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
