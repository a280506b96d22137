"""The bootstrap over groups: near the analytical interval, honest about pages that agree, and repeatable."""

import numpy as np
import pytest

from leaflet_tool.measure import intervals
from leaflet_tool.measure.evaluation import figures
from leaflet_tool.measure.metrics import category_sums, expected_calibration_error


def outcomes(build, right, groups=()):
    """A two-class frame that is right where `right` is true."""
    hit = np.where(right, 0.9, 0.1)
    return build(["a"] * len(right), {"a": hit, "b": 1 - hit}, groups)


def accuracy_interval(frame, seed=0, resamples=1000):
    return figures(category_sums(frame), seed=seed, resamples=resamples)["accuracy"]


def test_single_pages_give_nearly_the_analytical_interval(build):
    right = np.arange(400) % 5 > 0
    found = accuracy_interval(outcomes(build, right), resamples=4000)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert found["value"] == 0.8
    assert (found["low"], found["high"]) == pytest.approx((0.8 - half, 0.8 + half), abs=0.006)


def test_pages_that_agree_widen_the_interval(build):
    chance = np.random.default_rng(2)
    leaflet = chance.random(200) < 0.8
    groups = [f"g{number // 5}" for number in range(1000)]
    agreeing = accuracy_interval(outcomes(build, np.repeat(leaflet, 5), groups))
    independent = accuracy_interval(outcomes(build, chance.permutation(np.repeat(leaflet, 5)), groups))
    ratio = (agreeing["high"] - agreeing["low"]) / (independent["high"] - independent["low"])
    assert ratio == pytest.approx(np.sqrt(5), rel=0.25)


def test_intervals_cover_the_truth_about_as_often_as_they_say(build):
    chance, covered, trials = np.random.default_rng(5), 0, 200
    for trial in range(trials):
        ease = chance.beta(4, 1, size=80)  # leaflets differ in how easy their pages are; the mean accuracy is 0.8
        pages = chance.integers(1, 6, size=80)
        right = chance.random(pages.sum()) < np.repeat(ease, pages)
        groups = np.repeat([f"g{number}" for number in range(80)], pages)
        found = accuracy_interval(outcomes(build, right, groups), seed=trial, resamples=300)
        covered += found["low"] <= 0.8 <= found["high"]
    assert 0.90 <= covered / trials <= 0.99


def calibration_intervals(build, gap, seed, rows=60):
    """The calibration error's interval, and that of the percentiles, of a model that claims too much by `gap`."""
    chance = np.random.default_rng(seed)
    confidence = 0.5 + chance.beta(4, 1.5, size=rows) / 2
    right = chance.random(rows) < confidence - gap
    labels = np.where(right, "a", "b")
    sums = category_sums(build(list(labels), {"a": confidence, "b": 1 - confidence}))
    weights = intervals.bootstrap_weights(rows, seed=seed, resamples=200)
    resampled = np.concatenate([expected_calibration_error(sums.weighted(block)) for block in weights])
    percentiles = intervals.interval(expected_calibration_error(sums.total()), resampled, rows)
    return figures(sums, seed=seed, resamples=200)["expected_calibration_error"], percentiles


def test_the_calibration_error_lies_in_its_interval_which_holds_the_true_one_too(build):
    covered = {}
    for gap in (0.05, 0.2):
        found = [calibration_intervals(build, gap, seed) for seed in range(100)]
        assert all(0 <= basic["low"] <= basic["value"] <= basic["high"] <= 1 for basic, _ in found)
        covered[gap] = [sum(each["low"] <= gap <= each["high"] for each in kind) for kind in zip(*found, strict=True)]
    assert covered[0.05][0] >= 80 > 40 >= covered[0.05][1], covered
    assert min(covered[0.2]) >= 80, covered


def test_a_perfectly_calibrated_value_lies_in_its_interval(build):
    half = category_sums(build(["a", "b"] * 10, {"a": [0.5] * 20, "b": [0.5] * 20}))
    found = figures(half, seed=1, resamples=200)["expected_calibration_error"]
    assert found["low"] == found["value"] == 0
    assert found["high"] >= 0


def test_every_resample_draws_as_many_groups_as_there_are(monkeypatch):
    monkeypatch.setattr(intervals, "_CELLS", 100)
    blocks = list(intervals.bootstrap_weights(30, seed=1, resamples=10))
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
    weights = np.concatenate(blocks)
    assert (weights.sum(axis=1) == 30).all()
    assert len({tuple(row) for row in weights}) == 10


def test_each_group_is_drawn_once_on_average():
    (weights,) = intervals.bootstrap_weights(50, seed=3, resamples=4000)
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.1)
    assert weights.var() == pytest.approx(1 - 1 / 50, rel=0.05)


def test_a_seed_repeats_the_interval_and_another_moves_it(build):
    frame = outcomes(build, np.arange(97) % 4 > 0)
    assert accuracy_interval(frame, seed=1) == accuracy_interval(frame, seed=1)
    wide = [accuracy_interval(frame, seed=seed, resamples=20) for seed in range(5)]
    assert len({(found["low"], found["high"]) for found in wide}) > 1


def test_one_group_or_no_resample_has_no_interval(build):
    alone = accuracy_interval(outcomes(build, [True, False], ["x", "x"]))
    assert alone == {"value": 0.5, "low": None, "high": None}
    assert accuracy_interval(outcomes(build, [True, False]), resamples=0) == alone
