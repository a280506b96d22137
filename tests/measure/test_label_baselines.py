"""The baselines of several labels a row: on small and odd data, and on real titles and texts where they are present."""

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.measure import label_baselines, thresholds
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_baselines import baseline_label_predictions
from leaflet_tool.measure.label_sets import checked
from leaflet_tool.measure.predictions import classes_of, probabilities_of

TEXTS = ["green energy", "tax cuts", "green tax", "nothing here"] * 5
LABELS = ["energy", "money", "energy|money", ""] * 5


def manifest(texts, labels, split="train"):
    pages = [f"{split}{number}" for number in range(len(texts))]
    return pd.DataFrame({"id": pages, "group": pages, "split": split, "text": texts, "topics": labels})


def baselines(train, validation, judged):
    return baseline_label_predictions(train, validation, judged, text="text", label="topics", seed=1)


@pytest.fixture(scope="module")
def frames():
    judged = manifest(["energy", "cuts", "new green"], ["energy", "money", "other|energy"], "test")
    return baselines(manifest(TEXTS, LABELS), manifest(TEXTS[:8], LABELS[:8], "validation"), judged)


def test_both_are_frames_that_evaluate_takes(frames):
    assert list(frames) == ["majority", "tfidf_logistic"]
    for frame in frames.values():
        assert checked(frame)["id"].tolist() == ["test0", "test1", "test2"]
        assert frame["label"].tolist() == ["energy", "money", "energy|other"]
        assert classes_of(frame) == ["energy", "money", "other"]
        assert evaluate(frame, seed=1, resamples=5)["page"]["figures"]["macro_ap"]["value"] > 0


def test_the_majority_gives_each_labels_share_of_the_training_rows(frames):
    assert frames["majority"]["probability_energy"].tolist() == [0.5] * 3
    assert frames["majority"]["probability_other"].tolist() == [0.0] * 3


def test_words_decide_each_label_by_itself(frames):
    found = frames["tfidf_logistic"]
    energy, money = found["probability_energy"], found["probability_money"]
    assert energy[0] > 0.5 > money[0]
    assert money[1] > 0.5 > energy[1]


def test_a_label_without_a_training_row_has_probability_0_and_is_not_predicted(frames):
    for frame in frames.values():
        assert frame["probability_other"].tolist() == [0.0] * 3
        assert not frame["predicted"].str.contains("other").any()


def test_thresholds_are_those_of_the_validation_rows(monkeypatch):
    fitted = []

    def watched(probabilities, truth, **options):
        fitted.append((len(probabilities), truth.tolist(), list(options["groups"])))
        return real(probabilities, truth, **options)

    real = thresholds.fit
    monkeypatch.setattr(label_baselines.thresholds, "fit", watched)
    validation = manifest(["green energy", "cuts"], ["energy", ""], "validation")
    found = baselines(manifest(TEXTS, LABELS), validation, manifest(["cuts"], ["money"], "test"))
    assert fitted == [(2, [[True, False], [False, False]], ["validation0", "validation1"])] * 2
    assert found["tfidf_logistic"]["id"].tolist() == ["test0"]


def test_without_validation_rows_thresholds_are_half():
    rows = manifest(TEXTS, LABELS)
    for frame in baselines(rows, rows.iloc[:0], rows).values():
        assert frame["predicted"].tolist() == frame["predicted_at_half"].tolist()


@pytest.mark.parametrize("texts", [["", "", "", ""], ["! ?", "£", "1", ""]])
def test_texts_without_words_give_the_shares(texts):
    rows = manifest(texts, ["a", "a|b", "", "a"])
    found = baselines(rows, rows, rows)["tfidf_logistic"]
    assert probabilities_of(found).tolist() == [[0.75, 0.25]] * 4


def test_a_label_of_every_training_row_is_certain():
    rows = manifest(["green energy", "tax cuts"], ["a", "a|b"])
    found = baselines(rows, rows, rows)["tfidf_logistic"]
    assert found["probability_a"].tolist() == [1.0, 1.0]
    assert found["probability_b"][1] > found["probability_b"][0]


@pytest.mark.parametrize(("at", "word"), [(0, "training"), (2, "judged")])
def test_an_empty_split_is_an_error(at, word):
    parts = [manifest(TEXTS, LABELS)] * 3
    parts[at] = parts[at].iloc[:0]
    with pytest.raises(InputError, match=f"no {word} row for the baselines"):
        baselines(*parts)


def test_topics_of_real_titles(shared_data):
    rows = pd.read_csv(shared_data / "topics" / "topics.csv", dtype=str, keep_default_na=False)
    rows = rows.assign(group=rows["id"], split="train", text=rows["filename"].str.replace(r"[_.]", " ", regex=True))
    rows = rows.sample(frac=1, random_state=0)
    frames = baselines(rows[:4117], rows[4117:5000], rows[5000:])
    report = evaluate(frames["tfidf_logistic"], seed=0, resamples=100)["page"]
    assert report["figures"]["macro_ap"]["value"] == pytest.approx(0.26, abs=0.03)
    views = {view: found["figures"] for view, found in report["views"].items()}
    assert views["thresholds"]["macro_f1"]["value"] > views["half"]["macro_f1"]["value"] + 0.03
    assert (
        views["half"]["labels_per_row"]["value"]
        < report["labels_per_row"]
        < views["thresholds"]["labels_per_row"]["value"]
    )


def test_issues_of_real_leaflet_texts(shared_data):
    rows = pd.read_json(shared_data / "leaflet_texts.jsonl.gz", lines=True, dtype={"id": str})
    rows = rows.assign(group=rows["id"], split="train", topics=rows["issues"].map("|".join)).sample(
        frac=1, random_state=0
    )
    frames = baselines(rows[:4162], rows[4162:5054], rows[5054:])
    report = evaluate(frames["tfidf_logistic"], seed=0, resamples=100)["page"]
    for view in report["views"].values():
        assert view["figures"]["micro_f1"]["value"] == pytest.approx(0.76, abs=0.02)
