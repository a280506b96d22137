"""How the worth of a run's confidence looks on a terminal: calibration, and what is decided at which precision."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown import with_interval

if TYPE_CHECKING:
    from leaflet_tool.models.confidence import Limit
    from leaflet_tool.models.runs import Run

ANSWERS = {False: "pages", True: "labels given at 0.5"}
"""What is decided or left: with one label a page, and with several."""


def show_confidence(console: Console, run: "Run", metrics: Mapping[str, Any]) -> None:
    """Errors before and after calibration and the risk-coverage points, where there are such figures."""
    found = metrics.get("confidence")
    if found is None or console.json:
        return
    units = ("page",) if found["page"]["rows"] == found["page"]["groups"] else ("page", "leaflet")
    heads = ["per", "calibration", "before", "after", "difference"]
    console.table(None, heads, [row for unit in units for row in _errors(unit, found[unit])])
    answers = ANSWERS[run.label.multiple]
    heads = [
        "per",
        "precision asked for",
        "from confidence",
        "precision reached",
        f"share of {answers}",
        "in hindsight",
    ]
    console.table(None, heads, [row for unit in units for row in _targets(unit, found[unit])])
    for sentence in (_fitted(run, found), *_unshown(found)):
        console.say(sentence)


def _errors(unit: str, found: Mapping[str, Any]) -> list[list[str]]:
    figures = [
        [unit, name, *(with_interval(found[when][name]) for when in ("before", "after", "difference"))]
        for name in found["before"]
    ]
    area = found["risk_coverage"]["area"]
    return [*figures, [unit, "area under risk-coverage", "", with_interval(area) if area else "-", ""]]


def _targets(unit: str, found: Mapping[str, Any]) -> list[list[str]]:
    from leaflet_tool.results.words import span

    return [
        [
            unit,
            f"{each['target']:g}",
            span([limit["confidence"] for limit in each["thresholds"]]),
            with_interval(each["precision"]) if each["precision"] else "-",
            with_interval(each["coverage"]),
            f"{each['hindsight']:.3f}",
        ]
        for each in found["targets"]
    ]


def _fitted(run: "Run", found: Mapping[str, Any]) -> str:
    """What was fitted on which pages."""
    from leaflet_tool.results.words import span

    parts = found["page"]["calibration"]
    facts = parts[0]["fitted"]
    where = "the other folds" if run.folds else "the validation split"
    pages = f"{facts['rows']} pages of {facts['groups']} leaflets"
    if parts[0]["kind"] == "platt":
        return f"calibrated by a line a label (Platt), fitted on {where} ({pages}); test pages had no part in it"
    temperatures = span([part["temperature"] for part in parts])
    return f"calibrated with temperature {temperatures}, fitted on {where} ({pages}); test pages had no part in it"


def _unshown(found: Mapping[str, Any]) -> list[str]:
    """Precisions that the pages to fit a threshold on are too few or too wrong to show."""
    from leaflet_tool.measure.selective import needed

    return [
        f"a precision of {each['target']:g} per page can't be shown ({best(each['thresholds'])}): nothing is decided; "
        f"it takes at least {needed(each['target'])} leaflets, all of them right"
        for each in found["page"]["targets"]
        if all(limit["confidence"] is None for limit in each["thresholds"])
    ]


def best(thresholds: Sequence[Mapping[str, Any]]) -> str:
    """What can be shown at most where a target can't."""
    top = max(thresholds, key=lambda each: each["bound"])
    return f"{top['bound']:.3f} at most, with {top['right']} of {top['rows']} right"


def told(run: "Run", limit: "Limit", decided: int, predicted: int) -> list[str]:
    """What `predict` decided, from where on, and what such decisions are worth on the run's test pages."""
    from dataclasses import asdict

    if limit.confidence is None and limit.fitted:
        return [
            f"a precision of {limit.fitted.target:g} can't be shown on the pages that {run.name} can be calibrated "
            f"with ({best([asdict(limit.fitted)])}), so nothing is decided: ask for less, give --min-confidence, or "
            "train with --folds, which calibrates with every page"
        ]
    noun = "pages have a decided label" if run.label.multiple else "pages are decided"
    words = f"{decided} of {predicted} {noun}, from a calibrated confidence of {limit.confidence:.3f} on"
    if limit.fitted:
        words += f", at which {limit.fitted.right} of {limit.fitted.rows} known ones are right"
    precision, coverage = limit.test["precision"], limit.test["coverage"]
    if precision is None:
        return [words, f"on the test pages of {run.name} nothing is that sure"]
    answers = ANSWERS[run.label.multiple]
    share = f"{with_interval(coverage)} of the {answers} are decided"
    return [words, f"on the test pages of {run.name}, {share}, with precision {with_interval(precision)}"]
