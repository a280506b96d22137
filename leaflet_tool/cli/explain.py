"""`leaflet-tool explain`."""

from pathlib import Path
from typing import get_args

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.settings import EXPLAIN, Method


@click.command()
@click.argument("run")
@click.argument("page")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=EXPLAIN.out,
    show_default=True,
    help="The figure, PNG; one that is there is replaced.",
)
@click.option("--class", "target", metavar="NAME", default="", help="What to explain, instead of the likeliest class.")
@click.option(
    "--method",
    type=click.Choice(get_args(Method)),
    default="auto",
    show_default=True,
    help="Integrated gradients, occlusion, or auto: gradients where the model has them.",
)
@options.data
@options.runs
@click.pass_obj
def explain(
    console: Console, run: str, page: str, out: Path, target: str, method: Method, data: Path | None, runs: Path
) -> None:
    """Show what in a PAGE (its id, its file in the archive, or a new image) weighed in a RUN's prediction."""
    from leaflet_tool.models.runs import finished
    from leaflet_tool.results import explaining, explanation_sheet

    found = explaining.explain(
        finished(run, runs), page, target=target, method=method, data=data, progress=console.progress
    )
    explanation_sheet.write_figure(found, out)
    console.say(f"{explanation_sheet.sentence(found)}; {explanation_sheet.knowledge(found)}")
    console.table(
        {**explanation_sheet.to_json(found), "figure": str(out)},
        ["input", "what", "weight"],
        explanation_sheet.rows(found),
        title=f"What weighed for {found.target}, in log odds (+0.7 doubles the odds, -0.7 halves them)",
    )
    if not console.json:
        console.result(None, f"the figure is {out}")
