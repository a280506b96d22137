"""A search as it reads in the README: check, write down, try, rank, train the winner as a run of its own."""

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leaflet_tool.cluster import check_answers
from leaflet_tool.errors import InputError, LeafletError
from leaflet_tool.manifest import Prepared, read_prepared, write_table
from leaflet_tool.models import checks, definitions, engine, rows, runs, search_checks, search_space, training, trials
from leaflet_tool.models.definitions import Definition, nearest
from leaflet_tool.models.runs import CONFIG, DONE, FAILED, INTERRUPTED, ROWS, RUN, Run
from leaflet_tool.models.search_space import SearchSpace
from leaflet_tool.models.trials import Trial
from leaflet_tool.settings import HYPEROPT, TRAIN
from leaflet_tool.storage import locked, read_json, write_json, write_text

logger = logging.getLogger(__name__)

SEARCH, SPACE, TRIALS, STATISTICS = "hyperopt.json", "space.yaml", "trials.csv", "hyperopt_statistics.json"
SEARCHING = "searching"


@dataclass(frozen=True)
class Request:
    """How far a search may go; what it varies stands in its space."""

    name: str
    runs: Path = TRAIN.runs
    overrides: tuple[str, ...] = ()
    seed: int = TRAIN.seed
    trials: int = HYPEROPT.trials
    concurrent: int = HYPEROPT.concurrent
    minutes: float = HYPEROPT.minutes
    ray_address: str | None = None
    train_best: str | None = None
    offline: bool = False
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where the search lives, beside the runs."""
        return self.runs / self.name


@dataclass(frozen=True)
class Search:
    """A search's folder and the contents of its hyperopt.json."""

    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def state(self) -> str:
        """searching, done, failed, or interrupted: still marked as searching while nobody holds the folder."""
        state = str(self.facts["state"])
        return INTERRUPTED if state == SEARCHING and not runs.in_use(self.folder) else state

    def noting(self, **facts: Any) -> "Search":
        """The search with these facts added, on disk as well."""
        search = Search(self.folder, {**self.facts, **facts})
        write_json(self.folder / SEARCH, search.facts)
        return search


def find(name: str, folder: Path) -> Search:
    """The search of that name in the runs folder; an InputError lists what there is."""
    if (folder / name / SEARCH).is_file():
        return Search(folder / name, read_json(folder / name / SEARCH))
    names = sorted(path.parent.name for path in folder.glob(f"*/{SEARCH}"))
    raise InputError(f"there is no search called {name!r} in {folder}", hint=nearest(name, names, "searches"))


def check(
    definition: Definition, space: SearchSpace, prepared: Prepared, request: Request
) -> tuple[dict[str, Any], SearchSpace]:
    """The filled definition and the filled space, after every check that needs no training."""
    _check_names(request)
    check_answers(request.ray_address)
    as_run = training.Request(request.name, request.runs, request.overrides, offline=request.offline, force=True)
    config = training.check(definition, prepared, as_run)
    space = search_space.filled(space, definitions.slots(prepared.label))
    with engine.quiet():
        problems = search_checks.problems(space, config)
    checks.report(problems, "nothing was searched")
    return config, space


def planned(definition: Definition, space: SearchSpace, prepared: Prepared, request: Request) -> int:
    """How many trials at most the search would take, after every check."""
    return search_space.count(check(definition, space, prepared, request)[1], request.trials)


def _check_names(request: Request) -> None:
    """The search and the winner's run need a place each; neither takes that of the other kind, not even by force."""
    runs.vacant(request.name, request.runs, force=request.force)
    if (request.folder / RUN).is_file():
        raise InputError(f"{request.name} is a run, which a search does not replace", hint="choose another --name")
    if request.train_best:
        _check_winner(request.train_best, request.runs, request.name, force=request.force)


def _check_winner(name: str, folder: Path, search: str, *, force: bool) -> None:
    if name == search or (folder / name / SEARCH).is_file():
        raise InputError(f"{name} is a search, which a run does not replace", hint="choose another --train-best")
    runs.vacant(name, folder, force=force)


def search(definition: Definition, space: SearchSpace, prepared: Prepared, request: Request) -> Search:
    """A new search, every trial of it tried or stopped, ranked and written down."""
    config, space = check(definition, space, prepared, request)
    with locked(request.folder):
        runs.clear(request.folder)
        return _searched(_written_down(definition, config, space, prepared, request))


def resume(name: str, folder: Path) -> Search:
    """Goes on with a search as it was started; finished trials are kept, interrupted ones begin anew."""
    found = find(name, folder)
    if found.state == DONE:
        logger.info("search %s is done already", name)
        return found
    with locked(found.folder):
        logger.info("resuming search %s", name)
        return _searched(found.noting(resumed=found.facts.get("resumed", 0) + 1, state=SEARCHING))


