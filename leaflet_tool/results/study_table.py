"""A study's table: every row, in both views where pages have several labels, with its difference from the base."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError, LeafletError
from leaflet_tool.manifest import ID, SPLIT, split_labels
from leaflet_tool.measure import over_seeds
from leaflet_tool.measure.label_sets import all_labels
from leaflet_tool.measure.over_seeds import Scores
from leaflet_tool.measure.paired import same_rows
from leaflet_tool.models import bases, runs
from leaflet_tool.models.runs import Run
from leaflet_tool.progress import Progress, silent
from leaflet_tool.results import kinds, rivals, study_proof
from leaflet_tool.results.comparison import ALPHA
from leaflet_tool.results.rivals import Rivals
from leaflet_tool.results.study_alike import alike
from leaflet_tool.results.study_runs import Job, Plan
from leaflet_tool.results.verdict import interval, p_value
from leaflet_tool.settings import TRAIN

LABELS = {
    "macro_precision": "P",
    "macro_recall": "R",
    "macro_precision_frequent": "P of the 5 commonest",
    "macro_recall_frequent": "R",
    "macro_precision_rest": "P of the rest",
    "macro_recall_rest": "R",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "labels_per_row": "labels a row",
}
"""Figures of predicted labels, and what a table's column is called."""
CLASSES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "log_loss": "log loss"}
"""The same of one label a row, where the first figure is the accuracy."""


@dataclass(frozen=True)
class Line:
    """One row of a study: its runs' mean figures and differences from the base, or why there are none."""

    row: str
    changes: str
    state: str
    figures: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    proof: list[str]
    problem: str = ""


@dataclass(frozen=True)
class StudyTable:
    """The whole, ready to be shown."""

    study: str
    description: str
    label: str
    multiple: bool
    plain: str
    seeds: list[int]
    rows: int
    groups: int
    labels_per_row: float | None
    lines: list[Line]
    rivals: list[Line]
    notes: list[str]
    """What else a reader must know."""

    @property
    def headline(self) -> str:
        """The figure by which rows are compared."""
        return kinds.of(self.multiple).headline

    @property
    def words(self) -> str:
        """The headline as people read it."""
        return kinds.of(self.multiple).words

    @property
    def title(self) -> str:
        """What was judged."""
        seeds = f"{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        truth = f", {self.labels_per_row:.2f} labels a page in truth" if self.labels_per_row is not None else ""
        return f"{self.study}: {self.label}, {self.rows} test pages of {self.groups} groups, mean of {seeds}{truth}"

    @property
    def heads(self) -> list[str]:
        """Names of the table's columns."""
        return [
            "",
            f"{self.words} (95 %)",
            "against the base",
            "p",
            *(["decided"] * self.multiple),
            *self._columns().values(),
        ]

    def _columns(self) -> dict[str, str]:
        return LABELS if self.multiple else CLASSES

    def cells(self) -> list[list[str]]:
        """The table's rows as text: a line each, or with several labels a line for each view."""
        return [cells for line in [*self.lines, *self.rivals] for cells in self._cells(line)]

    def _cells(self, line: Line) -> list[list[str]]:
        if not line.figures:
            return [[line.row, line.state, *[""] * (len(self.heads) - 2)]]
        difference = line.differences.get(self.headline)
        first = [line.row, interval(line.figures[self.headline]), _difference(difference), p_cell(difference)]
        if not self.multiple:
            return [[*first, *(_value(line.figures, name) for name in CLASSES)]]
        return [
            [*(first if view == "half" else [""] * 4), words, *(_value(line.figures, f"{view}.{n}") for n in LABELS)]
            for view, words in kinds.VIEWS.items()
        ]

    @property
    def sentences(self) -> list[str]:
        """What the table says: rows beyond chance, rows within it, failed ones, those not shown to be in force."""
        judged = [line for line in self.lines if line.differences]
        name = self.words
        better, worse = (self._beyond(judged, sign) for sign in (1, -1))
        found = []
        if better:
            found.append(f"Better than {self.plain} in {name}, beyond chance: {', '.join(better)}.")
        if worse:
            found.append(f"Worse than {self.plain} in {name}, beyond chance: {', '.join(worse)}.")
        within = [line.row for line in judged if not _beyond_chance(line.differences[self.headline])]
        if within:
            found.append(f"Not told apart from {self.plain}: {', '.join(within)}.")
        found += [f"{line.row} is not judged: {line.problem or line.state}." for line in self.lines if not line.figures]
        idle = [line.row for line in self.lines if any("NOTHING" in words for words in line.proof)]
        if idle:
            found.append(f"Nothing shows that these rows were in force: {', '.join(idle)}.")
        return [*found, *self.notes]

    def _beyond(self, lines: Sequence[Line], sign: int) -> list[str]:
        chosen = [line for line in lines if _beyond_chance(line.differences[self.headline])]
        gains = {line.row: float(line.differences[self.headline]["value"] or 0.0) for line in chosen}
        return [f"{row} ({gain:+.3f})" for row, gain in gains.items() if gain * sign > 0]

    def to_json(self) -> dict[str, Any]:
        """One object with everything."""
        return {**asdict(self), "sentences": self.sentences}


def _beyond_chance(difference: Mapping[str, Any]) -> bool:
    return difference["p"] is not None and difference["p"] < ALPHA


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    bounds = "" if found["low"] is None else f" ({found['low']:+.3f} to {found['high']:+.3f})"
    return f"{found['value']:+.3f}{bounds}"


