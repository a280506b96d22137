"""`leaflet-tool compare`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import TRAIN

if TYPE_CHECKING:
    from leaflet_tool.results.comparison import Comparison

ROOMY = 200
"""Columns of a terminal on which every figure has room for its interval."""
SHORT = ("", "accuracy", "95 %", "balanced", "F1", "loss", "ECE", "top 3", "beats")
"""The heads where there is less room: 80 columns hold them."""


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

    comparison = compare(opened(names, runs), seed=seed)
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
        _show_pairs(console, comparison, unit)
    for sentence in outcome:
        console.say(sentence)
    console.say(f"the page is {page}")


def _show_figures(console: Console, comparison: "Comparison", unit: str) -> None:
    """A row a run and a baseline; with less room, short names and the accuracy's interval alone."""
    from leaflet_tool.cli.shown import plain
    from leaflet_tool.results import verdict

    roomy, rows = console.out.width >= ROOMY, []
    every = verdict.titled(comparison) if roomy else {**comparison.figures, **comparison.baselines}
    for name, found in every.items():
        figures = found[unit]["figures"]
        beats = verdict.standing(comparison, name, unit) if name in comparison.runs else "–"
        if roomy:
            rows.append([name, *(verdict.interval(figures[metric]) for metric in verdict.TITLES), beats])
        else:
            accuracy, *others = (plain(figures[metric]) for metric in verdict.TITLES)
            rows.append([name, accuracy, _bounds(figures["accuracy"]), *others, beats.partition(":")[0]])
    heads = ["", *verdict.TITLES.values(), "beats the baselines?"] if roomy else SHORT
    title = f"Per {unit}: {verdict.counted(comparison, unit)} of the test split"
    console.table(None, heads, rows, title=title if roomy else f"{title}; beats: more accurate than both baselines")


def _bounds(figure: Mapping[str, Any]) -> str:
    return "" if figure["low"] is None else f"{figure['low']:.2f}-{figure['high']:.2f}"


def _show_pairs(console: Console, comparison: "Comparison", unit: str) -> None:
    """A row a pair; what its test says in words where there is room."""
    from leaflet_tool.results import verdict

    roomy, rows = console.out.width >= ROOMY, []
    for pair in comparison.pairs:
        found = pair.units[unit]
        counts = [found["only_a_right"], found["only_b_right"]]
        words = [verdict.meaning(pair, unit)] if roomy else []
        difference = verdict.interval(found["accuracy_difference"])
        rows.append([f"{pair.a} - {pair.b}", difference, *counts, verdict.p_value(pair.p(unit)), *words])
    heads = ["", "difference in accuracy", "only 1st right", "only 2nd right", "McNemar", *(["which says"] * roomy)]
    console.table(None, heads, rows, title=f"Per {unit}: each pair on the same rows")
