"""The tables of a comparison's page that only several labels a page need."""

from collections.abc import Iterable, Mapping
from typing import Any

from leaflet_tool.models import scoring
from leaflet_tool.models.runs import Run
from leaflet_tool.results import verdict
from leaflet_tool.results.comparison import Comparison
from leaflet_tool.results.kinds import VIEWS
from leaflet_tool.results.page import ARROW, Cell, Table, measured

MARK = "*"
"""After a threshold that is the one for all labels, since no validation page has the label."""
PER_ROW, LACKING = "labels_per_row", "coherence_violations"
"""Of these there is no best to mark: few labels are as wrong as many, and who predicts none lacks none."""


def views(comparison: Comparison, unit: str) -> Table:
    """What each run and baseline decides, a row a view, and the truth's labels a row below."""
    shown, truth = comparison.decided(unit), next(iter(comparison.figures.values()))[unit][PER_ROW]
    last = [Cell("the truth"), *(Cell(f"{truth:.2f}" if name == PER_ROW else "") for name in shown)]
    caption = f"Per {unit}: {verdict.counted(comparison, unit)}, as each is decided in both ways"
    return Table(caption, ["", *shown.values()], [*_in_both_views(comparison, unit, shown), last])


def shares(comparison: Comparison, unit: str) -> Table:
    """How precise and how complete that is, a row a view."""
    shown = comparison.shares(unit)
    caption = f"Per {unit}: how many of the labels given are right, and how many of the true ones are given"
    return Table(caption, ["", *shown.values()], _in_both_views(comparison, unit, shown))


def _in_both_views(comparison: Comparison, unit: str, shown: Iterable[str]) -> list[list[Cell]]:
    """The rows of each run and baseline, the best of each figure marked."""
    every = {
        (title, view): found[unit]["views"][view]["figures"]
        for title, found in verdict.titled(comparison).items()
        for view in VIEWS
    }
    ranked = {f"{title}\n{view}": figures for (title, view), figures in every.items()}
    best = verdict.best_of(ranked, [name for name in shown if name not in (PER_ROW, LACKING)])
    truth = next(iter(comparison.figures.values()))[unit][PER_ROW]
    return [
        [
            Cell(title, VIEWS[view]),
            *(_decided(figures, name, truth, f"{title}\n{view}" in best.get(name, ())) for name in shown),
        ]
        for (title, view), figures in every.items()
    ]


def _decided(figures: Mapping[str, Any], name: str, truth: float, strong: bool) -> Cell:
    if name not in figures:
        return Cell("–")
    figure = figures[name]
    if name == PER_ROW:
        return Cell(f"{figure['value']:.2f}", f"{figure['value'] / truth:.1f} times the truth")
    return measured(figure, strong=strong)


def areas(comparison: Comparison, unit: str) -> Table:
    """Average precision of every label that has a positive, the commonest first, the best of each row marked."""
    every = {title: found[unit] for title, found in verdict.titled(comparison).items()}
    first = next(iter(every.values()))["per_class"]
    rows = [
        [
            Cell(label, f"chance {first[label]['share']:.3f}"),
            Cell(str(first[label]["support"])),
            Cell(str(first[label].get("train", "–"))),
            *_marked({title: _area(found, label) for title, found in every.items()}),
        ]
        for label in _labels(first)
    ]
    heads = ["", f"{unit}s", "taught", *every]
    return Table(f"Average precision per {unit}, and its 95 % interval", heads, rows)


def _labels(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The labels with a positive, the commonest first."""
    found = [label for label, figures in per_class.items() if figures["support"]]
    return sorted(found, key=lambda label: (-per_class[label]["support"], label))


def _marked(values: Mapping[str, tuple[float, str, str]]) -> list[Cell]:
    """A cell each of a value, its words and those below, the highest marked."""
    top = max(value for value, _, _ in values.values())
    return [Cell(text, second, bool(value) and value == top) for value, text, second in values.values()]


def _area(found: Mapping[str, Any], label: str) -> tuple[float, str, str]:
    if label in found["unseen_labels"]:
        return 0.0, "–", "unknown to it"
    figures = found["per_class"][label]
    bounds = "" if figures["ap_low"] is None else f"{figures['ap_low']:.3f} to {figures['ap_high']:.3f}"
    return figures["ap"], f"{figures['ap']:.3f}", bounds


def decisions(comparison: Comparison, unit: str) -> Table:
    """F1 of every label that has a positive in both views, and from where on each run predicts it."""
    every = {title: found[unit] for title, found in verdict.titled(comparison).items()}
    limits = {name: thresholds(run) for name, run in comparison.runs.items()}
    marks = {name: dict.fromkeys(scoring.unfitted_labels(run), MARK) for name, run in comparison.runs.items()}
    first = next(iter(every.values()))["per_class"]
    rows = [
        [
            Cell(label),
            Cell(str(first[label]["support"])),
            *_marked(
                {
                    title: _both(found, label, limits.get(title, {}), marks.get(title, {}))
                    for title, found in every.items()
                }
            ),
        ]
        for label in _labels(first)
    ]
    return Table(f"F1 per {unit} at 0.5 → with thresholds", ["", f"{unit}s", *every], rows)


def _both(
    found: Mapping[str, Any], label: str, limits: Mapping[str, str], marks: Mapping[str, str]
) -> tuple[float, str, str]:
    if label in found["unseen_labels"]:
        return 0.0, "–", "unknown to it"
    half, fitted = (found["views"][view]["per_class"][label]["f1"] for view in VIEWS)
    limit = f"from {limits[label]} on{marks.get(label, '')}" if label in limits else ""
    return fitted, f"{half:.2f}{ARROW}{fitted:.2f}", limit


def thresholds(run: Run) -> dict[str, str]:
    """From which probability on the run predicts each label; of a run in folds, the folds' lowest and highest."""
    models = [scoring.thresholds_of(folder) for folder in run.models()]
    found = {label: [each.of(label) for each in models] for each in models for label in each.labels}
    return {label: _span(min(values), max(values)) for label, values in found.items()}


def _span(low: float, high: float) -> str:
    """0.12, or 0.08–0.15."""
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f}–{high:.2f}"
