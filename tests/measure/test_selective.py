"""Risk by coverage and thresholds for a precision, by hand, against scipy, and in samples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from leaflet_tool.measure import selective
from leaflet_tool.measure.selective import Answers, threshold_for

CHANCE = {"seed": 1, "resamples": 200}


def asked(confidence, right, groups=None):
    owners, names = pd.factorize(np.array(groups if groups is not None else range(len(confidence))))
    return Answers(np.array(confidence, dtype=float), np.array(right, dtype=bool), owners, len(names))


def test_a_curve_by_hand():
    found = selective.risk_coverage(asked([0.9, 0.5, 0.8, 0.7], [1, 0, 1, 0]))
    assert [point["coverage"] for point in found] == [0.25, 0.5, 0.75, 1]
    assert [point["risk"] for point in found] == pytest.approx([0, 0, 1 / 3, 0.5])
    assert [point["confidence"] for point in found] == [0.9, 0.8, 0.7, 0.5]


def test_an_area_by_hand():
    assert selective.area(asked([0.9, 0.5, 0.8, 0.7], [1, 0, 1, 0]), **CHANCE)["value"] == pytest.approx(5 / 24)


def test_answers_of_equal_confidence_are_given_together():
    tied = asked([0.9, 0.7, 0.7, 0.7], [1, 0, 1, 0])
    assert [(point["coverage"], point["risk"]) for point in selective.risk_coverage(tied)] == [(0.25, 0), (1, 0.5)]
    assert selective.area(tied, **CHANCE)["value"] == pytest.approx((0 + 3 * 0.5) / 4)
    assert selective.coverage_at(tied, 0.6) == 0.25


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.6, 0.9]), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None)
def test_a_curve_ends_in_the_share_of_wrong_answers_and_grows_in_coverage(rows):
    found = asked(*zip(*rows, strict=True))
    points = selective.risk_coverage(found)
    coverage = [point["coverage"] for point in points]
    assert coverage == sorted(set(coverage)) and coverage[-1] == 1
    assert points[-1]["risk"] == pytest.approx(1 - found.right.mean())
    for point in points:
        given_ = found.confidence >= point["confidence"]
        assert point["coverage"] == pytest.approx(given_.mean())
        assert point["risk"] == pytest.approx(1 - found.right[given_].mean())
    area = selective.area(found, seed=1, resamples=0)["value"]
    expected = [1 - found.right[found.confidence >= each].mean() for each in found.confidence]
    assert area == pytest.approx(np.mean(expected))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.sampled_from([0.5, 0.7, 0.9]))
@settings(deadline=None)
def test_a_threshold_is_the_smallest_whose_bound_reaches_the_target(rows, target):
    found = asked(*zip(*rows, strict=True))
    limit = threshold_for(found, target)
    bounds = {}
    for each in set(found.confidence):
        right = found.right[found.confidence >= each]
        bounds[each] = binomtest(int(right.sum()), len(right), alternative="greater").proportion_ci(0.9).low
    reached = [each for each, bound in bounds.items() if bound >= target]
    assert limit.confidence == (min(reached) if reached else None)
    assert limit.bound == pytest.approx(bounds[limit.confidence] if reached else max(bounds.values()))
    if reached:
        given_ = selective.decided(found, limit.confidence)
        assert (given_.sum(), found.right[given_].sum()) == (limit.rows, limit.right)


def test_a_stricter_target_never_lowers_the_threshold():
    chance = np.random.default_rng(4)
    confidence = chance.random(500)
    found = asked(confidence, chance.random(500) < confidence)
    limits = [threshold_for(found, target).confidence or 2 for target in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)]
    assert limits == sorted(limits)


def test_it_takes_so_many_right_ones_to_show_a_precision():
    for target in (0.9, 0.95, 0.99):
        count = selective.needed(target)
        assert threshold_for(asked(np.full(count, 0.8), np.ones(count)), target).confidence == 0.8
        assert threshold_for(asked(np.full(count - 1, 0.8), np.ones(count - 1)), target).confidence is None
    assert (selective.needed(0.9), selective.needed(0.95)) == (22, 45)


def test_pages_of_a_leaflet_show_no_more_than_one():
    pages = asked(np.full(60, 0.8), np.ones(60), groups=np.repeat(range(20), 3))
    assert threshold_for(pages, 0.9).confidence is None
    assert threshold_for(pages, 0.9).bound == pytest.approx(0.1 ** (1 / 20))
    assert threshold_for(asked(np.full(60, 0.8), np.ones(60)), 0.9).confidence == 0.8


@pytest.mark.parametrize("target", [0.8, 0.9])
def test_the_precision_that_was_asked_for_is_kept_in_nine_samples_of_ten(target):
    chance, missed, decided = np.random.default_rng(5), 0, 0
    wide = np.sort(0.4 + 0.6 * chance.random(200_000))[::-1]
    precision = np.cumsum(wide) / np.arange(1, len(wide) + 1)
    for _ in range(300):
        confidence = 0.4 + 0.6 * chance.random(150)
        limit = threshold_for(asked(confidence, chance.random(150) < confidence), target).confidence
        if limit is not None:
            decided += 1
            missed += precision[np.searchsorted(-wide, -limit, side="right") - 1] < target
    assert decided > 100
    assert missed / 300 < 0.14


def test_precision_and_coverage_have_intervals_over_leaflets():
    found = asked(np.linspace(1, 0.5, 40), [1, 1, 1, 0] * 10, groups=np.repeat(range(20), 2))
    given_ = selective.decided(found, 0.75)
    told = selective.precision_and_coverage(found, given_, **CHANCE)
    assert (told["answers"], told["right"]) == (20, 15)
    assert told["precision"]["value"] == 0.75 and told["coverage"]["value"] == 0.5
    assert told["precision"]["low"] < 0.75 < told["precision"]["high"]
    assert told["coverage"]["low"] < 0.5 < told["coverage"]["high"]


def test_deciding_nothing_has_no_precision():
    found = asked([0.9, 0.8], [1, 1])
    told = selective.precision_and_coverage(found, selective.decided(found, None), **CHANCE)
    assert told["precision"] is None and told["coverage"]["value"] == 0


def test_no_answers_at_all():
    none = asked([], [])
    assert selective.risk_coverage(none) == [] and selective.area(none, **CHANCE) is None
    assert threshold_for(none, 0.9).confidence is None
    assert selective.coverage_at(none, 0.9) == 0


def test_answers_of_several_labels_are_those_more_likely_than_not(build_labels):
    frame = build_labels(["a", "b|a"], {"a": [0.9, 0.4], "b": [0.5, 0.7]})
    found = selective.answers(frame)
    assert found.confidence.tolist() == [0.9, 0.5, 0.7]
    assert found.right.tolist() == [True, False, True]
    assert found.groups.tolist() == [0, 0, 1]


def test_parts_are_joined_without_sharing_groups():
    found = Answers.joined([asked([0.9, 0.8], [1, 0], ["x", "x"]), asked([0.7], [1], ["x"])])
    assert found.groups.tolist() == [0, 0, 1] and found.count == 2


def test_a_long_curve_is_thinned_with_both_ends():
    chance = np.random.default_rng(6)
    points = selective.risk_coverage(asked(chance.random(5000), chance.random(5000) < 0.7))
    assert len(points) == selective.POINTS
    assert points[0]["coverage"] == 1 / 5000 and points[-1]["coverage"] == 1
