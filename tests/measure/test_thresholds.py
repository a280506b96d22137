"""Thresholds a label: the best on their rows, steadier where labels are rare, and whole on disk."""

import json
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaflet_tool.errors import InputError
from leaflet_tool.measure.label_sets import from_label_probabilities
from leaflet_tool.measure.thresholds import OBJECTIVES, SHRINKAGE, Thresholds, fit
from leaflet_tool.settings import TRAIN, Objective

PLAIN = {"resamples": 0, "shrinkage": 0.0, "seed": 1}
"""The best on the rows themselves, label by label."""


def fitted(columns, truth, groups=None, **options):
    table = pd.DataFrame(columns)
    groups = groups or [str(row) for row in range(len(table))]
    return fit(table, np.array(truth, dtype=bool), groups=groups, **{**PLAIN, **options})


def fbeta_score(truth, predicted, *, beta):
    """As in scikit-learn, whose checks would take half a minute here."""
    return (1 + beta**2) * (truth & predicted).sum() / (beta**2 * truth.sum() + predicted.sum())


def test_the_best_threshold_lies_halfway_to_the_next_lower_probability():
    found = fitted({"a": [0.9, 0.6, 0.2, 0.1]}, [[1], [1], [0], [0]])
    assert found.of("a") == found.global_ == pytest.approx(0.4)


@given(
    st.integers(1, 30),
    st.integers(0, 10_000),
    st.sampled_from([("f1", 1.0), ("f2", 2.0), ("f0.5", 0.5)]),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_no_threshold_is_better_on_the_rows_themselves(rows, seed, objective, coarse):
    name, beta = objective
    chance = np.random.default_rng(seed)
    truth = chance.random((rows, 2)) < 0.4
    truth[0] = True
    values = 0.01 + 0.9 * chance.random((rows, 2)).round(1 if coarse else 6)
    found = fitted({"a": values[:, 0], "b": values[:, 1]}, truth, objective=name)
    for place, label in enumerate("ab"):
        reached = fbeta_score(truth[:, place], values[:, place] >= found.of(label), beta=beta)
        others = [fbeta_score(truth[:, place], values[:, place] >= each, beta=beta) for each in values[:, place]]
        assert reached == pytest.approx(max(others))
    pooled = fbeta_score(truth.ravel(), values.ravel() >= found.global_, beta=beta)
    assert pooled == pytest.approx(
        max(fbeta_score(truth.ravel(), values.ravel() >= each, beta=beta) for each in values.ravel())
    )


def test_an_objective_that_asks_for_recall_lowers_the_threshold():
    columns, truth = {"a": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]}, [[1], [0], [0], [1], [0], [1]]
    limits = [fitted(columns, truth, objective=name).of("a") for name in ("f0.5", "f1", "f2")]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > limits[2]
    with pytest.raises(InputError, match="no objective 'accuracy'"):
        fitted(columns, truth, objective="accuracy")


def test_a_label_without_a_positive_takes_the_threshold_for_all():
    found = fitted({"a": [0.9, 0.1], "b": [0.3, 0.2]}, [[1, 0], [0, 0]], shrinkage=3, resamples=5)
    assert found.labels["b"].source == "global"
    assert found.of("b") == found.of("never seen") == found.global_
    assert found.unfitted == ["b"]
    assert found.labels["a"].source == "label"


def test_without_any_positive_thresholds_are_half():
    found = fitted({"a": [0.9, 0.1]}, [[0], [0]])
    assert found.by_label == {"a": 0.5}
    assert found.unfitted == ["a"]


def test_with_as_many_positives_as_the_shrinkage_a_threshold_goes_half_the_way():
    columns = {"a": [0.9, 0.2, 0.2, 0.2] * 3, "b": [0.9, 0.9, 0.7, 0.1] * 3}
    truth = [[1, 1], [0, 1], [0, 0], [0, 0]] * 3
    own = fitted(columns, truth)
    half = fitted(columns, truth, shrinkage=3)
    logits = {label: [np.log(each / (1 - each)) for each in (own.of(label), own.global_)] for label in "ab"}
    reached = np.log(half.of("a") / (1 - half.of("a")))
    assert reached == pytest.approx(np.mean(logits["a"]))
    reached = np.log(half.of("b") / (1 - half.of("b")))
    assert reached == pytest.approx(np.average(logits["b"], weights=[6, 3]))


