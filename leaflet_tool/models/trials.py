"""The trials of a search as tables: what each was given, what became of it, and which was best."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from leaflet_tool.errors import TrainingError
from leaflet_tool.models.search_space import MAXIMIZE

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"
STATISTICS = ("training_stats", "eval_stats")


@dataclass(frozen=True)
class Trial:
    """One trial: `stopped` ones ended early, by comparison with others or because the time was up."""

    number: int
    status: str
    parameters: dict[str, Any]
    metric: float | None
    """The best value on validation so far; None before the first epoch and where it is no finite number."""
    epochs: int
    seconds: float
    """Time it trained, without its process's start."""
    error: str = ""
    training_stats: dict[str, Any] = field(default_factory=dict)
    """Ludwig's figures per split, output, metric and epoch."""
    eval_stats: dict[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether it can be compared with others."""
        return self.metric is not None and self.status != FAILED

    @property
    def facts(self) -> dict[str, Any]:
        """Everything but the curves."""
        return {name: value for name, value in asdict(self).items() if name not in STATISTICS}


def ranked(trials: Sequence[Trial], goal: str) -> list[Trial]:
    """Best first; those without a figure come last, in the order they were started."""
    judged = [trial for trial in trials if trial.judged]
    others = [trial for trial in trials if trial not in judged]
    return [*sorted(judged, key=lambda trial: trial.metric or 0.0, reverse=goal == MAXIMIZE), *others]


def best(trials: Sequence[Trial], goal: str) -> Trial:
    """The winner; a TrainingError says why there is none."""
    first = next(iter(ranked(trials, goal)), None)
    if first and first.judged:
        return first
    errors = [trial.error for trial in trials if trial.error]
    if errors:
        raise TrainingError(f"all {len(trials)} trials failed, the first with: {errors[0]}", hint="vary other values")
    raise TrainingError("no trial came to the end of its first epoch in time", hint="allow more with --minutes")


def table(trials: Sequence[Mapping[str, Any]], metric: str) -> pd.DataFrame:
    """A row a trial, given by its facts: a column each for the metric, under its name, and for every parameter."""
    rows = [
        {"trial": trial["number"], "status": trial["status"], metric: trial["metric"], "epochs": trial["epochs"]}
        | {"seconds": trial["seconds"], **trial["parameters"], "error": trial["error"]}
        for trial in trials
    ]
    return pd.DataFrame(rows)


def statistics(trials: Sequence[Trial], section: Mapping[str, Any]) -> dict[str, Any]:
    """What `ludwig visualize --visualization hyperopt_report` reads: the trials that have a figure.

    Ludwig draws a logarithmic axis where a parameter's `scale` says so, and never writes it there itself; it can't
    draw values that are lists or have keys, so these become text.
    """
    parameters = {
        path: {**domain, "scale": "log"} if "log" in domain["space"] else domain
        for path, domain in section["parameters"].items()
    }
    results = [
        {
            "parameters": {path: _plain(value) for path, value in trial.parameters.items()},
            "metric_score": trial.metric,
            "training_stats": trial.training_stats,
            "eval_stats": trial.eval_stats,
        }
        for trial in ranked(trials, section["goal"])
        if trial.judged
    ]
    return {"hyperopt_config": {**section, "parameters": parameters}, "hyperopt_results": results}


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
