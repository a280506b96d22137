"""Errors before and after calibration: by hand, and as scikit-learn has them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from leaflet_tool.measure.calibration import Temperature, calibrated
from leaflet_tool.measure.calibration_error import before_and_after, equal_bins, error_sums
from leaflet_tool.measure.label_sets import truth_matrix
from leaflet_tool.measure.predictions import probabilities_of

CLASSES = list("abc")


def figures(frame):
    sums = error_sums(frame)
    return {name: float(value) for name, value in sums.weighted(np.ones(len(sums.rows))).figures().items()}


def test_a_calibration_error_by_hand(build):
    sure, unsure = [0.9] * 10, [0.6] * 10
    frame = build(["a"] * 8 + ["b"] * 2 + ["a"] * 3 + ["b"] * 7, {"a": sure + unsure, "b": [0.1] * 10 + [0.4] * 10})
    assert figures(frame)["calibration_error"] == pytest.approx((0.1 + 0.3) / 2)
    assert [(each["rows"], each["accuracy"]) for each in error_sums(frame).weighted(np.ones(20)).bins()] == [
        (10, pytest.approx(0.3)),
        (10, pytest.approx(0.8)),
    ]


@given(st.integers(1, 80), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_figures_are_scikit_learns(drawn, rows, seed):
    labels = list(np.random.default_rng(seed).choice(CLASSES, rows))
    frame = drawn(labels, CLASSES, seed=seed)
    found, values = figures(frame), probabilities_of(frame)
    truth = np.array([[name == label for name in CLASSES] for label in labels], dtype=float)
    assert found["log_loss"] == pytest.approx(log_loss(labels, values, labels=CLASSES))
    assert found["brier"] == pytest.approx(((values - truth) ** 2).sum(axis=1).mean())
    assert 0 <= found["calibration_error"] <= 1


def test_figures_of_several_labels_are_means_over_pairs(drawn_labels):
    frame = drawn_labels(200, 5, seed=2)
    truth, values = truth_matrix(frame).ravel(), probabilities_of(frame).ravel()
    found = figures(frame)
    assert found["brier"] == pytest.approx(brier_score_loss(truth, values))
    assert found["log_loss"] == pytest.approx(log_loss(truth, np.column_stack([1 - values, values]), labels=[0, 1]))


def test_a_label_never_seen_costs_most(build, build_labels):
    table = {"a": [0.7], "b": [0.3]}
    single = figures(build(["new"], table))
    assert single["log_loss"] == pytest.approx(-np.log(1e-15))
    assert single["brier"] == pytest.approx(0.7**2 + 0.3**2 + 1)
    several = figures(build_labels(["new"], table))
    assert several["brier"] == pytest.approx((0.7**2 + 0.3**2 + 1) / 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
@settings(deadline=None)
def test_bins_hold_equally_many_and_never_split_equal_values(values):
    bins, count = equal_bins(np.array(values))
    assert count == min(15, max(1, len(values) // 10))
    assert bins.min() >= 0 and bins.max() < count
    assert pd.Series(bins).groupby(values).nunique().max() == 1
    if len(set(values)) == len(values):
        sizes = np.bincount(bins, minlength=count)
        assert sizes.max() - sizes.min() <= 2


def test_a_better_temperature_shows_as_a_difference_below_0(drawn):
    chance = np.random.default_rng(3)
    labels = list(chance.choice(CLASSES, 400))
    right = drawn(labels, CLASSES, seed=3, groups=[f"g{row // 2}" for row in range(400)])
    oversure = calibrated(right, Temperature(0.2, {}))
    found = before_and_after(oversure, right, seed=1, resamples=200)
    for name in ("calibration_error", "log_loss", "brier"):
        difference = found["difference"][name]
        assert difference["high"] < 0
        assert difference["value"] == pytest.approx(found["after"][name]["value"] - found["before"][name]["value"])
        assert found["before"][name]["low"] <= found["before"][name]["value"] <= found["before"][name]["high"]
    assert sum(each["rows"] for each in found["reliability"]["after"]) == 400


def test_one_leaflet_has_no_interval(build):
    frame = build(["a", "b"], {"a": [0.7, 0.4], "b": [0.3, 0.6]}, ["x", "x"])
    found = before_and_after(frame, frame, seed=1, resamples=20)
    assert found["after"]["brier"]["low"] is None and found["difference"]["brier"]["value"] == 0
