"""Runs with several labels a page: trained, judged in both views, their thresholds from validation, predicted with."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Prepared, read_prepared, split_labels, write_manifest
from leaflet_tool.measure.label_sets import by_group
from leaflet_tool.measure.thresholds import Thresholds
from leaflet_tool.models import checks, confidence, definitions, evaluation, folds, rows, runs, scoring, training
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import read_json, write_json

DEFINITION = "topics_filename"


@pytest.fixture(scope="module")
def run(tiny_topics: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of `topics_filename`."""
    request = training.Request("topics", tmp_path_factory.mktemp("runs"), epochs=12, resamples=50)
    return training.train(definitions.find(DEFINITION), tiny_topics, request)


def labels_of(cells: pd.Series) -> list[set[str]]:
    return [set(split_labels(cell)) for cell in cells]


def test_every_page_is_predicted_once_with_every_class(run: Run, tiny_topics: Prepared) -> None:
    predictions = run.predictions()
    assert sorted(predictions["id"]) == sorted(tiny_topics.frame["id"])
    columns = [name for name in predictions if name.startswith("probability_")]
    assert columns == [f"probability_{name}" for name in tiny_topics.classes]
    values = predictions[columns].to_numpy(dtype=float)
    assert ((values >= 0) & (values <= 1)).all()
    truth = dict(zip(tiny_topics.frame["id"], labels_of(tiny_topics.frame["topics"]), strict=True))
    assert labels_of(predictions["label"]) == [truth[page] for page in predictions["id"]]


def test_predicted_labels_follow_the_saved_thresholds(run: Run) -> None:
    limits = Thresholds.from_json(read_json(run.folder / runs.THRESHOLDS))
    predictions = run.predictions()
    for view, limit in (("predicted", limits.by_label), ("predicted_at_half", dict.fromkeys(limits.by_label, 0.5))):
        for number, found in enumerate(labels_of(predictions[view])):
            values = {name: predictions[f"probability_{name}"].iloc[number] for name in limit}
            # the file has nine digits
            assert found >= {name for name, value in values.items() if value > limit[name] + 1e-6}
            assert found <= {name for name, value in values.items() if value > limit[name] - 1e-6}


def test_thresholds_come_from_validation_pages_alone(run: Run) -> None:
    predictions = run.predictions()
    kept = Thresholds.from_json(read_json(run.folder / runs.THRESHOLDS)).by_label
    test = predictions["split"] == "test"
    changed = predictions.copy()
    probabilities = [name for name in predictions if name.startswith("probability_")]
    changed.loc[test, probabilities] = 1 - changed.loc[test, probabilities]
    assert scoring.fitted_thresholds(changed, seed=run.facts["seed"]).by_label == pytest.approx(kept, abs=1e-6)
    validation = predictions["split"] == "validation"
    changed.loc[validation, probabilities] = changed.loc[validation, probabilities] ** 2
    assert scoring.fitted_thresholds(changed, seed=run.facts["seed"]).by_label != pytest.approx(kept, abs=1e-6)


def test_metrics_have_both_views_and_the_baselines(run: Run) -> None:
    metrics = run.metrics()
    assert set(metrics["page"]["views"]) == {"half", "thresholds"}
    assert (
        metrics["page"]["figures"]["macro_ap"]["value"]
        > metrics["baselines"]["majority"]["page"]["figures"]["macro_ap"]["value"]
    )
    assert "coherence_violations" in metrics["page"]["views"]["half"]["figures"]
    assert set(metrics["baselines"]) == {"majority", "tfidf_logistic"}


def test_a_list_of_runs_gives_macro_ap(run: Run) -> None:
    summary = runs.summary(run)
    assert summary["state"] == "done"
    assert summary["accuracy"] is None
    assert summary["macro_ap"] == run.metrics()["page"]["figures"]["macro_ap"]["value"]


def test_run_json_says_the_hierarchy_and_the_parameters(run: Run, tiny_topics: Prepared) -> None:
    assert run.taxonomy == tiny_topics.taxonomy
    counted = run.facts["parameters"]
    assert 0 < counted["trained"] <= counted["total"]


def test_another_split_is_judged_by_the_same_thresholds(run: Run) -> None:
    metrics = evaluation.on_split(run, "validation")
    predictions = run.predictions()
    judged = predictions[predictions["split"] == "validation"]
    assert metrics["page"]["rows"] == len(judged)
    expected = judged["predicted"].map(lambda cell: len(split_labels(cell))).mean()
    assert metrics["page"]["views"]["thresholds"]["figures"]["labels_per_row"]["value"] == pytest.approx(expected)


