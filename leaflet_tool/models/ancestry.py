"""What a run is made of beside its own training pages: runs whose encoder it took over, and those under a stack."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FOLD, ID, SPLIT, own
from leaflet_tool.models import bases, rows, runs
from leaflet_tool.models.runs import ROWS, Run

logger = logging.getLogger(__name__)

START_FROM = "start_from"
"""What run.json says of the run whose encoder was carried over."""


def of(run: Run) -> Iterator[Run]:
    """Every run behind `run`, however far back; one that is gone is said, for nobody can tell what it learned from."""
    started = run.facts.get(START_FROM)
    folders = [started["folder"]] if started else []
    folders += [base["folder"] for base in run.facts.get(bases.STACK, {}).get("bases", [])]
    for folder in folders:
        try:
            source = runs.find(folder, Path())
        except InputError:
            logger.warning("run %s came of %s, which is gone: what that learned from is not known", run.name, folder)
            continue
        yield source
        yield from of(source)


def taught(run: Run, held_out: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The archive's pages that a run was trained on, as in its ludwig.csv.

    A run in folds was trained on all of its pages. Where it serves another run in folds, whose pages are held out in
    those of `held_out`, each fold by its own model, pages held out in the same fold were new to it.
    """
    table = own(rows.read(run.folder / ROWS))
    if not run.folds:
        return table[table[SPLIT] == rows.SPLIT_NUMBERS["train"]]
    return table if held_out is None else table[table[ID].map(held_out) != table[FOLD]]
