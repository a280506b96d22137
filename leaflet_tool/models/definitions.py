"""Model definitions: plain YAML that Ludwig accepts once its slots are filled. Found, read, filled, overridden."""

import copy
import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import CAPTION, IMAGE, SPLIT, TEXT, Label
from leaflet_tool.resources import parsed, shipped

SLOT = re.compile(r"\$\{(\w+)\}")
FEATURE_LISTS = ("input_features", "output_features")
NEEDS = "Needs:"
BY_FLAG = {"backend": "choose where a model is trained with train --backend"}
"""Sections that a flag fills in, whatever the definition says, and the hint for who sets them with --set."""


@dataclass(frozen=True)
class Definition:
    """One YAML file: what it says of itself in its first comment lines, and what it declares."""

    name: str
    path: Path
    description: str
    needs: str
    """What Ludwig alone does not bring, in the file's own words; empty when `ludwig train` can run it."""
    content: dict[str, Any]


def names() -> list[str]:
    """Names of the shipped definitions."""
    return sorted(path.stem for path in shipped("ludwig_configs").glob("*.yaml"))


def find(name: str) -> Definition:
    """The shipped definition of that name, or the YAML file at that path."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = shipped("ludwig_configs") / f"{name}.yaml"
        if not path.is_file():
            raise InputError(f"there is no definition called {name!r}", hint=nearest(name, names(), "definitions"))
    return read(path)


def read(path: Path) -> Definition:
    """Parses one file; an InputError names the file and, for YAML, the line."""
    text, content = parsed(path, "definition")
    if not isinstance(content, dict) or not all(isinstance(content.get(part), list) for part in FEATURE_LISTS):
        raise InputError(
            f"{path} is no model definition: it must have lists input_features and output_features",
            hint="see one with: leaflet-tool configs show text",
        )
    comments = first_comments(text)
    return Definition(path.stem, path, comments[0] if comments else "", _needs(comments[1:]), content)


def _needs(comments: Sequence[str]) -> str:
    """What follows "Needs:" in the comment, to its end."""
    start = next((number for number, line in enumerate(comments) if line.startswith(NEEDS)), len(comments))
    return " ".join(line.strip() for line in comments[start:]).removeprefix(NEEDS).strip()


def first_comments(text: str) -> list[str]:
    """The comment lines a YAML file opens with, without their marks."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return lines


def slots(label: Label) -> dict[str, str]:
    """The manifest columns that definitions may name; what training rows say is in label_counts."""
    return {"label": label.name, "split": SPLIT, IMAGE: IMAGE, TEXT: TEXT, CAPTION: CAPTION}


def fill(content: Any, values: Mapping[str, Any], *, where: str = "", refused: list[InputError] | None = None) -> Any:
    """A copy in which every scalar `${slot}` is its value.

    An InputError names unknown and embedded slots; given a list `refused`, the errors go there and such slots stay.
    """
    found: list[InputError] = []
    return _or_error(_filled(content, values, where, found), found, refused)


def _filled(content: Any, values: Mapping[str, Any], where: str, found: list[InputError]) -> Any:
    if isinstance(content, dict):
        return {key: _filled(value, values, _join(where, str(key)), found) for key, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, values, _join(where, str(number)), found) for number, value in enumerate(content)]
    if not isinstance(content, str) or not SLOT.search(content):
        return content
    slot = SLOT.fullmatch(content)
    if slot is not None and slot[1] in values:
        return values[slot[1]]
    if slot is None:
        hint = "write the slot alone, or the text without it"
        found.append(InputError(f"{where}: a slot must be the whole value, not part of {content!r}", hint=hint))
    else:
        found.append(InputError(f"{where}: there is no slot {content}", hint=nearest(slot[1], values, "slots")))
    return content


