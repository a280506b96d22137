"""What a search would trip over, known before any trial is paid for and reported together."""

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.models import definitions, engine
from leaflet_tool.models.definitions import nearest
from leaflet_tool.models.search_space import LISTS, LOSS, SearchSpace, assignments

SAME_IN_ALL = ("trainer.epochs", "trainer.train_steps", "preprocessing", "backend")
"""Paths that no search varies: trials with other epochs, or judged on other rows, can't be compared."""
ONE_AN_EPOCH = ("checkpoints_per_epoch", "steps_per_checkpoint")
"""Trainer keys that must be left alone: early stopping counts one evaluation an epoch."""


def problems(space: SearchSpace, config: dict[str, Any]) -> list[str]:
    """What is wrong with a filled space over a filled definition, which Ludwig accepts as it stands."""
    full = engine.validated(config)
    found = [*_metric_problems(space, config["output_features"][0]["type"]), *_trainer_problems(full["trainer"])]
    for path, domain in space.parameters.items():
        wrong_path = _path_problem(path, config, full, space.metric)
        found += [wrong_path] if wrong_path else [f"{path}: {problem}" for problem in _domain_problems(domain)]
    return found or _value_problems(space, config)


def _metric_problems(space: SearchSpace, output_type: str) -> Iterator[str]:
    from ludwig.modules.metric_modules import LossMetric
    from ludwig.modules.metric_registry import get_metric_classes, get_metric_objective

    classes: dict[str, Any] = get_metric_classes(output_type)
    metrics = [LOSS, *sorted(name for name, kind in classes.items() if not issubclass(kind, LossMetric))]
    if space.metric not in metrics:
        yield f"metric: Ludwig reports no {space.metric!r} here; {nearest(str(space.metric), metrics, 'it reports')}"
    elif get_metric_objective(space.metric) != space.goal:
        yield f"goal: {space.metric} is to {get_metric_objective(space.metric)}, not to {space.goal}"


def _trainer_problems(trainer: Mapping[str, Any]) -> Iterator[str]:
    for key in ONE_AN_EPOCH:
        if trainer[key]:
            yield f"trainer.{key}: must be 0 in a search, where early stopping counts one evaluation an epoch"


def _path_problem(path: str, config: Any, full: Any, metric: str) -> str:
    """Why a search can't vary `path`, a path as in `--set`; empty when it can."""
    keys = path.split(".")
    if any(path == fixed or path.startswith(f"{fixed}.") for fixed in SAME_IN_ALL):
        return f"{path}: must be the same in all trials, or they can't be compared"
    if metric == LOSS and keys[0] == "output_features" and LOSS in keys:
        return f"{path}: losses of different kinds can't be compared; judge by another metric"
    for depth, key in enumerate(keys, start=1):
        known, written = _choices(full), _choices(config)
        if key not in known:
            return f"{path}: the definition has no {'.'.join(keys[:depth])}; {nearest(key, known, 'there are')}"
        if key not in written and depth < len(keys):
            return f"{path}: the definition does not spell out {'.'.join(keys[:depth])}; vary that section as a whole"
        full, config = known[key], written.get(key)
    return ""


def _choices(place: Any) -> Mapping[str, Any]:
    """The keys below a place in a definition; features go by name, a value has none."""
    if isinstance(place, list):
        return {feature["name"]: feature for feature in place if isinstance(feature, dict)}
    return place if isinstance(place, dict) else {}


def _domain_problems(domain: Mapping[str, Any]) -> list[str]:
    """What Ray Tune would refuse, or take in silence, in `{space: uniform, lower: 0, upper: 1}`."""
    from ludwig.schema.hyperopt.utils import parameter_config_registry as spaces
    from ray import tune

    name, given = str(domain["space"]), {key: value for key, value in domain.items() if key != "space"}
    if name not in spaces:
        return [f"there is no space {name!r}; {nearest(name, spaces, 'there are')}"]
    draw = getattr(tune, name)
    expected = inspect.signature(draw).parameters
    found = [f"{name} has no {key}; {nearest(key, expected, 'it has')}" for key in given if key not in expected]
    found += [
        f"{name} needs {key}"
        for key in expected
        if expected[key].default is inspect.Parameter.empty and key not in given
    ]
    found += [problem for key, value in given.items() if key in expected for problem in _kind_problems(key, value)]
    return found or _range_problems(draw, given)


def _kind_problems(key: str, value: Any) -> Iterator[str]:
    if key in LISTS:
        if not isinstance(value, list) or not value:
            yield f"{key} must be a list with something in it, not {value!r}"
    elif isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{key} must be a number, not {value!r}; YAML reads 1e-3 as text, write 1.0e-3"


def _range_problems(draw: Any, given: Mapping[str, Any]) -> list[str]:
    if "lower" in given and not given["lower"] < given["upper"]:
        return [f"lower {given['lower']} must be less than upper {given['upper']}"]
    try:
        draw(**given)
    except ValueError as error:
        return [str(error)]
    return []


def _value_problems(space: SearchSpace, config: dict[str, Any]) -> list[str]:
    """Listed values that Ludwig refuses, and those it would not take as `--set` does; one of each parameter at a time.

    Numbers are left to the trials: Ludwig's checks let any of them pass.
    """
    from ludwig.hyperopt.utils import substitute_parameters

    samples = {path: _samples(domain) for path, domain in space.parameters.items()}
    found = []
    for turn in range(max(map(len, samples.values()))):
        values: Any = {path: some[min(turn, len(some) - 1)] for path, some in samples.items()}
        shown, trial = ", ".join(assignments(values)), definitions.override(config, assignments(values))
        if trial != substitute_parameters(copy.deepcopy(config), values):  # type: ignore[arg-type]
            found.append(f"{shown}: Ludwig would add this to what is there, --set replaces it; vary single keys")
        elif not all(isinstance(value, int | float) for value in values.values()):
            found += _refusal(trial, shown)
    return found


def _samples(domain: Mapping[str, Any]) -> list[Any]:
    """Every value of a list, any one of a range."""
    return next((domain[key] for key in LISTS if key in domain), [1])


def _refusal(trial: dict[str, Any], shown: str) -> list[str]:
    try:
        engine.validated(trial)
    except InputError as error:
        return [f"{shown}: {error.message}"]
    return []
