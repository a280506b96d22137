"""`leaflet-tool train`."""

from pathlib import Path
from typing import get_args

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown import show_metrics
from leaflet_tool.errors import UsageError
from leaflet_tool.settings import TRAIN, Objective


@click.command()
@click.option("--config", metavar="NAME|FILE", help="Definition: a shipped name (see configs) or a YAML file.")
@options.data
@click.option("--name", required=True, help="Name of the run, a folder below --runs.")
@options.runs
@options.overrides
@click.option("--epochs", type=click.IntRange(1), help="Short for --set trainer.epochs=N.")
@click.option("--seed", type=int, default=TRAIN.seed, show_default=True)
@click.option("--folds", type=click.IntRange(2), help="One model a fold; every page is predicted by one it is new to.")
@click.option(
    "--threshold-objective",
    type=click.Choice(get_args(Objective)),
    default=TRAIN.threshold_objective,
    show_default=True,
    help="What the threshold of each of several labels is to be best at; f2 favours recall, f0.5 precision.",
)
@click.option(
    "--start-from", metavar="RUN[:FEATURE]", default="", help="Begin with the image encoder of this finished run."
)
@click.option("--backend", type=click.Choice(["local", "ray"]), default=TRAIN.backend, show_default=True)
@click.option("--offline", is_flag=True, help="Never download: weights that are not here are an error.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run as it was started.")
@click.option("--force", is_flag=True, help="Start a run of that name anew.")
@click.option("--dry-run", is_flag=True, help="Check everything, train nothing.")
@click.pass_obj
def train(
    console: Console,
    config: str | None,
    data: Path | None,
    folds: int | None,
    resume: bool,
    dry_run: bool,
    **rest: object,
) -> None:
    """Train a definition on a prepared folder and judge it on the test split."""
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models import training
    from leaflet_tool.models.definitions import find

    request = training.Request(folds=folds or 0, **rest)  # type: ignore[arg-type]
    given = (config, data, folds, request.epochs, request.overrides, request.start_from)
    if resume and (any(given) or request.threshold_objective != TRAIN.threshold_objective):
        raise UsageError("--resume goes on as the run was started", hint="give it --name and --runs alone")
    if resume:
        run = training.resume(request.name, request.runs)
        return show_metrics(console, run, run.metrics())
    if config is None or data is None:
        raise UsageError("train needs --config and --data", hint="or --resume to go on with an interrupted run")
    definition, prepared = find(config), read_prepared(data)
    if dry_run:
        training.check(definition, prepared, request)
        return console.result({"ready": True}, f"{config} on {data}: nothing speaks against training {request.name}")
    run = training.train(definition, prepared, request)
    return show_metrics(console, run, run.metrics())
