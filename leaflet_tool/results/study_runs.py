"""The runs of a study: what there is, what is missing, and the training of that, one after the other."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from leaflet_tool.errors import InputError, LeafletError
from leaflet_tool.manifest import Prepared, read_prepared
from leaflet_tool.models import definitions, runs, training, transfer
from leaflet_tool.models.completion import completed
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare import variants
from leaflet_tool.results import stacking, studies
from leaflet_tool.results.studies import Study, slug
from leaflet_tool.settings import TRAIN
from leaflet_tool.storage import locked, read_json, write_json

logger = logging.getLogger(__name__)

DECLARED, VARIANTS = "declared.json", "data"
"""In a study's folder: what it was started with, and the prepared folders of its rows."""
MISSING = "missing"
TO_TRAIN = (MISSING, runs.INTERRUPTED)
"""States of a run that a study trains."""


@dataclass(frozen=True)
class Job:
    """One row at one seed: its run's folder, and the state of that."""

    row: str
    seed: int
    folder: Path

    @property
    def run(self) -> Run | None:
        """The run on disk, if it was begun."""
        try:
            return runs.find(self.folder.name, self.folder.parent)
        except InputError:
            return None

    @property
    def state(self) -> str:
        """A run's state, or missing."""
        run = self.run
        return run.state if run else MISSING

    @property
    def problem(self) -> str:
        """Why the run failed."""
        run = self.run
        return str((run.facts.get("error") if run else "") or "")


@dataclass(frozen=True)
class Plan:
    """A study on one prepared folder, its runs in a folder of their own."""

    study: Study
    prepared: Prepared
    folder: Path
    offline: bool = False
    retry: bool = False
    """Whether runs that failed are trained anew."""

    def jobs(self) -> list[Job]:
        """Every run after that it starts from, seed by seed, so that the first seed shows a whole table early."""
        return [self.job(row, seed) for seed in self.study.declared.seeds for row in self.study.sources_first]

    def job(self, row: str, seed: int) -> Job:
        """One run."""
        return Job(row, seed, self.folder / f"{slug(row)}_seed{seed}")

    def source(self, row: str, seed: int) -> str:
        """The run from which a run of the row starts, as `RUN[:FEATURE]`; empty where it starts from none."""
        start, feature = self.study.start_from(row), self.study.feature(row)
        return ":".join(filter(None, [self.job(start, seed).folder.name, feature])) if start else ""

    def sources(self, row: str, seed: int) -> list[Job]:
        """The runs that a run of the row needs: the one from which it starts, or those that it stacks."""
        return [self.job(source, seed) for source in self.study.sources(row)]

    def of(self, row: str) -> list[Job]:
        """The runs of a row, a seed each."""
        return [self.job(row, seed) for seed in self.study.declared.seeds]

    def to_train(self) -> list[Job]:
        """The runs that are not there yet, or not to their end."""
        wanted = (*TO_TRAIN, *([runs.FAILED] if self.retry else []))
        return [job for job in self.jobs() if job.state in wanted]

    def cost(self, *, force: bool = False) -> dict[str, Any]:
        """How many runs there are and how many are to be trained, and the seconds that those may take, if any tells.

        With `force`, all are to be trained.
        """
        jobs = self.jobs()
        todo = jobs if force else self.to_train()
        return {
            "rows": len(self.study.rows),
            "seeds": list(self.study.declared.seeds),
            "runs": len(jobs),
            "to_train": len(todo),
            "seconds": self._seconds(todo),
        }

    def _seconds(self, todo: Sequence[Job]) -> int | None:
        """What these runs may take: each the mean of its row's finished runs, or of all where its row has none."""
        taken: dict[str, list[float]] = {row: [] for row in self.study.rows}
        for job in self.jobs():
            run = job.run
            if run and run.state == runs.DONE:
                taken[job.row].append(run.facts["seconds"])
        every = [seconds for each in taken.values() for seconds in each]
        return round(sum(fmean(taken[job.row] or every) for job in todo)) if every else None


def planned(
    study: str,
    data: Path,
    name: str | None = None,
    *,
    runs: Path = TRAIN.runs,
    config: str = "",
    overrides: Sequence[str] = (),
    epochs: int | None = None,
    seeds: Sequence[int] = (),
    offline: bool = False,
    retry: bool = False,
) -> Plan:
    """The study called `study` on a prepared folder; `config`, `overrides` and `epochs` hold for every row."""
    found = studies.find(study)
    given = [*overrides, *([f"trainer.epochs={epochs}"] if epochs else [])]
    changed = studies.changed(found, config=config, seeds=tuple(seeds), overrides=definitions.assigned(given))
    return Plan(changed, read_prepared(data), runs / (name or found.name), offline, retry)


