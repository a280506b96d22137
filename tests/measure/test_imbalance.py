"""Measures of imbalance, worked out by hand on small tables."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.measure import imbalance
from leaflet_tool.measure.imbalance import of_labels

ROWS = [("a",), ("a", "b"), ("a", "b", "c"), (), ("a",)]
"""a occurs four times, b twice, c once: their ratios to the commonest are 1, 2 and 4."""
TABLES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=20)


def test_every_figure_of_a_small_table():
    found = of_labels(ROWS)
    assert list(found) == [
        *("rows", "unlabelled", "cardinality", "density", "labels_per_row", "counts", "irlbl", "mean_ir"),
        *("scumble", "scumble_original", "cooccurrence"),
    ]
    assert (found["rows"], found["unlabelled"]) == (5, 1)
    assert found["cardinality"] == pytest.approx(7 / 5)
    assert found["density"] == pytest.approx(7 / 5 / 3)
    assert found["labels_per_row"] == {0: 1, 1: 2, 2: 1, 3: 1}
    assert found["counts"] == {"a": 4, "b": 2, "c": 1}
    assert found["irlbl"] == {"a": 1.0, "b": 2.0, "c": 4.0}
    assert found["mean_ir"] == pytest.approx(7 / 3)
    assert found["cooccurrence"] == {"classes": ["a", "b", "c"], "counts": [[4, 2, 1], [2, 2, 1], [1, 1, 1]]}


def test_scumble_takes_the_root_of_the_labels_a_row_has():
    two, three = 1 - np.sqrt(1 * 2) / 1.5, 1 - np.cbrt(1 * 2 * 4) / (7 / 3)
    assert of_labels(ROWS)["scumble"] == pytest.approx((two + three) / 5)


def test_the_originals_variant_takes_the_root_of_all_labels():
    two, three = 1 - np.cbrt(1 * 2) / 1.5, 1 - np.cbrt(1 * 2 * 4) / (7 / 3)
    assert of_labels(ROWS)["scumble_original"] == pytest.approx((two + three) / 5)


def test_rows_of_one_label_are_not_mixed_but_seem_so_in_the_originals_variant():
    found = of_labels([("a",), ("a",), ("a",), ("a",), ("b",)])
    assert found["scumble"] == 0
    assert found["scumble_original"] == pytest.approx((1 - np.sqrt(4) / 4) / 5)


def test_a_label_named_twice_counts_once_and_order_does_not_matter():
    assert of_labels([("b", "a", "b"), ("a",)]) == of_labels([("a", "b"), ("a",)])


def test_labels_of_equal_counts_come_by_name():
    assert list(of_labels([("b", "a"), ("c", "b", "a"), ("c",)])["counts"]) == ["a", "b", "c"]


@pytest.mark.parametrize("rows", [[], [(), ()]])
def test_a_table_without_labels_has_figures_of_nothing(rows):
    found = of_labels(rows)
    assert found["unlabelled"] == found["rows"] == len(rows)
    assert found["cardinality"] == found["density"] == found["mean_ir"] == found["scumble"] == 0
    assert found["counts"] == {}
    assert found["cooccurrence"] == {"classes": [], "counts": []}


@given(TABLES)
def test_any_table_has_figures_within_their_bounds(rows):
    found = of_labels(rows)
    assert json.loads(json.dumps(found["cooccurrence"])) == found["cooccurrence"]
    assert 0 <= found["scumble"] <= found["scumble_original"] + 1e-12 <= 1 + 1e-12
    assert 0 <= found["density"] <= 1
    assert sum(found["labels_per_row"].values()) == len(rows)
    counts = np.array(found["cooccurrence"]["counts"]).reshape(len(found["counts"]), len(found["counts"]))
    assert counts.diagonal().tolist() == list(found["counts"].values())
    assert (counts == counts.T).all()


def test_of_very_many_labels_the_commonest_are_counted_together(monkeypatch):
    monkeypatch.setattr(imbalance, "COOCCURRING", 2)
    assert of_labels(ROWS)["cooccurrence"] == {"classes": ["a", "b"], "counts": [[4, 2], [2, 2]]}


def test_a_row_of_hundreds_of_rare_labels_does_not_overflow():
    rows = [tuple(f"label {n}" for n in range(400)), *[("common",)] * 100_000]
    assert of_labels(rows)["scumble"] == pytest.approx(0, abs=1e-12)
    assert of_labels([*rows, ("common", "label 1")])["scumble"] == pytest.approx(
        (1 - np.sqrt(100_001 / 2) / ((100_001 / 2 + 1) / 2) + _mixed(400, 100_001)) / 100_002
    )


def _mixed(labels, most):
    """SCUMBLE of a row of `labels` labels of which one occurs twice and the others once."""
    ratios = np.full(labels, float(most))
    ratios[0] /= 2
    return 1 - np.exp(np.log(ratios).mean()) / ratios.mean()
