"""The hierarchy held against rows: labels it lacks, labels nobody has, and what follows from a label."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.prepare.hierarchy import outside, shaped, unused
from leaflet_tool.prepare.sources.rows import raw_frame
from leaflet_tool.taxonomy import Taxonomy

TAXONOMY = Taxonomy({"STEM": [], "Nature": ["STEM"], "Plants": ["Nature"], "Past": [], "Fossils": ["Nature", "Past"]})
sets = st.lists(st.lists(st.sampled_from(sorted(TAXONOMY.parents)), unique=True).map(tuple), max_size=5)


def test_labels_are_kept_closed_or_the_most_specific() -> None:
    cells = pd.Series([("Plants",), ("STEM", "Nature"), (), ("Fossils", "Past")], index=[3, 1, 4, 2])
    assert shaped(cells, TAXONOMY, "given") is cells
    assert shaped(cells, TAXONOMY, "flat").to_dict() == {3: ("Plants",), 1: ("Nature",), 4: (), 2: ("Fossils",)}
    closed = {3: ("Plants", "Nature", "STEM"), 1: ("STEM", "Nature"), 4: (), 2: ("Fossils", "Past", "Nature", "STEM")}
    assert shaped(cells, TAXONOMY, "closed").to_dict() == closed


@given(sets)
def test_closing_and_flattening_undo_each_other(rows: list[tuple[str, ...]]) -> None:
    cells = pd.Series(rows, dtype=object)
    closed, flat = shaped(cells, TAXONOMY, "closed"), shaped(cells, TAXONOMY, "flat")
    assert all(not TAXONOMY.missing_ancestors(row) for row in closed)
    assert list(map(set, shaped(flat, TAXONOMY, "closed"))) == list(map(set, closed))
    assert list(map(set, shaped(closed, TAXONOMY, "flat"))) == list(map(set, flat))


def test_labels_outside_are_listed_once_each_with_their_rows() -> None:
    rows = [("Plants", "Plant"), ("Zoo",), (), *[("Zoo", "STEM")] * 6]
    frame = raw_frame({"label": row, "row": str(number)} for number, row in enumerate(rows, start=2))
    assert outside(frame, TAXONOMY) == [
        "'Plant' is not in the taxonomy, did you mean 'Plants'? (row 2)",
        "'Zoo' is not in the taxonomy (row 3, row 5, row 6, row 7, row 8 and 2 more)",
    ]
    assert outside(frame, Taxonomy({})) == []


def test_a_label_is_used_where_one_below_it_is() -> None:
    assert unused([("Plants",), ()], TAXONOMY) == ["Past", "Fossils"]
    assert unused([("Fossils",)], TAXONOMY) == ["Plants"]
    assert unused([], Taxonomy({})) == []
