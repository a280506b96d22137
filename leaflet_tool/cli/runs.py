"""`leaflet-tool runs`."""

from pathlib import Path

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console


@click.command()
@options.runs
@click.pass_obj
def runs(console: Console, runs: Path) -> None:
    """List the runs: definition, data, accuracy (with several labels: macro AP) on the test split, state."""
    from leaflet_tool.models.runs import HEADLINES, listed, summary

    found = [summary(run) for run in listed(runs)]
    figures = [name for name in HEADLINES if any(run[name] is not None for run in found)] or HEADLINES[:1]
    columns = ["name", "definition", "data", "label", "folds", "state", *figures, "seconds", "started"]
    rows = [[_cell(run[column]) for column in columns] for run in found]
    console.table({"runs": found}, columns, rows, title="" if found else f"no runs in {runs}")


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value or "")
