"""The door to Ray Tune: what becomes of every trial of a search.

Imports Ludwig and Ray at the top, because Ray's workers find their callbacks here: import it where it is needed.
"""

import json
import logging
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ludwig.hyperopt.run import hyperopt
from ray import tune

from leaflet_tool.cluster import cluster
from leaflet_tool.errors import TrainingError
from leaflet_tool.models import engine
from leaflet_tool.models.extensions.coherence import Hierarchy
from leaflet_tool.models.runs import ROWS
from leaflet_tool.models.search_space import LISTS
from leaflet_tool.models.trials import DONE, FAILED, RUNNING, STOPPED, Trial

logger = logging.getLogger(__name__)

ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    # Relative paths in a definition must mean the same in a trial.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Tune's own handler swallows Ctrl-C and stays in place when the search is over.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
NOTHING_SAVED: Any = {
    "skip_save_model": True,
    "skip_save_progress": True,
    "skip_save_log": True,
    "skip_save_training_description": True,
    "skip_save_training_statistics": True,
    "skip_save_predictions": True,
    "skip_save_eval_stats": True,
    "skip_save_unprocessed_output": True,
    "skip_save_hyperopt_statistics": True,
}
"""Ludwig never reads a trial's model again: the winner is trained anew, and the figures are kept by us."""
TUNE = {
    # One failed trial is no failed search, and what failed once fails again.
    "raise_on_failed_trial": False,
    "max_failures": 0,
    # A process takes 15 s to import Ludwig, so it serves one trial after another.
    "reuse_actors": True,
}


class WithExtensions(Hierarchy):
    """Takes our extensions into each trial: a worker that unpickles it imports this module, and so them."""


def run(
    config: dict[str, Any],
    folder: Path,
    *,
    seed: int,
    planned: int,
    concurrent: int,
    address: str | None,
    changed: Callable[[list[Trial]], object],
) -> list[Trial]:
    """Searches as the definition's `hyperopt` section says, or goes on with the search in `folder`.

    `changed` gets all trials whenever one has ended. A TrainingError says why the search as a whole broke off.
    """
    watch = Watch(config["hyperopt"], planned, changed)
    os.environ.update(ENVIRONMENT)
    logging.getLogger("ludwig").setLevel(logging.CRITICAL)  # a trial's trace is in its folder
    with cluster(address, concurrent), _telling_tune(**TUNE):
        try:
            hyperopt(
                config,
                dataset=str(folder / ROWS),
                backend="local",
                experiment_name=folder.name,
                output_directory=str(folder.parent),
                resume=any(folder.glob("experiment_state-*.json")),
                random_seed=seed,
                callbacks=[WithExtensions()],
                tune_callbacks=[watch],
                hyperopt_log_verbosity=0,
                **NOTHING_SAVED,
            )
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError, OSError) as error:
            raise TrainingError(f"the search broke off: {error}", hint=engine.TRACE_HINT) from error
    return watch.trials


@contextmanager
def _telling_tune(**settings: Any) -> Iterator[None]:
    """Has Tune run with these settings, which Ludwig leaves out or fixes otherwise."""
    run = tune.run
    tune.run = lambda *arguments, **given: run(*arguments, **{**given, **settings})
    try:
        yield
    finally:
        tune.run = run


class Watch(tune.Callback):
    """Keeps the trials in our words, gives them to `changed` and says what happens to each."""

    def __init__(self, section: Mapping[str, Any], planned: int, changed: Callable[[list[Trial]], object]) -> None:
        self.section = section
        self.planned = planned
        self.changed = changed
        self.begun: set[str] = set()
        self.ended: set[str] = set()
        self.found: dict[str, Trial] = {}

    @property
    def trials(self) -> list[Trial]:
        """Every trial begun so far, in the order they were drawn."""
        return list(self.found.values())

    def on_trial_start(self, iteration: int, trials: Sequence[Any], trial: Any, **_: Any) -> None:
        self.begun.add(trial.trial_id)
        self._look(trials)
        begun = self.found[trial.trial_id]
        logger.info("trial %d of %d: %s", begun.number, self.planned, shown(begun.parameters))

    def on_trial_complete(self, iteration: int, trials: Sequence[Any], trial: Any, **_: Any) -> None:
        self._end(trials, trial)

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **_: Any) -> None:
        self._end(trials, trial)

    def on_experiment_end(self, trials: Sequence[Any], **_: Any) -> None:
        self._look(trials)

    def _end(self, trials: Sequence[Any], trial: Any) -> None:
        self.begun.add(trial.trial_id)
        self.ended.add(trial.trial_id)
        self._look(trials)
        ended = self.found[trial.trial_id]
        figure = f"{self.section['metric']} {ended.metric:.4f} after {ended.epochs} epochs" if ended.judged else ""
        logger.info("trial %d of %d %s: %s", ended.number, self.planned, ended.status, ended.error or figure)

    def _look(self, trials: Sequence[Any]) -> None:
        """Tune draws trials ahead, so those that never began are left out; their ids count up."""
        drawn = enumerate(sorted(trials, key=lambda trial: trial.trial_id), start=1)
        self.found = {each.trial_id: self._trial(number, each) for number, each in drawn if self._began(each)}
        self.changed(self.trials)

    def _began(self, trial: Any) -> bool:
        """Here, or before the search was resumed."""
        return trial.trial_id in self.begun or trial.run_metadata.start_time is not None

    def _trial(self, number: int, trial: Any) -> Trial:
        result = trial.last_result or {}
        metric = result.get("metric_score")
        epochs = int(result["training_iteration"]) if metric is not None else 0
        error = _error(trial) if trial.status == trial.ERROR else ""
        if metric is not None and not math.isfinite(metric):
            metric, error = None, error or f"{self.section['metric']} is {metric}: training diverged"
        status = RUNNING
        if trial.trial_id in self.ended or trial.is_finished():
            most = self.section["executor"]["scheduler"]["max_t"]
            status = FAILED if error else DONE if epochs >= most else STOPPED
        return Trial(
            number=number,
            status=status,
            parameters=_parameters(trial.config, self.section["parameters"]),
            metric=metric,
            epochs=epochs,
            seconds=round(float(result.get("time_total_s", 0.0)), 1),
            error=error,
            training_stats=json.loads(result.get("training_stats", "{}")),
            eval_stats=json.loads(result.get("eval_stats", "{}")),
        )


def _parameters(drawn: Mapping[str, Any], domains: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of a trial, which Ludwig writes as JSON where a list of them starts with no number."""
    values = {}
    for path, value in drawn.items():
        listed = next((domains[path][key] for key in LISTS if key in domains[path]), [0])
        plain = value.item() if hasattr(value, "item") else value
        values[path] = plain if isinstance(listed[0], int | float) else json.loads(plain)
    return values


def _error(trial: Any) -> str:
    """What went wrong in a trial, in a line: Tune writes it beside the driver, and later into the search's folder."""
    here = Path(trial.error_file or "")
    text = here.read_text(encoding="utf-8") if here.is_file() else trial.get_error() or ""
    lines = re.findall(r"Experiment failed: (.+)", text) or text.splitlines()[1:2] or ["no reason given"]
    return str(lines[-1])


def shown(parameters: Mapping[str, Any]) -> str:
    """Parameters in a line, under the last part of their paths."""
    values = {path.rpartition(".")[2]: value for path, value in parameters.items()}
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
    )
