"""Training as it reads in the README: check, write down, train, predict every page, judge beside the baselines."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError, LeafletError
from leaflet_tool.manifest import FOLD, SPLIT, Label, Prepared
from leaflet_tool.models import (
    checks,
    confidence,
    definitions,
    downloads,
    engine,
    fitting,
    folds,
    label_counts,
    rows,
    runs,
    scoring,
    transfer,
)
from leaflet_tool.models.completion import completed
from leaflet_tool.models.definitions import NEEDS, Definition
from leaflet_tool.models.parameters import PARAMETERS
from leaflet_tool.models.runs import CONFIG, METRICS, PREDICTIONS, ROWS, SEARCH, Run
from leaflet_tool.models.transfer import Source
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.storage import locked, read_json, write_json, write_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """How one run is to be trained; everything scientific stands in the definition and its overrides."""

    name: str
    runs: Path = TRAIN.runs
    overrides: tuple[str, ...] = ()
    seed: int = TRAIN.seed
    epochs: int | None = None
    backend: str = TRAIN.backend
    folds: int = 0
    resamples: int = TRAIN.resamples
    offline: bool = False
    force: bool = False
    threshold_objective: Objective = TRAIN.threshold_objective
    start_from: str = ""
    """`RUN[:feature]`: a finished run, and its image feature, whose encoder the image features take over."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What run.json is to say besides."""

    @property
    def folder(self) -> Path:
        """Where the run lives."""
        return self.runs / self.name


def filled(
    definition: Definition,
    label: Label,
    request: Request,
    *,
    facts: Mapping[str, Any] = label_counts.WITHOUT_DATA,
    refused: list[InputError] | None = None,
) -> dict[str, Any]:
    """The definition Ludwig gets: slots filled, then `--set`, then `--epochs`, `--start-from` and `--backend`.

    `facts` fill the slots of `label_counts`. Given a list `refused`, errors go there instead of being raised.
    """
    values = {**definitions.slots(label), **facts}
    config = definitions.fill(definition.content, values, refused=refused)
    config = definitions.override(config, request.overrides, values=values, refused=refused)
    if request.epochs is not None:
        config = definitions.override(config, [f"trainer.epochs={request.epochs}"], refused=refused)
    if request.start_from:
        config = transfer.awaiting(config)
    return {**config, "backend": engine.BACKENDS[request.backend]}


def filled_for(definition: Definition, prepared: Prepared, request: Request) -> dict[str, Any]:
    """As `filled`, with the facts of the training rows: of the whole manifest's, where folds have their own each."""
    return _with_facts(filled(definition, prepared.label, request, facts=label_counts.LATER), prepared)


def _with_facts(config: dict[str, Any], prepared: Prepared | None) -> dict[str, Any]:
    """`config` with its last slots filled from the rows it trains on; what else there is was refused before."""
    if prepared is None:
        return definitions.fill(config, label_counts.WITHOUT_DATA, refused=[])
    named = {"input_features": list(definitions.named(config["input_features"]).values())}
    frame = rows.given(prepared.frame, checks.columns(named), prepared.label)
    cells = frame.loc[frame[SPLIT] == "train", prepared.label.name]
    facts = label_counts.facts(cells, prepared.label, prepared.classes, prepared.taxonomy)
    return definitions.fill(config, facts, refused=[])


def checked(
    definition: Definition,
    prepared: Prepared | None,
    request: Request,
    *,
    source: Source | None = None,
    outcome: str = "nothing was trained",
) -> dict[str, Any]:
    """The filled definition, unless there is something wrong with it or, given them, with its fit to data and `source`.

    With folds, the facts of the training rows stay slots, which each fold fills from its own rows. One error lists the
    problems of all stages; where nothing but pretrained weights is missing, it is a MissingError.
    """
    refused: list[InputError] = []
    label = prepared.label if prepared else Label("label")
    frozen = filled(definition, label, request, facts=label_counts.LATER, refused=refused)
    config = _with_facts(frozen, prepared)
    complete = completed(config)
    problems = [*map(definitions.in_a_line, refused), *checks.problems(complete, prepared, folds=request.folds > 0)]
    if source and complete.whole:
        problems += transfer.problems(source, complete.full)
    weights = downloads.problems(complete.full, offline=request.offline)
    if problems:
        checks.report([*problems, *(f"{problem}; {setting}" for problem, setting in weights.items())], outcome)
    downloads.report(weights)
    return frozen if request.folds else config


def check(definition: Definition, prepared: Prepared, request: Request) -> dict[str, Any]:
    """The filled definition, after every check that needs no training."""
    return _ready(definition, prepared, request)[0]


def _ready(
    definition: Definition, prepared: Prepared, request: Request
) -> tuple[dict[str, Any], pd.Series | None, Source | None]:
    """What `check` returns, the fold of every row, and what the run is to start from."""
    runs.vacant(request.name, request.runs, force=request.force)
    if request.threshold_objective != TRAIN.threshold_objective and not prepared.label.multiple:
        raise InputError(
            f"the pages of {prepared.folder} have one label, which takes no threshold",
            hint="leave --threshold-objective out: it is for several labels a page",
        )
    source = _source(request)
    config = checked(definition, prepared, request, source=source)
    held_out = _held_out(prepared, request)
    if source:
        transfer.check_rows(source, prepared, held_out)
    return config, held_out, source


