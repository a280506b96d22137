"""One page explained: found or prepared, asked of a run (of a stack, its base runs first), and what weighed in it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import (
    FOLD,
    GROUP,
    ID,
    IMAGE,
    SOURCE,
    SPLIT,
    TEXT,
    Prepared,
    own,
    read_prepared,
    regions_in,
    split_labels,
)
from leaflet_tool.measure.predictions import LABEL, PREDICTED, classes_of, probabilities_of
from leaflet_tool.models import bases, checks, definitions, engine, prediction, rows, scoring
from leaflet_tool.models.explanation import Input, bases_weigh, weighed
from leaflet_tool.models.opened import Opened
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare import new_pages
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import Method

logger = logging.getLogger(__name__)
NEW = "new"
PICTURE_SIDE = 900
"""Pixels."""

type Picture = NDArray[np.uint8]
CLOSE = 5


@dataclass(frozen=True)
class Page:
    """The one row of a manifest, its images below `folder`; of a new page without label and split."""

    frame: pd.DataFrame
    folder: Path

    def cell(self, column: str) -> str:
        """What the row has there; nothing where there is no such column."""
        return str(self.frame[column].iloc[0]) if column in self.frame else ""


@dataclass(frozen=True)
class Asked:
    """A run's prediction of one page, by the models that may be asked about it."""

    run: Run
    models: tuple[Opened, ...]
    seen: str
    """The split that the page had in training, the fold that held it out, or NEW."""
    table: pd.DataFrame
    predictions: pd.DataFrame
    thresholds: dict[str, float] | None
    bases: tuple["Asked", ...]

    @property
    def probabilities(self) -> dict[str, float]:
        """Class to probability, the likeliest first."""
        found = dict(zip(classes_of(self.predictions), probabilities_of(self.predictions)[0].tolist(), strict=True))
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    @property
    def predicted(self) -> list[str]:
        """The class, or those of several that are predicted, the likeliest first."""
        cell = str(self.predictions[PREDICTED].iloc[0])
        chosen = set(split_labels(cell)) if self.run.label.multiple else {cell}
        return [name for name in self.probabilities if name in chosen]


@dataclass(frozen=True)
class Explained:
    """What weighed for one class in a run's prediction; of a stack, what its base runs weighed, and in each of them."""

    asked: Asked
    page: str
    source: str
    target: str
    log_odds: float
    inputs: tuple[Input, ...]
    pictures: Mapping[str, Picture]
    """The page's image, and what else the inputs look at, by column."""
    weights: tuple[float, ...] = ()
    bases: tuple["Explained", ...] = ()

    @property
    def truth(self) -> str:
        """The label that the archive gives the page; empty where it is not known."""
        return str(self.asked.predictions[LABEL].iloc[0])


def explain(
    run: Run,
    name: str,
    *,
    target: str = "",
    method: Method = "auto",
    data: Path | None = None,
    progress: Progress = silent,
) -> Explained:
    """Explains the prediction of the page with this id, or in this file, for the class `target` or the likeliest one.

    Pages are those of the prepared folder `data`, or of the one that the run was trained on.
    """
    with _page(run, name, data, progress) as page:
        asked = _asked(run, page)
        chosen = target or next(iter(asked.probabilities))
        if chosen not in asked.probabilities:
            hint = definitions.nearest(chosen, sorted(asked.probabilities), "classes")
            raise InputError(f"run {run.name} knows no class {chosen!r}", hint=hint)
        return _explained(asked, page, chosen, method)


@contextmanager
def _page(run: Run, name: str, data: Path | None, progress: Progress) -> Iterator[Page]:
    """The prepared page that `name` means, else the new page in that file, prepared as the training pages were."""
    folder = data or Path(run.facts["data"]["folder"])
    prepared = read_prepared(folder) if data or (folder / "manifest.csv").is_file() else None
    if prepared is not None and not (known := _known(prepared, name)).empty:
        yield Page(known.reset_index(drop=True), folder)
        return
    if not Path(name).is_file():
        raise _unknown(name, folder, prepared)
    with TemporaryDirectory(prefix="leaflet-tool-") as scratch:
        columns = bases.columns_read(run)
        wanted: dict[str, Any] = {"text": TEXT in columns, "regions": regions_in(columns), "progress": progress}
        frame, skipped = new_pages.read_new_pages([Path(name)], run.facts["prepare"], Path(scratch), **wanted)
        if frame.empty:
            reasons = skipped[SOURCE] + ": " + skipped["reason"]
            raise InputError.listing("the page could not be read", list(reasons), hint="give a file that can be opened")
        if len(frame) > 1:
            logger.warning("%s has %d pages, of which the first is explained", name, len(frame))
        yield Page(frame.iloc[:1].reset_index(drop=True), Path(scratch))


