"""Whether the finished runs of a study differ in what their rows name, and in nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.models import bases, definitions, runs, transfer
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare.output import DERIVED_FROM
from leaflet_tool.results.study_runs import Plan


def alike(plan: Plan) -> list[str]:
    """Every way in which the finished runs differ beyond what their rows name; an honest study has none."""
    problems = []
    for seed in plan.study.declared.seeds:
        finished = {job.row: job.run for job in plan.jobs() if job.seed == seed and job.state == runs.DONE}
        base = finished.pop(plan.study.plain, None)
        if base is None:
            continue
        for row, run in finished.items():
            if run is not None:
                problems += [f"row {row!r}, seed {seed}: {problem}" for problem in _beyond(plan, row, base, run)]
    return problems


def _beyond(plan: Plan, row: str, base: Run, run: Run) -> Iterator[str]:
    """How `run` differs from the base's run beyond what the row names."""
    if not (plan.study.declared.rows[row].config or plan.study.stacked(row)):
        label = plan.prepared.label.name
        named = [path.replace("${label}", label) for path in plan.study.declared.rows[row].set]
        named += _left_to_source(base) if plan.study.start_from(row) else []
        ours, theirs = (_flat(definitions.read(each.folder / runs.CONFIG).content) for each in (run, base))
        for path in sorted(ours.keys() | theirs.keys()):
            if ours.get(path) != theirs.get(path) and not any(_within(path, name) for name in named):
                yield f"its definition has {path}: {ours.get(path)}, the base {theirs.get(path)}"
    started = Path(run.facts.get(transfer.START_FROM, {}).get("folder", "")).name
    if started != plan.source(row, run.facts["seed"]):
        yield f"it started from {started or 'no other run'}"
    yield from _otherwise_stacked(plan, row, run)
    for fact in ("seed", "folds", "backend", "label"):
        if run.facts[fact] != base.facts[fact]:
            yield f"its {fact} is {run.facts[fact]}, the base's {base.facts[fact]}"
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


def _left_to_source(base: Run) -> list[str]:
    """What another run's weights replace in a definition."""
    features = definitions.read(base.folder / runs.CONFIG).content["input_features"]
    return [f"input_features.{feature['name']}.encoder.use_pretrained" for feature in features]


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


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