def _source(request: Request) -> Source | None:
    """What the run is to start from, if from anything."""
    if not request.start_from:
        return None
    source = transfer.find(request.start_from, request.runs)
    if source.run and source.run.folder.resolve() == request.folder.resolve():
        raise InputError(f"run {request.name} cannot start from itself", hint="choose another --name")
    return source


def train(definition: Definition, prepared: Prepared, request: Request) -> Run:
    """A new run, trained, evaluated on its test rows and written down."""
    config, held_out, source = _ready(definition, prepared, request)
    if (request.folder / SEARCH).is_file():
        raise InputError(f"{request.name} is a search, which a run does not replace", hint="choose another --name")
    if request.backend == "ray":
        logger.info("Ray trains with one worker: with more, Ludwig's copies would not exchange gradients")
    with locked(request.folder):
        runs.clear(request.folder)
        run = _written_down(definition, config, prepared, request, held_out, source)
        return _fitted(run, config)


def resume(name: str, folder: Path) -> Run:
    """Goes on with an interrupted run exactly as it was started; finished folds and epochs are not trained again."""
    run = runs.find(name, folder)
    if run.state == runs.DONE:
        raise InputError(f"run {run.name} is done already", hint="start it anew with --force")
    config = definitions.read(run.folder / CONFIG).content
    checks.report(checks.input_problems(config, rows.read(run.folder / ROWS), run.folder), "nothing was resumed")
    transfer.check_source(run)
    with locked(run.folder):
        logger.info("resuming run %s", run.name)
        return _fitted(run.noting(resumed=run.facts.get("resumed", 0) + 1, state=runs.TRAINING, error=None), config)


def _held_out(prepared: Prepared, request: Request) -> pd.Series | None:
    """The fold of every row, each fold's classes checked; None without folds."""
    if not request.folds:
        return None
    label = prepared.label
    held_out = folds.assign(prepared.frame, label, folds=request.folds, seed=request.seed)
    problems = []
    for fold in range(request.folds):
        fold_rows = folds.split(prepared.frame, held_out, fold, label, seed=request.seed)
        train_rows = fold_rows[fold_rows[SPLIT] == "train"]
        problems += checks.class_problems(train_rows, prepared, f"the training rows of fold {fold}")
    checks.report(problems)
    return held_out


def _written_down(
    definition: Definition,
    config: dict[str, Any],
    prepared: Prepared,
    request: Request,
    held_out: pd.Series | None,
    source: Source | None,
) -> Run:
    """The run's folder with everything that training and repeating it needs, before anything is spent."""
    folder = request.folder
    start = f"Begun with the weights of another run: repeat it with --start-from {source}." if source else ""
    needs = f"{NEEDS} {definition.needs}" if definition.needs else ""
    comment = "\n".join(filter(None, [definition.description, start, needs]))
    write_text(folder / CONFIG, definitions.dump(config, comment))
    frame = rows.given(prepared.frame, checks.columns(config), prepared.label)
    if held_out is not None:
        frame = frame.assign(**{FOLD: held_out.astype(str)})
    rows.write(rows.for_ludwig(frame, prepared.folder, prepared.label), folder / ROWS)
    return Run(folder, {}).noting(
        state=runs.TRAINING,
        started=_now(),
        definition={"name": definition.name, "path": str(definition.path), "description": definition.description},
        overrides=list(request.overrides),
        label={"name": prepared.label.name, "multiple": prepared.label.multiple},
        taxonomy={name: list(above) for name, above in prepared.taxonomy.parents.items()},
        classes=prepared.classes,
        data={"folder": str(prepared.folder), "manifest_sha256": prepared.digest, "rows": len(prepared.frame)},
        prepare=prepared.facts,
        folds=request.folds,
        seed=request.seed,
        resamples=request.resamples,
        **({runs.OBJECTIVE: request.threshold_objective} if prepared.label.multiple else {}),
        backend=request.backend,
        versions=runs.versions(),
        **({transfer.START_FROM: source.identity()} if source else {}),
        **request.notes,
    )


def _fitted(run: Run, config: dict[str, Any]) -> Run:
    """Trains what is not trained yet, then scores the whole; the state on disk says how it ended."""
    started = time.monotonic()
    try:
        predictions, rivals = fitting.fitted(run, config)
        runs.write_predictions(predictions, run.folder / PREDICTIONS)
        # from the file, so that whoever has it gets the same figures to the last digit
        predictions, chance = run.predictions(), confidence.chance_of(run)
        follows = checks.followed(run)
        metrics = scoring.figures(predictions, rivals, taxonomy=run.taxonomy, follows=follows, **chance)
        metrics[confidence.KEY] = confidence.figures(run, predictions, **chance)
    except (LeafletError, KeyboardInterrupt) as error:
        failed = {"state": runs.FAILED, "error": error.message} if isinstance(error, LeafletError) else {}
        run.noting(seconds=_spent(run, started), **failed)
        raise
    confidence.write(run, predictions)
    write_json(run.folder / METRICS, metrics)
    found = {"parameters": read_json(run.models()[0] / PARAMETERS), **transfer.facts(run), **engine.machine()}
    return run.noting(state=runs.DONE, finished=_now(), seconds=_spent(run, started), **found)


def _spent(run: Run, started: float) -> float:
    """Seconds that training took until now, with those before it was resumed."""
    return round(time.monotonic() - started + run.facts.get("seconds", 0.0), 1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
