"""A run on disk: its folder, what it says of itself in run.json, and its predictions."""

import fcntl
import logging
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label, read_table, write_table
from leaflet_tool.measure.predictions import CONFIDENCE, PROBABILITY
from leaflet_tool.models.definitions import nearest
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.storage import LOCK, read_json, write_json
from leaflet_tool.taxonomy import Taxonomy

logger = logging.getLogger(__name__)

RUN, CONFIG, ROWS = "run.json", "config.yaml", "ludwig.csv"
PREDICTIONS, METRICS, THRESHOLDS = "predictions.csv", "metrics.json", "thresholds.json"
CALIBRATION = "calibration.json"
OBJECTIVE = "threshold_objective"
"""What run.json calls what thresholds were fitted for."""
SEARCH = "hyperopt.json"
"""What a search has where a run has run.json."""
TRAINING, DONE, FAILED, INTERRUPTED = "training", "done", "failed", "interrupted"
HEADLINES = ("accuracy", "macro_ap")
"""The figure that a list gives of a run: of one with one label a page, and of one with several."""
BROKEN = "broken"
"""What a list says of a run whose own files cannot be read."""
PACKAGES = ("leaflet-tool", "ludwig", "torch", "torchvision", "timm", "transformers", "ray", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """A run's folder and the contents of its run.json."""

    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def label(self) -> Label:
        """What the run predicts."""
        return Label(**self.facts["label"])

    @property
    def taxonomy(self) -> Taxonomy:
        """The hierarchy of the labels; an empty one where they have none."""
        return Taxonomy(self.facts.get("taxonomy", {}))

    @property
    def threshold_objective(self) -> Objective:
        """What the thresholds of several labels were fitted for."""
        found: Objective = self.facts.get(OBJECTIVE, TRAIN.threshold_objective)
        return found

    @property
    def folds(self) -> int:
        """How many folds it was trained in; 0 for one model on the manifest's own split."""
        return int(self.facts["folds"])

    @property
    def state(self) -> str:
        """training, done, failed, or interrupted: still marked as training while nobody holds the folder."""
        state = str(self.facts["state"])
        return INTERRUPTED if state == TRAINING and not in_use(self.folder) else state

    def models(self) -> list[Path]:
        """The Ludwig directories of the run: its own folder, or one a fold."""
        return [self.folder / f"fold_{fold}" for fold in range(self.folds)] if self.folds else [self.folder]

    def metrics(self, split: str = "test") -> dict[str, Any]:
        """The figures of one split."""
        return read_json(self.folder / metrics_name(split))

    def predictions(self) -> pd.DataFrame:
        """The predictions frame, probabilities as numbers."""
        return read_predictions(self.folder / PREDICTIONS)

    def noting(self, **facts: Any) -> "Run":
        """The run with these facts added, on disk as well."""
        run = Run(self.folder, {**self.facts, **facts})
        write_json(self.folder / RUN, run.facts)
        return run


def metrics_name(split: str) -> str:
    """metrics.json for the test split, metrics_<split>.json for another."""
    return METRICS if split == "test" else f"metrics_{split}.json"


def read_predictions(path: Path) -> pd.DataFrame:
    """A predictions table: text, but for confidence and probabilities."""
    predictions = read_table(path)
    numeric = [name for name in predictions.columns if name == CONFIDENCE or name.startswith(PROBABILITY)]
    return predictions.astype(dict.fromkeys(numeric, float))


def write_predictions(predictions: pd.DataFrame, path: Path) -> None:
    """Writes a predictions table, numbers to nine significant digits: what single precision holds."""
    numbers = predictions.select_dtypes("floating")
    write_table(predictions.assign(**{name: numbers[name].map("{:.9g}".format) for name in numbers}), path)


def find(name: str, runs: Path) -> Run:
    """The run of that name in the runs folder, or at that path; an InputError lists what there is."""
    for folder in (runs / name, Path(name)):
        if (folder / RUN).is_file():
            return Run(folder, read_json(folder / RUN))
    raise InputError(f"there is no run called {name!r} in {runs}", hint=nearest(name, names(runs), "runs"))


def vacant(name: str, runs: Path, *, force: bool) -> None:
    """An InputError unless a new run may be called `name`: one folder below `runs`, free or, with `force`, a run's."""
    if not name or name != Path(name).name or name.startswith(".") or not name.isprintable():
        raise InputError(
            f"a run cannot be called {name!r}: the name becomes one folder in {runs}",
            hint="give --name a plain word and choose the place with --runs",
        )
    folder = runs / name
    if folder.exists() and not force:
        raise InputError(
            f"run {name} exists already in {runs}",
            hint="choose another --name, go on with --resume, or start it anew with --force",
        )
    if folder.exists() and not _begun(folder):
        raise InputError(f"{folder} exists and is no run, so it is not replaced", hint="choose another --name")


def _begun(folder: Path) -> bool:
    """Whether a folder is a run's, be it one that was killed right at its start."""
    if any((folder / name).is_file() for name in (CONFIG, RUN)):
        return True
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {LOCK}


def clear(folder: Path) -> None:
    """Removes what an earlier run left in a folder this process holds."""
    for path in folder.iterdir():
        if path.name != LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def finished(name: str, runs: Path) -> Run:
    """As `find`, but an InputError says why a run that is not done can't be used."""
    run = find(name, runs)
    if run.state != DONE:
        go_on = f"go on with: leaflet-tool train --resume --name {run.name}"
        hint = {INTERRUPTED: go_on, FAILED: f"it ended with: {run.facts.get('error')}"}.get(run.state, "")
        raise InputError(f"run {run.name} is not done: {run.state}", hint=hint)
    return run


def names(runs: Path) -> list[str]:
    """Names of the runs in a folder, none where there is no such folder yet."""
    if runs.exists() and not runs.is_dir():
        raise InputError(f"{runs} is a file, not a folder of runs", hint="choose the folder with --runs")
    return sorted(path.parent.name for path in runs.glob(f"*/{RUN}"))


def listed(runs: Path) -> list[Run]:
    """Every run in a folder, in the order they were started."""
    found = [_listed(runs / name) for name in names(runs)]
    return sorted(found, key=lambda run: str(run.facts.get("started", "")))


def _listed(folder: Path) -> Run:
    try:
        facts = read_json(folder / RUN)
    except InputError as error:
        logger.warning("%s", error.message)
        facts = None
    return Run(folder, facts if isinstance(facts, dict) and "state" in facts else {"state": BROKEN})


def in_use(folder: Path) -> bool:
    """Whether a process holds the folder (see storage.locked)."""
    path = folder / LOCK
    if not path.is_file():
        return False
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def versions() -> dict[str, str]:
    """Versions of everything that bears on a figure."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def _headline(figures: Mapping[str, Any]) -> dict[str, float]:
    """The one of HEADLINES that a run has; a KeyError where it has none."""
    name = HEADLINES[0] if HEADLINES[1] not in figures else HEADLINES[1]
    return {name: figures[name]["value"]}


def summary(run: Run) -> Mapping[str, Any]:
    """What `leaflet-tool runs` says of one run; a finished one that has no figures is broken."""
    state, headline, facts = run.state, {}, run.facts
    if state == DONE:
        try:
            headline = _headline(run.metrics()["page"]["figures"])
        except (InputError, KeyError, TypeError) as error:
            logger.warning("run %s is broken: %s", run.name, error)
            state = BROKEN
    return {
        "name": run.name,
        "definition": facts.get("definition", {}).get("name"),
        "data": facts.get("data", {}).get("folder"),
        "label": facts.get("label", {}).get("name"),
        "folds": facts.get("folds"),
        "state": state,
        **{name: headline.get(name) for name in HEADLINES},
        "started": facts.get("started"),
        "seconds": facts.get("seconds"),
    }
