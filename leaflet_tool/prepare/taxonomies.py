"""A hierarchy of labels as people write it down: `label: parent`, in a definition or in a YAML file of its own."""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import LABEL_DELIMITER
from leaflet_tool.resources import YAML_HINT
from leaflet_tool.taxonomy import Taxonomy

type Stated = str | dict[str, tuple[str, ...]]
"""A file's name, empty for no hierarchy, or each label's parents."""
FORM = "a taxonomy is a mapping of each label to its parent, to a list of parents, or to null at the top"


def parents_of(value: Any) -> Stated:
    """A file's name as it is, or each label's parents; a ValueError lists what cannot be one."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"{FORM}, or the name of a file that holds one")
    parents = {label: _listed(above) for label, above in value.items()}
    named = [*parents, *(parent for above in parents.values() for parent in above)]
    problems = dict.fromkeys(problem for label in named if (problem := _unfit(label)))
    if problems:
        raise ValueError("; ".join(problems))
    return {label: tuple(dict.fromkeys(above)) for label, above in parents.items()}


def _listed(above: Any) -> list[Any]:
    return [] if above is None else list(above) if isinstance(above, list | tuple) else [above]


def _unfit(label: Any) -> str:
    """Why something cannot be a label, or an empty string."""
    if isinstance(label, dict | list | tuple):
        return f"{label!r} is no label: {FORM}"
    if not isinstance(label, str):
        return f"YAML reads a label as {label!r}; put it in quotes to keep it text"
    if label != label.strip() or not label:
        return f"{label!r}: a label is not empty, and has no blanks around it"
    return f"{label!r} holds {LABEL_DELIMITER!r}, with which labels are joined" if LABEL_DELIMITER in label else ""


def read(stated: Stated, archive: Path) -> Taxonomy:
    """The hierarchy that a definition states; a file's name is relative to the archive, or to the folder it lies in."""
    if not isinstance(stated, str):
        return Taxonomy(stated)
    if not stated:
        return Taxonomy({})
    path = (archive if archive.is_dir() else archive.parent) / stated
    try:
        parents = parents_of(_content(path))
        if isinstance(parents, str):
            raise ValueError(FORM)
        return Taxonomy(parents)
    except ValueError as error:
        raise InputError(f"{path}: {error}", hint="mend the file; the README shows one") from None
    except InputError as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint) from None


def _content(path: Path) -> Any:
    """What the file says; a label that stands in it twice is an error, where YAML would take its last line."""
    try:
        text = path.read_text("utf-8-sig")
        node, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (FileNotFoundError, IsADirectoryError):
        hint = "name it relative to the definition or to the archive, or give it with --taxonomy FILE"
        raise InputError("there is no such taxonomy", hint=hint) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"not readable as YAML: {error}", hint=YAML_HINT) from error
    if isinstance(node, yaml.MappingNode):
        lines = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))

        twice = [label for label, count in lines.items() if count > 1]
        if twice:
            hint = "give a label with several parents one line: label: [parent, parent]"
            raise InputError.listing("labels with several lines", list(map(repr, twice)), hint=hint)
    return content
