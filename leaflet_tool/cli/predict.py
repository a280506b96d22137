"""`leaflet-tool predict`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.cli.shown_confidence import told

if TYPE_CHECKING:
    from leaflet_tool.models.confidence import Limit
    from leaflet_tool.models.prediction import Predicted
    from leaflet_tool.models.runs import Run

SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("run")
@click.argument("pages", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("predictions.csv"), show_default=True)
@click.option("--min-confidence", type=SHARE, help="Decide where the calibrated confidence is so high, and only there.")
@click.option("--target-precision", type=SHARE, help="Decide where so many are right, as the validation pages show.")
@options.runs
@click.option("--dry-run", is_flag=True, help="Count the pages, read and write nothing.")
@click.pass_obj
def predict(
    console: Console,
    run: str,
    pages: tuple[Path, ...],
    out: Path,
    min_confidence: float | None,
    target_precision: float | None,
    runs: Path,
    dry_run: bool,
) -> None:
    """Predict new PAGES with a RUN: photographs, folders of them, a table, or a prepared folder."""
    from leaflet_tool.models import confidence
    from leaflet_tool.models.prediction import planned
    from leaflet_tool.models.prediction import predict as predicted
    from leaflet_tool.models.runs import finished

    found = finished(run, runs)
    limit = confidence.limit(found, min_confidence=min_confidence, target_precision=target_precision)
    if dry_run:
        plan = planned(found, pages)
        words = f"{plan['pages']} pages, {plan['ocr']} of them for Tesseract to read, {plan['skipped']} inputs skipped"
        return console.result({"run": run, **plan}, f"{words}\nnothing was written")
    return _show(console, found, predicted(found, pages, progress=console.progress), limit, out)


def _show(console: Console, run: "Run", result: "Predicted", limit: "Limit | None", out: Path) -> None:
    """Writes the predictions, with what is decided where a limit is asked for, and says what there is."""
    from leaflet_tool.manifest import write_table
    from leaflet_tool.measure.confidence import DECISION
    from leaflet_tool.models import confidence
    from leaflet_tool.models.prediction import counted
    from leaflet_tool.models.runs import write_predictions

    predictions = confidence.decided(run, result.predictions, limit) if limit else result.predictions
    write_predictions(predictions, out)
    if len(result.skipped):
        write_table(result.skipped, out.with_suffix(".skipped.csv"))
        console.say(f"{len(result.skipped)} inputs were skipped, see {out.with_suffix('.skipped.csv')}")
    counts = counted(predictions)
    heads, rows = ["predicted", "pages"], [[name, pages] for name, pages in counts.items()]
    summary = {"run": run.name, "out": str(out), "predicted": len(predictions), "skipped": len(result.skipped)}
    if limit:
        decided = counted(predictions[predictions[DECISION] != ""], DECISION)
        # a label may be decided that no page is predicted to have
        named = dict.fromkeys([*counts.index, *decided.index])
        heads, rows = [*heads, "decided"], [[name, counts.get(name, 0), decided.get(name, 0)] for name in named]
        made = int((predictions[DECISION] != "").sum())
        summary |= {"decided": made, "decisions": decided.to_dict(), **limit.to_json()}
        for sentence in told(run, limit, made, len(predictions)):
            console.say(sentence)
    console.table({**summary, "classes": counts.to_dict()}, heads, rows, title=str(out))