def test_new_pages_are_decided_by_the_saved_thresholds(run: Run, tiny_topics: Prepared) -> None:
    pages = tiny_topics.frame.drop(columns="topics").iloc[:7]
    predicted = predict_pages(run, pages, tiny_topics.folder)
    known = run.predictions().set_index("id").loc[pages["id"]]
    assert list(predicted["predicted"]) == list(known["predicted"])
    assert np.allclose(
        predicted.filter(like="probability_").to_numpy(float),
        known.filter(like="probability_").to_numpy(float),
        atol=1e-6,
    )


def test_predict_counts_labels_and_pages_without_any(run: Run, tiny_topics: Prepared, tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    arguments = ["--json", "predict", str(run.folder), str(tiny_topics.folder), "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)["classes"]
    cells = runs.read_predictions(out)["predicted"]
    assert counts["Nature"] == sum("Nature" in split_labels(cell) for cell in cells)
    assert counts.get("(none)", 0) == (cells == "").sum()


def test_folds_hold_every_page_out_once_and_keep_a_threshold_each(tiny_topics: Prepared, tmp_path: Path) -> None:
    request = training.Request("folded", tmp_path, folds=2, epochs=3, resamples=20)
    run = training.train(definitions.find(DEFINITION), tiny_topics, request)
    predictions = run.predictions()
    assert sorted(predictions["id"]) == sorted(tiny_topics.frame["id"])
    assert set(predictions["fold"]) == {"0", "1"}
    assert all((folder / runs.THRESHOLDS).is_file() for folder in run.models())


def test_folds_spread_each_label(tiny_topics: Prepared) -> None:
    held_out = folds.assign(tiny_topics.frame, tiny_topics.label, folds=3, seed=1)
    for name in tiny_topics.classes:
        has = tiny_topics.frame["topics"].map(lambda cell, name=name: name in split_labels(cell))
        counts = held_out[has].value_counts()
        assert counts.max() - counts.min() <= 3, name
        assert len(counts) == 3


def test_baselines_read_what_the_models_read(tiny_topics: Prepared) -> None:
    assert scoring.texts(["image", "caption"]) == ["caption"]
    assert scoring.texts(["image"]) == ["text"]
    assert scoring.texts(iter(["caption", "image", "text"])) == ["text", "caption"]
    frame = tiny_topics.frame.assign(text="", caption=tiny_topics.frame["caption"])
    table = rows.for_ludwig(frame, tiny_topics.folder, tiny_topics.label)
    blind = scoring.baselines(table, tiny_topics.label, read=["text"], seed=1)["tfidf_logistic"]
    seeing = scoring.baselines(table, tiny_topics.label, read=["text", "caption"], seed=1)["tfidf_logistic"]
    spread = [frame.filter(like="probability_").to_numpy(float).std(axis=0).max() for frame in (blind, seeing)]
    assert spread[0] == pytest.approx(0, abs=1e-9)
    assert spread[1] > 0.1


def test_a_definition_for_one_label_is_refused(tiny_topics: Prepared, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="several labels a row and takes one set output"):
        training.check(definitions.find("text_tfidf"), tiny_topics, training.Request("wrong", tmp_path))


def test_a_threshold_of_ludwigs_own_is_refused(tiny_topics: Prepared, tmp_path: Path) -> None:
    request = replace(training.Request("wrong", tmp_path), overrides=("output_features.topics.threshold=0.5",))
    with pytest.raises(Exception, match=r"output_features\.topics\.threshold: must be 0"):
        training.check(definitions.find(DEFINITION), tiny_topics, request)


@pytest.fixture(scope="module")
def coherent(tiny_topics: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose predictions follow the hierarchy."""
    request = training.Request("coherent", tmp_path_factory.mktemp("runs"), epochs=4, resamples=20)
    return training.train(definitions.find("topics_text_coherent"), tiny_topics, request)


def assert_coherent(run: Run, frame: pd.DataFrame, prefix: str, *views: str) -> None:
    """No label is likelier than one above it, and none of `views` lacks one that it knows."""
    for low, high in ((name, above) for name in run.taxonomy.parents for above in run.taxonomy.ancestors(name)):
        if f"{prefix}{low}" in frame and f"{prefix}{high}" in frame:
            assert (frame[f"{prefix}{high}"] >= frame[f"{prefix}{low}"] - 1e-9).all()
    for view in views:
        for found in labels_of(frame[view]):
            # living things are in the hierarchy, but no page is labelled with them: the model knows no such class
            assert set(run.taxonomy.missing_ancestors(found)) <= {"Living things"}


def evaluated(run: Run, *arguments: str) -> tuple[dict[str, Any], str]:
    """What `evaluate` says in JSON, and on stderr."""
    result = CliRunner().invoke(main, ["--json", "evaluate", str(run.folder), *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def test_thresholds_are_fitted_for_the_objective_that_is_asked_for(
    run: Run, tiny_topics: Prepared, tmp_path: Path
) -> None:
    request = training.Request("recall", tmp_path, epochs=1, resamples=20, threshold_objective="f2")
    other = training.train(definitions.find(DEFINITION), tiny_topics, request)
    kept, plain = (read_json(each.folder / runs.THRESHOLDS) for each in (other, run))
    assert (kept["objective"], plain["objective"]) == ("f2", "f1")
    facts = [read_json(each.folder / runs.RUN)["threshold_objective"] for each in (other, run)]
    assert facts == ["f2", "f1"]
    again = scoring.fitted_thresholds(other.predictions(), objective="f2", seed=other.facts["seed"])
    assert again.by_label == pytest.approx(Thresholds.from_json(kept).by_label, abs=1e-6)
    assert "thresholds were fitted for f2, not for f1" in evaluated(other)[1]
    assert "thresholds were fitted for" not in evaluated(run)[1]
    old = Run(run.folder, {name: fact for name, fact in run.facts.items() if name != runs.OBJECTIVE})
    assert old.threshold_objective == "f1"


def test_an_objective_is_refused_where_there_are_no_thresholds(tiny_prepared: Path, tmp_path: Path) -> None:
    request = training.Request("wrong", tmp_path, threshold_objective="f2")
    with pytest.raises(InputError, match="have one label, which takes no threshold"):
        training.check(definitions.find("text_tfidf"), read_prepared(tiny_prepared), request)
    arguments = ["train", "--resume", "--name", "any", "--threshold-objective", "f2"]
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_labels_without_a_validation_page_are_named(run: Run, tmp_path: Path) -> None:
    found, said = evaluated(run)
    assert found["unfitted_labels"] == [] and "threshold for all labels" not in said
    folder = Path(shutil.copytree(run.folder, tmp_path / "lacking"))
    limits = read_json(folder / runs.THRESHOLDS)
    limits["labels"]["Fossils"] = {"threshold": limits["global"], "positives": 0, "source": "global"}
    write_json(folder / runs.THRESHOLDS, limits)
    found, said = evaluated(Run(folder, run.facts))
    assert found["unfitted_labels"] == ["Fossils"]
    words = "no page of the validation split has “Fossils”: predicted from the threshold for all labels on"
    assert words in said


def test_labels_that_training_never_saw_are_named(run: Run, tiny_topics: Prepared, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny_topics.folder, tmp_path / "other"))
    cells = tiny_topics.frame["topics"].str.replace("History", "Chess").str.replace("Art & Music", "M" * 60)
    cells = cells.where(cells != "", "|".join(f"new {number}" for number in range(9)))
    write_manifest(tiny_topics.frame.assign(topics=cells), other / "manifest.csv", tiny_topics.label)
    write_json(other / "prepare.json", {**tiny_topics.facts, "taxonomy": {}})
    found, said = evaluated(run, "--data", str(other))
    assert found["page"]["unseen_labels"] == {"Chess": 14, "M" * 60: 7, **{f"new {number}": 7 for number in range(9)}}
    (sentence,) = (line for line in said.splitlines() if line.startswith("training never saw"))
    assert "“Chess” (14 pages)" in sentence and "5 more: such a label has probability 0" in sentence
    assert len(sentence) < 300
    assert "training never saw" not in evaluated(run)[1]


def test_a_coherent_run_predicts_coherent_labels_in_both_views(coherent: Run, tiny_topics: Prepared) -> None:
    fresh = predict_pages(coherent, tiny_topics.frame.drop(columns="topics"), tiny_topics.folder)
    predictions = coherent.predictions()
    bound = predictions.assign(group=predictions["split"] + predictions["label"])
    leaflets = by_group(bound, checks.followed(coherent))
    assert len(leaflets) < len(predictions)
    for frame in (predictions, fresh, leaflets):
        assert_coherent(coherent, frame, "probability_", "predicted", "predicted_at_half")
    metrics = coherent.metrics()
    for unit in ("page", "leaflet"):
        figures = metrics[unit]["views"]
        assert all(view["figures"]["coherence_violations"]["value"] == 0 for view in figures.values())


@pytest.mark.parametrize("limit", [0.3, 0.6, 0.9])
def test_what_a_coherent_run_decides_is_coherent_too(coherent: Run, limit: float) -> None:
    predictions, found = coherent.predictions(), confidence.limit(coherent, min_confidence=limit)
    assert found
    table = confidence.decided(coherent, predictions, found)
    assert_coherent(coherent, table, "calibrated_", "decision")
    for given, left in zip(labels_of(table["decision"]), labels_of(table["undecided"]), strict=True):
        assert set(coherent.taxonomy.missing_ancestors(left)) <= given | {"Living things"}
