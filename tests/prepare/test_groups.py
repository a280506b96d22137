"""Groups: duplicates share one, no pair crosses, and what an earlier run placed stays."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.manifest import FOLD, GROUP, ID, SOURCE, SPLIT, SPLITS
from leaflet_tool.prepare.duplicates import ONE, OTHER, components
from leaflet_tool.prepare.groups import folds, settled
from leaflet_tool.prepare.labels import ROWS, rows_by_group
from leaflet_tool.prepare.output import Earlier
from leaflet_tool.prepare.splits import place, split_shares

SHARES = split_shares((0.7, 0.15, 0.15))


def rows(groups: list[str], sides: list[str] | None = None) -> pd.DataFrame:
    """Pages p0, p1 … of these groups, with these declared splits."""
    ids = [f"p{number}" for number in range(len(groups))]
    return pd.DataFrame({ID: ids, GROUP: groups, SPLIT: sides or [""] * len(groups)}, dtype=str)


def tied(*pairs: tuple[int, int]) -> pd.DataFrame:
    """Pairs of positions."""
    return pd.DataFrame(list(pairs), columns=[ONE, OTHER], dtype=int)


def earlier(**pages: tuple[str, str]) -> Earlier:
    """A run that left these groups and splits by id."""
    columns = {
        ID: list(pages),
        GROUP: [group for group, _ in pages.values()],
        SPLIT: [side for _, side in pages.values()],
    }
    return Earlier({"kept": len(pages)}, pd.DataFrame(columns, dtype=str))


def test_tied_pages_take_the_first_of_their_names() -> None:
    frame = settled(rows(["b", "c", "a", "d", "b"]), tied((1, 4), (0, 3)), Earlier())
    assert frame[GROUP].tolist() == ["b", "b", "a", "b", "b"]
    assert frame[SPLIT].tolist() == [""] * 5


def test_a_new_page_takes_the_name_and_the_split_of_those_before_it() -> None:
    frame = settled(rows(["z", "a", "a"]), tied((0, 1)), earlier(p0=("z", "test")))
    assert frame[[GROUP, SPLIT]].values.tolist() == [["z", "test"]] * 3


def test_a_page_between_two_splits_joins_the_training_one_and_nobody_moves() -> None:
    before = earlier(p0=("a", "test"), p1=("b", "train"), p2=("c", "validation"))
    frame = settled(rows(["a", "b", "c", "new"]), tied((0, 3), (1, 3), (2, 3)), before)
    assert frame[[GROUP, SPLIT]].values.tolist() == [
        *(["a", "test"], ["b", "train"], ["c", "validation"], ["b", "train"])
    ]


def test_a_declared_split_counts_for_its_group_and_comes_before_an_earlier_one() -> None:
    frame = settled(rows(["a", "a", "b"], ["test", "", ""]), tied((1, 2)), earlier(p1=("a", "train")))
    assert frame[[GROUP, SPLIT]].values.tolist() == [["a", "test"]] * 3


def test_a_name_never_lies_on_two_sides() -> None:
    before = earlier(p0=("a", "train"), p1=("a", "train"))
    frame = settled(rows(["a", "b"], ["test", ""]), tied((0, 1)), before)
    assert frame[[GROUP, SPLIT]].values.tolist() == [["a (test)", "test"], ["a", "train"]]


def test_a_page_that_was_regrouped_keeps_its_name_and_shares_it() -> None:
    frame = settled(rows(["other", "a"]), tied(), earlier(p0=("a", "test")))
    assert frame[[GROUP, SPLIT]].values.tolist() == [["a", "test"]] * 2


def test_folds_are_those_of_the_group() -> None:
    pages = pd.DataFrame({ID: ["p0", "p2"], GROUP: ["a", "b"], FOLD: ["3", "1"], SOURCE: ""}, dtype=str)
    assert folds(rows(["a", "a", "b", "c"]), Earlier({"kept": 2}, pages)) == {"a": "3", "b": "1"}


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12)
edges = st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), max_size=10)


def run(frame: pd.DataFrame, pairs: list[tuple[int, int]], before: Earlier) -> pd.DataFrame:
    """`frame` with groups joined and placed."""
    pairs = [(one % len(frame), other % len(frame)) for one, other in pairs]
    frame = settled(frame, tied(*pairs), before)
    sizes = rows_by_group(pd.Series([()] * len(frame)), frame[GROUP])
    assert all(set(count) == {ROWS} for count in sizes.values())
    known = {group: side for group, side in zip(frame[GROUP], frame[SPLIT], strict=True) if side}
    return frame.assign(**{SPLIT: frame[GROUP].map(place(sizes, known, SHARES, 0))})


@given(names, names, edges, edges)
def test_no_new_pair_crosses_and_adding_rows_moves_nobody(
    first: list[str], more: list[str], before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    start = run(rows(first), before, Earlier())
    part = components(tied(*((one % len(first), other % len(first)) for one, other in before)), len(first))
    assert start.groupby(part)[GROUP].nunique().max() == start.groupby(GROUP)[SPLIT].nunique().max() == 1
    end = run(rows([*first, *more]), after, Earlier({"kept": len(first)}, start))
    assert end.iloc[: len(first)].equals(start)
    assert end.groupby(GROUP)[SPLIT].nunique().max() == 1
    new = end.iloc[len(first) :]
    assert new.groupby(first_part(first + more, after)[len(first) :])[SPLIT].nunique().max() == 1


def first_part(groups: list[str], pairs: list[tuple[int, int]]) -> list[int]:
    """For each row the number of what duplicates and declared groups tie together."""
    links = [(one % len(groups), other % len(groups)) for one, other in pairs]
    links += [(groups.index(group), row) for row, group in enumerate(groups)]
    return list(components(tied(*links), len(groups)))


@given(names, edges, st.lists(st.sampled_from(["", *SPLITS]), min_size=12, max_size=12))
def test_declared_splits_are_honoured_and_groups_stay_whole(
    groups: list[str], pairs: list[tuple[int, int]], sides: list[str]
) -> None:
    declared = {group: sides[number] for number, group in enumerate(dict.fromkeys(groups))}
    frame = run(rows(groups, [declared[group] for group in groups]), pairs, Earlier())
    assert all(not declared[group] or side == declared[group] for group, side in zip(groups, frame[SPLIT], strict=True))
    assert frame.groupby(GROUP)[SPLIT].nunique().max() == 1
