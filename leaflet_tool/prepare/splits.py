"""The split: whole groups, the classes in proportion, and nobody moves when the archive grows."""

import hashlib
from collections import Counter
from collections.abc import Mapping

from leaflet_tool.manifest import SPLITS
from leaflet_tool.prepare.labels import Labels

FIRST = ("train", "test", "validation")
"""Which split gets a class's first, second and third group."""
UNLABELLED = ""


def place(
    groups: Mapping[str, Labels], settled: Mapping[str, str], fractions: tuple[float, ...], seed: int
) -> dict[str, str]:
    """The split of every group, given each group's classes.

    Settled groups stay. The others are placed class by class, the rarest class first, each into the split that is
    furthest below its share of that class: iterative stratification (Sechidis et al., 2011) over groups, with ties and
    order fixed by a hash of seed and name instead of by chance.
    """
    shares = dict(zip(SPLITS, fractions, strict=True))
    placed = {group: settled[group] for group in groups if group in settled}
    members: dict[str, list[str]] = {}
    for group in sorted(groups, key=lambda group: _order(group, seed)):
        for label in groups[group] or (UNLABELLED,):
            members.setdefault(label, []).append(group)
    sizes = Counter(placed.values())
    for label in sorted(members, key=lambda label: (label == UNLABELLED, len(members[label]), label)):
        held = Counter(placed[group] for group in members[label] if group in placed)
        for group in members[label]:
            if group not in placed:
                placed[group] = _choice(held, sizes, len(members[label]), len(groups), shares, label)
                held[placed[group]] += 1
                sizes[placed[group]] += 1
    return placed


def _choice(
    held: Counter[str], sizes: Counter[str], members: int, groups: int, shares: Mapping[str, float], label: str
) -> str:
    """An empty split in the order FIRST, else the one that lacks most of its share of the class, then of all groups."""
    if label != UNLABELLED:
        for split in FIRST:
            if shares[split] and not held[split]:
                return split
    return max(
        (split for split in SPLITS if shares[split]),
        key=lambda split: (shares[split] * members - held[split], shares[split] * groups - sizes[split]),
    )


def _order(group: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=16).digest()
