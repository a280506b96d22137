"""Runs side by side on the same test rows: their figures, the baselines', and what each difference is worth."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import ID, SOURCE, SPLIT, own, split_labels
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.same_rows import same_rows
from leaflet_tool.models import checks, confidence, rows, runs
from leaflet_tool.models.runs import ROWS, Run
from leaflet_tool.progress import Progress, silent
from leaflet_tool.results import kinds, rivals
from leaflet_tool.results.kinds import Difference, Kind
from leaflet_tool.results.words import listed
from leaflet_tool.settings import TRAIN

logger = logging.getLogger(__name__)

PAGE, LEAFLET = UNITS = ("page", "leaflet")
ALPHA = 0.05
"""A difference counts as more than chance below this p."""


@dataclass(frozen=True)
class Pair:
    """Two runs, or a run and a baseline, on the same rows; `units` is what the test says of pages and of leaflets."""

    kind: Kind
    a: str
    b: str
    units: dict[str, Any]

    def differences(self, unit: str) -> dict[str, Difference]:
        """Figures of `a` minus those of `b`, the headline's first."""
        return self.kind.differences(self.units[unit])

    def difference(self, unit: str) -> float:
        """The headline figure of `a` minus that of `b`."""
        return float(self.differences(unit)[self.kind.words]["value"] or 0.0)

    def p(self, unit: str) -> float | None:
        """How often chance alone would make such a difference; None where nothing tells, as with a single leaflet."""
        return self.differences(unit)[self.kind.words]["p"]

    def leader(self, unit: str) -> str | None:
        """Which of the two is ahead; None when both are alike."""
        difference = self.difference(unit)
        return None if difference == 0 else self.a if difference > 0 else self.b

    def beyond_chance(self, unit: str) -> bool:
        """Whether chance alone would rarely make such a difference."""
        p = self.p(unit)
        return p is not None and p < ALPHA


@dataclass(frozen=True)
class Comparison:
    """Everything `compare` found; runs by the name they are shown under, figures as `evaluate` gives them."""

    kind: Kind
    """Whether pages have one label or several, and what follows from that."""
    runs: dict[str, Run]
    predictions: dict[str, pd.DataFrame]
    """Each run's predictions of the test rows, all in the same order."""
    figures: dict[str, dict[str, Any]]
    confidence: dict[str, dict[str, Any]]
    """What each run's confidence is worth, as `confidence.figures` gives it."""
    baselines: dict[str, dict[str, Any]]
    pairs: list[Pair]
    against_baselines: list[Pair]
    notes: list[str]

    @property
    def label(self) -> str:
        """The manifest column that the runs predict."""
        return next(iter(self.runs.values())).label.name

    @property
    def size(self) -> dict[str, int]:
        """How many pages and how many leaflets the runs were judged on."""
        pages = next(iter(self.figures.values()))[PAGE]
        return {PAGE: pages["rows"], LEAFLET: pages["groups"]}

    @property
    def units(self) -> tuple[str, ...]:
        """What is worth showing: pages alone when every leaflet has one page, which makes both the same."""
        return (PAGE,) if self.size[PAGE] == self.size[LEAFLET] else UNITS

    def headline(self, name: str, unit: str) -> dict[str, float | None]:
        """A run's or a baseline's headline figure with its interval."""
        found = self.figures[name] if name in self.figures else self.baselines[name]
        return found[unit]["figures"][self.kind.headline]

    def decided(self, unit: str) -> dict[str, str]:
        """The figures of what is decided that a run or a baseline has, and how people read them."""
        return self._had(self.kind.decided, unit)

    def shares(self, unit: str) -> dict[str, str]:
        """The same of how precise and how complete it is."""
        return self._had(self.kind.shares, unit)

    def _had(self, called: Mapping[str, str], unit: str) -> dict[str, str]:
        judged = [found[unit].get("views", {}) for found in (*self.figures.values(), *self.baselines.values())]
        known = {name for views in judged for view in views.values() for name in view["figures"]}
        return {name: words for name, words in called.items() if name in known}

    def unbeaten(self, run: str, unit: str) -> list[str]:
        """The baselines that the run is not ahead of."""
        return [pair.b for pair in self.against_baselines if pair.a == run and pair.leader(unit) != run]

    def unsure(self, run: str, unit: str) -> list[Pair]:
        """The baselines that the run is ahead of, though that may be chance."""
        ahead = [pair for pair in self.against_baselines if pair.a == run and pair.leader(unit) == run]
        return [pair for pair in ahead if not pair.beyond_chance(unit)]

    def to_json(self) -> dict[str, Any]:
        """One object with everything but the predictions themselves."""
        return {
            "label": self.label,
            "test": {"pages": self.size[PAGE], "leaflets": self.size[LEAFLET]},
            "runs": {
                name: {
                    "folder": str(run.folder),
                    "facts": run.facts,
                    **self.figures[name],
                    "confidence": self.confidence[name],
                }
                for name, run in self.runs.items()
            },
            "baselines": self.baselines,
            "pairs": [{"a": pair.a, "b": pair.b, **pair.units} for pair in self.pairs],
            "against_baselines": [{"a": pair.a, "b": pair.b, **pair.units} for pair in self.against_baselines],
            "notes": self.notes,
        }


def opened(names: Sequence[str], folder: Path) -> list[Run]:
    """The finished runs of those names; one error says of all the others why they can't be compared."""
    found, problems = [], []
    for name in names:
        try:
            found.append(runs.finished(name, folder))
        except InputError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError.listing(
            "these runs can't be compared", [f"{error.message} ({error.hint})" for error in problems]
        )
    return found


