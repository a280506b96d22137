"""Stacked generalisation (Wolpert 1992): a run that learns from other runs' probabilities of pages new to them.

Runs with one model each are stacked on the pages of the validation split, and judged on the test split. Runs in folds
have predicted every page without having seen it, so all pages serve, in folds again. A run that was trained on another
archive predicts the pages now.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import FOLD, GROUP, ID, SPLIT, Label, Prepared, own, read_prepared
from leaflet_tool.measure.predictions import classes_of
from leaflet_tool.models import ancestry, bases, definitions, training
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare import splits
from leaflet_tool.prepare.labels import rows_by_group
from leaflet_tool.results.words import some

logger = logging.getLogger(__name__)

DEFINITION = "stack"
SHARES = {"train": 0.8, "validation": 0.2}
"""Of the pages that the stack learns from, one in five tells it when to stop."""
SHOWN = 5
ONE_LABEL = "stack runs that predict one label a page"


@dataclass(frozen=True)
class Base:
    """A run with its probabilities of the pages, by id, and the ids of pages it knows: which run was trained on them.

    That is the run itself, or one that it is made of (models/ancestry.py).
    """

    run: Run
    predictions: pd.DataFrame
    trained: Sequence[tuple[Run, frozenset[str]]]


def stack(compared: Sequence[Run], request: training.Request, data: Path | None = None) -> Run:
    """Trains a stack on the runs' probabilities and judges it like any other run; an InputError says what forbids it.

    The pages are those of the prepared folder `data`, or of the first run's.
    """
    prepared = read_prepared(data or Path(compared[0].facts["data"]["folder"]))
    _check_runs(compared, prepared)
    found = [_base(run, prepared) for run in compared]
    classes = _classes(found)
    pages, parts = _pages(found, prepared, request.seed)
    _check_labels(pages, prepared.label, classes)
    frame = pages.assign(**{bases.COLUMN: bases.cells([base.predictions.loc[pages[ID]] for base in found], classes)})
    notes = {**request.notes, bases.STACK: {"bases": [bases.told(base.run) for base in found], "classes": classes}}
    request = replace(request, folds=parts, notes=notes)
    return training.train(definitions.find(DEFINITION), replace(prepared, frame=frame), request)


def check(prepared: Prepared, request: training.Request) -> None:
    """An InputError for what would stop any stack of runs with one model each on these pages, before there are runs."""
    if prepared.label.multiple:
        raise InputError(f"the pages of {prepared.folder} have several labels", hint=ONE_LABEL)
    pages = own(prepared.frame).reset_index(drop=True)
    parted = _parted(pages[pages[SPLIT] != "train"].reset_index(drop=True), prepared.label, request.seed)
    frame = parted.assign(**{bases.COLUMN: "1"})
    training.checked(definitions.find(DEFINITION), replace(prepared, frame=frame), request)


def _check_runs(compared: Sequence[Run], prepared: Prepared) -> None:
    """At least two different runs, of one label a page, with names of their own."""
    if len({run.folder.resolve() for run in compared}) < 2:
        raise UsageError("a stack needs at least two different runs", hint="see what there is with: leaflet-tool runs")
    names = [run.name for run in compared]
    problems = [f"{name} is the name of several of them" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [f"{run.name} predicts several labels a page" for run in compared if run.label.multiple]
    if prepared.label.multiple:
        problems.append(f"the pages of {prepared.folder} have several labels")
    if problems:
        raise InputError.listing("these runs can't be stacked", problems, hint=ONE_LABEL)


def _base(run: Run, prepared: Prepared) -> Base:
    """The run's own predictions where it was trained on these pages, else those that it makes now."""
    pages = own(prepared.frame)
    if run.facts["data"]["manifest_sha256"] == prepared.digest:
        predictions = run.predictions().set_index(ID)
    else:
        logger.info("run %s predicts the pages of %s, which it was not trained on", run.name, prepared.folder)
        predictions = predict_pages(run, pages, prepared.folder).set_index(ID)
    # a run in folds was trained on all of its pages: where it predicts now, its models vote
    held_out = predictions[FOLD].to_dict() if FOLD in predictions else None
    trained = [(run, ancestry.known(run, pages, prepared, held_out)), *ancestry.behind(run, pages, prepared)]
    return Base(run, predictions, [(each, ids) for each, ids in trained if ids])


def _classes(found: Sequence[Base]) -> list[str]:
    """The classes that all runs know; an InputError says which one knows what others don't."""
    known = {base.run.name: set(classes_of(base.predictions)) for base in found}
    every = sorted(set().union(*known.values()))
    problems = [
        f"{name} knows no {some(sorted(set(every) - here))}" for name, here in known.items() if set(every) - here
    ]
    if problems:
        raise InputError.listing("these runs know different classes", problems, hint="stack runs of the same classes")
    return every


def _pages(found: Sequence[Base], prepared: Prepared, seed: int) -> tuple[pd.DataFrame, int]:
    """The stack's rows with their splits, and its number of folds; an InputError names pages a run was trained on."""
    pages = own(prepared.frame).drop(columns=FOLD, errors="ignore").reset_index(drop=True)
    pages = pages[pages[ID].isin(set.intersection(*(set(base.predictions.index) for base in found)))]
    folded = [base for base in found if base.run.folds]
    if folded and all(base.run.folds or not base.trained for base in found):
        held_out = folded[0].predictions[FOLD]
        return pages.assign(**{FOLD: pages[ID].map(held_out).astype(str)}).reset_index(drop=True), folded[0].run.folds
    pages = pages[pages[SPLIT] != "train"].reset_index(drop=True)
    _refuse_leaks(found, pages)
    return _parted(pages, prepared.label, seed), 0


def _check_labels(pages: pd.DataFrame, label: Label, classes: Sequence[str]) -> None:
    """An InputError where pages have a label that the runs can't predict."""
    unknown = pages.loc[~pages[label.name].isin(set(classes)), label.name].value_counts()
    if len(unknown):
        problems = [f"{name!r}, on {count} pages" for name, count in unknown.items()]
        raise InputError.listing(
            "the pages have labels that none of the runs knows", problems, hint="stack runs of the same classes"
        )


def _refuse_leaks(found: Sequence[Base], pages: pd.DataFrame) -> None:
    problems = []
    for base in found:
        for run, trained in base.trained:
            seen = pages.loc[pages[ID].isin(trained), ID]
            if len(seen):
                first = ", ".join(seen.iloc[:SHOWN]) + (" …" if len(seen) > SHOWN else "")
                name = run.name if run is base.run else f"{base.run.name} is made of {run.name}, which"
                problems.append(f"{name} was trained on {len(seen)} of them: {first}")
    if problems:
        raise InputError.listing(
            "the pages that the stack would learn from or be judged on are not new to its runs",
            problems,
            hint="stack runs of one prepared folder, or runs in folds; or give other pages with --data",
        )


def _parted(pages: pd.DataFrame, label: Label, seed: int) -> pd.DataFrame:
    """Test pages stay; of the validation pages one part, whole groups, says when to stop, and the others train."""
    validation = pages[pages[SPLIT] == "validation"]
    groups = validation[GROUP].nunique()
    if groups < 2:
        raise InputError(
            f"the validation split has {groups} groups, too few to learn a stack from",
            hint="prepare with a larger share for validation, or train the runs with --folds",
        )
    sizes = rows_by_group(validation[label.name].map(lambda name: (name,)), validation[GROUP])
    sides = splits.place(sizes, {}, SHARES, seed)
    return pages.assign(**{SPLIT: pages[SPLIT].mask(pages[SPLIT] == "validation", pages[GROUP].map(sides))})
