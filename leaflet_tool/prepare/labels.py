"""Labels: from the archive's cells to the manifest's, and by group."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import LABEL_DELIMITER, ROW, SOURCE
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.section import nearest
from leaflet_tool.prepare.sources.rows import LABEL, as_text, place, whole
from leaflet_tool.settings import UnlabelledPolicy

Labels = tuple[str, ...]
ROWS = ""
"""What a group's rows are counted under, whatever their classes: no class has this name."""


def parsed(frame: pd.DataFrame, dataset: Dataset) -> tuple[pd.Series, list[str]]:
    """Each row's labels (None where the archive gives none), and every cell that cannot be one."""
    multiple, allowed = dataset.label.multiple, set(dataset.classes or dataset.source.categories)
    delimiter = dataset.label_delimiter
    cells: list[Labels | None] = []
    problems = []
    for value, source, row in zip(frame[LABEL], frame[SOURCE], frame[ROW], strict=True):
        try:
            labels = _several(value, delimiter) if multiple else _single(value)
            fit(labels or (), allowed)
        except ValueError as error:
            labels = ()
            problems.append(f"{place({SOURCE: source, ROW: row})}: {error}")
        cells.append(labels)
    return pd.Series(cells, index=frame.index, dtype=object), problems


def _single(value: Any) -> Labels | None:
    """The label of a cell; an empty one is unknown."""
    if isinstance(value, list | tuple):
        raise ValueError("the label holds a list; declare the column under labels")
    text = as_text(value).strip()
    return (text,) if text else None


def _several(value: Any, delimiter: str) -> Labels | None:
    """Distinct labels in a cell's order; an empty list is no label on purpose, an empty text an unknown one."""
    if isinstance(value, list | tuple):
        return distinct(as_text(item) for item in value)
    text = as_text(value).strip()
    if not text:
        return None
    if delimiter:
        return distinct(text.split(delimiter))
    listed = _json_list(text)
    if listed is None:
        raise InputError(
            f"the column of labels holds texts such as {text!r}, and nothing says what separates them",
            hint="declare label_delimiter, or give --label-delimiter; lists as in JSON need none",
        )
    return distinct(as_text(item) for item in listed)


def _json_list(text: str) -> list[Any] | None:
    """The list that a text spells in JSON, as a table of texts holds it."""
    try:
        listed = json.loads(text)
    except ValueError:
        return None
    return listed if isinstance(listed, list) else None


def unlabelled(cells: pd.Series, policy: UnlabelledPolicy) -> pd.Series:
    """Cells of several labels in which rows without any have none (keep) or are unknown (drop), if not as stated."""
    if policy == "stated":
        return cells
    nothing: Labels | None = () if policy == "keep" else None
    return pd.Series([row or nothing for row in cells], index=cells.index, dtype=object)


def distinct(items: Iterable[str]) -> Labels:
    """Labels without blanks around them, each once."""
    return tuple(dict.fromkeys(label for label in (item.strip() for item in items) if label))


def fit(labels: Labels, allowed: set[str]) -> None:
    """A ValueError says why one of the labels cannot be in a manifest, or is not among the declared classes."""
    for label in map(whole, labels):
        if LABEL_DELIMITER in label:
            raise ValueError(
                f"{label!r} holds {LABEL_DELIMITER!r}, with which the manifest joins several labels "
                "(declare the column under labels, with label_delimiter)"
            )
        if allowed and label not in allowed:
            near = nearest(label, allowed)
            raise ValueError(
                f"{label!r} is not among the declared classes" + (f", did you mean {near!r}?" if near else "")
            )


def joined(labels: Labels) -> str:
    """The manifest's cell."""
    return LABEL_DELIMITER.join(labels)


def classes(cells: pd.Series) -> list[str]:
    """Every class of the rows, sorted."""
    return sorted({label for row in cells for label in row})


def by_group(cells: pd.Series, groups: pd.Series) -> dict[str, Labels]:
    """Each group's classes: those of all its pages, sorted."""
    shown: dict[str, set[str]] = {}
    for group, row in zip(groups, cells, strict=True):
        shown.setdefault(group, set()).update(row)
    return {group: tuple(sorted(found)) for group, found in shown.items()}


def rows_by_group(cells: pd.Series, groups: pd.Series) -> dict[str, Counter[str]]:
    """Each group's rows by class, and all of them under ROWS."""
    counts: dict[str, Counter[str]] = {}
    for group, row in zip(groups, cells, strict=True):
        counts.setdefault(group, Counter()).update((ROWS, *row))
    return counts


def rows_by_class(cells: pd.Series) -> Counter[str]:
    """Rows of each class."""
    return Counter(label for row in cells for label in row)