def compare(
    compared: Sequence[Run], *, seed: int = TRAIN.seed, resamples: int = TRAIN.resamples, progress: Progress = silent
) -> Comparison:
    """Judges finished runs on their test rows, which must be the same; each pair is tested, and each run and baseline.

    The baselines are those of the first run's training rows.
    """
    named = _named(compared)
    _check_alike(named)
    predictions = _on_the_same_rows(named)
    first = compared[0]
    logger.info("learning the baselines")
    found = rivals.learned(list(named.values()), progress=progress)
    kind = found.kind
    every = {**predictions, **{name: found.predictions[name] for name in kind.baselines}}
    chance: dict[str, Any] = {"seed": seed, "resamples": resamples}
    known: dict[str, Any] = {"train_counts": _train_counts(first), "taxonomy": first.taxonomy} if kind.multiple else {}
    logger.info("judging the runs and the baselines")
    follow = {name: checks.followed(run) for name, run in named.items()}
    figures = {name: evaluate(frame, follows=follow.get(name), **known, **chance) for name, frame in every.items()}

    def pair(a: str, b: str) -> Pair:
        both = (follow.get(a), follow.get(b))
        return Pair(kind, a, b, kind.paired(every[a], every[b], names=(a, b), follow=both, **chance))

    return Comparison(
        kind=kind,
        runs=named,
        predictions=predictions,
        figures={name: figures[name] for name in named},
        confidence={name: confidence.figures(run, run.predictions(), **chance) for name, run in named.items()},
        baselines={name: figures[name] for name in kind.baselines},
        pairs=[pair(a, b) for a, b in combinations(named, 2)],
        against_baselines=[pair(name, baseline) for name in named for baseline in kind.baselines],
        notes=[*_notes(named), *found.notes],
    )


def _train_counts(run: Run) -> dict[str, int]:
    """Training pages of each label; of a run in folds, all its pages."""
    table = own(rows.in_words(rows.read(run.folder / ROWS), run.label))
    taught = table if run.folds else table[table[SPLIT] == "train"]
    return Counter(label for cell in taught[run.label.name] for label in split_labels(cell))


def _named(compared: Sequence[Run]) -> dict[str, Run]:
    """The runs by name, by path where a name would be two things; a UsageError for fewer than two different ones."""
    folders = Counter(run.folder.resolve() for run in compared)
    if twice := [str(folder) for folder, count in folders.items() if count > 1]:
        raise UsageError(f"given more than once: {', '.join(twice)}", hint="name each run once")
    if len(compared) < 2:
        raise UsageError("a comparison needs at least two runs", hint="see what there is with: leaflet-tool runs")
    called = kinds.of(compared[0].label.multiple).baselines
    uses = Counter([*(run.name for run in compared), *called, *called.values()])
    return {run.name if uses[run.name] == 1 else str(run.folder): run for run in compared}


def _check_alike(named: Mapping[str, Run]) -> None:
    """Runs must be done and predict the same column."""
    problems = [f"{name} is not done: {run.state}" for name, run in named.items() if run.state != runs.DONE]
    labels = {name: run.label.name for name, run in named.items()}
    if len(set(labels.values())) > 1:
        problems += [f"{name} predicts {label}" for name, label in labels.items()]
    elif len({run.label.multiple for run in named.values()}) > 1:
        words = {True: "several labels a page", False: "one label a page"}
        problems += [f"{name} predicts {words[run.label.multiple]}" for name, run in named.items()]
    if problems:
        raise InputError.listing(
            "these runs can't be compared", problems, hint="compare finished runs that predict the same column"
        )


def _on_the_same_rows(named: Mapping[str, Run]) -> dict[str, pd.DataFrame]:
    """The runs' test predictions in the order of the first's; an InputError names the rows that differ."""
    frames = {name: _test_rows(run) for name, run in named.items()}
    sources = {name: _sources(run) for name, run in named.items()}
    first, *others = frames
    for other in others:
        known = {**sources[other], **sources[first]}
        shown = [frames[name].assign(**{ID: frames[name][ID].map(known)}) for name in (first, other)]
        same_rows(*shown, names=(first, other))
    return {name: same_rows(frames[first], frame)[1] for name, frame in frames.items()}


def _test_rows(run: Run) -> pd.DataFrame:
    """Predictions of the test split, which is every row of a run in folds."""
    predictions = run.predictions()
    return predictions[predictions[SPLIT] == "test"].reset_index(drop=True)


def _sources(run: Run) -> dict[str, str]:
    """Each id with the archive's own file behind it, as an error shall name the page."""
    table = rows.read(run.folder / ROWS)
    return {
        page: f"{page} ({source})" if source else page for page, source in zip(table[ID], table[SOURCE], strict=True)
    }


def _notes(named: Mapping[str, Run]) -> list[str]:
    """What a reader must know before comparing."""
    first = next(iter(named))
    digests = {run.facts["data"]["manifest_sha256"] for run in named.values()}
    seeds = {run.facts["seed"] for run in named.values()}
    notes = []
    if len(digests) > 1:
        notes.append(
            "The runs were not trained from one manifest: their test rows are the same, but their training rows may "
            f"differ. The baselines learned from the training rows of {first}."
        )
    if len(seeds) > 1:
        notes.append("The runs have different seeds, so part of a difference may be due to the seed.")
    objectives = {run.threshold_objective for run in named.values()}
    if len(objectives) > 1:
        notes.append(
            f"The runs' thresholds were fitted for different objectives ({listed(sorted(objectives))}), the baselines' "
            f"for that of {first}: compare what is decided with care."
        )
    if any(run.taxonomy.parents != named[first].taxonomy.parents for run in named.values()):
        notes.append(f"The runs have different hierarchies of labels: all are judged by that of {first}.")
    return notes
