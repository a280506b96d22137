"""`leaflet-tool predict`."""

from pathlib import Path

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console


@click.command()
@click.argument("run")
@click.argument("pages", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("predictions.csv"), show_default=True)
@options.runs
@click.option("--dry-run", is_flag=True, help="Count the pages, read and write nothing.")
@click.pass_obj
def predict(console: Console, run: str, pages: tuple[Path, ...], out: Path, runs: Path, dry_run: bool) -> None:
    """Predict new PAGES with a RUN: photographs, folders of them, a table, or a prepared folder."""
    from leaflet_tool.manifest import write_table
    from leaflet_tool.models.prediction import counted, planned
    from leaflet_tool.models.prediction import predict as predicted
    from leaflet_tool.models.runs import finished, write_predictions

    if dry_run:
        plan = planned(finished(run, runs), pages)
        words = f"{plan['pages']} pages, {plan['ocr']} of them for Tesseract to read, {plan['skipped']} inputs skipped"
        return console.result({"run": run, **plan}, f"{words}\nnothing was written")
    result = predicted(finished(run, runs), pages, progress=console.progress)
    write_predictions(result.predictions, out)
    if len(result.skipped):
        write_table(result.skipped, out.with_suffix(".skipped.csv"))
        console.say(f"{len(result.skipped)} inputs were skipped, see {out.with_suffix('.skipped.csv')}")
    counts = counted(result.predictions)
    summary = {"run": run, "out": str(out), "predicted": len(result.predictions), "skipped": len(result.skipped)}
    return console.table(
        {**summary, "classes": counts.to_dict()}, ["predicted", "pages"], counts.items(), title=str(out)
    )
