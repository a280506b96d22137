"""Drawings of what confidence is worth: reliability before and after calibration, and risk by coverage."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from leaflet_tool.measure.figures import COLOURS, GUIDE, STYLE, blank_axes, colour_of, short

WRONG = (0.01, 0.05, 0.1)
"""Risks that are marked: one in a hundred, in twenty and in ten."""


@matplotlib.rc_context(STYLE)
def reliability_change(reliability: Mapping[str, Sequence[Mapping[str, float]]], *, title: str = "") -> Figure:
    """Accuracy by confidence `before` calibration, hollow, and `after` it, full; dot areas by rows.

    Bins are those of `calibration_error`: `rows`, `confidence` and `accuracy` of each.
    """
    figure, axes = blank_axes(3.2, 3.2, title)
    axes.plot((0, 1), (0, 1), **GUIDE)
    looks = {"before": ("none", COLOURS[1]), "after": (COLOURS[0], COLOURS[0])}
    for when, (inside, edge) in looks.items():
        bins = reliability[when]
        total = max(1, sum(found["rows"] for found in bins))
        across, up = ([found[name] for found in bins] for name in ("confidence", "accuracy"))
        axes.plot(across, up, color=edge, linewidth=0.8, alpha=0.5, zorder=2)
        sizes = [12 + 240 * found["rows"] / total for found in bins]
        axes.scatter(across, up, sizes, facecolor=inside, edgecolor=edge, linewidth=1.1, zorder=3, label=when)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xlabel="confidence", ylabel="accuracy")
    axes.grid()
    for handle in axes.legend(loc="upper left").legend_handles:
        handle.set_sizes([30])  # type: ignore[union-attr]
    return figure


@matplotlib.rc_context(STYLE)
def risk_coverage(curves: Mapping[str, Sequence[Mapping[str, float]]], *, share: str, title: str = "") -> Figure:
    """Share of wrong answers among those given, by the `share` (in words) that is given, surest first; a line a name.

    Points are those of `selective.risk_coverage`.
    """
    figure, axes = blank_axes(5.5, 3.2, title)
    for place, (name, points) in enumerate(curves.items()):
        shares = [[point[of] for point in points] for of in ("coverage", "risk")]
        style = ("-", (0, (4, 2)), (0, (1, 1.5)))[place // len(COLOURS) % 3]
        axes.plot(*shares, color=colour_of(place), linestyle=style, linewidth=1.4, label=short(name))
    highest = max((point["risk"] for points in curves.values() for point in points), default=0.0)
    top = min(1.0, max(0.12, 1.08 * highest))
    for risk in WRONG:
        axes.axhline(risk, **GUIDE)
    axes.set(xlim=(0, 1.01), ylim=(-0.01 * top, top), xlabel=share, ylabel="wrong among them")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return figure
