"""`leaflet-tool compare`."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import TRAIN

if TYPE_CHECKING:
    from leaflet_tool.results.comparison import Comparison

WIDE = 120
"""Columns of a terminal that also holds the area, and precision and recall of the commonest and the other labels."""
SPARED = ("_precision_frequent", "_recall_frequent", "_precision_rest", "_recall_rest", "_trapezoid")
"""How the figures end that a narrower one leaves out."""
ROOMY = 200
"""Columns of a terminal on which every figure has room for its interval; 80 hold the figures alone."""


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--runs", type=click.Path(path_type=Path), default=TRAIN.runs, show_default=True, help="Folder of runs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="comparison.html",
    show_default=True,
    help="The page; one that is there is replaced.",
)
@click.option("--no-figures", is_flag=True, help="Leave Ludwig's own figures out of the page: they take half a minute.")
@click.option("--seed", type=int, default=TRAIN.seed, show_default=True, help="Chance behind the intervals.")
@click.pass_obj
def compare(console: Console, names: tuple[str, ...], runs: Path, out: Path, no_figures: bool, seed: int) -> None:
    """Compare finished runs on the test rows they share."""
    from leaflet_tool.models import ludwig_figures
    from leaflet_tool.results.comparison import compare, opened
    from leaflet_tool.results.comparison_page import write_page

    comparison = compare(opened(names, runs), seed=seed, progress=console.progress)
    figures = [] if no_figures else ludwig_figures.drawn(comparison.runs, comparison.predictions)
    write_page(comparison, out, by_ludwig=figures)
    _show(console, comparison, out)


def _show(console: Console, comparison: "Comparison", page: Path) -> None:
    """The tables per page and per leaflet, then what they come to; with --json, one object."""
    from leaflet_tool.results.verdict import sentences

    outcome = sentences(comparison)
    if console.json:
        console.result({**comparison.to_json(), "outcome": outcome, "page": str(page)}, "")
        return
    for unit in comparison.units:
        _show_figures(console, comparison, unit)
        _show_views(console, comparison, unit)
        _show_pairs(console, comparison, unit)
    for sentence in outcome:
        console.say(sentence)
    console.say(f"the page is {page}")


def _show_figures(console: Console, comparison: "Comparison", unit: str) -> None:
    """A row a run and a baseline; with less room, short names and the headline's interval alone."""
    from leaflet_tool.results import verdict

    roomy, kind, rows = console.out.width >= ROOMY, comparison.kind, []
    short = _fitting(console, kind.short)
    for name, found in _every(console, comparison).items():
        figures = found[unit]["figures"]
        beats = verdict.standing(comparison, name, unit) if name in comparison.runs else "–"
        if roomy:
            rows.append([name, *(_figure(figures, metric, verdict.interval) for metric in kind.titles), beats])
        else:
            first, *others = (_figure(figures, metric) for metric in short)
            rows.append([name, first, _bounds(figures[kind.headline]), *others, beats.partition(":")[0]])
    headline, *more = (kind.short[metric] for metric in short)
    heads = ["", *kind.titles.values(), "beats the baselines?"] if roomy else ["", headline, "95 %", *more, "beats"]
    title = f"Per {unit}: {verdict.counted(comparison, unit)} of the test split"
    said = f"{title}; beats: {kind.leads} than {_rivals(comparison)}"
    console.table(None, heads, rows, title=title if roomy else said)


def _fitting(console: Console, names: Iterable[str]) -> list[str]:
    """The figures there is room for."""
    return [name for name in names if console.out.width >= WIDE or not name.endswith(SPARED)]


def _every(console: Console, comparison: "Comparison") -> dict[str, Any]:
    """The figures of runs and baselines by the names there is room for."""
    from leaflet_tool.results import verdict

    roomy = console.out.width >= ROOMY
    return verdict.titled(comparison) if roomy else {**comparison.figures, **comparison.baselines}


def _rivals(comparison: "Comparison") -> str:
    return "both baselines" if len(comparison.baselines) == 2 else "all baselines"


def _figure(figures: Mapping[str, Any], metric: str, how: Callable[[Mapping[str, Any]], str] | None = None) -> str:
    """A figure in words, – where there is none."""
    from leaflet_tool.cli.shown import plain

    return (how or plain)(figures[metric]) if metric in figures else "–"


def _bounds(figure: Mapping[str, Any]) -> str:
    return "" if figure["low"] is None else f"{figure['low']:.2f}-{figure['high']:.2f}"


def _show_views(console: Console, comparison: "Comparison", unit: str) -> None:
    """Where pages have several labels, what is decided: two rows a run and a baseline, and the truth's labels."""
    from leaflet_tool.results import verdict

    decided = comparison.decided(unit)
    if not decided:
        return
    roomy = console.out.width >= ROOMY
    rows = _in_both_views(console, comparison, unit, decided, verdict.interval if roomy else None)
    truth = next(iter(comparison.figures.values()))[unit]["labels_per_row"]
    rows.append(["the truth", "", *(f"{truth:.3f}" if each == "labels_per_row" else "" for each in decided)])
    called = decided if roomy else comparison.kind.short_decided
    heads = ["", "decided", *(called[name] for name in decided)]
    console.table(None, heads, rows, title=f"Per {unit}: the labels that each gives")
    shares = _fitting(console, comparison.shares(unit))
    heads = ["", "decided", *(comparison.kind.short_decided[name] for name in shares)]
    title = f"Per {unit}: precision (P) and recall (R) of the labels that each gives"
    console.table(None, heads, _in_both_views(console, comparison, unit, shares), title=title)


def _in_both_views(
    console: Console,
    comparison: "Comparison",
    unit: str,
    names: Iterable[str],
    how: Callable[[Mapping[str, Any]], str] | None = None,
) -> list[list[str]]:
    """Two rows a run and a baseline, with the figures called `names`."""
    from leaflet_tool.results.kinds import VIEWS

    roomy, shown = console.out.width >= ROOMY, list(names)
    return [
        [name, words if roomy else words.split()[-1], *(_figure(figures, each, how) for each in shown)]
        for name, found in _every(console, comparison).items()
        for view, words in VIEWS.items()
        for figures in [found[unit]["views"][view]["figures"]]
    ]


def _show_pairs(console: Console, comparison: "Comparison", unit: str) -> None:
    """A row a pair; the other figures and what the test says in words where there is room."""
    from leaflet_tool.results import verdict

    roomy, kind, rows = console.out.width >= ROOMY, comparison.kind, []
    for pair in comparison.pairs:
        first, *others = pair.differences(unit).values()
        counts = [pair.units[unit][name] for name in kind.counts]
        told = [f"{other['value']:+.3f} ({verdict.p_value(other['p'])})" for other in others] if roomy else []
        words = [verdict.meaning(pair, unit)] if roomy else []
        p = verdict.p_value(pair.p(unit))
        rows.append([f"{pair.a} - {pair.b}", verdict.interval(first), *counts, p, *words, *told])
    more = ["which says", *list(comparison.pairs[0].differences(unit))[1:]] if roomy else []
    heads = ["", f"difference in {kind.words}", *kind.short_counts, kind.test, *more]
    console.table(None, heads, rows, title=f"Per {unit}: each pair on the same rows")
