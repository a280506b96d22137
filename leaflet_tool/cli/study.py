"""`leaflet-tool study`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.errors import TrainingError

if TYPE_CHECKING:
    from leaflet_tool.results.study_runs import Plan
    from leaflet_tool.results.study_table import StudyTable


@click.command()
@click.argument("study", metavar="NAME|FILE")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", required=True, help="Prepared folder.")
@click.option("--name", help="Folder of the study's runs below --runs; by default the study's name.")
@options.runs
@click.option("--config", metavar="NAME|FILE", default="", help="Another definition for the base.")
@options.overrides
@click.option("--epochs", type=click.IntRange(1), help="Short for --set trainer.epochs=N.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Instead of the study's seeds; give it once for each.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The page; study.html beside the runs.")
@click.option("--offline", is_flag=True, help="Never download: weights that are not here are an error.")
@click.option("--retry", is_flag=True, help="Train anew what failed.")
@click.option("--force", is_flag=True, help="Start the study of that name anew.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost and check everything, train nothing.")
@click.pass_obj
def study(console: Console, out: Path | None, dry_run: bool, force: bool, **rest: Any) -> None:
    """Train the rows of a STUDY, which differ in one thing only, and judge them on the same test rows."""
    from leaflet_tool.results import study_alike, study_page, study_runs, study_scores

    plan = study_runs.planned(**rest)
    study_runs.checked(plan, force=force)
    if not force:
        study_alike.check(plan)
    cost = plan.cost(force=force)
    if dry_run:
        return console.result(cost, _words(cost))
    if force:
        study_runs.clear(plan)
    console.say(_words(cost))
    for _ in console.progress(study_runs.train(plan), total=cost["to_train"], title="training runs"):
        pass
    table = study_scores.table(plan, progress=console.progress)
    page = out or plan.folder / study_page.PAGE
    study_page.write(table, page)
    show(console, plan, table, page)
    if table.unfinished:
        _end_unfinished(console, table)


def _end_unfinished(console: Console, table: "StudyTable") -> None:
    """Ends with the exit code of a failed training; with --json, the table is the one object."""
    rows = ", ".join(map(repr, table.unfinished))
    failure = TrainingError(f"not finished at every seed: {rows}", hint="mend what failed and give --retry")
    if console.json:
        click.get_current_context().exit(failure.exit_code)
    raise failure


def _words(cost: dict[str, Any]) -> str:
    from leaflet_tool.results.comparison_tables import duration

    time = "nobody knows yet how long one takes" if cost["seconds"] is None else f"about {duration(cost['seconds'])}"
    runs = f"{cost['rows']} rows at {len(cost['seeds'])} seeds: {cost['runs']} runs, {cost['to_train']} to train"
    return f"{runs}; {time}" if cost["to_train"] else runs


def show(console: Console, plan: "Plan", table: "StudyTable", page: Path) -> None:
    """The study's table, then what it says; with --json, one object."""
    value = {**table.to_json(), "page": str(page)}
    console.table(value, table.heads, table.cells(), title=table.title)
    for sentence in table.sentences:
        console.say(sentence)
    console.say(f"the page is {page}")
