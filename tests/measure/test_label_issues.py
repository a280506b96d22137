"""Confident learning: what is listed, in which order, and what is not judged."""

import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues

from leaflet_tool.measure.label_issues import label_issues, too_few
from leaflet_tool.taxonomy import Taxonomy

CLASSES = ["a", "b", "c"]


def planted(wrong: int = 6, rows: int = 90) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Given labels, probabilities that lean to the true ones, and which are wrong."""
    chance = np.random.default_rng(5)
    true = np.arange(rows) % 3
    values = 0.1 + 0.7 * np.eye(3)[true] + 0.05 * chance.random((rows, 3))
    bad = np.zeros(rows, dtype=bool)
    bad[:wrong] = True
    given = np.where(bad, (true + 1) % 3, true)
    return [CLASSES[place] for place in given], values / values.sum(axis=1, keepdims=True), bad


def test_wrong_labels_are_listed_and_no_others(build) -> None:
    labels, values, bad = planted()
    found = label_issues(build(labels, pd.DataFrame(values, columns=CLASSES)), {})
    assert found.rows["listed"].tolist() == bad.tolist()
    assert found.estimated == 6
    worst = found.rows[bad]
    assert (worst["score"] > 0.8).all() and (found.rows[~bad]["score"] < 0.3).all()
    assert (worst["suggested_probability"] > worst["given_probability"]).all()
    assert worst["suggested"].tolist() == [CLASSES[place] for place in np.arange(6) % 3]


def test_the_list_holds_what_cleanlab_lists(build) -> None:
    labels, values, _ = planted(rows=60)
    noisy = 0.5 * values + 0.5 * np.random.default_rng(2).dirichlet(np.ones(3), 60)
    found = label_issues(build(labels, pd.DataFrame(noisy, columns=CLASSES)), {}).rows
    given = np.array([CLASSES.index(name) for name in labels])
    theirs = find_label_issues(given, noisy, filter_by="prune_by_class", n_jobs=1) & (noisy.argmax(axis=1) != given)
    assert theirs.any()
    assert set(np.flatnonzero(theirs)) <= set(np.flatnonzero(found["listed"]))
    more = found[found["listed"] & ~theirs]
    assert (more["score"] > 0.75).all()


def test_a_rare_class_that_is_always_unsure_is_not_flagged_wholesale(build) -> None:
    """Rare pages get 0.35 of their own class at best: its threshold is its own mean, so they are as sure as it gets."""
    common, rare = 80, 10
    values = np.vstack([np.tile([0.9, 0.05, 0.05], (common, 1)), np.tile([0.36, 0.34, 0.30], (rare, 1))])
    values[common:, 1] += np.linspace(0, 0.04, rare)
    values /= values.sum(axis=1, keepdims=True)
    found = label_issues(build(["a"] * common + ["b"] * rare, pd.DataFrame(values, columns=CLASSES)), {})
    assert found.rows["listed"].sum() == 0


def test_classes_of_too_few_leaflets_are_not_judged(build) -> None:
    labels, values, _bad = planted()
    groups = [f"g{number // 2}" for number in range(90)]
    frame = build([*labels[:-4], "d", "d", "d", "d"], pd.DataFrame(values, columns=CLASSES), groups)
    few = too_few(frame, 5)
    assert few == {"d": 2}
    found = label_issues(frame, few).rows
    assert not found["listed"].iloc[-4:].any()
    assert found["listed"].iloc[:6].all()


def test_with_one_class_there_is_nothing_to_doubt(build) -> None:
    frame = build(["a"] * 10, {"a": np.full(10, 0.9), "b": np.full(10, 0.1)})
    found = label_issues(frame, {})
    assert (found.estimated, found.rows["listed"].any()) == (0, False)


@pytest.fixture
def sets(build_labels) -> pd.DataFrame:
    """60 rows of two labels; row 0 lacks `b` and row 1 has an `a` too many."""
    truth = ["a|b", "b", "", "a"] * 15
    a, b = (np.array([float(name in cell.split("|")) for cell in truth]) for name in "ab")
    given = ["a", "a|b", *truth[2:]]
    return build_labels(given, {"a": 0.05 + 0.9 * a, "b": 0.05 + 0.9 * b})


def test_several_labels_give_a_suggested_set(sets: pd.DataFrame) -> None:
    found = label_issues(sets, {})
    assert np.flatnonzero(found.rows["listed"]).tolist() == [0, 1]
    assert found.rows["suggested"].iloc[:2].tolist() == ["a|b", "b"]
    np.testing.assert_allclose(found.rows["given_probability"].iloc[:2], 0.05)
    np.testing.assert_allclose(found.rows["suggested_probability"].iloc[:2], 0.95)
    assert found.estimated == 2


def test_a_label_that_is_not_judged_is_not_in_doubt(sets: pd.DataFrame) -> None:
    assert np.flatnonzero(label_issues(sets, {"b": 1}).rows["listed"]).tolist() == [1]


def test_a_label_that_nearly_all_rows_have_is_too_one_sided_to_judge(build_labels) -> None:
    frame = build_labels(["a"] * 19 + [""], {"a": np.full(20, 0.9)})
    assert too_few(frame, 5) == {"a": 1}


def test_a_suggested_set_follows_the_hierarchy(sets: pd.DataFrame) -> None:
    found = label_issues(sets, {}, Taxonomy({"a": [], "b": ["a"]})).rows
    assert found["suggested"].iloc[0] == "a|b"
    assert not found["listed"].iloc[1], "b without the a above it is no suggestion"
