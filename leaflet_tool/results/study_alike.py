"""Whether the finished runs of a study differ in what their rows name, and in nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import SPLIT
from leaflet_tool.models import bases, definitions, label_counts, rows, runs, training, transfer
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare.output import DERIVED_FROM
from leaflet_tool.results.study_runs import Job, Plan, requested
from leaflet_tool.settings import TRAIN


def check(plan: Plan) -> None:
    """An InputError where there are finished runs that differ in more than their rows name."""
    if problems := alike(plan):
        raise InputError.listing(
            f"the rows of {plan.study.name} differ in more than they name",
            problems,
            hint="put back what the definitions were, or start the study anew with --force",
        )


def alike(plan: Plan) -> list[str]:
    """Every way in which the finished runs are not what the study trains; an honest study has none."""
    return [
        f"row {job.row!r}, seed {job.seed}: {problem}"
        for job in plan.jobs()
        if (run := job.run) and run.state == runs.DONE
        for problem in _beyond(plan, job, run)
    ]


def _beyond(plan: Plan, job: Job, run: Run) -> Iterator[str]:
    """How a run is not what the study trains for its row and seed now."""
    row = job.row
    ours, theirs = _flat(definitions.read(run.folder / runs.CONFIG).content), _flat(_definition(plan, job, run))
    for path in sorted(ours.keys() | theirs.keys()):
        if ours.get(path) != theirs.get(path):
            yield f"its definition has {path}: {ours.get(path)}, the study {theirs.get(path)}"
    start = run.facts.get(transfer.START_FROM, {"folder": "", "feature": ""})
    feature = start["feature"] if plan.study.feature(row) else ""
    started = ":".join(filter(None, [Path(start["folder"]).name, feature]))
    if started != plan.source(row, job.seed):
        yield f"it started from {started or 'no other run'}"
    yield from _otherwise_stacked(plan, row, run)
    label = {"name": plan.prepared.label.name, "multiple": plan.prepared.label.multiple}
    for fact, wanted in {"seed": job.seed, "folds": 0, "backend": TRAIN.backend, "label": label}.items():
        if run.facts[fact] != wanted:
            yield f"its {fact} is {run.facts[fact]}, the study's {wanted}"
    digest = run.facts["prepare"].get(DERIVED_FROM, {}).get("digest")
    if plan.study.data(row) and digest != plan.prepared.digest:
        yield "its data was not made from the study's"
    if not plan.study.data(row) and run.facts["data"]["manifest_sha256"] != plan.prepared.digest:
        yield "it was trained on other data"


def _otherwise_stacked(plan: Plan, row: str, run: Run) -> Iterator[str]:
    """How the runs under a stack are not those of the rows that it names."""
    under = run.facts.get(bases.STACK, {}).get("bases", [])
    named = plan.sources(row, run.facts["seed"]) if plan.study.stacked(row) else []
    if [Path(base["folder"]) for base in under] != [job.folder.resolve() for job in named]:
        yield f"it is a stack of {', '.join(base['name'] for base in under) or 'nothing'}"
        return
    try:
        bases.of(run)
    except InputError as error:
        yield definitions.in_a_line(error)


def _definition(plan: Plan, job: Job, run: Run) -> dict[str, Any]:
    """The definition that the study fills for a run now, with the facts of the rows that it was trained on."""
    request = requested(plan, job.row, name=run.name, start_from=plan.source(job.row, job.seed))
    definition, label = definitions.find(plan.study.config(job.row)), plan.prepared.label
    config = training.filled(definition, label, request, facts=label_counts.LATER)
    table = rows.in_words(rows.read(run.folder / runs.ROWS), label)
    cells = table.loc[table[SPLIT] == "train", label.name]
    return definitions.fill(config, label_counts.facts(cells, label, run.facts["classes"], run.taxonomy))


def _flat(content: Any, where: str = "") -> dict[str, Any]:
    """Every value of a definition by its path; features by name."""
    if isinstance(content, list) and all(isinstance(item, dict) and "name" in item for item in content):
        content = {str(item["name"]): item for item in content}
    if not isinstance(content, dict) or not content:
        return {where: content}
    return {
        path: value
        for key, below in content.items()
        for path, value in _flat(below, f"{where}.{key}".removeprefix(".")).items()
    }
