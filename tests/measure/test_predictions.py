"""The predictions frame: how it is made, checked and combined by leaflet."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.measure.predictions import by_group, checked, classes_of, from_probabilities, mixed_groups


def test_a_frame_has_the_contracts_columns_with_classes_sorted(build):
    frame = build(["no", ""], {"no": [0.2, 0.5], "1": [0.7, 0.3], "NA": [0.1, 0.2]})
    assert list(frame.columns) == [
        *("id", "group", "split", "label", "predicted", "confidence"),
        *("probability_1", "probability_NA", "probability_no"),
    ]
    assert frame["predicted"].tolist() == ["1", "no"]
    assert frame["confidence"].tolist() == [0.7, 0.5]
    assert classes_of(frame) == ["1", "NA", "no"]


def test_rows_of_any_index_keep_their_probabilities():
    rows = pd.DataFrame({"id": ["x", "y"], "group": ["x", "y"], "split": "test"}, index=[7, 3])
    frame = from_probabilities(rows, ["a", "b"], pd.DataFrame({"a": [0.9, 0.2], "b": [0.1, 0.8]}, index=[3, 7]))
    assert frame["predicted"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("id", "p1", "ids that occur twice: p1"),
        ("label", "", "rows without a label: p0"),
        ("label", None, "rows without a label: p0"),
        ("probability_a", 0.5, "do not sum to 1: p0"),
        ("probability_a", float("nan"), "do not sum to 1: p0"),
        ("predicted", "c", "without a probability column: p0"),
        ("predicted", "b", "not the most probable: p0"),
        ("confidence", 0.4, "not the highest probability: p0"),
        ("confidence", float("nan"), "not the highest probability: p0"),
    ],
)
def test_a_fault_is_named_with_its_row(build, column, value, message):
    frame = build(["a", "b"], {"a": [0.8, 0.3], "b": [0.2, 0.7]})
    assert checked(frame) is frame
    frame.loc[0, column] = value
    with pytest.raises(InputError, match=message):
        checked(frame)


def test_all_faults_are_reported_together(build):
    frame = build(["a", "b"], {"a": [0.8, 0.3], "b": [0.2, 0.7]})
    frame.loc[0, "label"], frame.loc[1, "predicted"] = "", "c"
    with pytest.raises(InputError, match=r"(?s)rows without a label: p0.*probability column: p1"):
        checked(frame)


def test_a_negative_probability_is_a_fault_though_the_row_sums_to_1(build):
    with pytest.raises(InputError, match="not between 0 and 1"):
        checked(build(["a"], {"a": [1.2], "b": [-0.2]}))


def test_missing_columns_and_no_rows_are_told(build):
    frame = build(["a"], {"a": [1.0]})
    with pytest.raises(InputError, match=r"(?s)'confidence' is missing.*'probability_<class>' is missing"):
        checked(frame.drop(columns=["confidence", "probability_a"]))
    with pytest.raises(InputError, match="no row to evaluate in run mm"):
        checked(frame.iloc[:0], "run mm")


def test_pages_combine_by_the_normalised_geometric_mean(build):
    frame = build(["a", "b", "a"], {"a": [0.9, 0.2, 0.3], "b": [0.1, 0.8, 0.7]}, ["x", "y", "x"])
    leaflets = by_group(frame)
    assert leaflets["id"].tolist() == ["x", "y"]
    assert leaflets["label"].tolist() == ["a", "b"]
    a, b = np.sqrt(0.9 * 0.3), np.sqrt(0.1 * 0.7)
    assert leaflets["probability_a"].tolist() == pytest.approx([a / (a + b), 0.2])
    assert leaflets["predicted"].tolist() == ["a", "b"]
    checked(leaflets)


def test_a_certain_page_does_not_make_the_leaflet_undefined(build):
    leaflet = by_group(build(["a", "a"], {"a": [1.0, 0.0], "b": [0.0, 1.0]}, ["x", "x"]))
    assert leaflet["probability_a"].tolist() == pytest.approx([0.5])


def test_groups_of_one_page_stay_what_they_are(drawn):
    frame = drawn(list("abcabc"), list("abc"), seed=1)
    pd.testing.assert_frame_equal(by_group(frame), frame)


def test_pages_with_different_labels_stay_single_and_keep_their_group(build):
    frame = build(["a", "b", "b", "b"], {"a": [0.9, 0.2, 0.6, 0.3], "b": [0.1, 0.8, 0.4, 0.7]}, ["x", "x", "y", "y"])
    leaflets = by_group(frame)
    assert mixed_groups(frame) == ["x"]
    assert leaflets["id"].tolist() == ["p0", "p1", "y"]
    assert leaflets["group"].tolist() == ["x", "x", "y"]
    assert leaflets["probability_a"].tolist()[:2] == pytest.approx([0.9, 0.2])


def test_pages_without_labels_combine_too(build):
    assert by_group(build(["", ""], {"a": [0.9, 0.6], "b": [0.1, 0.4]}, ["x", "x"]))["label"].tolist() == [""]


def test_a_group_in_two_splits_is_combined_within_each(build):
    frame = build(["a", "a", "a"], {"a": [0.9, 0.2, 0.2], "b": [0.1, 0.8, 0.8]}, ["x", "x", "x"])
    frame["split"] = ["train", "test", "test"]
    leaflets = by_group(frame)
    assert leaflets["split"].tolist() == ["train", "test"]
    assert leaflets["probability_a"].tolist() == pytest.approx([0.9, 0.2])