def train_best(found: Search, name: str, *, offline: bool = False, force: bool = False) -> Run:
    """The definition with the winner's parameters as overrides, trained as any run; nothing may have changed since."""
    facts = found.facts
    _check_winner(name, found.folder.parent, found.name, force=force)
    prepared = read_prepared(Path(facts["data"]["folder"]))
    if prepared.digest != facts["data"]["manifest_sha256"]:
        raise InputError(f"{prepared.folder} has changed since search {found.name}", hint="search anew with --force")
    definition = definitions.find(facts["definition"]["path"])
    request = training.Request(
        name, found.folder.parent, tuple(facts["overrides"]), facts["seed"], offline=offline, force=force
    )
    if training.filled_for(definition, prepared, request) != definitions.read(found.folder / CONFIG).content:
        raise InputError(f"{definition.path} has changed since search {found.name}", hint="search anew with --force")
    winner = search_space.assignments(facts["best"]["parameters"])
    logger.info("training the winner, trial %d, as run %s", facts["best"]["number"], name)
    return training.train(definition, prepared, replace(request, overrides=(*request.overrides, *winner)))


def _written_down(
    definition: Definition, config: dict[str, Any], space: SearchSpace, prepared: Prepared, request: Request
) -> Search:
    """The search's folder with everything that going on with it needs, before anything is spent."""
    folder, label = request.folder, prepared.label
    write_text(folder / CONFIG, definitions.dump(config, definition.description))
    write_text(folder / SPACE, search_space.dump(space))
    frame = rows.given(prepared.frame, checks.columns(config), label)
    rows.write(rows.for_ludwig(frame, prepared.folder, label), folder / ROWS)
    most = search_space.count(space, request.trials)
    return Search(folder, {}).noting(
        state=SEARCHING,
        started=_now(),
        definition={"name": definition.name, "path": str(definition.path), "description": definition.description},
        overrides=list(request.overrides),
        label={"name": label.name, "multiple": label.multiple},
        data={"folder": str(prepared.folder), "manifest_sha256": prepared.digest, "rows": len(prepared.frame)},
        goal=space.goal,
        metric=space.metric,
        seed=request.seed,
        samples=request.trials,
        planned=most,
        concurrent=request.concurrent if request.ray_address else min(request.concurrent or _at_once(), most),
        minutes=request.minutes,
        ray_address=request.ray_address,
        versions=runs.versions(),
        trials=[],
        best=None,
    )


def _at_once() -> int:
    """Trials that this machine can train together: one a core, or one where they would share a GPU."""
    machine = engine.machine()
    return 1 if machine["device"] != "cpu" else machine["cores"]


def _searched(found: Search) -> Search:
    """Tries what is not tried yet, then ranks the whole; the state on disk says how it ended."""
    started = time.monotonic()
    config = definitions.read(found.folder / CONFIG).content
    section = _section(found.facts, search_space.read(found.folder / SPACE), config)
    try:
        tried = _tried(found, {**config, "hyperopt": section})
        winner = trials.best(tried, found.facts["goal"])
    except LeafletError as error:
        Search(found.folder, read_json(found.folder / SEARCH)).noting(state=FAILED, error=error.message)
        raise
    if len(tried) < found.facts["planned"]:
        logger.warning("time was up: %d of %d trials were begun", len(tried), found.facts["planned"])
    seconds = round(time.monotonic() - started + found.facts.get("seconds", 0.0), 1)
    write_json(found.folder / STATISTICS, trials.statistics(tried, section))
    facts = [trial.facts for trial in trials.ranked(tried, found.facts["goal"])]
    write_table(trials.table(facts, found.facts["metric"]), found.folder / TRIALS)
    return found.noting(
        state=DONE, finished=_now(), seconds=seconds, trials=facts, best=winner.facts, **engine.machine()
    )


def _section(facts: dict[str, Any], space: SearchSpace, config: dict[str, Any]) -> dict[str, Any]:
    """Ludwig's `hyperopt` section for this search.

    A cluster of ours has as many cores as trials may run; another must be told, and Ludwig then draws without seed.
    """
    return search_space.section(
        space,
        facts["label"]["name"],
        epochs=engine.validated(config)["trainer"]["epochs"],
        samples=facts["samples"],
        seconds=max(1, round(60 * facts["minutes"])),
        concurrent=(facts["concurrent"] or None) if facts["ray_address"] else None,
    )


def _tried(found: Search, config: dict[str, Any]) -> list[Trial]:
    """The trials, each noted in hyperopt.json as it begins and ends."""
    with engine.quiet():
        from leaflet_tool.models import tuning

        return tuning.run(
            config,
            found.folder.resolve(),
            seed=found.facts["seed"],
            planned=found.facts["planned"],
            concurrent=found.facts["concurrent"],
            address=found.facts["ray_address"],
            changed=lambda tried: found.noting(trials=[trial.facts for trial in tried]),
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
