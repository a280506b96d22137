"""Paired comparisons: the difference, its interval, McNemar's exact test, and refusal of different rows."""

import json
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.errors import InputError
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.paired import mcnemar_exact, paired
from leaflet_tool.measure.same_rows import same_rows


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_twice_the_smaller_binomial_tail(only_a, only_b):
    rows = only_a + only_b
    tail = sum(comb(rows, right) for right in range(min(only_a, only_b) + 1)) / 2**rows
    assert mcnemar_exact(only_a, only_b) == pytest.approx(min(1.0, 2 * tail))


@pytest.fixture(scope="module")
def runs(drawn):
    labels = [["a", "b", "c"][number // 2 % 3] for number in range(120)]
    groups = [f"g{number // 2}" for number in range(120)]
    return drawn(labels, list("abc"), seed=1, groups=groups), drawn(labels, list("abc"), seed=2, groups=groups)


def test_the_difference_is_that_of_the_two_accuracies(runs):
    a, b = runs
    result = paired(a, b, seed=1, resamples=500)
    reports = [evaluate(frame, seed=1, resamples=10) for frame in runs]
    for part, rows in (("page", 120), ("leaflet", 60)):
        accuracies = [report[part]["figures"]["accuracy"]["value"] for report in reports]
        found = result[part]
        assert (found["rows"], found["groups"]) == (rows, 60)
        assert found["accuracy_difference"]["value"] == pytest.approx(accuracies[0] - accuracies[1])
        assert (found["only_a_right"] - found["only_b_right"]) / rows == pytest.approx(accuracies[0] - accuracies[1])
        assert found["mcnemar_p"] == mcnemar_exact(found["only_a_right"], found["only_b_right"])
        assert found["accuracy_difference"]["low"] < found["accuracy_difference"]["high"]
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_swapping_the_runs_turns_the_difference(runs):
    a, b = runs
    there, back = paired(a, b, seed=3), paired(b, a, seed=3)
    for part in ("page", "leaflet"):
        forward, backward = there[part]["accuracy_difference"], back[part]["accuracy_difference"]
        assert forward["low"] == pytest.approx(-backward["high"])
        assert there[part]["mcnemar_p"] == back[part]["mcnemar_p"]


def test_the_order_of_rows_does_not_matter(runs):
    a, b = runs
    assert paired(a, b.sample(frac=1, random_state=1), seed=1) == paired(a, b, seed=1)


def test_a_run_against_itself_differs_by_nothing(runs):
    found = paired(runs[0], runs[0], seed=1)["page"]
    assert found["accuracy_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["mcnemar_p"] == 1.0


def test_the_paired_interval_is_near_the_analytical_one(build):
    a_right = np.arange(500) % 10 > 1
    b_right = np.arange(500) % 10 > 3
    frames = [
        build(["a"] * 500, {"a": np.where(right, 0.9, 0.1), "b": np.where(right, 0.1, 0.9)})
        for right in (a_right, b_right)
    ]
    found = paired(*frames, seed=1, resamples=4000)["page"]["accuracy_difference"]
    half = 1.96 * np.sqrt((0.2 - 0.2**2) / 500)
    assert (found["low"], found["high"]) == pytest.approx((0.2 - half, 0.2 + half), abs=0.006)


def test_runs_with_different_classes_can_be_compared(build):
    a = build(["a", "b"], {"a": [0.9, 0.2], "b": [0.1, 0.8]})
    b = build(["a", "b"], {"a": [0.9, 0.8], "z": [0.1, 0.2]})
    assert paired(a, b, seed=1, resamples=10)["page"]["only_a_right"] == 1


def test_different_rows_are_refused_and_named(runs):
    a, b = runs
    with pytest.raises(InputError) as raised:
        paired(a.drop(index=3), b.drop(index=[5, 6]), seed=1, names=("image", "text"))
    message = raised.value.message
    assert message.startswith("image and text were not judged on the same rows")
    assert {line.strip("- ") for line in message.splitlines()[1:]} == {
        "p5: only in image",
        "p6: only in image",
        "p3: only in text",
    }


@pytest.mark.parametrize(("column", "value"), [("label", "c"), ("group", "elsewhere")])
def test_another_label_or_group_is_refused_and_named(runs, column, value):
    a, b = runs
    changed = b.assign(**{column: b[column].where(b["id"] != "p1", value)})
    with pytest.raises(InputError, match=f"p1: {column} '.*' in a, '{value}' in b"):
        paired(a, changed, seed=1)


def test_a_hundred_different_rows_do_not_flood_the_message(runs):
    a, b = runs
    with pytest.raises(InputError, match="and 80 more"):
        same_rows(a, b.iloc[100:])


def test_an_empty_run_is_an_error(runs):
    with pytest.raises(InputError, match="no row to evaluate in b"):
        paired(runs[0], runs[1].iloc[:0], seed=1)
