"""`leaflet-tool stack`."""

from pathlib import Path

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown import show_metrics
from leaflet_tool.settings import TRAIN


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--name", required=True, help="Name of the stack, a folder below --runs.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Prepared folder of the pages; by default the first run's.",
)
@options.runs
@options.overrides
@click.option("--epochs", type=click.IntRange(1), help="Short for --set trainer.epochs=N.")
@click.option("--seed", type=int, default=TRAIN.seed, show_default=True)
@click.option("--force", is_flag=True, help="Stack anew under that name.")
@click.pass_obj
def stack(console: Console, names: tuple[str, ...], data: Path | None, **rest: object) -> None:
    """Train a run on the class probabilities that finished runs give pages which are new to them."""
    from leaflet_tool.models.training import Request
    from leaflet_tool.results.comparison import opened
    from leaflet_tool.results.stacking import stack

    request = Request(**rest)  # type: ignore[arg-type]
    run = stack(opened(names, request.runs), request, data)
    show_metrics(console, run, run.metrics())
