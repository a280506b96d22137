"""Splits and folds: whole groups, the classes in proportion, and nobody moves when the archive grows."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from leaflet_tool.prepare.labels import ROWS


def split_shares(fractions: Sequence[float]) -> dict[str, float]:
    """Each split's share, from those of train, validation and test; a class's second group goes to test."""
    train, validation, test = fractions
    return {"train": train, "test": test, "validation": validation}


def fold_shares(folds: int) -> dict[str, float]:
    """Each fold's share, by its number."""
    return {str(number): 1 / folds for number in range(folds)}


def place(
    groups: Mapping[str, Counter[str]], settled: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """The part of every group, one of those that have `shares`, given each group's rows (labels.rows_by_group).

    Settled groups stay. The others are placed class by class, the rarest class first, its largest group first:
    iterative stratification (Sechidis et al., 2011) over groups that weigh as many rows as they have, with order and
    ties fixed by a hash of seed and name instead of by chance. As long as a class has groups enough, each part gets
    one, in the order of `shares`.
    """
    shares = {part: share for part, share in shares.items() if share}
    placed = {group: settled[group] for group in groups if group in settled}
    sizes = _held(groups, placed, ROWS)
    members = _members(groups, seed)
    rows = {label: sum(groups[group][label] for group in within) for label, within in members.items()}
    for label in sorted(members, key=lambda label: (label == ROWS, rows[label], label)):
        within = members[label]
        held = _held({group: groups[group] for group in within}, placed, label)
        waiting = sorted((group for group in within if group not in placed), key=lambda group: -groups[group][label])
        due = [] if label == ROWS else list(shares)[: len(within)]
        for left, group in zip(range(len(waiting), 0, -1), waiting, strict=True):
            empty = [part for part in due if not held[part]]
            forced = len(empty) >= left
            part = empty[0] if forced and empty else _emptiest(shares, held, groups[group][label], sizes)
            placed[group] = part
            held[part] += groups[group][label]
            sizes[part] += groups[group][ROWS]
    return placed


def _members(groups: Mapping[str, Counter[str]], seed: int) -> dict[str, list[str]]:
    """Each class's groups in an order that looks like chance; those without any class stand under ROWS."""
    members: dict[str, list[str]] = {}
    for group in sorted(groups, key=lambda group: _order(group, seed)):
        for label in [label for label in groups[group] if label != ROWS] or [ROWS]:
            members.setdefault(label, []).append(group)
    return members


def _held(groups: Mapping[str, Counter[str]], placed: Mapping[str, str], label: str) -> Counter[str]:
    """Rows of a class in each part."""
    held: Counter[str] = Counter()
    for group in groups:
        if group in placed:
            held[placed[group]] += groups[group][label]
    return held


def _emptiest(shares: Mapping[str, float], held: Mapping[str, int], weight: int, sizes: Mapping[str, int]) -> str:
    """The part that has least of its share of the class with half of the group's `weight`, then least of all rows.

    Half of it (as Webster deals seats): with none of it large groups would gather in small parts, with all of it in
    large ones.
    """
    return min(shares, key=lambda part: ((held[part] + weight / 2) / shares[part], sizes[part] / shares[part]))


def _order(group: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=16).digest()


def crossing(groups: Iterable[str], parts: Iterable[str]) -> list[str]:
    """Groups that lie in several parts."""
    seen = set(zip(groups, parts, strict=True))
    counts = Counter(group for group, _ in seen)
    return sorted(group for group, count in counts.items() if count > 1)
