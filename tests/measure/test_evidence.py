"""Judges as one: calibrated each, then their mean log-probability."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure.evidence import SHARPEST, pooled
from leaflet_tool.measure.predictions import probabilities_of
from leaflet_tool.measure.rules import mean_log_probability

LABELS = ["a", "b"] * 50


def judge(build, right: float, sharp: float, seed: int) -> pd.DataFrame:
    """A judge that is right that often, and as sure as `sharp`."""
    chance = np.random.default_rng(seed)
    said = np.where(chance.random(100) < right, 0, 1) ^ (np.array(LABELS) == "b")
    return build(LABELS, {"a": np.where(said == 0, sharp, 1 - sharp), "b": np.where(said == 1, sharp, 1 - sharp)})


def test_a_judge_that_is_too_sure_is_taken_at_its_worth(build) -> None:
    sure = judge(build, 0.8, 0.999, 1)
    found = pooled({"sure": sure})
    right = (sure["label"] == sure["predicted"]).mean()
    assert found.powers["sure"] < 0.3
    assert found.predictions["confidence"].iloc[0] == pytest.approx(right, abs=0.01)
    assert found.predictions["predicted"].tolist() == sure["predicted"].tolist()


def test_a_judge_that_knows_nothing_has_no_say(build) -> None:
    good, blind = judge(build, 0.9, 0.9, 1), judge(build, 0.5, 0.99, 3)
    found = pooled({"good": good, "blind": blind})
    assert found.powers["blind"] < 0.05
    assert (found.predictions["predicted"] == good["predicted"]).mean() > 0.97


def test_calibrated_judges_are_combined_by_the_product_rule(build) -> None:
    votes = {name: judge(build, 0.8, 0.75, seed) for name, seed in (("x", 1), ("y", 2))}
    found = pooled(votes)
    powered = []
    for name, vote in votes.items():
        values = probabilities_of(vote) ** found.powers[name]
        powered.append(pd.DataFrame(values / values.sum(axis=1, keepdims=True), columns=["a", "b"]))
    np.testing.assert_allclose(probabilities_of(found.predictions), mean_log_probability(powered), atol=1e-9)


def test_a_judge_that_is_always_right_does_not_become_sure_without_end(build) -> None:
    assert pooled({"x": judge(build, 1.0, 0.7, 1)}).powers["x"] == pytest.approx(SHARPEST, abs=1e-3)


def test_rows_of_a_label_that_no_judge_knows_tell_nothing(build) -> None:
    frame = judge(build, 0.8, 0.9, 1)
    strange = frame.assign(label=["c"] * 40 + frame["label"].tolist()[40:])
    rest = frame.iloc[40:].reset_index(drop=True)
    assert pooled({"x": rest}).powers["x"] != pytest.approx(pooled({"x": frame}).powers["x"], abs=1e-3)
    assert pooled({"x": strange}).powers["x"] == pytest.approx(pooled({"x": rest}).powers["x"], abs=1e-6)


def test_several_labels_are_each_a_question_of_their_own(build_labels) -> None:
    truth = ["a", "a|b", "", "b"] * 25
    a, b = (np.array([float(name in cell.split("|")) for cell in truth]) for name in "ab")
    sure = build_labels(truth, {"a": 0.05 + 0.9 * a, "b": 0.4 + 0.2 * b})
    found = pooled({"x": sure, "y": sure})
    assert found.predictions["predicted"].tolist() == truth
    assert found.powers["x"] == found.powers["y"]
    values = found.predictions[["probability_a", "probability_b"]].to_numpy()
    assert not np.allclose(values.sum(axis=1), 1)
