"""Temperature and lines: what was put in is found again, few rows change little, and nothing but the sureness moves."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax

from leaflet_tool.errors import InputError
from leaflet_tool.measure import calibration
from leaflet_tool.measure.calibration import Lines, Temperature, calibrated, fit
from leaflet_tool.measure.predictions import probabilities_of

CLASSES = list("abcd")
LINE = {"slope": 2.0, "offset": 1.0, "positives": 3, "source": "global"}


@pytest.fixture(scope="module")
def oversure(build):
    """`oversure(rows, factor)`: a model of four classes whose logits are `factor` times what they should be."""

    def oversure(rows, factor, *, seed=1, groups=()):
        chance = np.random.default_rng(seed)
        logits = chance.normal(0, 1.5, (rows, len(CLASSES)))
        true = (softmax(logits, axis=1).cumsum(axis=1) > chance.random((rows, 1))).argmax(axis=1)
        labels = [CLASSES[place] for place in true]
        return build(labels, pd.DataFrame(softmax(factor * logits, axis=1), columns=CLASSES), groups)

    return oversure


@pytest.fixture(scope="module")
def skewed(build_labels):
    """`skewed(rows, slope, offset)`: two labels whose true log odds are a line of the model's."""

    def skewed(rows, slope, offset, *, seed=1):
        chance = np.random.default_rng(seed)
        odds = chance.normal(0, 2, (rows, 2))
        truth = chance.random((rows, 2)) < expit(slope * odds + offset)
        labels = ["|".join(np.array(["a", "b"])[row]) for row in truth]
        return build_labels(labels, pd.DataFrame(expit(odds), columns=["a", "b"]))

    return skewed


@pytest.mark.parametrize("factor", [0.5, 1, 2, 4])
def test_the_temperature_of_an_oversure_model_is_recovered(oversure, factor):
    found = fit(oversure(6000, factor))
    assert found.temperature == pytest.approx(factor, rel=0.06)
    assert found.fitted == {"rows": 6000, "groups": 6000, "prior": calibration.PRIOR}


@pytest.mark.parametrize(("slope", "offset"), [(0.5, 0.0), (1.0, 1.0), (2.0, -1.0)])
def test_the_line_of_a_skewed_model_is_recovered(skewed, slope, offset):
    found = fit(skewed(6000, slope, offset))
    for line in (*found.labels.values(), found.global_):
        assert (line.slope, line.offset) == pytest.approx((slope, offset), rel=0.1, abs=0.1)


def test_the_minimum_is_that_of_the_likelihood_and_the_prior(oversure):
    frame, prior = oversure(40, 3), 0.5
    places = frame["label"].map(CLASSES.index).to_numpy()
    logs, grid = np.log(probabilities_of(frame)), np.linspace(-3, 3, 6001)
    scaled = logs[:, :, None] / np.exp(grid)
    losses = np.log(np.exp(scaled).sum(axis=1)).sum(axis=0) - scaled[np.arange(40), places].sum(axis=0)
    best = grid[np.argmin(losses + grid**2 / (2 * prior**2))]
    assert np.log(fit(frame, prior=prior).temperature) == pytest.approx(best, abs=1e-3)


def test_nine_rows_that_are_all_right_do_not_make_a_model_wildly_sure(build):
    values = pd.DataFrame({"a": [0.6] * 9, "b": [0.4] * 9})
    frame = build(["a"] * 9, values)
    assert fit(frame, prior=100).temperature == pytest.approx(1 / calibration.LIMIT, rel=0.01)
    held = calibrated(frame, fit(frame))["confidence"].iloc[0]
    assert 0.6 < held < 0.85


def test_pages_of_a_leaflet_count_as_one_together(oversure):
    single = oversure(40, 3)
    pages = pd.concat([single.assign(id=single["id"] + part) for part in "xyz"], ignore_index=True)
    assert fit(pages.assign(group=single["group"].tolist() * 3)).temperature == pytest.approx(fit(single).temperature)
    assert fit(pages.assign(group=pages["id"])).temperature > fit(single).temperature


def test_a_rare_label_is_drawn_to_what_fits_all(build_labels):
    chance = np.random.default_rng(3)
    odds = chance.normal(0, 1.5, (400, 3))
    truth = chance.random((400, 3)) < expit(2 * odds)
    truth[:, 1] = False
    truth[:, 2] = np.arange(400) == 7
    labels = ["|".join(np.array(["a", "b", "c"])[row]) for row in truth]
    found = fit(build_labels(labels, pd.DataFrame(expit(odds), columns=["a", "b", "c"])))
    assert (found.labels["b"].source, found.labels["b"].positives) == ("global", 0)
    assert (found.labels["b"].slope, found.labels["b"].offset) == (found.global_.slope, found.global_.offset)
    assert found.labels["a"].slope == pytest.approx(2, rel=0.3)
    unheld = fit(build_labels(labels, pd.DataFrame(expit(odds), columns=["a", "b", "c"])), prior=100).labels["c"]
    assert found.global_.offset > found.labels["c"].offset > unheld.offset