def checked(plan: Plan, *, force: bool = False) -> None:
    """An InputError for what would stop a row: in a definition, in its fit to the data, or in the folder.

    With `force`, a study that is there may have been begun otherwise.
    """
    problems = []
    sources: dict[str, Mapping[str, Any]] = {}
    for row in plan.study.sources_first:
        try:
            _check(plan, row, sources)
        except LeafletError as error:
            problems.append(f"row {row!r}: {definitions.in_a_line(error)}")  # type: ignore[arg-type]
    if problems:
        raise InputError.listing("the study was not started", problems, hint="mend these and run the command again")
    begun, now = plan.folder / DECLARED, _declared(plan)
    if plan.folder.exists() and not begun.is_file() and any(plan.folder.iterdir()):
        raise InputError(f"{plan.folder} exists and is no study", hint="choose another --name")
    if not force and begun.is_file() and read_json(begun) != now:
        raise InputError(
            f"the study in {plan.folder} was begun otherwise: {_difference(read_json(begun), now)}",
            hint="give another --name, or start it anew with --force",
        )


def clear(plan: Plan) -> None:
    """Removes the study that is there, and nothing else."""
    if (plan.folder / DECLARED).is_file():
        with locked(plan.folder):
            shutil.rmtree(plan.folder)


def _check(plan: Plan, row: str, sources: dict[str, Mapping[str, Any]]) -> None:
    """Checks a row, beside what it starts from; `sources` holds the completed definitions of others that are right.

    A row whose source is not right waits for that to be mended.
    """
    if plan.study.stacked(row):
        return stacking.check(plan.prepared, requested(plan, row, name=row))
    if settings := plan.study.data(row):
        variants.check(plan.prepared, variants.build(settings, "its data"))
    start = plan.study.start_from(row)
    if start and start not in sources:
        return
    source = transfer.of(start, sources[start], plan.study.feature(row)) if start else None
    request = requested(plan, row, name=row, start_from=start)
    definition = definitions.find(plan.study.config(row))
    config = training.checked(definition, plan.prepared, request, source=source)
    if row in map(plan.study.start_from, plan.study.rows):
        sources[row] = completed(config).full


def _declared(plan: Plan) -> dict[str, Any]:
    """What must be the same whenever the study goes on."""
    return {"manifest_sha256": plan.prepared.digest, **plan.study.declared.model_dump(mode="json")}


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{key} was {json.dumps(before.get(key))}, is {json.dumps(now.get(key))}"
        for key in now
        if before.get(key) != now[key]
    )


def requested(plan: Plan, row: str, **settings: Any) -> training.Request:
    """How a run of the row is trained; slots in what it overrides are filled like those of its definition."""
    overrides = tuple(f"{path}={json.dumps(value)}" for path, value in plan.study.overrides(row).items())
    return training.Request(runs=plan.folder, overrides=overrides, offline=plan.offline, **settings)


def train(plan: Plan) -> Iterator[Job]:
    """Trains what is to be trained and yields each run when it is done, or has failed."""
    with locked(plan.folder):
        write_json(plan.folder / DECLARED, _declared(plan))
        for job in plan.to_train():
            logger.info("row %s, seed %d", job.row, job.seed)
            try:
                _trained(plan, job)
            except LeafletError as error:
                logger.warning("row %s, seed %d failed: %s", job.row, job.seed, error.message)
                _note_refused(plan, job, error)
            yield job


def _trained(plan: Plan, job: Job) -> Run:
    if job.state == runs.INTERRUPTED:
        return training.resume(job.folder.name, job.folder.parent)
    _check_sources(plan, job)
    request = requested(
        plan,
        job.row,
        name=job.folder.name,
        seed=job.seed,
        force=True,  # what else may be there has failed, or was killed right at its start
        start_from=plan.source(job.row, job.seed),
        notes={"study": {"name": plan.study.name, "row": job.row, "changes": plan.study.changes(job.row)}},
    )
    if plan.study.stacked(job.row):
        found = [runs.finished(source.folder.name, plan.folder) for source in plan.sources(job.row, job.seed)]
        return stacking.stack(found, request, plan.prepared.folder)
    return training.train(definitions.find(plan.study.config(job.row)), data(plan, job.row), request)


def _check_sources(plan: Plan, job: Job) -> None:
    """An InputError that names the rows without which the run cannot be trained."""
    lacking = [source for source in plan.sources(job.row, job.seed) if source.state != runs.DONE]
    if lacking:
        words = ", ".join(f"{source.row!r}, which is {source.state}" for source in lacking)
        raise InputError(f"it needs the row {words}", hint="mend that one, then run the command again with --retry")


def _note_refused(plan: Plan, job: Job, error: LeafletError) -> None:
    """Notes why a run failed that was refused before anything of it was written, or again after it had failed."""
    run = job.run
    if run is None:
        facts = {"label": plan.prepared.facts["label"], "folds": 0, "seed": job.seed}
        job.folder.mkdir(parents=True, exist_ok=True)
        run = Run(job.folder, facts)
    elif job.state != runs.FAILED:
        return
    run.noting(state=runs.FAILED, error=error.message)


def data(plan: Plan, row: str) -> Prepared:
    """The row's prepared folder: the study's own, or one with other training rows, made when it is first needed."""
    settings = plan.study.data(row)
    if not settings:
        return plan.prepared
    alike = [other for other in plan.study.rows if plan.study.data(other) == settings]
    out = plan.folder / VARIANTS / slug(alike[0])
    return variants.derived(plan.prepared, out, variants.build(settings, f"data of row {row!r}"))
