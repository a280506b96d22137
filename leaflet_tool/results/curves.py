"""Learning curves as Ludwig wrote them down while it trained."""

from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label
from leaflet_tool.models.ludwig_figures import TRAINING_STATISTICS
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import read_json

LOSS, ACCURACY = "loss", "accuracy"
LUDWIG_NAMES = {LOSS: "loss", ACCURACY: "accuracy_micro"}
"""What Ludwig calls `accuracy` is balanced accuracy; of several labels a row it has no accuracy at all."""
EVERY_EPOCH = {"frequency": 1, "period": "epoch"}

type Curves = dict[str, dict[str, list[float]]]
"""Metric -> `training` and `validation` -> its value after each epoch."""


def of_run(run: Run) -> dict[str, Curves]:
    """The curves of each model of the run, by the run's name or by its folds'; an InputError when there are none."""
    names = [f"fold {fold}" for fold in range(run.folds)] or [run.name]
    return {name: read(folder, run.label) for name, folder in zip(names, run.models(), strict=True)}


def read(folder: Path, label: Label) -> Curves:
    """The curves of the model trained in a folder."""
    path = folder / TRAINING_STATISTICS
    statistics = read_json(path)
    frequency = statistics.get("evaluation_frequency", EVERY_EPOCH)
    if frequency != EVERY_EPOCH:
        raise InputError(f"{path}: judged every {frequency['frequency']} {frequency['period']}s, not every epoch")
    told = [LOSS] if label.multiple else [LOSS, ACCURACY]
    return {metric: _curves(statistics, label.name, LUDWIG_NAMES[metric], path) for metric in told}


def _curves(statistics: dict[str, Any], label: str, name: str, path: Path) -> dict[str, list[float]]:
    try:
        return {split: statistics[split][label][name] for split in ("training", "validation")}
    except KeyError as error:
        raise InputError(f"{path} has no {name} for {label}: {error} is missing") from None


def epochs(curves: Curves) -> int:
    """How many epochs were trained."""
    return max(len(values) for values in curves[LOSS].values())
