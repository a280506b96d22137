"""Every metric of several labels a row against scikit-learn, whatever labels occur, and whatever rows weigh."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from leaflet_tool.measure.label_metrics import judged, label_sums, missing_ancestors
from leaflet_tool.measure.label_ranking import ranking, ranking_losses
from leaflet_tool.taxonomy import Taxonomy

CASES = st.tuples(st.integers(1, 40), st.integers(1, 8), st.integers(0, 10_000), st.booleans())
"""Rows, labels, a seed, and whether many probabilities are equal."""


def figures(frame, taxonomy=None):
    """The figures of the rows themselves: scores and, by view, those of the labels."""
    total = label_sums(judged(frame), taxonomy).total()
    views = {view: {name: float(value[0]) for name, value in found.items()} for view, found in total.views.items()}
    return {name: float(value[0]) for name, value in total.scores.items()}, views


@given(CASES)
@settings(deadline=None, max_examples=80)
def test_areas_agree_with_scikit_learn_under_any_weights(case):
    rows, _, seed, coarse = case
    chance = np.random.default_rng(seed)
    truth = chance.random(rows) < chance.random()
    values = chance.random(rows).round(1 if coarse else 9)
    weights = chance.integers(0, 4, (3, rows)).astype(float)
    found = ranking(truth, values, np.arange(rows), rows)
    average, trapezoid = found.areas(weights)
    for place, weight in enumerate(weights):
        if not (weight @ truth):
            assert np.isnan(average[place]) and np.isnan(trapezoid[place])
            continue
        assert average[place] == pytest.approx(reference.average_precision_score(truth, values, sample_weight=weight))
        precision, recall, _ = reference.precision_recall_curve(truth, values, sample_weight=weight)
        assert trapezoid[place] == pytest.approx(reference.auc(recall, precision))


@given(CASES)
@settings(deadline=None, max_examples=80)
def test_scores_agree_with_scikit_learn(drawn_labels, case):
    rows, labels, seed, coarse = case
    frame = drawn_labels(rows, labels, seed=seed, coarse=coarse)
    table = judged(frame)
    scores, _ = figures(frame)
    there = np.flatnonzero(table.present)
    areas = [reference.average_precision_score(table.truth[:, n], table.probabilities[:, n]) for n in there]
    assert scores["macro_ap"] == pytest.approx(np.mean(areas) if areas else np.nan, nan_ok=True)
    if areas:
        pooled = reference.average_precision_score(table.truth, table.probabilities, average="micro")
        assert scores["micro_ap"] == pytest.approx(pooled)
    values = table.probabilities.clip(1e-15, 1 - 1e-15)
    loss = -np.where(table.truth, np.log(values), np.log(1 - values)).mean()
    assert scores["log_loss"] == pytest.approx(loss)


@given(CASES)
@settings(deadline=None, max_examples=80)
def test_the_ranking_loss_is_scikit_learns_on_the_rows_that_have_one(drawn_labels, case):
    rows, labels, seed, coarse = case
    table = judged(drawn_labels(rows, labels, seed=seed, coarse=coarse))
    found = ranking_losses(table.truth, table.probabilities)
    defined = table.truth.any(axis=1) & ~table.truth.all(axis=1)
    assert (np.isfinite(found) == defined).all()
    if defined.any():
        expected = reference.label_ranking_loss(table.truth[defined], table.probabilities[defined])
        assert found[defined].mean() == pytest.approx(expected)
        assert np.nanmean(figures_of_rows(table)) == pytest.approx(expected)


def figures_of_rows(table):
    return label_sums(table).total().scores["ranking_loss"]


def test_equal_probabilities_count_as_wrongly_ranked():
    found = ranking_losses(np.array([[True, False, False]]), np.array([[0.5, 0.5, 0.1]]))
    assert found.tolist() == [0.5]


@given(CASES)
@settings(deadline=None, max_examples=80)
def test_figures_of_predicted_labels_agree_with_scikit_learn(drawn_labels, case):
    rows, labels, seed, coarse = case
    frame = drawn_labels(rows, labels, seed=seed, coarse=coarse)
    table, (_, views) = judged(frame), figures(frame)
    predicted, present = table.views["half"], table.present
    names = ("precision", "recall", "f1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        micro = reference.precision_recall_fscore_support(
            table.truth.ravel(), predicted.ravel(), average="binary", zero_division=0
        )
        each = (
            reference.precision_recall_fscore_support(
                table.truth.reshape(rows, -1), predicted.reshape(rows, -1), average=None, zero_division=0
            )
            if len(table.classes) > 1
            else None
        )
    found = views["half"]
    for place, name in enumerate(names):
        assert found[f"micro_{name}"] == pytest.approx(micro[place])
        if each is not None and present.any():
            assert found[f"macro_{name}"] == pytest.approx(each[place][present].mean())
    exact = (table.truth == predicted).all(axis=1).mean()
    assert found["subset_accuracy"] == pytest.approx(exact)
    assert found["hamming_loss"] == pytest.approx(reference.hamming_loss(table.truth.ravel(), predicted.ravel()))
    assert found["labels_per_row"] == pytest.approx(predicted.sum(axis=1).mean())
    if len(table.classes) > 1:
        by_row = reference.f1_score(table.truth, predicted, average="samples", zero_division=1)
        assert found["example_f1"] == pytest.approx(by_row)


def test_two_empty_rows_agree_wholly_and_an_empty_one_with_none(build_labels):
    _, views = figures(build_labels(["", "a", ""], {"a": [0.1, 0.1, 0.9], "b": [0.1] * 3}))
    assert views["half"]["example_f1"] == pytest.approx(1 / 3)
    assert views["half"]["subset_accuracy"] == pytest.approx(1 / 3)


def test_macro_means_leave_out_labels_without_a_positive(build_labels):
    scores, views = figures(build_labels(["a", "", "a"], {"a": [0.9, 0.1, 0.2], "b": [0.9, 0.1, 0.9]}))
    assert scores["macro_ap"] == 1.0
    assert views["half"]["macro_recall"] == 0.5
    assert views["half"]["macro_precision"] == 1.0
    assert views["half"]["micro_precision"] == pytest.approx(1 / 3)


def test_a_resample_leaves_out_labels_without_a_positive_in_it(build_labels):
    frame = build_labels(["a", "b", ""], {"a": [0.9, 0.1, 0.2], "b": [0.1, 0.3, 0.9]})
    found = label_sums(judged(frame)).figures(np.array([[1.0, 1, 1], [2, 0, 1], [0, 0, 3]]))
    assert found.scores["macro_ap"].tolist() == pytest.approx([0.75, 1.0, np.nan], nan_ok=True)
    assert found.views["half"]["macro_recall"].tolist() == pytest.approx([0.5, 1.0, np.nan], nan_ok=True)


def test_a_label_the_model_never_saw_has_probability_0_everywhere(build_labels):
    scores, views = figures(build_labels(["a", "new", "a|new"], {"a": [0.9, 0.1, 0.8], "z": [0.1] * 3}))
    assert scores["macro_ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert views["half"]["macro_recall"] == 0.5
    assert views["half"]["micro_recall"] == 0.5


def test_the_five_most_frequent_labels_are_averaged_apart_from_the_rest(build_labels):
    labels = [f"l{number}" for number in range(7)]
    cells = ["|".join(labels[: 7 - row]) for row in range(7)]
    values = {name: [0.9 if name in ("l0", "l5") else 0.1] * 7 for name in [*labels, "none"]}
    table = judged(build_labels(cells, values))
    assert table.most_frequent() == labels[:5]
    _, views = figures(build_labels(cells, values))
    found = views["thresholds"]
    assert found["macro_recall_frequent"] == pytest.approx(1 / 5)
    assert found["macro_recall_rest"] == pytest.approx(1 / 2)
    assert found["macro_precision_rest"] == pytest.approx(2 / 7 / 2)


def test_of_five_labels_none_is_apart(drawn_labels):
    _, views = figures(drawn_labels(60, 5, seed=1))
    assert not [name for name in views["half"] if name.endswith(("_rest", "_frequent"))]


def test_of_equally_frequent_labels_the_first_by_name_count_as_frequent(build_labels):
    values = {name: [0.9] for name in "fedcba"}
    assert judged(build_labels(["a|b|c|d|e|f"], values)).most_frequent() == list("abcde")


TAXONOMY = Taxonomy({"top": [], "middle": ["top"], "low": ["middle"], "other": []})


def test_coherence_counts_the_classes_that_are_implied_and_lacking(build_labels):
    values = {"top": [0.1, 0.9, 0.1], "middle": [0.1, 0.9, 0.9], "low": [0.9, 0.9, 0.1], "other": [0.9] * 3}
    frame = build_labels(["top", "", ""], values)
    _, views = figures(frame, TAXONOMY)
    assert views["half"]["coherence_violations"] == pytest.approx((2 + 0 + 1) / 3)
    assert "coherence_violations" not in figures(frame)[1]["half"]
    assert missing_ancestors(np.array([[True]]), ["low"], TAXONOMY).tolist() == [0]


def test_weights_count_groups_as_if_their_rows_were_repeated(drawn_labels):
    frame = drawn_labels(24, 8, seed=3, pages=4)
    repeated = frame.iloc[[*range(4), *range(4), *range(20, 24)]]
    classes = judged(frame).classes
    chain = Taxonomy({name: classes[:place][-1:] for place, name in enumerate(classes)})
    weighted = label_sums(judged(frame), chain).figures(np.array([[2.0, 0, 0, 0, 0, 1]]))
    alone = label_sums(judged(repeated, classes), chain).total()
    for name, value in alone.scores.items():
        assert weighted.scores[name] == pytest.approx(value), name
    for name, value in alone.views["half"].items():
        if not name.endswith(("_frequent", "_rest")):  # those five are others among the repeated rows
            assert weighted.views["half"][name] == pytest.approx(value), name