@given(st.integers(1, 40), st.integers(0, 1000), st.floats(0.1, 8))
@settings(deadline=None, max_examples=40)
def test_the_predicted_class_and_the_sum_of_probabilities_stay(drawn, rows, seed, factor):
    frame = drawn(list(np.random.default_rng(seed).choice(CLASSES, rows)), CLASSES, seed=seed)
    after = calibrated(frame, Temperature(factor, {}))
    values = probabilities_of(after)
    assert np.allclose(values.sum(axis=1), 1)
    places = frame["predicted"].map(CLASSES.index)
    assert np.allclose(values[np.arange(rows), places], after["confidence"])
    surer = after["confidence"].to_numpy() >= frame["confidence"].to_numpy() - 1e-12
    assert surer.all() if factor < 1 else (factor == 1 or not (surer & (frame["confidence"] < 0.999)).any())


@given(st.integers(2, 60), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_rows_of_a_label_stay_in_their_order(drawn_labels, rows, seed):
    frame = drawn_labels(rows, 4, seed=seed)
    before, after = probabilities_of(frame), probabilities_of(calibrated(frame, fit(frame)))
    for old, new in zip(before.T, after.T, strict=True):
        assert (np.diff(new[np.argsort(old, kind="stable")]) >= -1e-12).all()


def test_what_is_said_at_half_follows_the_calibrated_probabilities(skewed):
    frame = skewed(300, 1.0, 2.0)
    after = calibrated(frame, fit(frame))
    assert (after["predicted"] == frame["predicted"]).all()
    shown = after["predicted_at_half"].str.split("|").map(lambda names: "a" in names)
    assert (shown == (after["probability_a"] >= 0.5)).all()
    assert (after["predicted_at_half"] != frame["predicted_at_half"]).any()


@pytest.mark.parametrize("kind", ["temperature", "platt"])
def test_probabilities_of_0_and_1_stay_finite(build, build_labels, kind):
    table = {"a": [1.0, 0.0, 1.0], "b": [0.0, 1.0, 0.0]}
    frame = (build if kind == "temperature" else build_labels)(["a", "a", "b"], table)
    found = fit(frame)
    assert found.kind == kind
    values = probabilities_of(calibrated(frame, found))
    assert np.isfinite(values).all() and ((values >= 0) & (values <= 1)).all()


def test_without_rows_or_known_labels_nothing_changes(build, build_labels):
    frame = build(["a", "b"], {"a": [0.7, 0.4], "b": [0.3, 0.6]})
    assert fit(frame.iloc[:0]).temperature == 1
    assert fit(frame.assign(label="never seen")).temperature == 1
    several = build_labels(["a", ""], {"a": [0.7, 0.4], "b": [0.3, 0.6]})
    same = calibrated(several, fit(several.iloc[:0]))
    assert np.allclose(probabilities_of(same), probabilities_of(several))


def test_a_calibration_is_the_same_after_the_disk(oversure, skewed):
    for frame in (oversure(50, 2), skewed(50, 2, 1)):
        found = fit(frame)
        again = calibration.from_json(json.loads(json.dumps(calibration.to_json(found))))
        assert again == found
        assert isinstance(again, Temperature | Lines)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "does not hold a calibration"),
        ([], "does not hold a calibration"),
        ({"kind": "temperature", "temperature": "warm", "fitted": {}}, "does not hold a calibration"),
        ({"kind": "temperature", "temperature": 0, "fitted": {}}, "the temperature: 0"),
        ({"kind": "platt", "labels": {}, "fitted": {}}, "does not hold a calibration"),
        *(
            ({"kind": "platt", "global": {**LINE, **odd}, "labels": {}, "fitted": {}}, "does not hold a calibration")
            for odd in ({"slope": "steep"}, {"slope": None}, {"offset": "far"})
        ),
        (
            {
                "kind": "platt",
                "global": {"slope": -1, "offset": 0, "positives": 1, "source": "global"},
                "labels": {},
                "fitted": {},
            },
            "the slope for all labels: -1",
        ),
    ],
)
def test_what_is_no_calibration_is_refused_by_name(value, words):
    with pytest.raises(InputError, match=words) as caught:
        calibration.from_json(value, "runs/x/calibration.json")
    assert "runs/x/calibration.json" in caught.value.message


def test_numbers_that_are_written_as_text_are_numbers():
    found = calibration.from_json({"kind": "temperature", "temperature": "2", "fitted": {}})
    assert found.of(np.array([[0.8, 0.2]]), ["a", "b"]) == pytest.approx(np.array([[2 / 3, 1 / 3]]))


def test_lines_of_labels_never_fitted_are_the_one_for_all():
    lines = calibration.from_json(
        {
            "kind": "platt",
            "global": {"slope": 2.0, "offset": 1.0, "positives": 3, "source": "global"},
            "labels": {},
            "fitted": {},
        }
    )
    assert lines.of(np.array([[0.5]]), ["new"]) == pytest.approx(expit(1.0))
    assert lines.of(np.array([[0.9]]), ["new"]) == pytest.approx(expit(2 * logit(0.9) + 1))