def p_cell(found: Mapping[str, Any] | None) -> str:
    """The p of a difference, without its name; empty where there is none."""
    return "" if found is None or found["p"] is None else p_value(found["p"]).removeprefix("p = ").removeprefix("p ")


def _value(figures: Mapping[str, Mapping[str, Any]], name: str) -> str:
    return f"{figures[name]['value']:.3f}" if name in figures else "–"


def of(
    plan: Plan, *, seed: int = TRAIN.seed, resamples: int = TRAIN.resamples, progress: Progress = silent
) -> StudyTable:
    """The table of what is trained; an InputError where runs differ in more than their rows name."""
    if problems := alike(plan):
        raise InputError.listing(
            f"the rows of {plan.study.name} differ in more than they name",
            problems,
            hint="start the study anew with --force",
        )
    done = {row: [job.run for job in plan.of(row) if job.state == runs.DONE] for row in plan.study.rows}
    frames = _on_the_same_rows({row: [run for run in each if run] for row, each in done.items()})
    first = next((frame for each in frames.values() for frame in each), None)
    if first is None:
        failed = next((job.problem for job in plan.jobs() if job.problem), "none was trained")
        raise LeafletError(f"no run of {plan.study.name} was finished: {failed}", hint="see why with -v")
    others = _rivals(done, progress)
    every = [*(frame for each in frames.values() for frame in each), *others.predictions.values()]
    label = plan.prepared.label
    classes = sorted({name for frame in every for name in all_labels(frame)}) if label.multiple else None
    terms: dict[str, Any] = {
        "classes": classes,
        "taxonomy": plan.prepared.taxonomy,
        "seed": seed,
        "resamples": resamples,
    }
    found = {row: [over_seeds.scores(frame, **terms) for frame in each] for row, each in frames.items()}
    base = found[plan.study.plain]
    return StudyTable(
        study=plan.study.name,
        description=plan.study.description,
        label=label.name,
        multiple=label.multiple,
        plain=plan.study.plain,
        seeds=list(plan.study.declared.seeds),
        rows=len(first),
        groups=int(first["group"].nunique()),
        labels_per_row=float(first["label"].map(split_labels).map(len).mean()) if label.multiple else None,
        lines=[_line(plan, row, found[row], base) for row in plan.study.rows],
        rivals=[
            _rival(others.kind.baselines[name], over_seeds.scores(frame, **terms), base)
            for name, frame in others.predictions.items()
        ],
        notes=others.notes,
    )


def _on_the_same_rows(found: Mapping[str, Sequence[Run]]) -> dict[str, list[pd.DataFrame]]:
    """The runs' test predictions in one order; an InputError names the rows that differ."""
    frames = {row: [(run.name, _test_rows(run)) for run in each] for row, each in found.items()}
    first = next((pair for each in frames.values() for pair in each), None)
    if first is None:
        return {row: [] for row in frames}
    name, rows = first
    return {
        row: [same_rows(rows, frame, names=(name, other))[1] for other, frame in each] for row, each in frames.items()
    }


def _test_rows(run: Run) -> pd.DataFrame:
    predictions = run.predictions()
    return predictions[predictions[SPLIT] == "test"].sort_values(ID).reset_index(drop=True)


def _rivals(done: Mapping[str, Sequence[Run | None]], progress: Progress) -> Rivals:
    """The baselines, judged on the same rows, learned from the training rows of the first finished run."""
    finished = [run for each in done.values() for run in each if run and bases.STACK not in run.facts]
    rows = _test_rows(finished[0])
    found = rivals.learned(finished, progress=progress)
    return replace(found, predictions={name: same_rows(rows, frame)[1] for name, frame in found.predictions.items()})


def _line(plan: Plan, row: str, each: Sequence[Scores], base: Sequence[Scores]) -> Line:
    jobs = plan.of(row)
    failed = [job for job in jobs if job.state == runs.FAILED]
    state = f"failed: {failed[0].problem}" if failed else f"{len(each)} of {len(jobs)} seeds"
    if not each:
        return Line(row, plan.study.changes(row), state, {}, {}, [], failed[0].problem if failed else "")
    compared = row != plan.study.plain and len(each) == len(base) and bool(base)
    differences = _differences(over_seeds.mean(each).minus(over_seeds.mean(base))) if compared else {}
    return Line(row, plan.study.changes(row), state, _figures(each), differences, _proof(plan, row, jobs))


def _rival(name: str, found: Scores, base: Sequence[Scores]) -> Line:
    differences = _differences(found.minus(over_seeds.mean(base))) if base else {}
    return Line(name, "baseline", "learned once", _figures([found]), differences, [])


def _figures(each: Sequence[Scores]) -> dict[str, dict[str, Any]]:
    whole = over_seeds.mean(each)
    return {
        name: {**whole.interval(name), "over_seeds": over_seeds.spread(each, name)}
        for name in whole.values
        if whole.values[name] == whole.values[name]
    }


def _differences(found: Scores) -> dict[str, dict[str, Any]]:
    return {
        name: {**found.interval(name), "p": found.p(name)}
        for name in found.values
        if found.values[name] == found.values[name]
    }


def _proof(plan: Plan, row: str, jobs: Sequence[Job]) -> list[str]:
    """What shows that the row was in force, from its first finished run beside the base's of the same seed."""
    if row == plan.study.plain:
        return []
    base = {job.seed: job.run for job in plan.of(plan.study.plain) if job.state == runs.DONE}
    for job in jobs:
        run, other = job.run, base.get(job.seed)
        if job.state == runs.DONE and run and other:
            return study_proof.sentences(run, other)
    return []
