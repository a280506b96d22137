"""Every metric against scikit-learn, whatever classes occur in truth and predictions."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from leaflet_tool.measure.metrics import (
    METRICS,
    all_classes,
    calibration,
    category_sums,
    confusion,
    expected_calibration_error,
    log_loss,
    per_class,
    top_3_accuracy,
    unseen_labels,
)

NAMES = ["1", "NA", "a", "b", "no", "z"]


def cases(fewest: int = 1, unseen: bool = True):
    """Classes of a model, labels (of which some may be unknown to it), and a seed for its probabilities."""
    return st.integers(fewest, len(NAMES)).flatmap(
        lambda known: st.tuples(
            st.just(NAMES[:known]),
            st.lists(st.sampled_from(NAMES if unseen else NAMES[:known]), min_size=1, max_size=40),
            st.integers(0, 10_000),
        )
    )


@given(cases())
@settings(deadline=None, max_examples=80)
def test_metrics_of_predicted_classes_agree_with_scikit_learn(drawn, case):
    classes, labels, seed = case
    frame = drawn(labels, classes, seed=seed)
    found = {name: float(metric(category_sums(frame).total())) for name, metric in METRICS.items()}
    truth, predicted = frame["label"], frame["predicted"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = {
            "accuracy": reference.accuracy_score(truth, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
            "macro_f1": reference.f1_score(truth, predicted, average="macro", zero_division=0),
            "weighted_f1": reference.f1_score(truth, predicted, average="weighted", zero_division=0),
        }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@given(cases())
@settings(deadline=None, max_examples=60)
def test_per_class_figures_and_confusion_agree_with_scikit_learn(drawn, case):
    labels_known, labels, seed = case
    frame = drawn(labels, labels_known, seed=seed)
    classes = all_classes(frame)
    assert classes == sorted({*labels_known, *labels})
    figures = per_class(category_sums(frame).total(), classes)
    expected = reference.precision_recall_fscore_support(
        frame["label"], frame["predicted"], labels=classes, zero_division=0
    )
    for place, name in enumerate(("precision", "recall", "f1", "support")):
        assert [figures[each][name] for each in classes] == pytest.approx(list(expected[place]))
    matrix = confusion(frame)
    assert matrix["classes"] == classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert (
            matrix["counts"] == reference.confusion_matrix(frame["label"], frame["predicted"], labels=classes).tolist()
        )


@given(cases(fewest=4, unseen=False))
@settings(deadline=None, max_examples=60)
def test_metrics_of_probabilities_agree_with_scikit_learn(drawn, case):
    classes, labels, seed = case
    frame = drawn(labels, classes, seed=seed)
    values = frame[[f"probability_{name}" for name in classes]].to_numpy()
    total = category_sums(frame).total()
    assert log_loss(total) == pytest.approx(reference.log_loss(labels, values, labels=classes))
    assert top_3_accuracy(total) == pytest.approx(reference.top_k_accuracy_score(labels, values, k=3, labels=classes))


@given(cases())
@settings(deadline=None, max_examples=60)
def test_calibration_error_is_the_papers_formula(drawn, case):
    classes, labels, seed = case
    frame = drawn(labels, classes, seed=seed)
    confidence, right = frame["confidence"].to_numpy(), (frame["label"] == frame["predicted"]).to_numpy()
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15 + 1e-12)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(category_sums(frame).total()) == pytest.approx(expected)


def test_calibration_lists_the_bins_that_have_rows(build):
    frame = build(["a", "b", "a", "a"], {"a": [0.9, 0.9, 0.6, 0.3], "b": [0.1, 0.1, 0.4, 0.7]})
    total = category_sums(frame).total()
    assert calibration(total) == [
        {"rows": 1, "confidence": pytest.approx(0.6), "accuracy": 1.0},
        {"rows": 1, "confidence": pytest.approx(0.7), "accuracy": 0.0},
        {"rows": 2, "confidence": pytest.approx(0.9), "accuracy": 0.5},
    ]
    assert expected_calibration_error(total) == pytest.approx((0.4 + 0.7 + 0.8) / 4)


def test_a_bin_of_confidence_holds_its_upper_edge(build):
    frame = build(["a", "b", "a"], {"a": [0.6, 0.62, 1.0], "b": [0.4, 0.38, 0.0]})
    assert [found["rows"] for found in calibration(category_sums(frame).total())] == [1, 1, 1]


def test_a_label_the_model_never_saw_is_wrong_everywhere(build):
    frame = build(["a", "new", "new"], {"a": [1.0, 0.9, 0.2], "b": [0.0, 0.1, 0.8]})
    total = category_sums(frame).total()
    assert unseen_labels(frame) == {"new": 2}
    assert {name: float(METRICS[name](total)) for name in ("accuracy", "top_3_accuracy", "balanced_accuracy")} == {
        "accuracy": pytest.approx(1 / 3),
        "top_3_accuracy": pytest.approx(1 / 3),
        "balanced_accuracy": 0.5,
    }
    assert log_loss(total) == pytest.approx(-2 * np.log(1e-15) / 3)


def test_a_confident_mistake_costs_a_finite_loss(build):
    frame = build(["a"], {"a": [0.0], "b": [1.0]})
    assert log_loss(category_sums(frame).total()) == pytest.approx(-np.log(1e-15))


def test_of_equal_probabilities_the_first_classes_are_the_top(build):
    classes = [f"{number:02}" for number in range(64)]
    frame = build(["00", "02", "03", "63"], {name: [1 / 64] * 4 for name in classes})
    assert set(frame["predicted"]) == {"00"}
    assert top_3_accuracy(category_sums(frame).total()) == 0.5


def test_weights_count_groups_as_if_their_rows_were_repeated(drawn):
    labels, groups = list("aabbcacb"), list("xxyyzzzw")
    frame = drawn(labels, list("abc"), seed=3, groups=groups)
    repeated = frame.loc[[0, 1, 0, 1, 7]]  # group x twice, w once, in the order x y z w
    weighted = category_sums(frame).weighted(np.array([2.0, 0.0, 0.0, 1.0]))
    for metric in METRICS.values():
        assert metric(weighted) == pytest.approx(metric(category_sums(repeated).total()))
