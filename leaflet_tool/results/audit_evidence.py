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
from leaflet_tool.models import bases, checks, scoring
from leaflet_tool.models.runs import Run
from leaflet_tool.taxonomy import Taxonomy

FOLDS = "train it with --folds 5, or audit what it was not trained on: --split test"


@dataclass(frozen=True)
class Evidence:
    """The judged pages as the manifest has them, each run's predictions of them and everybody's as one, row by row."""

    prepared: Prepared
    pages: pd.DataFrame
    runs: Mapping[str, pd.DataFrame]
    pooled: Pool
    judges: Sequence[WordJudge]
    """For each page the judge of words that it is new to."""
    read: Sequence[str]
    """The columns of text that these judges read."""
    follow: Mapping[str, Taxonomy | None]
    """The hierarchy that each run's predictions follow."""

    @property
    def texts(self) -> pd.Series:
        """What the judges of words read of each page."""
        return self.pages[list(self.read)].agg(" ".join, axis=1)


def gathered(runs: Sequence[Run], data: Path | None, split: str | None, *, seed: int) -> Evidence:
    """The evidence of finished runs on the pages of a split, or on all; an InputError says why it is none."""
    if not runs:
        raise UsageError("an audit needs at least one run", hint="see what there is with: leaflet-tool runs")
    prepared = read_prepared(data or Path(runs[0].facts["data"]["folder"]))
    _check(runs, prepared)
    pages = own(prepared.frame)
    pages = (pages[pages[SPLIT] == split] if split else pages).reset_index(drop=True)
    if pages.empty:
        raise InputError(f"the {split or 'whole'} split of {prepared.folder} has no page", hint="choose another split")
    named = _named(runs)
    frames = {name: _predictions(run, pages, prepared.label) for name, run in named.items()}
    follow = {name: checks.followed(run) for name, run in named.items()}
    _check_classes(frames)
    columns = {column for run in runs for column in bases.columns_read(run)}
    read = scoring.texts(column for column in columns if column in prepared.frame)
    taught = _folds(runs, prepared)
    texts = taught[read].agg(" ".join, axis=1)
    classes = classes_of(next(iter(frames.values())))
    words = heard(taught.assign(**{TEXT: texts}), prepared.label, classes, seed=seed)
    votes = {name: vote.set_index(ID).loc[pages[ID]].reset_index() for name, vote in words.votes.items()}
    held_out = taught.set_index(ID)[FOLD].loc[pages[ID]]
    judges = [words.judges[fold] for fold in held_out]
    return Evidence(prepared, pages, frames, pooled({**frames, **votes}), judges, read, follow)


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


def _predictions(run: Run, pages: pd.DataFrame, label: Label) -> pd.DataFrame:
    """The run's predictions of the pages, in their order; an InputError names pages that it was trained on."""
    found = run.predictions().drop_duplicates(ID).set_index(ID)
    missing = pages.loc[~pages[ID].isin(found.index), ID]
    if len(missing):
        raise InputError(f"run {run.name} has no prediction of {first_ids(missing)}", hint="train it anew")
    found = found.loc[pages[ID]].reset_index()
    trained = found.loc[found[SPLIT] == "train", ID] if not run.folds else found.loc[[], ID]
    if len(trained):
        raise InputError(
            f"run {run.name} was trained on {len(trained)} of the {len(pages)} pages it would judge, and a model says "
            f"of those what it was told: {first_ids(trained)}",
            hint=FOLDS,
        )
    known = pages[label.name].map(lambda cell: joined(split_labels(cell)) if label.multiple else cell)
    differ = found.loc[(found[LABEL] != known) | (found[GROUP] != pages[GROUP]), ID]
    if len(differ):
        raise InputError(
            f"the predictions of run {run.name} have other labels or leaflets than {first_ids(differ)} in the manifest",
            hint="train it anew",
        )
    return found


def _check_classes(frames: Mapping[str, pd.DataFrame]) -> None:
    known = {name: classes_of(frame) for name, frame in frames.items()}
    first = next(iter(known))
    problems = [f"{name}: {', '.join(each)}" for name, each in known.items()]
    if any(each != known[first] for each in known.values()):
        raise InputError.listing("these runs know different classes", problems, hint="audit runs of the same classes")


def _folds(runs: Sequence[Run], prepared: Prepared) -> pd.DataFrame:
    """The archive's own pages with the fold in which each is held out; TEACHES for pages that only teach."""
    pages = own(prepared.frame).reset_index(drop=True)
    for run in runs:
        if run.folds:
            held_out = run.predictions().set_index(ID)[FOLD].astype(int)
            return pages.assign(**{FOLD: pages[ID].map(held_out)})
    return pages.assign(**{FOLD: pages[SPLIT].map(lambda split: TEACHES if split == "train" else 0)})
