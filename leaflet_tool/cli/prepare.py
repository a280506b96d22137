"""`leaflet-tool prepare`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.errors import UsageError
from leaflet_tool.settings import (
    AUGMENT,
    PREPARE,
    Backend,
    Engine,
    LabelForm,
    Orientation,
    RarePolicy,
    UnlabelledPolicy,
)

OVERRIDES = {
    "image_column": "columns.image",
    "text_column": "columns.text",
    "caption_column": "columns.caption",
    "label": "columns.label",
    "labels": "columns.labels",
    "label_delimiter": "label_delimiter",
    "label_form": "labels",
    "taxonomy": "taxonomy",
    "unlabelled": "unlabelled",
    "group": "columns.group",
    "page_column": "columns.page",
    "split_column": "columns.split",
    "fold_column": "columns.fold",
    "id_column": "columns.id",
    "ocr": "ocr.engine",
    "language": "ocr.language",
    "pdf_text": "ocr.pdf_text",
    "orientation": "ocr.orientation",
    "regions": "regions",
    "region_side": "region_side",
    "max_side": "images.max_side",
    "max_pixels": "images.max_pixels",
    "fractions": "split.fractions",
    "seed": "split.seed",
    "folds": "split.folds",
    "near_distance": "duplicates.distance",
    "rare": "rare.policy",
    "rare_minimum": "rare.minimum",
    "most_frequent": "rare.most_frequent",
    "max_per_class": "max_per_class",
    "augment": "augment.copies",
    "augment_words": "augment.words",
    "undersample": "resample.undersample",
    "oversample": "resample.oversample",
}
"""Flags that override a dataset definition, and the key each stands for."""


def _override(name: str, text: str, default: object = None, **how: Any) -> Callable[..., Any]:
    """A flag that overrides the definition; the help shows what counts when neither says anything."""
    shown = f"the definition's, else {default}" if default is not None else False
    return click.option(name, help=text, default=None, show_default=shown, **how)


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Prepared folder to make, or to go on with."
)
@click.option("--dataset", "name", metavar="NAME|FILE", help="How the archive is read; guessed when absent.")
@_override("--image-column", "The table's column of image files.")
@_override("--text-column", "The table's column of texts; Tesseract then reads nothing.")
@_override("--caption-column", "The table's column of captions, or of file names whose words say as much.")
@_override("--label", "The table's column to predict: one class a row.")
@_override("--labels", "The table's column to predict: several classes a row.")
@_override("--label-delimiter", "What separates several classes in a cell; a list as in JSON needs none.")
@_override(
    "--label-form",
    "Several labels as given, the most specific ones (flat), or with all above them (closed).",
    "closed with a taxonomy and given without",
    type=click.Choice(get_args(LabelForm)),
)
@_override(
    "--taxonomy",
    "YAML file with each label's parent, as in: Plants: Nature.",
    metavar="FILE",
    type=click.Path(dir_okay=False, resolve_path=True),
)
@_override(
    "--unlabelled",
    "Rows without any of several labels; stated: an empty list is kept, an empty text is not.",
    PREPARE.unlabelled,
    type=click.Choice(get_args(UnlabelledPolicy)),
)
@_override("--group", "The table's column of what must stay in one split, such as the leaflet.")
@_override("--page-column", "The table's column of page numbers within the leaflet.")
@_override("--split-column", "The table's column that says train, validation or test.")
@_override("--fold-column", "The table's column of folds, from 0.")
@_override("--id-column", "The table's column of ids that never change.")
@_override("--ocr", "What reads the text of images.", PREPARE.ocr, type=click.Choice(get_args(Engine)))
@_override("--language", "Tesseract's language packs, joined by +.", PREPARE.language)
@_override(
    "--pdf-text/--no-pdf-text", "Take a PDF's own text instead of reading its picture.", PREPARE.pdf_text, is_flag=True
)
@_override("--orientation", "Pages that lie turned.", PREPARE.orientation, type=click.Choice(get_args(Orientation)))
@_override("--max-side", "Longest side of a working copy, pixels.", PREPARE.max_side, type=int)
@_override(
    "--regions",
    "Halves of pages to make as images of their own: top,bottom,left,right or some of them.",
    ",".join(PREPARE.regions) or "none",
    metavar="NAMES",
)
@_override("--region-side", "Width and height of a region, pixels.", PREPARE.region_side, type=int)
@_override("--max-pixels", "Images of more pixels are skipped.", PREPARE.max_pixels, type=int)
@_override("--fractions", "Shares of train, validation and test.", ",".join(map(str, PREPARE.fractions)))
@_override("--seed", "Seed of the split.", PREPARE.seed, type=int)
@_override("--folds", "Folds that every group is dealt to, beside its split; 0: none.", PREPARE.folds, type=int)
@_override(
    "--near-distance",
    "Bits, of 64, in which the hashes of pages that look the same may differ; fewer for forms.",
    PREPARE.near_distance,
    type=int,
)
@_override("--rare", "What becomes of rare classes.", PREPARE.rare, type=click.Choice(get_args(RarePolicy)))
@_override("--rare-minimum", "Groups below which a class is rare.", PREPARE.rare_minimum, type=int)
@_override("--most-frequent", "Classes that are not rare, at most; 0: no limit.", PREPARE.most_frequent, type=int)
@_override("--max-per-class", "Pages of a class that are kept, at most; 0: all.", PREPARE.max_per_class, type=int)
@_override("--augment", "Altered copies of each training page.", AUGMENT.copies, type=click.IntRange(0))
@_override(
    "--augment-words", "Odds that an altered copy lacks a word of its text.", AUGMENT.words, type=click.FloatRange(0, 1)
)
@_override(
    "--undersample",
    "Share of the training rows that is kept, those with rare labels.",
    PREPARE.undersample,
    type=click.FloatRange(0, 1, min_open=True),
)
@_override(
    "--oversample",
    "Share of training rows that is added, altered copies of those with rare labels.",
    PREPARE.oversample,
    type=click.FloatRange(0, 10),
)
@click.option(
    "--workers", default=PREPARE.workers, show_default=True, type=click.IntRange(0), help="Processes; 0: a core each."
)
@click.option(
    "--backend",
    default=PREPARE.backend,
    show_default=True,
    type=click.Choice(get_args(Backend)),
    help="Where text is read: here, or on a Ray cluster.",
)
@click.option("--ray-address", metavar="ADDRESS", help="Join this Ray cluster instead of starting one here.")
@click.option(
    "--corrections",
    "corrected",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Correct labels as a review exported them.",
)
@click.option("--force", is_flag=True, help="Start the prepared folder anew.")
@click.option("--no-report", is_flag=True, help="Leave out report.html, the page that shows what is in the data.")
@click.option("--dry-run", is_flag=True, help="Check and count; write nothing.")
@click.pass_obj
def prepare(
    console: Console,
    archive: Path,
    out: Path,
    name: str,
    workers: int,
    backend: Backend,
    ray_address: str | None,
    corrected: Path | None,
    force: bool,
    no_report: bool,
    dry_run: bool,
    **flags: Any,
) -> None:
    """Read ARCHIVE, a folder or a table, and write its manifest, working copies and texts to a prepared folder."""
    from leaflet_tool.prepare import facts, recipe, sources
    from leaflet_tool.prepare.dataset import overridden

    if ray_address and backend != "ray":
        raise UsageError("--ray-address names a Ray cluster to read on", hint="add --backend ray")
    dataset = overridden(sources.definition(archive, name), {OVERRIDES[flag]: value for flag, value in flags.items()})
    where: dict[str, Any] = {"workers": workers, "backend": backend, "ray_address": ray_address, "corrected": corrected}
    told = recipe.prepare(archive, out, dataset, force=force, dry_run=dry_run, progress=console.progress, **where)
    outcome = facts.summary(told) + ("\nnothing was written" if dry_run else f"\nwritten to {out}")
    if not (dry_run or no_report):
        from leaflet_tool.results.data_report import write_report

        outcome += f"\nthe report is {write_report(out)}"
    console.result(told, outcome)
