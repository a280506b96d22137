"""Paired comparisons of several labels a row: differences, their intervals and p, and refusal of different rows."""

import json

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_pairs import bootstrap_p, paired_labels
from leaflet_tool.measure.label_sets import from_label_probabilities
from leaflet_tool.measure.paired import paired
from leaflet_tool.measure.predictions import classes_of, probabilities_of


def worse(frame, *, noise, seed=1):
    """The same rows, their probabilities blurred by noise in their logits."""
    values = probabilities_of(frame)
    logits = np.log(values / (1 - values)) + np.random.default_rng(seed).normal(0, noise, values.shape)
    table = pd.DataFrame(1 / (1 + np.exp(-logits)), columns=classes_of(frame))
    return from_label_probabilities(frame, frame["label"], table)


@pytest.fixture(scope="module")
def runs(drawn_labels):
    good = drawn_labels(400, 8, seed=1, pages=2)
    return good, worse(good, noise=2)


def test_the_differences_are_those_of_the_two_reports(runs):
    result = paired_labels(*runs, seed=1, resamples=300)
    reports = [evaluate(frame, seed=1, resamples=5) for frame in runs]
    for unit, rows in (("page", 400), ("leaflet", 200)):
        found, (a, b) = result[unit], [report[unit] for report in reports]
        assert (found["rows"], found["groups"]) == (rows, 200)
        assert found["differences"].keys() == {"macro_ap", "micro_ap"}
        for name, difference in found["differences"].items():
            assert difference["value"] == pytest.approx(a["figures"][name]["value"] - b["figures"][name]["value"])
            assert 0 < difference["low"] < difference["value"] < difference["high"]
            assert difference["p"] == pytest.approx(2 / 301)
        assert found["views"].keys() == {"half", "thresholds"}
        for view, differences in found["views"].items():
            assert differences.keys() == {"micro_f1", "macro_f1"}
            for name, difference in differences.items():
                values = [each["views"][view]["figures"][name]["value"] for each in (a, b)]
                assert difference["value"] == pytest.approx(values[0] - values[1])
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_swapping_the_runs_turns_the_differences(runs):
    a, b = runs
    there, back = (paired_labels(*pair, seed=3, resamples=200)["page"] for pair in ((a, b), (b, a)))
    for name in ("macro_ap", "micro_ap"):
        forward, backward = there["differences"][name], back["differences"][name]
        assert forward["low"] == pytest.approx(-backward["high"])
        assert forward["p"] == backward["p"]


def test_a_run_against_itself_differs_by_nothing(runs):
    found = paired_labels(runs[0], runs[0], seed=1, resamples=50)["page"]
    assert found["differences"]["macro_ap"] == {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}


def test_both_runs_are_judged_on_the_same_resamples(drawn_labels):
    frame = drawn_labels(300, 6, seed=4)
    alike = paired_labels(frame, worse(frame, noise=0.1), seed=1, resamples=200)["page"]["differences"]["micro_ap"]
    alone = evaluate(frame, seed=1, resamples=200)["page"]["figures"]["micro_ap"]
    assert alike["high"] - alike["low"] < (alone["high"] - alone["low"]) / 4


def test_p_is_rarely_small_where_there_is_no_difference(drawn_labels):
    found = []
    for seed in range(40):
        frame = drawn_labels(100, 3, seed=seed)
        pair = (worse(frame, noise=1, seed=number + 1000 * seed) for number in (1, 2))
        found.append(paired_labels(*pair, seed=seed, resamples=60)["page"]["differences"]["micro_ap"]["p"])
    assert np.mean(np.array(found) < 0.05) <= 0.15
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.2)


def test_p_is_twice_the_smaller_side_and_never_0():
    assert bootstrap_p(np.array([1.0, 2.0, 3.0])) == 0.5
    assert bootstrap_p(np.array([-1.0] * 10 + [1.0] * 89)) == pytest.approx(2 * 11 / 100)
    assert bootstrap_p(-np.array([-1.0] * 10 + [1.0] * 89)) == pytest.approx(2 * 11 / 100)
    assert bootstrap_p(np.zeros(5)) == 1.0


def test_one_group_has_no_interval_and_no_p(build_labels):
    frame = build_labels(["a", "b"], {"a": [0.9, 0.1], "b": [0.1, 0.9]}, ["x", "x"])
    found = paired_labels(frame, frame, seed=1)["page"]["differences"]["macro_ap"]
    assert found == {"value": 0.0, "low": None, "high": None, "p": None}


def test_runs_with_different_classes_are_judged_by_all_of_them(build_labels):
    a = build_labels(["a", "a|b", ""], {"a": [0.9, 0.8, 0.1], "b": [0.1, 0.8, 0.1]})
    b = build_labels(["a", "a|b", ""], {"a": [0.9, 0.8, 0.1], "z": [0.1, 0.2, 0.9]})
    found = paired_labels(a, b, seed=1, resamples=10)["page"]
    assert found["differences"]["macro_ap"]["value"] == pytest.approx((1 - 1 / 3) / 2)
    assert found["views"]["half"]["macro_f1"]["value"] == pytest.approx(0.5)


def test_different_rows_are_refused_and_named(runs):
    a, b = runs
    with pytest.raises(InputError, match=r"(?s)image and text were not judged on the same rows.*p5: only in image"):
        paired_labels(a, b.drop(index=5), seed=1, names=("image", "text"))
    with pytest.raises(InputError, match=r"p1: label '.*' in a, 'label 07' in b"):
        paired_labels(a, b.assign(label=b["label"].where(b["id"] != "p1", "label 07")), seed=1)
    broken = b.assign(predicted="nothing known")
    with pytest.raises(InputError, match="b cannot be evaluated"):
        paired_labels(a, broken, seed=1)


def test_a_run_of_one_label_is_not_compared_with_one_of_several(runs, build):
    one = build(["a"], {"a": [0.9], "b": [0.1]})
    for pair, names in (((one, runs[0]), ("one", "many")), ((runs[0], one), ("many", "one"))):
        for compare in (paired, paired_labels):
            with pytest.raises(InputError, match="one predicts one label a page, many predicts several"):
                compare(*pair, seed=1, names=names)


def test_paired_sends_frames_of_several_labels_here(runs):
    assert paired(*runs, seed=1, resamples=20) == paired_labels(*runs, seed=1, resamples=20)
