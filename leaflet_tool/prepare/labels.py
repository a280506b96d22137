"""Labels: from the archive's cells to the manifest's, and what becomes of rare classes."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import LABEL_DELIMITER
from leaflet_tool.prepare.dataset import Dataset, Rare, nearest
from leaflet_tool.prepare.sources.rows import LABEL, as_text, place, whole

Labels = tuple[str, ...]
OTHER = "other"


def parsed(frame: pd.DataFrame, dataset: Dataset) -> tuple[pd.Series, list[str]]:
    """Each row's labels (None where the archive gives none), and every cell that cannot be one."""
    multiple, allowed = dataset.label.multiple, set(dataset.classes)
    cells: list[Labels | None] = []
    problems = []
    for row in frame.to_dict("records"):
        try:
            labels = _cell(row[LABEL], multiple, dataset.label_delimiter)
            _check(labels or (), allowed)
        except ValueError as error:
            labels = ()
            problems.append(f"{place(row)}: {error}")
        cells.append(labels)
    return pd.Series(cells, index=frame.index, dtype=object), problems


def _cell(value: Any, multiple: bool, delimiter: str) -> Labels | None:
    """Distinct labels in a cell's order; an empty list is no label on purpose, an empty text an unknown one."""
    if isinstance(value, list | tuple):
        if not multiple:
            raise ValueError("the label holds a list; declare the column under labels")
        return _distinct(as_text(item) for item in value)
    text = as_text(value).strip()
    if not text:
        return None
    if multiple and not delimiter:
        raise InputError(
            f"the column of labels holds texts such as {text!r}, and nothing says what separates them",
            hint="declare label_delimiter, or give --label-delimiter",
        )
    return _distinct(text.split(delimiter)) if multiple else (text,)


def _distinct(items: Iterable[str]) -> Labels:
    return tuple(dict.fromkeys(label for label in (item.strip() for item in items) if label))


def _check(labels: Labels, allowed: set[str]) -> None:
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


def without_rare(cells: pd.Series, groups: pd.Series, rare: Rare) -> pd.Series:
    """Labels after the policy for rare classes; a row that had labels and loses them all gets None."""
    counts = Counter(label for shown in by_group(cells, groups).values() for label in shown)
    few = {label for label, count in counts.items() if count < rare.minimum}
    if rare.policy == "keep" or not few:
        return cells

    def kept(row: Labels) -> Labels | None:
        if rare.policy == "other":
            return _distinct(OTHER if label in few else label for label in row)
        left = tuple(label for label in row if label not in few)
        return left if left or not row else None

    return pd.Series([kept(row) for row in cells], index=cells.index, dtype=object)
