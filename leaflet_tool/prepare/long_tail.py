"""The long tail: what becomes of rare classes and of those with too many pages, and the account of it."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leaflet_tool.manifest import GROUP, ID
from leaflet_tool.prepare.dataset import Dataset, Rare
from leaflet_tool.prepare.labels import Labels, by_group, distinct, rows_by_class
from leaflet_tool.prepare.sources.rows import LABEL

OTHER = "other"
"""The class of rare classes under the policy of that name."""
RARE = "rare class"


@dataclass(frozen=True)
class Selection:
    """Labels after the policies, why each row is left out (empty: it stays), and what became of each class."""

    cells: pd.Series
    reasons: pd.Series
    outcomes: dict[str, dict[str, Any]]
    """By class: rows found, rows kept, and the outcome: kept, dropped, other or capped."""


def selection(frame: pd.DataFrame, dataset: Dataset, earlier: Collection[str]) -> Selection:
    """What the policies of `dataset` leave of `frame`; the pages with ids in `earlier` go before others under a cap."""
    rare = rare_classes(frame[LABEL], frame[GROUP], dataset.rare)
    cells = without_rare(frame[LABEL], rare, dataset.rare)
    reasons = pd.Series("", index=frame.index, dtype=str).mask(cells.isna(), RARE)
    left = frame.assign(**{LABEL: cells})[reasons == ""]
    cut = beyond_cap(left, dataset.max_per_class, earlier, dataset.split.seed)
    reasons[cut[cut].index] = f"class is full: {dataset.max_per_class} pages"
    kept = rows_by_class(left.loc[~cut, LABEL])
    full = set(rows_by_class(left.loc[cut, LABEL]))
    outcomes = {
        label: {"found": found, "kept": kept[label], "outcome": _outcome(label, rare, full, dataset.rare)}
        for label, found in _found(frame[LABEL], kept).items()
    }
    return Selection(cells, reasons, outcomes)


def rare_classes(cells: pd.Series, groups: pd.Series, rare: Rare) -> set[str]:
    """Classes of too few groups, and those beyond the most frequent ones; ties go by name."""
    if rare.policy == "keep":
        return set()
    counts = Counter(label for shown in by_group(cells, groups).values() for label in shown)
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    beyond = ranked[rare.most_frequent :] if rare.most_frequent else []
    return {label for label, count in counts.items() if count < rare.minimum} | set(beyond)


def without_rare(cells: pd.Series, rare: Collection[str], how: Rare) -> pd.Series:
    """Labels without the rare ones, or with OTHER for them; a row that had labels and loses them all gets None."""
    if not rare:
        return cells

    def kept(row: Labels) -> Labels | None:
        if how.policy == "other":
            return distinct(OTHER if label in rare else label for label in row)
        left = tuple(label for label in row if label not in rare)
        return left if left or not row else None

    return pd.Series([kept(row) for row in cells], index=cells.index, dtype=object)


def beyond_cap(frame: pd.DataFrame, limit: int, earlier: Collection[str], seed: int) -> pd.Series:
    """Which rows have to go so that no class has more than `limit` (0: no limit) of them.

    Whole groups go, by a hash of seed and name, those with rare classes last. The pages of a group that are `earlier`
    ones and those that are not count as two groups: so a leaflet that gets another page loses none.
    """
    cut = pd.Series(False, index=frame.index)
    if not limit:
        return cut
    sizes = rows_by_class(frame[LABEL])
    units: dict[tuple[bool, str], list[int]] = {}
    for number, (page, group) in enumerate(zip(frame[ID], frame[GROUP], strict=True)):
        units.setdefault((page not in earlier, group), []).append(number)
    cells, held = frame[LABEL].tolist(), Counter[str]()

    def turn(unit: tuple[bool, str]) -> tuple[bool, int, bytes]:
        new, group = unit
        rarest = min((sizes[label] for number in units[unit] for label in cells[number]), default=0)
        return new, rarest, _chance(group, seed)

    for unit in sorted(units, key=turn):
        counts = Counter(label for number in units[unit] for label in cells[number])
        if all(held[label] + count <= limit for label, count in counts.items()):
            held += counts
        else:
            cut.iloc[units[unit]] = True
    return cut


def within_reach(
    frame: pd.DataFrame, dataset: Dataset, earlier: Collection[str], broken: Collection[int] = ()
) -> pd.Series:
    """Which rows may matter to what `selection` keeps, should any of them turn out to be unreadable.

    Past the last group that a full class keeps, nobody has to look at a page. That can be told beforehand where each
    group is of one class and no class may be rare; elsewhere every row matters. Ask again with the index of the rows
    that were found `broken`, until all within reach are known: then `selection` keeps what it would if all rows were.
    """
    limit, seed, cells = dataset.max_per_class, dataset.split.seed, frame[LABEL]
    every = pd.Series(True, index=frame.index)
    if not limit or dataset.rare.policy != "keep" or cells.map(len).ne(1).any():
        return every
    classes = cells.str[0]
    if classes.groupby(frame[GROUP]).nunique().gt(1).any():
        return every
    chances = frame[GROUP].map({group: _chance(group, seed) for group in set(frame[GROUP])})
    readable = frame.drop(index=list(broken))
    kept = readable.index[~beyond_cap(readable, limit, earlier, seed)]
    last = chances[kept].groupby(classes[kept]).max()
    past = pd.Series([chance > last.get(name, b"") for chance, name in zip(chances, classes, strict=True)], frame.index)
    full = classes.map(classes[kept].value_counts()).eq(limit)
    return ~(full & past) | frame[ID].isin(set(earlier))


def _chance(group: str, seed: int) -> bytes:
    """What decides which of several groups come under a cap."""
    return hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=16).digest()


def _found(cells: pd.Series, kept: Counter[str]) -> dict[str, int]:
    """Rows of every class before the policies, sorted by name; OTHER is among them when it came of them."""
    found = rows_by_class(cells)
    return {label: found[label] for label in sorted(set(found) | set(kept))}


def _outcome(label: str, rare: Collection[str], full: Collection[str], how: Rare) -> str:
    if label in rare and not (label == OTHER and how.policy == "other"):
        return "dropped" if how.policy == "drop" else "other"
    return "capped" if label in full else "kept"