def override(
    content: dict[str, Any],
    assignments: Sequence[str],
    *,
    values: Mapping[str, Any] | None = None,
    refused: list[InputError] | None = None,
) -> dict[str, Any]:
    """A copy with each `path=value` set: features are addressed by name, values are JSON or else text.

    Given `values`, slots in paths and values are filled with them. An InputError names every path that is not there;
    given a list `refused`, the errors go there.
    """
    result, found = copy.deepcopy(content), []
    for assignment in assignments:
        try:
            path, value = _parted(assignment)
            keys = path.split(".")
            if keys[0] in BY_FLAG:
                raise InputError(f"--set {assignment}: {keys[0]} is no part of the definition", hint=BY_FLAG[keys[0]])
            if values is None:
                _assign(result, keys, value, assignment)
            else:
                _assign(result, fill(keys, values), fill(value, values, where=path), assignment)
        except InputError as error:
            found.append(error)
    return _or_error(result, found, refused)


def has(content: Mapping[str, Any], path: str) -> bool:
    """Whether a definition, filled or not, has the place of a `--set`."""
    place: Any = content
    for key in path.split(".")[:-1]:
        place = (named(place) if isinstance(place, list) else place).get(key)
        if not isinstance(place, dict | list):
            return False
    return isinstance(place, dict)


def assigned(assignments: Iterable[str]) -> dict[str, Any]:
    """Each `path=value` by its path; an InputError for what is none."""
    return dict(map(_parted, assignments))


def _parted(assignment: str) -> tuple[str, Any]:
    """The path and the value, JSON or else text, of one assignment."""
    path, equals, value = assignment.partition("=")
    if not equals:
        hint = "give the key, = and its value"
        raise InputError(f"--set {assignment}: must be path=value, as in trainer.epochs=10", hint=hint)
    return path.strip(), _value(value)


def _or_error[Content](result: Content, found: list[InputError], refused: list[InputError] | None) -> Content:
    """`result`, unless there are errors which nobody collects."""
    if refused is not None:
        refused += found
    elif len(found) == 1:
        raise found[0]
    elif found:
        hint = "mend these and run the command again"
        raise InputError.listing("the definition cannot be filled in", list(map(in_a_line, found)), hint=hint)
    return result


def in_a_line(error: InputError) -> str:
    """An error as one of several: its hint behind it."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _assign(content: dict[str, Any], keys: Sequence[str], value: Any, assignment: str) -> None:
    place: Any = content
    for depth, key in enumerate(keys[:-1]):
        place = _step(place, key, ".".join(keys[: depth + 1]), assignment)
    if not isinstance(place, dict):
        _step(place, keys[-1], ".".join(keys), assignment)
        raise InputError(f"--set {assignment}: {'.'.join(keys)} is a whole feature", hint="set one of its keys")
    place[keys[-1]] = value


def _step(place: Any, key: str, path: str, assignment: str) -> Any:
    choices = named(place) if isinstance(place, list) else place
    if not isinstance(choices, dict):
        above = path.rpartition(".")[0]
        raise InputError(f"--set {assignment}: {above} is a value, it has no keys", hint=f"set {above} itself")
    if key not in choices:
        raise InputError(
            f"--set {assignment}: the definition has no {path}",
            hint=nearest(key, choices, "there are") + "; to add a section, give it whole as JSON",
        )
    return choices[key]


def named(items: Sequence[Any]) -> dict[str, Any]:
    """The features of a list by name, as far as they have one; lists of other things have none."""
    return {str(item["name"]): item for item in items if isinstance(item, dict) and "name" in item}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def nearest(word: str, choices: Iterable[str], called: str) -> str:
    """A hint: the likeliest of `choices` when one is close, else all of them."""
    choices = [str(choice) for choice in choices]
    close = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean {close[0]}?" if close else f"{called}: {', '.join(choices) or 'none'}"


def dump(content: Mapping[str, Any], comment: str = "") -> str:
    """YAML in the order of the definition, under its comment."""
    header = "".join(f"# {line}\n" for line in comment.splitlines())
    return header + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)
