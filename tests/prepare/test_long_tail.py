"""The long tail: rare classes, full classes, and the account of both."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, ID
from leaflet_tool.prepare.dataset import Dataset, Rare, build
from leaflet_tool.prepare.long_tail import beyond_cap, rare_classes, selection, within_reach, without_rare
from leaflet_tool.prepare.sources.rows import LABEL

LABELS = pd.Series([("a",), ("a", "b"), ("b",), (), ("c",)])
GROUPS = pd.Series(["1", "2", "2", "3", "4"])


def of(**changes: Any) -> Dataset:
    """A definition with these policies."""
    return build({"source": {"type": "folders"}} | changes, "test")


def pages(rows: list[tuple[str, str, tuple[str, ...]]]) -> pd.DataFrame:
    """Rows of id, group and labels."""
    return pd.DataFrame(rows, columns=[ID, GROUP, LABEL])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("keep", [("a",), ("a", "b"), ("b",), (), ("c",)]),
        ("drop", [("a",), ("a",), None, (), None]),
        ("other", [("a",), ("a", "other"), ("other",), (), ("other",)]),
    ],
)
def test_rare_classes_are_counted_in_groups(policy: str, expected: list[Any]) -> None:
    how = Rare(policy=policy, minimum=2)
    assert without_rare(LABELS, rare_classes(LABELS, GROUPS, how), how).tolist() == expected


def test_only_the_most_frequent_classes_are_not_rare() -> None:
    labels = pd.Series([("d",), ("d",), ("b",), ("b",), ("c",), ("c",), ("a",)])
    groups = pd.Series(list("1234567"))
    assert rare_classes(labels, groups, Rare(policy="drop", minimum=1, most_frequent=2)) == {"a", "d"}
    assert rare_classes(labels, groups, Rare(policy="drop", minimum=2)) == {"a"}
    assert rare_classes(labels, groups, Rare(policy="drop", minimum=2, most_frequent=9)) == {"a"}
    with pytest.raises(InputError, match="most_frequent says which classes are rare"):
        of(rare={"policy": "keep", "most_frequent": 2})


def test_the_account_names_every_class_and_what_became_of_it() -> None:
    rows = [(f"a{number}", f"a{number}", ("a",)) for number in range(6)]
    rows += [("b0", "b0", ("b",)), ("b1", "b1", ("b",)), ("c0", "c0", ("c",)), ("o0", "o0", ("other",))]
    chosen = selection(pages(rows), of(rare={"policy": "other", "minimum": 2}, max_per_class=4), set())
    assert chosen.outcomes == {
        "a": {"found": 6, "kept": 4, "outcome": "capped"},
        "b": {"found": 2, "kept": 2, "outcome": "kept"},
        "c": {"found": 1, "kept": 0, "outcome": "other"},
        "other": {"found": 1, "kept": 2, "outcome": "kept"},
    }
    assert Counter(chosen.reasons) == {"": 8, "class is full: 4 pages": 2}
    dropped = selection(pages(rows), of(rare={"policy": "drop", "minimum": 2}), set())
    assert dropped.outcomes["c"] == {"found": 1, "kept": 0, "outcome": "dropped"}
    assert Counter(dropped.reasons) == {"": 8, "rare class": 2}


def test_whole_groups_are_cut() -> None:
    rows = [(f"p{number}", f"g{number // 3}", ("a",)) for number in range(30)]
    cut = beyond_cap(pages(rows), 10, set(), 0)
    assert (~cut).sum() == 9
    assert cut.groupby(pages(rows)[GROUP]).nunique().max() == 1
    assert not beyond_cap(pages(rows), 0, set(), 0).any()


def test_a_cap_spares_rare_classes_beside_a_full_one() -> None:
    rows = [(f"p{number}", f"p{number}", ("common",)) for number in range(50)]
    rows += [(f"r{number}", f"r{number}", ("common", "rare")) for number in range(5)]
    cut = beyond_cap(pages(rows), 10, set(), 0)
    assert not cut[50:].any()
    assert (~cut).sum() == 10


archives = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.sampled_from("abcd"), max_size=2, unique=True)), min_size=1, max_size=40
)


@given(archives, archives, st.integers(1, 8), st.integers(0, 2))
def test_a_growing_archive_displaces_nobody(
    first: list[tuple[int, list[str]]], more: list[tuple[int, list[str]]], limit: int, seed: int
) -> None:
    rows = [(f"p{number}", f"g{group}", tuple(labels)) for number, (group, labels) in enumerate([*first, *more])]
    before = pages(rows[: len(first)])
    kept = set(before.loc[~beyond_cap(before, limit, set(), seed), ID])
    after = pages(rows)
    cut = beyond_cap(after, limit, kept, seed)
    assert kept <= set(after.loc[~cut, ID])
    assert max(Counter(label for row in after.loc[~cut, LABEL] for label in row).values(), default=0) <= limit


def looked_at(
    frame: pd.DataFrame, how: Dataset, earlier: set[str], broken: set[str]
) -> tuple[set[str], set[str], set[str]]:
    """Ids of the pages that were opened until all within reach were known, of the kept, and of those told as broken."""
    opened: set[str] = set()
    while True:
        found = frame[ID].isin(broken & opened)
        reach = within_reach(frame, how, earlier, list(frame.index[found]))
        more = set(frame.loc[reach, ID]) - opened
        if not more:
            left = frame[~(found & reach)]
            return (
                opened,
                set(left.loc[selection(left, how, earlier).reasons == "", ID]),
                set(frame.loc[found & reach, ID]),
            )
        opened |= more


@settings(deadline=None, max_examples=60)  # each example asks several times
@given(archives, archives, st.sets(st.integers(0, 80)), st.integers(1, 8), st.booleans())
def test_pages_out_of_reach_change_nothing_though_they_be_broken(
    first: list[tuple[int, list[str]]], more: list[tuple[int, list[str]]], numbers: set[int], limit: int, mixed: bool
) -> None:
    rows = [
        (f"p{number}", f"g{group}" if mixed else f"g{group}{labels[:1]}", tuple(labels[:1]) or ("e",))
        for number, (group, labels) in enumerate([*first, *more])
    ]
    how, broken = of(max_per_class=limit), {f"p{number}" for number in numbers}
    earlier: set[str] = set()
    for frame in (pages(rows[: len(first)]), pages(rows)):
        whole = frame[~frame[ID].isin(broken)]
        expected = set(whole.loc[selection(whole, how, earlier).reasons == "", ID])
        opened, kept, told = looked_at(frame, how, earlier, broken)
        assert kept == expected
        assert kept <= opened
        assert looked_at(frame, how, kept, broken)[1:] == (kept, told)  # a second run gives the same reasons
        earlier = kept


def test_few_pages_beyond_a_full_class_are_opened() -> None:
    rows = [(f"p{number}", f"p{number}", ("a" if number < 900 else "b",)) for number in range(1000)]
    broken = {f"p{number}" for number in range(0, 1000, 10)}
    opened, kept, _ = looked_at(pages(rows), of(max_per_class=50), set(), broken)
    assert len(kept) == 100
    assert 100 < len(opened) < 130
    assert within_reach(pages(rows), of(max_per_class=50, rare={"policy": "drop", "minimum": 2}), set()).all()
    several = [*rows, ("p1000", "p1000", ("a", "b"))]
    assert within_reach(pages(several), of(max_per_class=50), set()).all()
    mixed = [*rows, ("p1000", "p0", ("b",))]
    assert within_reach(pages(mixed), of(max_per_class=50), set()).all()