def test_pages_of_a_leaflet_are_drawn_together():
    columns = {"a": [0.9, 0.8, 0.7, 0.6, 0.3, 0.2] * 2}
    truth = [[1], [0], [1], [0], [1], [0]] * 2
    single = fitted(columns, truth, resamples=1)
    leaflets = fitted(columns, truth, groups=["x"] * 6 + ["y"] * 6, resamples=1)
    assert leaflets.of("a") == fitted(columns, truth).of("a")  # leaflets alike: any resample is the rows again
    assert leaflets.fitted["groups"] == 2
    assert single.fitted["groups"] == 12


def test_a_seed_repeats_the_thresholds(simulated):
    values, truth = simulated(150, 1)
    groups = [str(row) for row in range(150)]
    first, again, other = (fit(values, truth, groups=groups, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.by_label != other.by_label


@pytest.fixture(scope="module")
def simulated():
    """`simulated(rows, seed)`: probabilities and truth of 20 labels, of which 15 have 0.7 % to 4 % of the rows."""

    def simulated(rows, seed):
        chance = np.random.default_rng(seed)
        shares = 0.4 / np.arange(1, 21) ** 1.35
        truth = chance.random((rows, 20)) < shares
        logits = -1.5 + np.log(shares) / 3 + 2.5 * truth + chance.normal(0, 1, truth.shape)
        return pd.DataFrame(1 / (1 + np.exp(-logits)), columns=[f"label {number:02}" for number in range(20)]), truth

    return simulated


def macro_f1(thresholds, values, truth):
    predicted = values.to_numpy() >= [thresholds.of(label) for label in values.columns]
    hits = (predicted & truth).sum(axis=0)
    return (2 * hits / (predicted.sum(axis=0) + truth.sum(axis=0)))[5:].mean()


def test_of_rare_labels_steadied_thresholds_do_better_on_other_rows_than_the_best_on_validation(simulated):
    judged = simulated(40_000, 10_000)
    plain, steadied = [], []
    for seed in range(12):
        values, truth = simulated(150, seed)
        groups = [str(row) for row in range(150)]
        plain.append(macro_f1(fit(values, truth, groups=groups, **PLAIN), *judged))
        steadied.append(macro_f1(fit(values, truth, groups=groups, seed=seed), *judged))
    assert SHRINKAGE > 0
    assert np.mean(steadied) > np.mean(plain) + 0.01
    assert np.mean(np.array(steadied) > np.array(plain)) > 0.7


def test_thresholds_are_whole_on_disk(simulated):
    values, truth = simulated(60, 3)
    found = fit(values, truth, groups=[str(row) for row in range(60)], seed=1)
    assert Thresholds.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    rows = pd.DataFrame({"id": list("xy"), "group": list("xy"), "split": "test"})
    frame = from_label_probabilities(rows, ["", ""], values.iloc[:2], found.by_label)
    limit = found.of("label 00")
    assert ["label 00" in cell for cell in frame["predicted"]] == (values["label 00"][:2] >= limit).tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "x.json does not hold thresholds"),
        ({"global": 0.5, "labels": {}}, "does not hold thresholds"),
        ({"objective": "f1", "global": 0.5, "labels": {"a": {"threshold": 0.5}}}, "does not hold thresholds"),
        (
            {
                "objective": "f1",
                "global": 0.5,
                "labels": {"a": {"threshold": 0.5, "positives": 1, "source": "label", "x": 1}},
            },
            "not hold",
        ),
        ({"objective": "f1", "global": "0.5", "labels": {}}, "(?s)not between 0 and 1.*the one for all labels: '0.5'"),
        (
            {"objective": "f1", "global": 1, "labels": {"a": {"threshold": 7, "positives": 1, "source": "label"}}},
            "(?s)not between 0 and 1.*'a': 7",
        ),
    ],
)
def test_what_holds_no_thresholds_is_told(value, message):
    with pytest.raises(InputError, match=message):
        Thresholds.from_json(value, "x.json")


def test_a_label_that_never_is_probable_is_not_predicted_everywhere():
    columns, truth = {"a": [0.0, 0.0, 0.0], "b": [0.0, 0.9, 0.0]}, [[1, 1], [1, 0], [0, 1]]
    for options in (PLAIN, {"seed": 1, "resamples": 51, "shrinkage": 3.0}):
        found = fitted(columns, truth, **options)
        assert min(found.of("a"), found.of("b"), found.global_) > 0


def test_every_objective_can_be_chosen():
    assert get_args(Objective) == tuple(OBJECTIVES)
    assert TRAIN.threshold_objective == "f1"
