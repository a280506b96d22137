"""`leaflet-tool hyperopt`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown import show_metrics
from leaflet_tool.errors import UsageError
from leaflet_tool.settings import HYPEROPT, TRAIN

if TYPE_CHECKING:
    from leaflet_tool.models.runs import Run
    from leaflet_tool.models.search import Request, Search


@click.command()
@click.option("--config", metavar="NAME|FILE", help="Definition: a shipped name (see configs) or a YAML file.")
@options.data
@click.option("--name", required=True, help="Name of the search, a folder below --runs.")
@options.runs
@click.option("--space", metavar="NAME|FILE", help="Search space; by default the definition's own.")
@options.overrides
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=HYPEROPT.trials,
    show_default=True,
    help="Samples of the space; a grid_search in it multiplies them.",
)
@click.option(
    "--concurrent",
    type=click.IntRange(0),
    default=HYPEROPT.concurrent,
    show_default=True,
    help="Trials at the same time; 0: one a core, or one on a GPU.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=HYPEROPT.minutes,
    show_default=True,
    help="Time for all trials together; then the running ones are stopped.",
)
@click.option("--seed", type=int, default=TRAIN.seed, show_default=True)
@click.option("--ray-address", metavar="ADDRESS", help="Join this Ray cluster instead of starting one here.")
@click.option("--train-best", metavar="RUN", help="Train the winner as a run of this name.")
@click.option("--offline", is_flag=True, help="Never download: weights that are not here are an error.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted search as it was started.")
@click.option("--force", is_flag=True, help="Start a search of that name anew.")
@click.option("--dry-run", is_flag=True, help="Check everything, try nothing.")
@click.pass_obj
def hyperopt(
    console: Console,
    config: str | None,
    data: Path | None,
    space: str | None,
    resume: bool,
    dry_run: bool,
    **rest: Any,
) -> None:
    """Search the best parameters of a definition, judged on the validation split."""
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models import definitions, search, search_space

    request = search.Request(**rest)
    if resume:
        return finish(console, search.resume(request.name, request.runs), request)
    if config is None or data is None:
        raise UsageError("hyperopt needs --config and --data", hint="or --resume to go on with an interrupted search")
    definition = definitions.find(config)
    what = definition, search_space.find(space, definition), read_prepared(data), request
    if dry_run:
        trials = search.planned(*what)
        words = f"nothing speaks against this search: {trials} trials at most"
        return console.result({"ready": True, "trials": trials}, words)
    return finish(console, search.search(*what), request)


def finish(console: Console, found: "Search", request: "Request") -> None:
    """Trains the winner where that is asked for, and shows the search with its run."""
    from leaflet_tool.models.search import train_best

    run = None
    if request.train_best:
        run = train_best(found, request.train_best, offline=request.offline, force=request.force)
    show(console, found, run)


def show(console: Console, found: "Search", run: "Run | None") -> None:
    """The trials, best first; then the figures of the winner's run, if there is one."""
    from leaflet_tool.models.trials import table

    facts = found.facts
    trials = table(facts["trials"], facts["metric"])
    if not any(trials["error"]):
        trials = trials.drop(columns="error")
    value = {"search": found.name, "folder": str(found.folder), **facts}
    if run:
        value["run"] = {"run": run.name, "folder": str(run.folder), **run.metrics()}
    rows = [[_cell(value) for value in row] for row in trials.itertuples(index=False)]
    title = f"{found.name}: {facts['metric']} on the validation split, {facts['goal']}d"
    console.table(value, list(trials.columns), rows, title=title)
    if run and not console.json:
        show_metrics(console, run, run.metrics())


def _cell(value: Any) -> str:
    """A missing figure is an empty cell."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
