"""`leaflet-tool prepare`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import PREPARE, Engine, RarePolicy

OVERRIDES = {
    "image_column": "columns.image",
    "text_column": "columns.text",
    "label": "columns.label",
    "labels": "columns.labels",
    "label_delimiter": "label_delimiter",
    "group": "columns.group",
    "page_column": "columns.page",
    "split_column": "columns.split",
    "fold_column": "columns.fold",
    "id_column": "columns.id",
    "ocr": "ocr.engine",
    "language": "ocr.language",
    "max_side": "images.max_side",
    "fractions": "split.fractions",
    "seed": "split.seed",
    "rare": "rare.policy",
    "rare_minimum": "rare.minimum",
}
"""Flags that override a dataset definition, and the key each stands for."""


def _override(name: str, text: str, default: object = None, **how: Any) -> Callable[..., Any]:
    """A flag that overrides the definition; the help shows what counts when neither says anything."""
    shown = f"the definition's, else {default}" if default is not None else False
    return click.option(name, help=text, show_default=shown, **how)


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Prepared folder to make, or to go on with."
)
@click.option("--dataset", "name", metavar="NAME|FILE", help="How the archive is read; guessed when absent.")
@_override("--image-column", "The table's column of image files.")
@_override("--text-column", "The table's column of texts; Tesseract then reads nothing.")
@_override("--label", "The table's column to predict: one class a row.")
@_override("--labels", "The table's column to predict: several classes a row.")
@_override("--label-delimiter", "What separates several classes in a cell.")
@_override("--group", "The table's column of what must stay in one split, such as the leaflet.")
@_override("--page-column", "The table's column of page numbers within the leaflet.")
@_override("--split-column", "The table's column that says train, validation or test.")
@_override("--fold-column", "The table's column of folds, from 0.")
@_override("--id-column", "The table's column of ids that never change.")
@_override("--ocr", "What reads the text of images.", PREPARE.ocr, type=click.Choice(get_args(Engine)))
@_override("--language", "Tesseract's language packs, joined by +.", PREPARE.language)
@_override("--max-side", "Longest side of a working copy, pixels.", PREPARE.max_side, type=int)
@_override("--fractions", "Shares of train, validation and test.", ",".join(map(str, PREPARE.fractions)))
@_override("--seed", "Seed of the split.", PREPARE.seed, type=int)
@_override("--rare", "What becomes of rare classes.", PREPARE.rare, type=click.Choice(get_args(RarePolicy)))
@_override("--rare-minimum", "Groups below which a class is rare.", PREPARE.rare_minimum, type=int)
@click.option(
    "--workers", default=PREPARE.workers, show_default=True, type=click.IntRange(0), help="Processes; 0: a core each."
)
@click.option("--force", is_flag=True, help="Start the prepared folder anew.")
@click.option("--dry-run", is_flag=True, help="Check and count; write nothing.")
@click.pass_obj
def prepare(
    console: Console, archive: Path, out: Path, name: str, workers: int, force: bool, dry_run: bool, **flags: Any
) -> None:
    """Read ARCHIVE, a folder or a table, and write its manifest, working copies and texts to a prepared folder."""
    from leaflet_tool.prepare import facts, recipe, sources
    from leaflet_tool.prepare.dataset import overridden

    dataset = overridden(sources.definition(archive, name), {OVERRIDES[flag]: value for flag, value in flags.items()})
    told = recipe.prepare(
        archive, out, dataset, workers=workers, force=force, dry_run=dry_run, progress=console.progress
    )
    console.result(told, facts.summary(told) + ("\nnothing was written" if dry_run else f"\nwritten to {out}"))
