"""The predictions frame of several labels a row: how it is made, checked and combined by leaflet."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import split_labels, write_table
from leaflet_tool.measure.label_sets import (
    all_labels,
    by_group,
    cells,
    checked,
    from_label_probabilities,
    is_multiple,
    matrix,
    raised,
    truth_matrix,
    unseen_labels,
)
from leaflet_tool.models.runs import read_predictions
from leaflet_tool.taxonomy import Taxonomy


def test_a_frame_has_the_contracts_columns_with_classes_and_labels_by_name(build_labels):
    frame = build_labels(
        ["no|NA", ""], {"no": [0.2, 0.5], "1": [0.7, 0.3], "NA": [0.1, 0.9]}, (), {"no": 0.2, "1": 0.7, "NA": 0.95}
    )
    assert list(frame.columns) == [
        *("id", "group", "split", "label", "predicted", "predicted_at_half"),
        *("probability_1", "probability_NA", "probability_no"),
    ]
    assert frame["label"].tolist() == ["NA|no", ""]
    assert frame["predicted"].tolist() == ["1|no", "no"]
    assert frame["predicted_at_half"].tolist() == ["1", "NA|no"]
    assert is_multiple(checked(frame))


def test_a_frame_of_one_label_is_none_of_several(build):
    assert not is_multiple(build(["a"], {"a": [1.0]}))


def test_without_thresholds_both_columns_are_those_at_half(build_labels):
    frame = build_labels(["a"], {"a": [0.5], "b": [0.49]})
    assert frame["predicted"].tolist() == frame["predicted_at_half"].tolist() == ["a"]


def test_a_fold_is_kept():
    rows = pd.DataFrame({"id": ["x"], "group": ["x"], "split": "test", "fold": "3"}, index=[7])
    assert from_label_probabilities(rows, ["a"], pd.DataFrame({"a": [0.9]}))["fold"].tolist() == ["3"]


NAMES = ["1", "NA", "a b", "no"]


@given(st.lists(st.sets(st.sampled_from(NAMES)), max_size=10))
def test_cells_and_matrices_are_two_ways_to_say_the_same(sets):
    written = ["|".join(sorted(labels)) for labels in sets]
    assert cells(matrix(written, NAMES), NAMES) == written


def test_a_frame_survives_its_csv(drawn_labels, tmp_path):
    frame = drawn_labels(40, 6, seed=3)
    write_table(frame, tmp_path / "predictions.csv")
    again = checked(read_predictions(tmp_path / "predictions.csv"))
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)


def test_labels_the_model_never_saw_are_counted(build_labels):
    frame = build_labels(["a|new", "new|other", "a"], {"a": [0.9] * 3, "z": [0.1] * 3})
    assert unseen_labels(frame) == {"new": 2, "other": 1}
    assert all_labels(frame) == ["a", "new", "other", "z"]
    assert truth_matrix(frame).tolist() == [[True, False], [False, False], [True, False]]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("id", "p1", "ids that occur twice: p1"),
        ("label", None, "not by name, each once: p0"),
        ("label", "b|a", "not by name, each once: p0"),
        ("label", "a|a", "not by name, each once: p0"),
        ("label", "a||b", "not by name, each once: p0"),
        ("probability_a", 1.5, "not between 0 and 1: p0"),
        ("probability_a", float("nan"), "not between 0 and 1: p0"),
        ("predicted", "c", "without a probability column: p0"),
        ("predicted", None, "without a probability column: p0"),
        ("predicted_at_half", "a|b", "not those of 0.5 and more: p0"),
        ("predicted_at_half", "", "not those of 0.5 and more: p0"),
    ],
)
def test_a_fault_is_named_with_its_row(build_labels, column, value, message):
    frame = build_labels(["a", "a|b"], {"a": [0.8, 0.3], "b": [0.2, 0.7]})
    assert checked(frame) is frame
    frame.loc[0, column] = value
    with pytest.raises(InputError, match=message):
        checked(frame)


def test_all_faults_are_reported_together(build_labels):
    frame = build_labels(["a", "b"], {"a": [0.8, 0.3], "b": [0.2, 0.7]})
    frame.loc[0, "label"], frame.loc[1, "predicted"] = "|", "c"
    with pytest.raises(InputError, match=r"(?s)each once: p0.*probability column: p1"):
        checked(frame)


def test_missing_columns_and_no_rows_are_told(build_labels):
    frame = build_labels(["a"], {"a": [1.0]})
    with pytest.raises(InputError, match=r"(?s)'predicted' is missing.*'probability_<class>' is missing"):
        checked(frame.drop(columns=["predicted", "probability_a"]))
    with pytest.raises(InputError, match="no row to evaluate in run mm"):
        checked(frame.iloc[:0], "run mm")


def test_pages_combine_by_the_mean_of_their_logits(build_labels):
    frame = build_labels(["a", "b", "a"], {"a": [0.9, 0.2, 0.3], "b": [0.1, 0.8, 0.7]}, ["x", "y", "x"])
    leaflets = checked(by_group(frame))
    assert leaflets["id"].tolist() == ["x", "y"]
    assert leaflets["label"].tolist() == ["a", "b"]
    odds = np.sqrt(0.9 / 0.1 * 0.3 / 0.7)
    assert leaflets["probability_a"].tolist() == pytest.approx([odds / (1 + odds), 0.2])
    assert leaflets["predicted_at_half"].tolist() == ["a", "b"]


def test_what_all_pages_of_a_leaflet_are_predicted_to_have_it_has(build_labels):
    limits = {"a": 0.1, "b": 0.9}
    values = {"a": [0.12, 0.3, 0.05], "b": [0.8, 0.7, 0.95]}
    leaflets = by_group(build_labels(["a", "a", ""], values, ["x", "x", "y"], limits))
    assert leaflets["predicted"].tolist() == ["a", "b"]
    assert leaflets["predicted_at_half"].tolist() == ["b", "b"]


def test_where_pages_disagree_the_threshold_that_the_rows_show_decides(build_labels):
    pages = {"a": [0.15, 0.5, 0.15, 0.21, 0.19, 0.21]}
    frame = build_labels(["a"] * 6, pages, ["x", "x", "y", "y", "z", "w"], {"a": 0.2})
    leaflets = by_group(frame).set_index("id")
    assert leaflets["probability_a"].to_dict() == pytest.approx(
        {"x": 0.296, "y": 0.178, "z": 0.19, "w": 0.21}, abs=0.001
    )
    assert leaflets["predicted"].to_dict() == {"x": "a", "y": "", "z": "", "w": "a"}


def test_each_fold_has_thresholds_of_its_own():
    rows = pd.DataFrame({"id": list("abcdefgh"), "group": list("xxyyzzww"), "split": "test", "fold": list("00001111")})
    values = np.array([0.25, 0.302, 0.295, 0.31, 0.75, 0.85, 0.65, 0.82])
    parts = [
        from_label_probabilities(rows[at], ["l"] * 4, pd.DataFrame({"l": values[at]}), {"l": limit})
        for at, limit in ((slice(0, 4), 0.3), (slice(4, 8), 0.8))
    ]
    leaflets = by_group(pd.concat(parts, ignore_index=True))
    assert leaflets["fold"].tolist() == ["0", "0", "1", "1"]
    limits = np.array([0.3, 0.3, 0.8, 0.8])
    assert [cell == "l" for cell in leaflets["predicted"]] == (leaflets["probability_l"] >= limits).tolist()


def test_a_certain_page_does_not_make_the_leaflet_undefined(build_labels):
    leaflet = by_group(build_labels(["a", "a"], {"a": [1.0, 0.0]}, ["x", "x"]))
    assert leaflet["probability_a"].tolist() == pytest.approx([0.5])


def test_groups_of_one_page_stay_what_they_are(drawn_labels):
    frame = drawn_labels(60, 7, seed=1)
    pd.testing.assert_frame_equal(by_group(frame), frame.assign(id=frame["group"]))


def test_pages_with_different_labels_stay_single_and_keep_their_group(build_labels):
    frame = build_labels(["a", "a|b", "b", "b"], {"a": [0.9, 0.2, 0.6, 0.3], "b": [0.1, 0.8, 0.4, 0.7]}, list("xxyy"))
    leaflets = by_group(frame)
    assert leaflets["id"].tolist() == ["p0", "p1", "y"]
    assert leaflets["group"].tolist() == ["x", "x", "y"]


def test_with_a_taxonomy_a_predicted_class_brings_those_above_it_along():
    taxonomy = Taxonomy({"low": ["middle"], "middle": ["top"], "top": [], "other": []})
    values = pd.DataFrame({"low": [0.3, 0.1], "middle": [0.4, 0.2], "other": [0.9, 0.1], "top": [0.6, 0.2]})
    rows = pd.DataFrame({"id": ["x", "y"], "group": ["x", "y"], "split": "test"})
    limits = {"low": 0.2, "middle": 0.5, "top": 0.7, "other": 0.5}
    frame = from_label_probabilities(rows, ["", ""], values, limits, taxonomy)
    assert frame["predicted"].tolist() == ["low|middle|other|top", ""]
    assert frame["predicted_at_half"].tolist() == ["other|top", ""]
    assert from_label_probabilities(rows, ["", ""], values, limits)["predicted"].tolist() == ["low|other", ""]


GRAPH = Taxonomy({"low": ["middle", "side"], "middle": ["top"], "side": [], "top": [], "unused": ["top"]})
SHARES = st.floats(0.001, 0.999)


@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(["low", "middle", "side", "top"], SHARES)), min_size=1, max_size=12),
    st.fixed_dictionaries(dict.fromkeys(["low", "middle", "side", "top"], SHARES)),
)
def test_leaflets_of_coherent_pages_are_coherent(values, limits):
    classes = sorted(limits)
    table = pd.DataFrame(raised(pd.DataFrame(values)[classes].to_numpy(), classes, GRAPH), columns=classes)
    pages = [f"p{number}" for number in range(len(table))]
    rows = pd.DataFrame({"id": pages, "group": [f"g{number // 3}" for number in range(len(table))], "split": "test"})
    frame = from_label_probabilities(rows, [""] * len(table), table, limits, GRAPH)
    leaflets = by_group(frame, GRAPH)
    for view in ("predicted", "predicted_at_half"):
        for found in (frame[view], leaflets[view]):
            assert not any(GRAPH.missing_ancestors(split_labels(cell)) for cell in found)
    for low, high in (("low", "middle"), ("middle", "top"), ("low", "side")):
        assert (leaflets[f"probability_{high}"] >= leaflets[f"probability_{low}"] - 1e-12).all()
    single = table.iloc[:1]
    assert (raised(single.to_numpy(), classes, GRAPH) == single.to_numpy()).all()


def test_a_leaflet_brings_along_what_its_pages_do():
    taxonomy = Taxonomy({"low": ["top"], "top": []})
    values = pd.DataFrame({"low": [0.5, 0.05, 0.1, 0.3], "top": [0.5, 0.3, 0.4, 0.7]})
    rows = pd.DataFrame({"id": list("abcd"), "group": list("xxyz"), "split": "test"})
    frame = from_label_probabilities(rows, [""] * 4, values, {"low": 0.15, "top": 0.6}, taxonomy)
    assert frame["predicted"].tolist() == ["low|top", "", "", "low|top"]
    assert by_group(frame)["predicted"].tolist() == ["low", "", "low|top"]
    assert by_group(frame, taxonomy)["predicted"].tolist() == ["low|top", "", "low|top"]


def test_where_no_threshold_explains_a_frame_pages_that_agree_still_decide(build_labels):
    low = build_labels(["a"] * 2, {"a": [0.25, 0.35]}, ["x", "x"], {"a": 0.2})
    high = build_labels(["a"] * 2, {"a": [0.7, 0.6]}, ["y", "y"], {"a": 0.8}).assign(id=["q0", "q1"])
    leaflets = by_group(pd.concat([low, high], ignore_index=True))
    assert leaflets["predicted"].tolist() == ["a", ""]
