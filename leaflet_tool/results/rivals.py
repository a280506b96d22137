"""What runs have to beat: the baselines, which read what the runs read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import pandas as pd

from leaflet_tool.errors import InputError, LeafletError
from leaflet_tool.manifest import CAPTION, ID, SPLIT, TEXT, own
from leaflet_tool.models import checks, definitions, embeddings, rows, scoring, transfer
from leaflet_tool.models.runs import CONFIG, ROWS, Run
from leaflet_tool.progress import Progress, silent
from leaflet_tool.results import kinds
from leaflet_tool.results.kinds import Kind


@dataclass(frozen=True)
class Rivals:
    """The baselines' predictions of the test rows, by name, the kind of runs that has them, and what is to be known."""

    kind: Kind
    predictions: dict[str, pd.DataFrame]
    notes: list[str] = field(default_factory=list)


def learned(compared: Sequence[Run], *, progress: Progress = silent) -> Rivals:
    """The baselines, learned from the training rows of the first run; of runs in folds, each from its fold's own.

    They read every text that one of the runs reads. The trees read images too, as the first run with images that was
    trained on the same splits sees them, and no text where no run reads any.
    """
    first, kind = compared[0], kinds.of(compared[0].label.multiple)
    columns = set(chain(*(checks.columns(definitions.read(run.folder / CONFIG).content) for run in compared)))
    tables = [rows.read(folder / ROWS) for folder in first.models()]
    found, notes = _images(compared, tables, progress) if kind.multiple else ([], [])
    text = not found or not columns.isdisjoint((TEXT, CAPTION))
    parts = [
        scoring.baselines(
            table,
            first.label,
            read=scoring.texts(columns),
            trees=scoring.Trees(first.taxonomy, images, text, progress),
            objective=first.threshold_objective,
            seed=first.facts["seed"],
        )
        for table, images in zip(tables, found or [None] * len(tables), strict=True)
    ]
    predictions = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    return Rivals(kinds.with_images(kind, text=text) if found else kind, predictions, notes)


def _images(
    compared: Sequence[Run], tables: Sequence[pd.DataFrame], progress: Progress
) -> tuple[list[pd.DataFrame], list[str]]:
    """The image embeddings of the pages of each table, and what is to be known of them; none where no run has any."""
    problems = []
    for run in compared:
        if not embeddings.image_features(run.folder):
            continue
        try:
            found = [_seen(run, table, progress) for table in tables]
        except LeafletError as error:
            problems.append(f"The trees do not read the images as {run.name} sees them: {error.message}.")
            continue
        return found, [f"The trees read the images as {run.name} sees them. {_knows(run)}"]
    return [], problems


def _knows(run: Run) -> str:
    """Whether the run's image encoder knows the pages that trees learn from."""
    if embeddings.frozen(run.folder) and transfer.START_FROM not in run.facts:
        return "No layer of its encoder was trained, so that it knows none of the pages."
    return "Its encoder was trained on the pages that the trees learn from: these look easier to them than new ones."


def _seen(run: Run, table: pd.DataFrame, progress: Progress) -> pd.DataFrame:
    """The image embeddings by a model of the run that was trained, validated and tested on the pages of `table`."""
    wanted = _splits(own(table))
    for folder in run.models():
        there = own(rows.read(folder / ROWS))
        if _splits(there) == wanted:
            return embeddings.image_embeddings(folder, there, run.label, seed=run.facts["seed"], progress=progress)
    raise InputError("it was trained on other pages")


def _splits(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table[ID], table[SPLIT], strict=True))
