"""Splits and folds: shares, classes, and nobody moves."""

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from leaflet_tool.manifest import SPLITS
from leaflet_tool.prepare.labels import ROWS, Labels
from leaflet_tool.prepare.splits import crossing, fold_shares, place, split_shares

FRACTIONS = (0.7, 0.15, 0.15)
SHARES = split_shares(FRACTIONS)
Groups = dict[str, Counter[str]]
archives = st.dictionaries(
    st.text("abcdef0123456789", min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from("uvwxyz"), max_size=3, unique=True), min_size=1, max_size=4).map(
        lambda pages: Counter(label for page in pages for label in (ROWS, *page))
    ),
    min_size=1,
    max_size=80,
)


def of_one_page(groups: dict[str, Labels]) -> Groups:
    """Groups of a page each."""
    return {group: Counter((ROWS, *labels)) for group, labels in groups.items()}


@given(archives, archives, st.integers(0, 3), st.sampled_from([SHARES, fold_shares(5)]))
def test_adding_groups_moves_none(first: Groups, more: Groups, seed: int, shares: dict[str, float]) -> None:
    before = place(first, {}, shares, seed)
    after = place(first | {group: shown for group, shown in more.items() if group not in first}, before, shares, seed)
    assert {group: after[group] for group in first} == before
    assert set(after.values()) <= set(shares)


@given(archives, st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(groups: Groups, seed: int, chance: object) -> None:
    names = list(groups)
    chance.shuffle(names)  # type: ignore[attr-defined]
    assert place({name: groups[name] for name in names}, {}, SHARES, seed) == place(groups, {}, SHARES, seed)


@given(archives)
def test_every_class_is_trained_on_first(groups: Groups) -> None:
    groups = {
        group: Counter({label: rows for label, rows in shown.items() if label in (ROWS, max(shown))})
        for group, shown in groups.items()
    }
    placed = place(groups, {}, SHARES, 0)
    for label in {label for shown in groups.values() for label in shown} - {ROWS}:
        sides = Counter(placed[group] for group, shown in groups.items() if label in shown)
        assert sides["train"] >= 1
        assert (sides["test"] >= 1) == (sides.total() >= 2)
        assert (sides["validation"] >= 1) == (sides.total() >= 3)


def test_shares_are_met_in_every_class() -> None:
    groups = {
        f"g{number}": (("common",), ("medium",), ("rare",))[0 if number < 400 else 1 if number < 500 else 2]
        for number in range(520)
    }
    placed = place(of_one_page(groups), {}, SHARES, 42)
    for label, count in Counter(shown[0] for shown in groups.values()).items():
        sides = Counter(placed[group] for group, shown in groups.items() if shown == (label,))
        for split, share in zip(SPLITS, FRACTIONS, strict=True):
            assert abs(sides[split] - share * count) <= 1


def test_several_labels_are_balanced() -> None:
    groups = {
        f"g{number}": tuple(label for label, step in (("a", 2), ("b", 3), ("c", 7)) if number % step == 0)
        for number in range(600)
    }
    placed = place(of_one_page(groups), {}, SHARES, 1)
    for label in "abc":
        sides = Counter(placed[group] for group, shown in groups.items() if label in shown)
        assert abs(sides["train"] / sides.total() - 0.7) < 0.05
    assert abs(Counter(placed.values())["train"] - 420) <= 6


def test_large_groups_weigh_more_and_go_to_every_split() -> None:
    chance = np.random.default_rng(0)
    pages = {f"g{number}": int(chance.geometric(0.3)) for number in range(1000)}
    groups = {group: Counter({ROWS: count, f"c{len(group) + count % 2}": count}) for group, count in pages.items()}
    placed = place(groups, {}, SHARES, 3)
    rows = Counter[str]()
    for group, split in placed.items():
        rows[split] += pages[group]
    for split, share in zip(SPLITS, FRACTIONS, strict=True):
        assert abs(rows[split] - share * rows.total()) <= 3
        mean = rows[split] / sum(side == split for side in placed.values())
        assert abs(mean - 1 / 0.3) < 0.4


def test_another_seed_gives_another_split_and_no_share_no_rows() -> None:
    groups = of_one_page({f"g{number}": ("a",) for number in range(60)})
    assert place(groups, {}, SHARES, 1) != place(groups, {}, SHARES, 2)
    assert set(place(groups, {}, split_shares((0.8, 0.0, 0.2)), 1).values()) == {"train", "test"}


def test_folds_are_equal_in_every_class() -> None:
    groups = of_one_page({f"g{number}": ("ab"[number % 3 == 0],) for number in range(300)})
    folds = place(groups, {}, fold_shares(5), 1)
    counts = Counter((next(label for label in groups[group] if label != ROWS), fold) for group, fold in folds.items())
    assert counts == {("a", str(fold)): 40 for fold in range(5)} | {("b", str(fold)): 20 for fold in range(5)}


def test_a_class_that_is_nearly_settled_is_filled_up() -> None:
    groups = of_one_page({f"g{number}": ("a",) for number in range(20)})
    settled = {f"g{number}": "train" for number in range(14)}
    assert Counter(place(groups, settled, SHARES, 0).values()) == {"train": 14, "validation": 3, "test": 3}


def test_groups_in_two_parts_are_found() -> None:
    assert crossing(["a", "a", "b", "b", "c"], ["train", "test", "train", "train", "test"]) == ["a"]


def test_real_leaflets_are_balanced_at_least_as_well_as_by_scikit_learn(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "leaflets" / "leaflets.csv", dtype=str)
    groups: Groups = {}
    for group, party in zip(frame["leaflet_id"], frame["party"], strict=True):
        groups.setdefault(group, Counter()).update((ROWS, party))
    ours = frame["leaflet_id"].map(place(groups, {}, fold_shares(5), 42))
    theirs = pd.Series("", index=frame.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a party has fewer leaflets than there are folds
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=42)
        for number, (_, rows) in enumerate(splitter.split(frame, frame["party"], frame["leaflet_id"])):
            theirs[rows] = str(number)
    assert off(frame["party"], ours) <= off(frame["party"], theirs)
    assert off(frame["party"], ours) < 0.8


def off(labels: pd.Series, parts: pd.Series) -> float:
    """Rows by which a class's part of a fold misses an equal share, on average."""
    table = pd.crosstab(labels, parts).to_numpy()
    return float(np.abs(table - table.mean(axis=1, keepdims=True)).mean())
