"""A hierarchy of labels: a tree, or a graph in which a label may have several parents; everything goes by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leaflet_tool.errors import InputError

type Parents = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Taxonomy:
    """Each label's parents, none for a label at the top; no label is above itself."""

    parents: Parents
    _ancestors: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """An InputError lists parents that are no labels of the taxonomy, and a cycle."""
        problems = [
            f"{label!r}: its parent {parent!r} is not in the taxonomy"
            for label, above in self.parents.items()
            for parent in above
            if parent not in self.parents
        ]
        cycle = [] if problems else _cycle(self.parents)
        problems += [f"a cycle: {' -> '.join(cycle)}"] if cycle else []
        if problems:
            hint = "every parent is a label with a line of its own, and none is above itself"
            raise InputError.listing("the taxonomy is no hierarchy", problems, hint=hint)
        ancestors: dict[str, frozenset[str]] = {}
        for label in self.parents:
            _collect(label, self.parents, ancestors)
        object.__setattr__(self, "_ancestors", ancestors)

    def __bool__(self) -> bool:
        return bool(self.parents)

    def __contains__(self, label: object) -> bool:
        return label in self.parents

    def ancestors(self, label: str) -> frozenset[str]:
        """Every label above `label`; none for one that the taxonomy does not know."""
        return self._ancestors.get(label, frozenset())

    def closed(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels and all above them, in the order given, each label's ancestors after it by name."""
        given = list(labels)
        above = [ancestor for label in given for ancestor in sorted(self.ancestors(label))]
        return tuple(dict.fromkeys([*given, *above]))

    def most_specific(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels without those that another one of them implies."""
        given = list(labels)
        implied = {ancestor for label in given for ancestor in self.ancestors(label)}
        return tuple(label for label in given if label not in implied)

    def missing_ancestors(self, labels: Iterable[str]) -> tuple[str, ...]:
        """What `labels` imply and lack, by name: a coherent set lacks nothing."""
        given = set(labels)
        return tuple(sorted({ancestor for label in given for ancestor in self.ancestors(label)} - given))

    def mask(self, labels: Sequence[str]) -> NDArray[np.bool_]:
        """`[labels, labels]`: whether the label of the column is the label of the row or below it."""
        return np.array([[low == high or high in self.ancestors(low) for low in labels] for high in labels], dtype=bool)


def _collect(label: str, parents: Parents, known: dict[str, frozenset[str]]) -> frozenset[str]:
    if label not in known:
        above = [_collect(parent, parents, known) | {parent} for parent in parents[label]]
        known[label] = frozenset().union(*above)
    return known[label]


def _cycle(parents: Parents) -> list[str]:
    """The labels of one cycle, the first again at its end; empty where there is none."""
    done: set[str] = set()
    for start in parents:
        path: list[str] = []
        ways = [iter([start])]
        while ways:
            label = next(ways[-1], None)
            if label is None:
                ways.pop()
                if path:
                    done.add(path.pop())
            elif label in path:
                return [*path[path.index(label) :], label]
            elif label not in done:
                path.append(label)
                ways.append(iter(parents[label]))
    return []
