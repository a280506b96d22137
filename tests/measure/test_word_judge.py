"""Judges of words: out of fold, pruned, and able to say which words told them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from leaflet_tool.manifest import Label
from leaflet_tool.measure import word_judge
from leaflet_tool.measure.predictions import probabilities_of

KINDS = {"x": "apple pear plum", "y": "nail screw bolt", "z": "river lake sea"}


def rows(labels_of=lambda name: name, count: int = 90, folds: int = 3) -> pd.DataFrame:
    """Pages of three kinds of words among common ones, in folds."""
    chance = np.random.default_rng(3)
    names = [list(KINDS)[number % 3] for number in range(count)]
    texts = [
        " ".join([*chance.choice(KINDS[name].split(), 3), *chance.choice(["the", "of", "and"], 4)]) for name in names
    ]
    return pd.DataFrame(
        {
            **{column: [f"p{number}" for number in range(count)] for column in ("id", "group")},
            "split": "train",
            "text": texts,
            "party": [labels_of(name) for name in names],
            "true": names,
            "fold": [number // 3 % folds for number in range(count)],
        }
    )


def test_what_is_said_of_a_fold_does_not_depend_on_its_labels() -> None:
    plain = rows()
    other = plain.assign(party=plain["party"].where(plain["fold"] != 0, "z"))
    how = {"label": Label("party"), "classes": ["x", "y", "z"], "seed": 1}
    one = word_judge.heard(plain.assign(fold=plain["fold"].where(plain["fold"] == 0, -1)), **how)
    two = word_judge.heard(other.assign(fold=other["fold"].where(other["fold"] == 0, -1)), **how)
    for name in (word_judge.WORDS, word_judge.PAIRS):
        said, again = one.votes[name], two.votes[name]
        assert len(said) == 30
        np.testing.assert_allclose(probabilities_of(said), probabilities_of(again))


@pytest.mark.parametrize("name", [word_judge.WORDS, word_judge.PAIRS])
def test_planted_labels_are_the_least_likely(name: str) -> None:
    frame = rows()
    wrong = np.arange(90) % 10 == 0
    frame["party"] = np.where(wrong, frame["true"].map({"x": "y", "y": "z", "z": "x"}), frame["party"])
    said = word_judge.heard(frame, Label("party"), ["x", "y", "z"], seed=1).votes[name]
    values = probabilities_of(said)
    given = values[np.arange(90), [["x", "y", "z"].index(label) for label in said["label"]]]
    assert average_precision_score(wrong, 1 - given) > 0.99


def test_pruning_makes_logistic_regression_surer_of_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rows()
    wrong = np.arange(90) % 7 == 0
    frame["party"] = np.where(wrong, frame["true"].map({"x": "y", "y": "z", "z": "x"}), frame["party"])
    means = []
    for prunings in (0, 2):
        monkeypatch.setattr(word_judge, "PRUNINGS", prunings)
        said = word_judge.heard(frame, Label("party"), ["x", "y", "z"], seed=1).votes[word_judge.WORDS]
        means.append(np.mean([said.at[row, f"probability_{frame.at[row, 'true']}"] for row in said.index]))
    assert means[1] > means[0] + 0.02


def test_words_are_those_that_move_the_log_odds_most() -> None:
    frame = rows()
    judge = word_judge.heard(frame, Label("party"), ["x", "y", "z"], seed=1).judges[0]
    text = "apple screw the"
    assert judge.words(text, ["x"], ["y"], most=5)[0] == "apple"
    assert "screw" not in judge.words(text, ["x"], ["y"], most=5)
    assert judge.words(text, ["y"], ["x"], most=1) == ["screw"]
    assert judge.vectorizer is not None
    row = judge.vectorizer.transform([text])
    values = softmax(row @ judge.weights.T + judge.intercepts, axis=1)[0]
    told = (judge.weights[0] - judge.weights[1]) * row.toarray()[0]
    assert np.log(values[0] / values[1]) == pytest.approx(told.sum() + judge.intercepts[0] - judge.intercepts[1])


def test_without_words_the_judges_give_the_shares(caplog: pytest.LogCaptureFixture) -> None:
    frame = rows().assign(text="")
    with caplog.at_level("INFO"):
        found = word_judge.heard(frame, Label("party"), ["x", "y", "z"], seed=1)
    assert list(found.votes) == [word_judge.WORDS]
    np.testing.assert_allclose(probabilities_of(found.votes[word_judge.WORDS]), 1 / 3, atol=1e-6)
    assert found.judges[0].words("apple", ["x"], ["y"], most=3) == []
    assert not caplog.records, "a judge is no baseline"


def test_two_classes_are_judged_as_more_are() -> None:
    frame = rows(lambda name: "x" if name == "x" else "y")
    found = word_judge.heard(frame, Label("party"), ["x", "y"], seed=1)
    for said in found.votes.values():
        assert (said["predicted"] == said["label"]).all()
    assert found.judges[0].words("apple nail", ["x"], ["y"], most=1) == ["apple"]


def test_several_labels_have_a_model_each() -> None:
    frame = rows(lambda name: {"x": "x", "y": "x|y", "z": ""}[name])
    found = word_judge.heard(frame, Label("party", multiple=True), ["x", "y"], seed=1)
    for said in found.votes.values():
        assert (said["predicted_at_half"] == said["label"]).mean() > 0.95
    assert found.judges[0].words("nail apple river", ["y"], [], most=1) == ["nail"]
    assert found.judges[0].words("nail apple river", [], ["x"], most=1) == ["river"]


def test_a_class_that_no_row_teaches_is_said_to_be_impossible() -> None:
    frame = rows()
    frame = frame.assign(fold=[0 if party == "z" else -1 for party in frame["party"]])
    for said in word_judge.heard(frame, Label("party"), ["x", "y", "z"], seed=1).votes.values():
        assert (said["probability_z"] < 1e-6).all()
