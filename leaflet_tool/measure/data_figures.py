"""Drawings of what an archive holds, in the style of `figures`; each function returns a Figure."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from leaflet_tool.measure.figures import COLOURS, INK, PALE, STYLE, blank_axes, short

BAR = 0.25
"""Height of a bar and its gap, inches."""
BINS = 40
CELLS = 40
"""Sizes are drawn on a grid of so many steps a side: so a drawing of any archive stays small."""
DOTS = 6
"""Sizes of dots, of which the largest stands for the commonest size of pages."""
WIDE = 20
"""From this ratio of the largest to the smallest on, an axis is logarithmic."""
SHADES = ("#0072B2", "#E69F00", "#999999", "#CC79A7")


@matplotlib.rc_context(STYLE)
def bars(counts: Mapping[str, int], *, unit: str) -> Figure:
    """A bar a name, first on top, its count at its end; where counts range wide, dots on a logarithmic axis."""
    names, values = list(counts), np.array(list(counts.values()))
    figure, axes = blank_axes(5.5, BAR * len(names) + 0.2, "")
    places = np.arange(len(names))
    if is_wide(values):
        axes.hlines(places, 0.7, values, color=COLOURS[0], linewidth=1, alpha=0.4)
        axes.plot(values, places, "o", color=COLOURS[0], markersize=5)
        log_axis(axes.xaxis, axes, unit)
        axes.set_xlim(0.7, values.max() * 1.6)
    else:
        axes.barh(places, values, height=0.7, color=COLOURS[0])
        axes.set_xlim(0, max(1, values.max()) * 1.1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _counted(axes.xaxis, unit)
    for place, value in zip(places, values, strict=True):
        axes.annotate(f"{value:,}", (value, place), xytext=(6, 0), textcoords="offset points", va="center", color=INK)
    named(axes, names)
    axes.grid(axis="x")
    return figure


@matplotlib.rc_context(STYLE)
def ranks(counts: Sequence[int], *, unit: str) -> Figure:
    """How counts fall from the commonest class to the rarest, on a logarithmic axis: the long tail."""
    figure, axes = blank_axes(5.5, 2.6, "")
    values = sorted(counts, reverse=True)
    axes.plot(range(1, len(values) + 1), values, drawstyle="steps-mid", color=COLOURS[0], linewidth=1.6)
    axes.fill_between(range(1, len(values) + 1), values, 0.7, step="mid", color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.set_xlim(0.5, len(values) + 0.5)
    axes.set_xlabel("class, from the commonest to the rarest")
    log_axis(axes.yaxis, axes, unit)
    axes.set_ylim(bottom=0.7)
    axes.grid(axis="y")
    return figure


@matplotlib.rc_context(STYLE)
def shares(rows: Mapping[str, Sequence[int]], parts: Sequence[str], *, unit: str) -> Figure:
    """How each row is divided into `parts`, in per cent; dashed lines go up where all rows together are divided."""
    figure, axes = blank_axes(5.5, BAR * len(rows) + 0.2, "")
    counts = np.array(list(rows.values()), dtype=float)
    percents = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    left = np.zeros(len(rows))
    for part, shade, share in zip(parts, SHADES, percents.T, strict=False):
        axes.barh(np.arange(len(rows)), share, left=left, height=0.7, color=shade, label=part)
        left = left + share
    for border in 100 * np.cumsum(counts.sum(axis=0))[:-1] / max(1, counts.sum()):
        axes.axvline(border, color=INK, linewidth=0.9, dashes=(4, 3))
    named(axes, [f"{name}  ({int(count.sum()):,})" for name, count in zip(map(short, rows), counts, strict=True)])
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"share of the class's {unit}, per cent")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(parts), borderaxespad=0.3)
    return figure


@matplotlib.rc_context(STYLE)
def histogram(values: Iterable[float], *, label: str, unit: str = "pages") -> Figure:
    """How many `unit` have which value; the axis is logarithmic, without zeros, where values range wide."""
    figure, axes = blank_axes(4.2, 2.1, "")
    found = np.asarray(list(values), dtype=float)
    logarithmic = has_tail(found)
    shown = found[found > 0] if logarithmic else found
    axes.hist(shown, bins=_edges(shown, logarithmic).tolist(), color=COLOURS[0], linewidth=0)
    if logarithmic:
        log_axis(axes.xaxis, axes, label)
    else:
        _counted(axes.xaxis, label)
    median = float(np.median(found))
    axes.axvline(median, color=COLOURS[1], linewidth=1.4)
    side, gap = ("left", 4) if median <= sum(axes.get_xlim()) / 2 else ("right", -4)
    axes.annotate(
        f"median {median:,.4g}",
        (median, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(gap, 3),
        textcoords="offset points",
        ha=side,
        color=COLOURS[1],
    )
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y")
    axes.set_ylabel(unit)
    return figure


def _edges(values: np.ndarray, logarithmic: bool) -> np.ndarray:
    """Edges of at most BINS bins, whole numbers in bins of equal width."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    bins = int(np.clip(2 * np.sqrt(len(values)), 8, BINS))
    if logarithmic:
        return np.geomspace(low, high, bins // 2 + 1)
    if not np.array_equal(values, values.round()):
        return np.linspace(low, high, bins + 1)
    step = int(np.ceil((high - low + 1) / bins))
    return np.arange(low - 0.5, high + step, step)


@matplotlib.rc_context(STYLE)
def sizes(widths: Iterable[float], heights: Iterable[float]) -> Figure:
    """Pages by width and height in pixels: a dot where pages are, its area by how many; square ones lie on the line."""
    figure, axes = blank_axes(4.2, 3.0, "")
    points = np.column_stack([list(widths), list(heights)])
    logarithmic = is_wide(points.ravel())
    points = np.log10(points.clip(1)) if logarithmic else points
    low, high = (0.0 if not logarithmic else points.min()), points.max()
    step = (high - low) / CELLS or 1.0
    cells, counts = np.unique(np.round((points - low) / step), axis=0, return_counts=True)
    drawn = cells * step + low
    drawn, ends = (10**drawn, (10**low, 10**high)) if logarithmic else (drawn, (low, high))
    axes.plot(ends, ends, color=PALE, linewidth=0.8, dashes=(4, 3))
    steps = np.ceil(DOTS * np.sqrt(counts / counts.max()))  # few sizes of dots: a drawing spells each one out once
    for size in np.unique(steps):
        dots = drawn[steps == size]
        axes.plot(*dots.T, "o", markersize=1 + 3 * size, color=COLOURS[0], alpha=0.6, markeredgewidth=0)
    for axis, label in ((axes.xaxis, "width, pixels"), (axes.yaxis, "height, pixels")):
        log_axis(axis, axes, label) if logarithmic else _counted(axis, label)
    axes.grid()
    axes.margins(0.08)
    return figure


def is_wide(counts: Iterable[float]) -> bool:
    """Whether the largest is so much larger than the smallest that a bar for the smallest would be lost."""
    found = np.asarray(list(counts), dtype=float)
    return bool(found.max() >= WIDE * max(1.0, found.min()))


def has_tail(values: Iterable[float]) -> bool:
    """Whether a few values are so large that the others would crowd at the low end of a plain axis."""
    found = np.asarray(list(values), dtype=float)
    return bool(found.min() >= 0 and found.max() > 8 * max(1.0, float(np.median(found))))


def log_axis(axis: Axis, axes: Axes, label: str) -> None:
    """A logarithmic axis with plain numbers, said in its label: the usual powers of ten need mathtext."""
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_minor_locator(NullLocator())
    _counted(axis, f"{label} (logarithmic)")


def _counted(axis: Axis, label: str) -> None:
    axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axis.set_label_text(label)


def named(axes: Axes, names: Sequence[str]) -> None:
    """Names down the left side, the first on top."""
    axes.set_yticks(range(len(names)), [short(name, 40) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
