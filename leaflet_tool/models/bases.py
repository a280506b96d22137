"""The runs under a stack: where each one's probabilities stand among the stack's rows, and what they read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.measure.predictions import PROBABILITY
from leaflet_tool.models import checks, definitions, runs
from leaflet_tool.models.runs import CONFIG, Run

STACK = "stack"
"""What a stack's run.json says of its base runs."""
COLUMN = "probabilities"
"""The column of a stack's rows with what its base runs predict, one run after the other, classes by name."""
FACTS = ("started", "finished")
"""What tells a base run from another one in the same place."""


def told(base: Run) -> dict[str, Any]:
    """What a stack's run.json says of a base run, so that it is found again and known for the same."""
    return {"name": base.name, "folder": str(base.folder.resolve()), **{fact: base.facts.get(fact) for fact in FACTS}}


def of(run: Run) -> list[Run]:
    """The base runs of a stack, in the order of their probabilities; an InputError names those that are gone.

    Any other run has none.
    """
    found, problems = [], []
    for base in run.facts.get(STACK, {}).get("bases", []):
        try:
            there = runs.find(base["folder"], Path())
        except InputError:
            problems.append(f"{base['name']} is not at {base['folder']} any more")
            continue
        if any(there.facts.get(fact) != base[fact] for fact in FACTS):
            problems.append(f"{base['name']} at {base['folder']} was trained anew since")
        found.append(there)
    if problems:
        hint = "put them back where they were, or stack the runs that there are under another name"
        raise InputError.listing(
            f"run {run.name} is a stack, and its base runs are not what they were", problems, hint=hint
        )
    return found


def columns_read(run: Run) -> set[str]:
    """The manifest's columns that a run needs to predict: of a stack those of its base runs."""
    below = of(run)
    if below:
        return {name for base in below for name in columns_read(base)}
    return set(checks.columns(definitions.read(run.folder / CONFIG).content))


def cells(predictions: Sequence[pd.DataFrame], classes: Sequence[str]) -> list[str]:
    """Each row's probabilities by every run, as Ludwig's vector feature reads them; the frames have the same rows."""
    columns = [PROBABILITY + name for name in classes]
    values = np.hstack([frame[columns].to_numpy(float) for frame in predictions])
    return [cell(row) for row in values]


def cell(values: Iterable[float]) -> str:
    """The numbers as Ludwig's vector feature reads them."""
    return " ".join(f"{value:.9g}" for value in values)


def votes(cells: Iterable[str], classes: Sequence[str]) -> list[pd.DataFrame]:
    """What `cells` was given: `[rows, classes]` of each run."""
    values = np.array([each.split() for each in cells], dtype=float)
    return [
        pd.DataFrame(values[:, start : start + len(classes)], columns=list(classes))
        for start in range(0, values.shape[1], len(classes))
    ]
