"""Resampling: which rows go, which get copies, and that neither depends on the order of rows."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.prepare.labels import Labels
from leaflet_tool.prepare.resampling import COST, MOST, UNDERSAMPLED, copies, surplus, undersampled
from leaflet_tool.prepare.sources.rows import Rows, raw_frame, skipped_frame

SETS: list[Labels] = [("a",), ("a", "b"), ("b", "c"), ("c",), ()]
rows = st.lists(st.sampled_from(SETS), min_size=1, max_size=40)
shares = st.floats(0.05, 1)


def names(cells: list[Labels]) -> list[str]:
    return [f"p{number}" for number in range(len(cells))]


def cost(row: Labels, left: list[Labels]) -> float:
    counts = Counter(label for labels in left for label in labels)
    return sum(COST / counts[label] for label in row)


@given(rows, shares, st.integers(0, 3))
def test_the_cheapest_row_goes_each_time(cells: list[Labels], share: float, seed: int) -> None:
    gone = surplus(cells, names(cells), share, seed)
    assert len(set(gone)) == len(gone) <= len(cells) - round(share * len(cells))
    left = [cells[row] for row in range(len(cells)) if row not in gone]
    assert {label for row in left for label in row} == {label for row in cells for label in row}
    # followed step by step by hand: some order of those gone takes a cheapest row each time
    todo, now = [cells[row] for row in gone], list(cells)
    while todo:
        counts = Counter(label for row in now for label in row)
        spare = [row for row in now if all(counts[label] > 1 for label in row)]
        least = min(cost(row, now) for row in spare)
        chosen = next(row for row in todo if np.isclose(cost(row, now), least))
        todo.remove(chosen)
        now.remove(chosen)


@given(rows, shares, st.randoms())
def test_the_order_of_rows_does_not_matter(cells: list[Labels], share: float, chance: object) -> None:
    pages = list(zip(names(cells), cells, strict=True))
    mixed = list(pages)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    found = []
    for order in (pages, mixed):
        ids, labels = [page for page, _ in order], [tuple(reversed(row)) for _, row in order]
        gone = {ids[row] for row in surplus(labels, ids, share, 1)}
        dealt = copies(labels, ids, [True] * len(ids), share, 1)
        found.append((gone, dict(zip(ids, dealt.tolist(), strict=True))))
    assert found[0] == found[1]


def test_rows_without_labels_go_first_and_ties_are_broken_by_the_seed() -> None:
    cells: list[Labels] = [("a",)] * 10 + [()] * 2 + [("b",)] * 2
    ids = names(cells)
    first = surplus(cells, ids, 10 / 14, 1)
    assert {10, 11} < set(first) <= set(range(12))
    assert surplus(cells, ids, 10 / 14, 2) != first
    assert surplus(cells, ids, 1.0, 1) == []


def test_costs_follow_the_rows_that_went() -> None:
    """With costs summed once, as the study did, the cheaper set would vanish; here the two end up level."""
    cells: list[Labels] = [("a",)] * 50 + [("b",)] * 40
    left = Counter(cells[row] for row in set(range(90)) - set(surplus(cells, names(cells), 0.5, 0)))
    assert left == {("a",): 23, ("b",): 22} or left == {("a",): 22, ("b",): 23}


def test_rare_sets_get_the_copies_spread_over_their_rows() -> None:
    cells: list[Labels] = [("a",)] * 60 + [("b",)] * 8 + [("c",)] * 32
    dealt = copies(cells, names(cells), [True] * 100, 0.2, 0)
    assert dealt.sum() == dealt[60:68].sum() == 20
    assert sorted(dealt[60:68]) == [2, 2, 2, 2, 3, 3, 3, 3]


def test_rows_that_cannot_be_altered_get_none_and_no_row_too_many() -> None:
    cells: list[Labels] = [("a",)] * 98 + [("b",)] * 2
    able = [True] * 98 + [False, True]
    dealt = copies(cells, names(cells), able, 0.5, 0)
    assert (dealt[98], dealt[99], dealt.sum()) == (0, MOST, 50)
    assert copies(cells, names(cells), [False] * 100, 0.5, 0).sum() == 0
    assert copies([("a",)], ["p"], [True], 10.0, 0).tolist() == [10]
    assert copies([("a",), ("a",)], ["p", "q"], [True, False], 20.0, 0).tolist() == [MOST, 0]


def test_only_the_archives_own_training_rows_are_taken_out() -> None:
    frame = raw_frame(
        {"id": f"p{n}", "split": split, "label": ("a",), "augmented_from": parent, "row": str(n)}
        for n, (split, parent) in enumerate([("train", "")] * 4 + [("test", "")] * 3 + [("train", "p0")] * 2)
    )
    left, taken = undersampled(Rows(frame, skipped_frame([("x", "", "no label")]), Path()), 0.5, 0)
    assert taken["split"].tolist() == ["train"] * 2
    assert len(left.frame) == 7
    assert left.skipped["reason"].tolist() == ["no label", UNDERSAMPLED, UNDERSAMPLED]
    assert set(left.skipped["row"][1:]) == set(taken["row"])
    assert left.found == Rows(frame, left.skipped[:1], Path()).found
    whole, none = undersampled(Rows(frame, skipped_frame(), Path()), 1.0, 0)
    assert (len(whole.frame), len(none)) == (9, 0)
    assert list(none.columns) == list(frame.columns)
    assert isinstance(none, pd.DataFrame)


@pytest.mark.parametrize("share", [0.1, 0.8])
def test_nothing_to_resample_is_no_error(share: float) -> None:
    assert surplus([], [], share, 0) == []
    assert copies([], [], [], share, 0).tolist() == []
    assert surplus([(), ()], ["p", "q"], 0.5, 0) in ([0], [1])
