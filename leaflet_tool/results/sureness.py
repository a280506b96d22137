"""What the runs' confidence is worth, in the tables and drawings of a comparison's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from leaflet_tool.measure import confidence_figures, figures
from leaflet_tool.results.comparison import Comparison
from leaflet_tool.results.page import ARROW, Cell, Picture, Table, measured, svg_uri
from leaflet_tool.results.words import listed, span

FIGURES = {"calibration_error": "calibration error", "log_loss": "log loss", "brier": "Brier score"}
LINES = "a line a label"


def errors(comparison: Comparison, unit: str) -> Table:
    """Errors of each run's probabilities before and after calibration, and the area under its risk-coverage curve."""
    rows = []
    for name, found in comparison.confidence.items():
        area = found[unit]["risk_coverage"]["area"]
        cells = [_change(found[unit], figure) for figure in FIGURES]
        rows.append([Cell(name, fitted(found[unit])), *cells, measured(area)])
    heads = ["", *FIGURES.values(), "area under the curve below"]
    return Table(f"Per {unit}: before → after calibration, and the interval of the difference", heads, rows)


def fitted(found: Mapping[str, Any]) -> str:
    """Temperature 1.31, or 1.28 to 1.35 of several folds; of several labels that there is more to it."""
    parts = found["calibration"]
    if parts[0]["kind"] == "platt":
        return LINES
    return f"temperature {span([part['temperature'] for part in parts], digits=2)}"


def _change(found: Mapping[str, Any], figure: str) -> Cell:
    before, after, difference = (found[when][figure] for when in ("before", "after", "difference"))
    bounds = "" if difference["low"] is None else f"{difference['low']:+.3f} to {difference['high']:+.3f}"
    better = difference["high"] is not None and round(difference["high"], 3) < 0
    return Cell(f"{before['value']:.3f}{ARROW}{after['value']:.3f}", bounds.replace("-", "−"), better)


def decided(comparison: Comparison, unit: str) -> Table:
    """What each run decides of the test rows when a precision is asked for, and how often that is right."""
    rows = [
        [
            Cell(name),
            Cell(f"{each['target']:g}"),
            Cell(span([limit["confidence"] for limit in each["thresholds"]])),
            measured(each["precision"]),
            measured(each["coverage"]),
            *([_share(each["recall"]), Cell(f"{each['undecided']:.2f}")] if comparison.kind.multiple else []),
            _share(each["hindsight"]),
        ]
        for name, found in comparison.confidence.items()
        for each in found[unit]["targets"]
    ]
    more = ["true labels decided", f"labels left open a {unit}"] if comparison.kind.multiple else []
    heads = ["", "precision asked for", "decided from", "precision reached", _answers(comparison, unit), *more]
    return Table(f"Per {unit}: thresholds fitted without the test pages", [*heads, "best in hindsight"], rows)


def _share(value: float) -> Cell:
    return Cell(f"{value:.3f}")


def _answers(comparison: Comparison, unit: str) -> str:
    return "share of likely labels decided" if comparison.kind.multiple else f"share of {unit}s decided"


def reliabilities(comparison: Comparison, unit: str) -> list[Picture]:
    """Accuracy by confidence before and after calibration, a drawing a run."""
    return [
        Picture(
            title=name,
            uri=svg_uri(figures.svg(confidence_figures.reliability_change(found[unit]["reliability"]))),
            alt=f"How often {name} is right by how sure it is: "
            + ". ".join(f"{when} calibration, {_bins(bins)}" for when, bins in found[unit]["reliability"].items()),
        )
        for name, found in comparison.confidence.items()
    ]


def _bins(bins: Sequence[Mapping[str, float]]) -> str:
    return "; ".join(f"{each['rows']} with {each['confidence']:.2f}, {each['accuracy']:.2f} right" for each in bins)


def risk_coverage(comparison: Comparison, unit: str) -> Picture:
    """Wrong answers by the share that is decided, all runs in one drawing."""
    curves = {name: found[unit]["risk_coverage"]["points"] for name, found in comparison.confidence.items()}
    share = _answers(comparison, unit)
    said = [
        f"{name}, deciding everything, is wrong in {points[-1]['risk']:.3f}"
        for name, points in curves.items()
        if points
    ]
    return Picture(
        title=f"Risk by coverage per {unit}",
        uri=svg_uri(figures.svg(confidence_figures.risk_coverage(curves, share=share))),
        alt=f"Share of wrong answers by the {share}: {listed(said) or 'no answers'}. The table above has the points.",
        reading="From left to right ever less sure answers are decided, too: a good run stays at the bottom for long. "
        "Dashed lines are one wrong answer in ten, in twenty and in a hundred.",
    )
