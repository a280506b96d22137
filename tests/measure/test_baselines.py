"""The two baselines: on small and odd data, and on real texts where they are present."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, train_test_split

from leaflet_tool.errors import InputError
from leaflet_tool.measure.baselines import baseline_predictions, majority, tfidf_logistic
from leaflet_tool.measure.evaluation import evaluate


def manifest(texts, labels, split="train"):
    pages = [f"{split}{number}" for number in range(len(texts))]
    return pd.DataFrame({"id": pages, "group": pages, "split": split, "text": texts, "party": labels})


def test_the_majority_gives_the_shares_of_the_classes():
    shares = majority(["no", "NA", "no", "1"], ["1", "NA", "no", "unheard"])
    assert shares.to_dict() == {"1": 0.25, "NA": 0.25, "no": 0.5, "unheard": 0.0}


def test_words_decide():
    texts = ["green energy", "green energy", "tax cuts", "tax cuts"]
    found = tfidf_logistic(texts, ["no", "no", "1", "1"], ["more green energy", "cuts"], seed=1)
    assert list(found.columns) == ["1", "no"]
    assert found.idxmax(axis=1).tolist() == ["no", "1"]
    assert found.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])


def test_words_that_occur_once_count_when_there_are_no_others():
    found = tfidf_logistic(["green", "tax"], ["a", "b"], ["green", "tax"], seed=1)
    assert found.idxmax(axis=1).tolist() == ["a", "b"]


@pytest.mark.parametrize("texts", [["", "", ""], ["! ?", "£", "1"]])
def test_texts_without_words_give_the_shares(texts):
    found = tfidf_logistic(texts, ["a", "b", "b"], ["anything", ""], seed=1)
    assert found.to_numpy() == pytest.approx(np.array([[1 / 3, 2 / 3]] * 2))


def test_one_class_is_certain():
    assert tfidf_logistic(["green", "tax"], ["a", "a"], ["green"], seed=1).to_dict("list") == {"a": [1.0]}


def test_both_baselines_are_frames_that_evaluate_takes():
    train = manifest(["green energy", "tax cuts", "tax cuts"] * 3, ["a", "b", "b"] * 3)
    test = manifest(["energy", "cuts", "energy", "new"], ["a", "b", "a", "new"], "test")
    frames = baseline_predictions(train, test, text="text", label="party", seed=1)
    assert list(frames) == ["majority", "tfidf_logistic"]
    reports = {name: evaluate(frame, seed=1, resamples=20)["page"] for name, frame in frames.items()}
    assert reports["majority"]["figures"]["accuracy"]["value"] == 0.25
    assert reports["tfidf_logistic"]["figures"]["accuracy"]["value"] == 0.75
    assert reports["majority"]["unseen_labels"] == {"new": 1}
    for frame in frames.values():
        assert frame["id"].tolist() == test["id"].tolist()
        assert frame["label"].tolist() == test["party"].tolist()


def test_the_loss_of_the_majority_is_the_entropy_of_the_classes():
    rows = manifest([""] * 4, ["a", "b", "b", "b"])
    frame = baseline_predictions(rows, rows, text="text", label="party", seed=1)["majority"]
    loss = evaluate(frame, seed=1, resamples=10)["page"]["figures"]["log_loss"]["value"]
    assert loss == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))


@pytest.mark.parametrize(
    ("rows", "word"), [((slice(0, 0), slice(None)), "training"), ((slice(None), slice(0, 0)), "test")]
)
def test_an_empty_split_is_an_error(rows, word):
    frame = manifest(["green"], ["a"])
    with pytest.raises(InputError, match=f"the {word} split has no row"):
        baseline_predictions(frame.iloc[rows[0]], frame.iloc[rows[1]], text="text", label="party", seed=1)


def test_party_of_real_leaflet_texts(shared_data):
    rows = pd.read_json(shared_data / "leaflet_texts.jsonl.gz", lines=True, dtype={"id": str}).assign(split="train")
    rows = rows.assign(group=rows["id"])
    train, test = train_test_split(rows, test_size=0.25, random_state=0, stratify=rows["party"])
    frames = baseline_predictions(train, test, text="text", label="party", seed=0)
    found = evaluate(frames["tfidf_logistic"], seed=0, resamples=200)["page"]["figures"]["accuracy"]
    assert found["low"] <= 0.895 <= found["high"]
    assert evaluate(frames["majority"], seed=0, resamples=20)["page"]["figures"]["accuracy"]["value"] < 0.3


def test_merchant_of_real_receipts_out_of_five_folds(shared_data):
    paths = sorted((shared_data / "receipts").glob("*/*.txt"))
    folders = json.loads((shared_data / "receipts" / "parents.json").read_text(encoding="utf-8"))
    rows = manifest(
        [path.read_text(encoding="utf-8", errors="replace") for path in paths], [p.parent.name for p in paths]
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(rows, rows["party"])
    held_out = [
        baseline_predictions(rows.iloc[train], rows.iloc[test], text="text", label="party", seed=0)["tfidf_logistic"]
        for train, test in folds
    ]
    report = evaluate(pd.concat(held_out, ignore_index=True), seed=0, resamples=100)["page"]
    assert set(report["confusion"]["classes"]) <= set(folders)
    assert report["rows"] == len(paths)
    assert report["figures"]["accuracy"]["value"] > 0.95
