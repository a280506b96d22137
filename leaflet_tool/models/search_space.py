"""Search spaces: which keys of a definition a search varies, and over what. YAML beside the definitions."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.models import definitions
from leaflet_tool.models.definitions import Definition, nearest
from leaflet_tool.resources import parsed, shipped
from leaflet_tool.settings import HYPEROPT

FOLDER = "search"
MINIMIZE, MAXIMIZE = "minimize", "maximize"
LOSS = "loss"
KEYS = ("goal", "metric", "parameters")
LISTS = ("categories", "values")
"""Where a domain keeps its values when it is no range."""


@dataclass(frozen=True)
class SearchSpace:
    """What a search varies, by path as in `--set`, and the validation metric by which it judges."""

    goal: str
    metric: str
    parameters: dict[str, dict[str, Any]]
    description: str = ""


def find(name: str | None, definition: Definition) -> SearchSpace:
    """The space in a file, of that name, or by default of the definition's; `search/` is beside the definition."""
    if name and Path(name).suffix in (".yaml", ".yml"):
        return read(Path(name))
    folders = (definition.path.parent / FOLDER, shipped("ludwig_configs") / FOLDER)
    for folder in folders:
        if (folder / f"{name or definition.name}.yaml").is_file():
            return read(folder / f"{name or definition.name}.yaml")
    names = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    raise InputError(
        f"there is no search space called {name or definition.name!r}",
        hint=nearest(name or definition.name, names, "spaces") + "; or name a YAML file with --space",
    )


def read(path: Path) -> SearchSpace:
    """Parses one file; an InputError names the file and everything that is amiss in its outline."""
    text, content = parsed(path, "space")
    problems = list(_outline_problems(content))
    if problems:
        hint = "the shipped spaces show how it is written: ludwig_configs/search/"
        raise InputError.listing(f"{path} is no search space", problems, hint=hint)
    comments = definitions.first_comments(text)
    goal, metric = content.get("goal", MINIMIZE), content.get("metric", LOSS)
    return SearchSpace(goal, metric, content["parameters"], comments[0] if comments else "")


def _outline_problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield "it must have the key parameters"
        return
    for key in content:
        if key not in KEYS:
            yield f"there is no key {key!r}; {nearest(str(key), KEYS, 'there are')}"
    if content.get("goal", MINIMIZE) not in (MINIMIZE, MAXIMIZE):
        yield f"goal: must be {MINIMIZE} or {MAXIMIZE}, not {content['goal']!r}"
    parameters = content.get("parameters")
    if not isinstance(parameters, dict) or not parameters:
        yield "parameters: must name at least one, as in trainer.learning_rate: {space: uniform, lower: 0.1, upper: 1}"
        return
    for path, domain in parameters.items():
        if not isinstance(domain, dict) or "space" not in domain:
            yield f"parameters.{path}: must say what it is drawn from, as in {{space: uniform, lower: 0.1, upper: 1}}"


def filled(space: SearchSpace, slots: Mapping[str, str]) -> SearchSpace:
    """The space with each `${slot}` replaced, in its paths as in its values."""
    parameters = {
        ".".join(definitions.fill(path.split("."), slots, where=path)): definitions.fill(domain, slots, where=path)
        for path, domain in space.parameters.items()
    }
    return replace(space, parameters=parameters)


def dump(space: SearchSpace) -> str:
    """The space as a file of its own."""
    content = asdict(space)
    return definitions.dump({key: content[key] for key in KEYS}, space.description)


def count(space: SearchSpace, samples: int) -> int:
    """Trials at most: a grid is searched whole with every sample of the rest."""
    grids = [domain["values"] for domain in space.parameters.values() if domain["space"] == "grid_search"]
    return samples * math.prod(len(values) for values in grids)


def assignments(values: Mapping[str, Any]) -> list[str]:
    """Values by path as `--set` takes them."""
    return [f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in values.items()]


def section(
    space: SearchSpace, output: str, *, epochs: int, samples: int, seconds: int, concurrent: int | None
) -> dict[str, Any]:
    """Ludwig's `hyperopt` section: random search on the validation split, bad trials stopped by ASHA.

    Ludwig disables the definition's `early_stop` in trials. Without `concurrent` the cluster's size is the limit.
    """
    return {
        "goal": space.goal,
        "metric": space.metric,
        "output_feature": output,
        "split": "validation",
        "parameters": space.parameters,
        "search_alg": {"type": "variant_generator"},
        "executor": {
            "type": "ray",
            "num_samples": samples,
            "time_budget_s": seconds,
            "max_concurrent_trials": concurrent,
            "cpu_resources_per_trial": 1,
            # None is reserved: Ray would ask for a package that is not there, and without it a trial sees every GPU.
            "gpu_resources_per_trial": 0,
            "scheduler": {
                "type": "async_hyperband",
                "time_attr": "training_iteration",
                "max_t": epochs,
                "grace_period": min(HYPEROPT.grace_period, epochs),
                "reduction_factor": HYPEROPT.reduction_factor,
            },
        },
    }
