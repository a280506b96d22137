"""The split: shares, classes, and nobody moves."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.manifest import SPLITS
from leaflet_tool.prepare.labels import Labels
from leaflet_tool.prepare.splits import place

FRACTIONS = (0.7, 0.15, 0.15)
archives = st.dictionaries(
    st.text("abcdef0123456789", min_size=1, max_size=6),
    st.lists(st.sampled_from("uvwxyz"), max_size=3, unique=True).map(tuple),
    min_size=1,
    max_size=80,
)


@given(archives, archives, st.integers(0, 3))
def test_adding_groups_moves_none(first: dict[str, Labels], more: dict[str, Labels], seed: int) -> None:
    before = place(first, {}, FRACTIONS, seed)
    after = place(
        first | {group: shown for group, shown in more.items() if group not in first}, before, FRACTIONS, seed
    )
    assert {group: after[group] for group in first} == before
    assert set(after.values()) <= set(SPLITS)


@given(archives, st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(groups: dict[str, Labels], seed: int, chance: object) -> None:
    names = list(groups)
    chance.shuffle(names)  # type: ignore[attr-defined]
    assert place({name: groups[name] for name in names}, {}, FRACTIONS, seed) == place(groups, {}, FRACTIONS, seed)


@given(archives)
def test_every_class_is_trained_on_first(groups: dict[str, Labels]) -> None:
    groups = {group: shown[:1] for group, shown in groups.items()}
    placed = place(groups, {}, FRACTIONS, 0)
    for label in {label for shown in groups.values() for label in shown}:
        sides = Counter(placed[group] for group, shown in groups.items() if label in shown)
        assert sides["train"] >= 1
        assert (sides["test"] >= 1) == (sides.total() >= 2)
        assert (sides["validation"] >= 1) == (sides.total() >= 3)


def test_shares_are_met_in_every_class() -> None:
    groups = {
        f"g{number}": (("common",), ("medium",), ("rare",))[0 if number < 400 else 1 if number < 500 else 2]
        for number in range(520)
    }
    placed = place(groups, {}, FRACTIONS, 42)
    for label, count in Counter(shown[0] for shown in groups.values()).items():
        sides = Counter(placed[group] for group, shown in groups.items() if shown == (label,))
        for split, share in zip(SPLITS, FRACTIONS, strict=True):
            assert abs(sides[split] - share * count) <= 1


def test_several_labels_are_balanced() -> None:
    groups = {
        f"g{number}": tuple(label for label, step in (("a", 2), ("b", 3), ("c", 7)) if number % step == 0)
        for number in range(600)
    }
    placed = place(groups, {}, FRACTIONS, 1)
    for label in "abc":
        sides = Counter(placed[group] for group, shown in groups.items() if label in shown)
        assert abs(sides["train"] / sides.total() - 0.7) < 0.05
    assert abs(Counter(placed.values())["train"] - 420) <= 6


def test_another_seed_gives_another_split_and_no_share_no_rows() -> None:
    groups: dict[str, Labels] = {f"g{number}": ("a",) for number in range(60)}
    assert place(groups, {}, FRACTIONS, 1) != place(groups, {}, FRACTIONS, 2)
    assert set(place(groups, {}, (0.8, 0.0, 0.2), 1).values()) == {"train", "test"}
