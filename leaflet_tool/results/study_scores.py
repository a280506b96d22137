"""A study judged: every row's figures over its seeds, and what they lead the base by on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import ID, SPLIT, split_labels
from leaflet_tool.measure import over_seeds
from leaflet_tool.measure.label_sets import all_labels
from leaflet_tool.measure.over_seeds import Scores
from leaflet_tool.measure.paired import same_rows
from leaflet_tool.models import bases
from leaflet_tool.models.runs import Run
from leaflet_tool.progress import Progress, silent
from leaflet_tool.results import kinds, rivals, study_alike, study_proof, study_state
from leaflet_tool.results.rivals import Rivals
from leaflet_tool.results.study_runs import Job, Plan
from leaflet_tool.results.study_table import Line, StudyTable
from leaflet_tool.settings import TRAIN


def table(
    plan: Plan, *, seed: int = TRAIN.seed, resamples: int = TRAIN.resamples, progress: Progress = silent
) -> StudyTable:
    """The table of what is trained; an InputError where runs differ in more than their rows name."""
    study_alike.check(plan)
    done = {row: study_state.finished(plan.of(row)) for row in plan.study.rows}
    frames = _on_the_same_rows({row: list(each.values()) for row, each in done.items()})
    first = next((frame for each in frames.values() for frame in each), None)
    if first is None:
        failed = next((job.problem for job in plan.jobs() if job.problem), "none was trained")
        raise TrainingError(f"no run of {plan.study.name} was finished: {failed}", hint="see why with -v")
    others = _rivals([run for each in done.values() for run in each.values()], progress)
    every = [*(frame for each in frames.values() for frame in each), *others.predictions.values()]
    label = plan.prepared.label
    classes = sorted({name for frame in every for name in all_labels(frame)}) if label.multiple else None
    terms: dict[str, Any] = {
        "classes": classes,
        "taxonomy": plan.prepared.taxonomy,
        "seed": seed,
        "resamples": resamples,
    }
    found = {
        row: {seed: over_seeds.scores(frame, **terms) for seed, frame in zip(done[row], each, strict=True)}
        for row, each in frames.items()
    }
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


def _rivals(finished: Sequence[Run], progress: Progress) -> Rivals:
    """The baselines, judged on the same rows, learned from the training rows of the first finished run."""
    trained = [run for run in finished if bases.STACK not in run.facts]
    if not trained:
        return Rivals(kinds.of(finished[0].label.multiple), {})
    rows = _test_rows(trained[0])
    found = rivals.learned(trained, progress=progress)
    return replace(found, predictions={name: same_rows(rows, frame)[1] for name, frame in found.predictions.items()})


def _line(plan: Plan, row: str, each: Mapping[int, Scores], base: Mapping[int, Scores]) -> Line:
    jobs = plan.of(row)
    state = study_state.of(jobs)
    if not each:
        return Line(row, plan.study.changes(row), state.words, {}, {}, [], state.problem, lacking=state.lacking)
    compared = [seed for seed in each if seed in base and row != plan.study.plain]
    both = [over_seeds.mean([found[seed] for seed in compared]) for found in (each, base)] if compared else []
    return Line(
        row,
        plan.study.changes(row),
        state.words,
        _figures(list(each.values())),
        _differences(both[0].minus(both[1])) if both else {},
        _proof(plan, row, jobs),
        seeds=list(each),
        compared=compared,
        lacking=state.lacking,
    )


def _rival(name: str, found: Scores, base: Mapping[int, Scores]) -> Line:
    differences = _differences(found.minus(over_seeds.mean(list(base.values())))) if base else {}
    return Line(name, "baseline", "learned once", _figures([found]), differences, [], compared=list(base))


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
    base = study_state.finished(plan.of(plan.study.plain))
    both = [(run, base[seed]) for seed, run in study_state.finished(jobs).items() if seed in base]
    return study_proof.sentences(*both[0]) if both else []
