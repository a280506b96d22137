"""What an audit rests on: out-of-sample predictions of every page it judges, by the runs and by judges of words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import FOLD, GROUP, ID, SPLIT, TEXT, Label, Prepared, own, read_prepared, split_labels
from leaflet_tool.measure.evidence import Pool, pooled
from leaflet_tool.measure.label_sets import joined
from leaflet_tool.measure.predictions import LABEL, classes_of, first_ids
from leaflet_tool.measure.word_judge import PAIRS, TEACHES, WORDS, WordJudge, heard
from leaflet_tool.models import ancestry, bases, checks, scoring
from leaflet_tool.models.runs import Run
from leaflet_tool.taxonomy import Taxonomy

FOLDS = "train it with --folds 5, or audit what it was not trained on: --split test"
SOURCES = "start from a run in the same folds, or from one on other pages; or audit what neither learned: --split test"


@dataclass(frozen=True)
class Evidence:
    """The judged pages as the manifest has them, each run's predictions of them and everybody's as one, row by row."""

    prepared: Prepared
    pages: pd.DataFrame
    runs: Mapping[str, pd.DataFrame]
    pooled: Pool
    judges: Sequence[WordJudge]
    """For each page the judge of words that it is new to."""
    texts: Sequence[str]
    """What these judges read of each page."""
    follow: Mapping[str, Taxonomy | None]
    """The hierarchy that each run's predictions follow."""


def gathered(runs: Sequence[Run], data: Path | None, split: str | None, *, seed: int) -> Evidence:
    """The evidence of finished runs on the pages of a split, or on all; an InputError says why it is none."""
    if not runs:
        raise UsageError("an audit needs at least one run", hint="see what there is with: leaflet-tool runs")
    prepared = read_prepared(data or Path(runs[0].facts["data"]["folder"]))
    _check(runs, prepared)
    pages = own(prepared.frame)
    pages = (pages[pages[SPLIT] == split] if split else pages).reset_index(drop=True)
    _check_ancestry(runs, pages, prepared)
    if pages.empty:
        raise InputError(f"the {split or 'whole'} split of {prepared.folder} has no page", hint="choose another split")
    named = _named(runs)
    said = {name: run.predictions().drop_duplicates(ID).set_index(ID) for name, run in named.items()}
    frames = {name: _judged(run, said[name], pages, prepared.label) for name, run in named.items()}
    follow = {name: checks.followed(run) for name, run in named.items()}
    classes = _classes(frames)
    taught = _taught(prepared, runs, next((said[name] for name, run in named.items() if run.folds), None))
    words = heard(taught, prepared.label, classes, seed=seed)
    votes = {name: vote.set_index(ID).loc[pages[ID]].reset_index() for name, vote in words.votes.items()}
    judged = taught.set_index(ID).loc[pages[ID]]
    judges = [words.judges[fold] for fold in judged[FOLD]]
    return Evidence(prepared, pages, frames, pooled({**frames, **votes}), judges, list(judged[TEXT]), follow)


def _named(runs: Sequence[Run]) -> dict[str, Run]:
    """The runs by name, by path where a name would be two things; a UsageError for one that is given twice."""
    folders = Counter(run.folder.resolve() for run in runs)
    if twice := [str(folder) for folder, count in folders.items() if count > 1]:
        raise UsageError(f"given more than once: {', '.join(twice)}", hint="name each run once")
    uses = Counter([WORDS, PAIRS, *(run.name for run in runs)])
    return {run.name if uses[run.name] == 1 else str(run.folder): run for run in runs}


def _check(runs: Sequence[Run], prepared: Prepared) -> None:
    """Runs must predict the label of this very manifest."""
    problems = []
    for run in runs:
        if run.label != prepared.label:
            kinds = {True: "several labels", False: "one label"}
            problems.append(
                f"{run.name} predicts {run.label.name}, {kinds[run.label.multiple]} a page; {prepared.folder} has "
                f"{prepared.label.name}, {kinds[prepared.label.multiple]} a page"
            )
        elif run.facts["data"]["manifest_sha256"] != prepared.digest:
            problems.append(f"{run.name} was trained on another manifest than that of {prepared.folder} as it is now")
    if problems:
        hint = "audit runs of one prepared folder; after a new prepare train them anew"
        raise InputError.listing("these runs can't be audited together", problems, hint=hint)


def _check_ancestry(runs: Sequence[Run], pages: pd.DataFrame, prepared: Prepared) -> None:
    """An InputError for a run that is made of another one which was trained on pages that it would judge."""
    for run in runs:
        for source, ids in ancestry.behind(run, pages, prepared):
            if ids:
                raise InputError(
                    f"run {run.name} is made of {source.name}, which was trained on {len(ids)} of the {len(pages)} "
                    f"pages it would judge: {first_ids(pages.loc[pages[ID].isin(ids), ID])}",
                    hint=SOURCES,
                )


def _judged(run: Run, said: pd.DataFrame, pages: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Of what a run said, by id, that of the pages, in their order; an InputError names pages it was trained on."""
    missing = pages.loc[~pages[ID].isin(said.index), ID]
    if len(missing):
        raise InputError(f"run {run.name} has no prediction of {first_ids(missing)}", hint="train it anew")
    found = said.loc[pages[ID]].reset_index()
    trained = found.loc[found[SPLIT] == "train", ID] if not run.folds else found.loc[[], ID]
    if len(trained):
        raise InputError(
            f"run {run.name} was trained on {len(trained)} of the {len(pages)} pages it would judge, and a model says "
            f"of those what it was told: {first_ids(trained)}",
            hint=FOLDS,
        )
    differ = found.loc[(found[LABEL] != as_predicted(pages[label.name], label)) | (found[GROUP] != pages[GROUP]), ID]
    if len(differ):
        raise InputError(
            f"the predictions of run {run.name} have other labels or leaflets than {first_ids(differ)} in the manifest",
            hint="train it anew",
        )
    return found


def as_predicted(cells: pd.Series, label: Label) -> pd.Series:
    """A manifest's labels as predictions have them: several by name."""
    return cells.map(lambda cell: joined(split_labels(cell))) if label.multiple else cells


def _classes(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """The classes that all runs know; an InputError where they differ."""
    known = {name: classes_of(frame) for name, frame in frames.items()}
    first = next(iter(known.values()))
    problems = [f"{name}: {', '.join(each)}" for name, each in known.items()]
    if any(each != first for each in known.values()):
        raise InputError.listing("these runs know different classes", problems, hint="audit runs of the same classes")
    return first


def _taught(prepared: Prepared, runs: Sequence[Run], folded: pd.DataFrame | None) -> pd.DataFrame:
    """What teaches judges of words: the archive's own pages, as text all that the runs read of them, and their folds.

    The fold in which a page is held out is that of predictions in folds; without any, pages that train only teach.
    """
    pages = own(prepared.frame).reset_index(drop=True)
    columns = {column for run in runs for column in bases.columns_read(run)}
    read = scoring.texts(column for column in columns if column in pages)
    if folded is None:
        folds = pages[SPLIT].map(lambda split: TEACHES if split == "train" else 0)
    else:
        folds = pages[ID].map(folded[FOLD].astype(int))
    return pages.assign(**{TEXT: pages[read].agg(" ".join, axis=1), FOLD: folds})
