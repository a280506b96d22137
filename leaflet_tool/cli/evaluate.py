"""`leaflet-tool evaluate`."""

from pathlib import Path

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown import show_metrics
from leaflet_tool.cli.shown_confidence import show_confidence


@click.command()
@click.argument("run")
@click.option("--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True)
@options.data
@options.runs
@click.pass_obj
def evaluate(console: Console, run: str, split: str, data: Path | None, runs: Path) -> None:
    """Judge a RUN on a split of its data, or on all labelled pages of another prepared folder (--data)."""
    from leaflet_tool.models.evaluation import on_other_data, on_split
    from leaflet_tool.models.runs import finished

    found = finished(run, runs)
    metrics = on_split(found, split) if data is None else on_other_data(found, data)
    show_metrics(console, found, metrics)
    show_confidence(console, found, metrics)