def _known(prepared: Prepared, name: str) -> pd.DataFrame:
    """The row with this id, or made of this file of the archive; empty where there is none.

    An InputError names the pages of a file that has several.
    """
    frame = own(prepared.frame)
    path = Path(name).resolve()
    archive = Path(prepared.facts.get("archive", "")).resolve()
    source = path.relative_to(archive).as_posix() if path.is_relative_to(archive) else name
    for column, value in ((ID, name), (SOURCE, name), (SOURCE, source)):
        found = frame[frame[column] == value]
        if len(found) > 1:
            hint = f"give one of their ids: {', '.join(found[ID])}"
            raise InputError(f"{len(found)} pages are of the file {value}", hint=hint)
        if len(found):
            return found
    return found


def _unknown(name: str, folder: Path, prepared: Prepared | None) -> InputError:
    message = f"there is no file {name!r}"
    if prepared is None:
        return InputError(f"{message}, and {folder} is no prepared folder", hint="say where it is with --data")
    pages = own(prepared.frame)
    called = [each for each in (*pages[ID], *pages[SOURCE]) if each]
    close = get_close_matches(name, called, n=CLOSE) or [each for each in called if name in each][:CLOSE]
    like = f"pages are called by their id or by the archive's file: {', '.join(pages.iloc[0][[ID, SOURCE]])}"
    hint = f"did you mean {', '.join(close)}?" if close else like
    return InputError(f"{message}, and {folder} has no page of that id or file", hint=hint)


def _asked(run: Run, page: Page) -> Asked:
    below = tuple(_asked(base, page) for base in bases.of(run))
    label, frame = run.label, page.frame
    if below:
        cells = bases.cells([each.predictions for each in below], run.facts[bases.STACK]["classes"])
        frame = frame.assign(**{bases.COLUMN: cells})
    folders, seen = _models(run, page.cell(ID))
    checks.report(checks.input_problems(engine.complete(folders[0]), frame, page.folder), "nothing was explained")
    table = rows.for_ludwig(frame.drop(columns=label.name, errors="ignore"), page.folder, label)
    models = tuple(Opened(folder, label) for folder in folders)
    votes = prediction.mean(scoring.predict(model.ludwig, table, label) for model in models)
    limits = None
    if label.multiple:
        limits = pd.DataFrame([scoring.thresholds_of(folder).by_label for folder in folders]).mean().to_dict()
    pages = frame[[ID, GROUP]].assign(**{SPLIT: page.cell(SPLIT)})
    truth = [page.cell(label.name)]
    predictions = scoring.frame_of(pages, truth, votes, label, limits, checks.followed(run))
    return Asked(run, models, seen, table, predictions, limits, below)


def _models(run: Run, page: str) -> tuple[list[Path], str]:
    """The models that may be asked about a page, and what it was to them: with folds, those that did not see it."""
    known = run.predictions()
    known = known[known[ID] == page]
    if known.empty:
        return run.models(), NEW
    if not run.folds:
        return run.models(), str(known[SPLIT].iloc[0])
    fold = int(known[FOLD].iloc[0])
    return [run.models()[fold]], f"fold {fold}"


def _explained(asked: Asked, page: Page, target: str, method: Method) -> Explained:
    logger.info("run %s: weighing what speaks for %s", asked.run.name, target)
    weights, below = list[float](), tuple[Explained, ...]()
    if asked.bases:
        weights, log_odds = bases_weigh(asked.models, asked.table, len(asked.bases), target)
        below = tuple(_explained(each, page, target, method) for each in asked.bases)
        inputs: tuple[Input, ...] = ()
    else:
        found = weighed(asked.models, asked.table, target, method)
        inputs, log_odds = found.inputs, found.log_odds
    columns = {IMAGE, *(each.column for each in inputs if each.type == IMAGE)}
    pictures = {column: _picture(page.folder / page.cell(column)) for column in columns if page.cell(column)}
    return Explained(asked, page.cell(ID), page.cell(SOURCE), target, log_odds, inputs, pictures, tuple(weights), below)


def _picture(path: Path) -> Picture:
    """`[height, width, 3]`, no larger than it can be drawn."""
    with Image.open(path) as image:
        image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
        return np.asarray(image.convert("RGB"))
