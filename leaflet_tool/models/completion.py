"""A definition as Ludwig completes it: what it refuses, what it would drop in silence, and the defaults it adds."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leaflet_tool.models import engine
from leaflet_tool.models.definitions import FEATURE_LISTS, nearest

OWN_SECTIONS = ("backend", "ludwig_version")
"""What Ludwig reads outside its model schema."""
SECTIONS = ("combiner", "preprocessing", "trainer")
FEATURE_SECTIONS = ("encoder", "decoder", "preprocessing", "loss")
TYPE = "type"


@dataclass(frozen=True)
class Completed:
    """A definition without what Ludwig refuses, and with its defaults; `whole` says whether it took the rest at all."""

    full: dict[str, Any]
    whole: bool
    problems: list[str]


def completed(config: Mapping[str, Any]) -> Completed:
    """Has Ludwig complete the definition: every refused value is left out in turn, so that none hides the others."""
    given: Any = copy.deepcopy(dict(config))
    problems = [*_without_search(given), *_without_shapeless(given)]
    if problems and not all(given[part] for part in FEATURE_LISTS):
        return Completed(given, False, problems)
    known: dict[str, Any] | None = None
    full = given
    while known is None:
        try:
            known = full = engine.validated({**given, "trainer": _known_trainer(given)})
        except engine.RefusedError as refusal:
            problems.append(refusal.message)
            if not _left_out(given, refusal.place):
                known = _outline(given)
                full = _over(known, given)
    if known:
        own = {section: config[section] for section in OWN_SECTIONS if section in config}
        problems += _unknown(given, {**known, **own}, "")
    return Completed(full, bool(known), problems)


def _without_search(config: dict[str, Any]) -> Iterator[str]:
    if "hyperopt" in config:
        del config["hyperopt"]
        yield "hyperopt: a search space belongs into a file of its own, see ludwig_configs/search/"


def _without_shapeless(config: dict[str, Any]) -> Iterator[str]:
    """Takes features without name and type, and sections without keys, out of `config`: Ludwig stumbles over them."""
    for part in FEATURE_LISTS:
        features, config[part] = config[part], []
        for number, feature in enumerate(features):
            if isinstance(feature, dict) and {"name", TYPE} <= feature.keys():
                config[part].append(feature)
                yield from _without_values(feature, FEATURE_SECTIONS, f"{part}.{feature['name']}.")
            else:
                yield f"{part}.{number}: must have a name and a type, but is {feature!r}"
    yield from _without_values(config, SECTIONS, "")


def _without_values(place: dict[str, Any], sections: tuple[str, ...], where: str) -> Iterator[str]:
    for key in sections:
        if key in place and not isinstance(place[key], dict):
            value = place.pop(key)
            yield f"{where}{key}: must have keys of its own, such as type, but is {value!r}"


def _known_trainer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The trainer section without the keys Ludwig refuses, so that they are reported with all the others."""
    known = engine.trainer_keys()
    return {key: value for key, value in config.get("trainer", {}).items() if key in known}


def _left_out(config: Any, place: tuple[str | int, ...]) -> bool:
    """Whether what lies at `place` could be taken out of `config`; with a type goes all that it gives a meaning to."""
    steps = place[:-1] if place[-1:] == (TYPE,) else place
    if not steps or (steps[0] in FEATURE_LISTS and len(steps) < 2):
        return False
    try:
        for step in steps[:-1]:
            config = config[step]
        if isinstance(config, list) and len(config) == 1:
            return False
        del config[steps[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _outline(config: Mapping[str, Any]) -> dict[str, Any]:
    """Ludwig's defaults for the types that the definition names; nothing where Ludwig refuses even these."""
    outline = {part: [_types(feature) for feature in config[part]] for part in FEATURE_LISTS}
    sections = {**config, "trainer": _known_trainer(config)}
    try:
        return engine.validated({**outline, **{key: _types(sections[key]) for key in SECTIONS if key in sections}})
    except engine.RefusedError:
        return {}


def _types(section: Mapping[str, Any]) -> dict[str, Any]:
    """What gives the other keys of a section, and of those in it, their meaning."""
    own = {key: section[key] for key in ("name", TYPE, "column") if key in section}
    return own | {key: _types(value) for key, value in section.items() if isinstance(value, dict) and value}


def _over(full: Any, given: Any) -> Any:
    """`full` with the values of `given` in their places."""
    if isinstance(full, dict) and isinstance(given, dict):
        return full | {key: _over(full.get(key), value) for key, value in given.items()}
    if isinstance(full, list) and isinstance(given, list) and len(full) == len(given):
        return [_over(complete, value) for complete, value in zip(full, given, strict=True)]
    return given


def _unknown(given: Any, full: Any, where: str) -> Iterator[str]:
    """Keys the user wrote that are absent from Ludwig's complete configuration: it drops them without a word."""
    if isinstance(given, dict) and isinstance(full, dict):
        for key, value in given.items():
            path = f"{where}.{key}" if where else str(key)
            if key not in full:
                yield f"{path}: Ludwig knows no such key; {nearest(str(key), full, 'it knows')}"
            else:
                yield from _unknown(value, full[key], path)
    elif isinstance(given, list) and isinstance(full, list):
        for number, (value, complete) in enumerate(zip(given, full, strict=False)):
            name = value.get("name", number) if isinstance(value, dict) else number
            yield from _unknown(value, complete, f"{where}.{name}")
