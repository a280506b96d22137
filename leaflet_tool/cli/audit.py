"""`leaflet-tool audit`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console
from leaflet_tool.settings import AUDIT

if TYPE_CHECKING:
    from leaflet_tool.results.audit import Audit


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN...")
@options.runs
@options.data
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=AUDIT.out, show_default=True)
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), help="Judge these pages only; by default all."
)
@click.option("--fail-on", type=click.IntRange(1), metavar="N", help="Exit code 6 from N doubtful labels on.")
@click.option("--seed", type=int, default=AUDIT.seed, show_default=True)
@click.pass_obj
def audit(
    console: Console,
    names: tuple[str, ...],
    runs: Path,
    data: Path | None,
    out: Path,
    split: str | None,
    fail_on: int | None,
    seed: int,
) -> None:
    """List the labels that are probably wrong, and why, by RUNs of folds: pages are judged by models new to them."""
    from leaflet_tool.results import audit as auditing
    from leaflet_tool.results.comparison import opened

    auditing.check(out)
    found = auditing.audit(opened(names, runs), data, split=split, seed=seed)
    auditing.write(found, out)
    failure = auditing.failure(found, fail_on, out)
    if not (failure and console.json):  # with --json there is one object, and an error is one
        _show(console, found, out)
    if failure:
        raise failure


def _show(console: Console, found: "Audit", out: Path) -> None:
    """The first findings, then what the audit comes to; with --json, one object."""
    from leaflet_tool.results import audit_words, findings

    shown = found.findings.head(AUDIT.shown)
    value = {**found.facts, "out": str(out), "findings": audit_words.as_json(shown)}
    console.table(value, audit_words.HEADS, audit_words.cells(shown))
    for sentence in audit_words.sentences(found.facts):
        console.say(sentence)
    console.say(f"all of them are in {out / findings.TABLE}")
