"""A run's confidence: fitted when it is trained, decided with when it predicts, and never on what it is judged by."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import read_table, split_labels
from leaflet_tool.measure import calibration
from leaflet_tool.measure.predictions import from_probabilities
from leaflet_tool.models import confidence, evaluation, runs
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import read_json, write_json

CLASSES = ["Blue", "Green", "Red"]


@pytest.fixture
def run(tiny_runs: Path, tmp_path: Path) -> Run:
    """A copy of the finished run `text` that a test may change."""
    shutil.copytree(tiny_runs / "text", tmp_path / "runs" / "text")
    return runs.finished("text", tmp_path / "runs")


def permuted(run: Run, split: str) -> pd.DataFrame:
    """The run's predictions with the labels of one split mixed up, kept on disk as well."""
    frame = run.predictions()
    chosen = frame["split"] == split
    frame.loc[chosen, "label"] = np.roll(frame.loc[chosen, "label"].to_numpy(), 1)
    runs.write_predictions(frame, run.folder / runs.PREDICTIONS)
    return frame


def sure(run: Run, *, wrong: int = 0, level: float = 0.96, pages: int = 30) -> Run:
    """The run as if it had `pages` leaflets to validate on, of which it is sure and right, and `wrong` unsure ones."""
    frame = run.predictions()
    test = frame[frame["split"] == "test"]
    labels = [CLASSES[place % 3] for place in range(pages)]
    table = pd.DataFrame(
        [[level if name == label else (1 - level) / 2 for name in CLASSES] for label in labels], columns=CLASSES
    )
    table.iloc[pages - wrong :] = [0.5, 0.3, 0.2]
    labels[pages - wrong :] = ["Red"] * wrong
    named = [f"v{place}" for place in range(pages)]
    known = from_probabilities(pd.DataFrame({"id": named, "group": named, "split": "validation"}), labels, table)
    runs.write_predictions(pd.concat([known, test]), run.folder / runs.PREDICTIONS)
    (run.folder / runs.CALIBRATION).unlink()
    return run


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_training_leaves_a_calibration_from_validation_pages(run: Run) -> None:
    kept = read_json(run.folder / "calibration.json")
    predictions = run.predictions()
    assert kept == calibration.to_json(calibration.fit(predictions[predictions["split"] == "validation"]))
    assert kept["fitted"]["rows"] == 12 and kept["fitted"]["groups"] == 6
    told = run.metrics()["confidence"]
    assert told["page"]["rows"] == 12 and told["leaflet"]["rows"] == 6
    assert told["page"]["calibration"][0]["temperature"] == kept["temperature"]
    assert told == json.loads(json.dumps(confidence.figures(run, predictions, seed=42, resamples=100)))


def test_test_labels_move_nothing_that_is_fitted(run: Run) -> None:
    sure(run, level=0.34)
    before, limit = confidence.fit(run, run.predictions()), confidence.limit(run, target_precision=0.9)
    mixed = permuted(run, "test")
    after, other = confidence.fit(run, mixed), confidence.limit(run, target_precision=0.9)
    assert before == after
    assert limit and other and limit.fitted == other.fitted and limit.confidence == other.confidence
    assert limit.test["precision"] != other.test["precision"]
    changed = permuted(run, "validation")
    assert confidence.fit(run, changed) != before


def test_a_run_from_before_calibration_is_calibrated_when_asked(run: Run) -> None:
    kept = confidence.of(run)
    (run.folder / runs.CALIBRATION).unlink()
    metrics = run.metrics()
    told = metrics.pop("confidence")
    (run.folder / runs.METRICS).write_text(json.dumps(metrics))
    assert confidence.of(run) == kept
    assert json.loads(json.dumps(evaluation.on_split(run, "test")["confidence"])) == told
    assert "confidence" not in run.metrics()


def test_a_broken_calibration_is_named(run: Run) -> None:
    (run.folder / runs.CALIBRATION).write_text('{"kind": "temperature"}')
    with pytest.raises(InputError, match=r"calibration\.json does not hold a calibration"):
        confidence.limit(run, min_confidence=0.9)


def test_a_fold_is_judged_by_what_the_others_say(run: Run) -> None:
    frame = run.predictions().assign(split="test")
    frame.insert(3, "fold", [str(int(group[-1]) % 2) for group in frame["group"]])
    folded = run.noting(folds=2)
    runs.write_predictions(frame, run.folder / runs.PREDICTIONS)
    first = confidence.figures(folded, folded.predictions(), seed=1, resamples=20)["page"]
    assert first["rows"] == 60 and [each["fitted"]["rows"] for each in first["calibration"]] == [30, 30]
    own = frame["fold"] == "0"
    frame.loc[own, "label"] = np.roll(frame.loc[own, "label"].to_numpy(), 4)
    second = confidence.figures(folded, frame, seed=1, resamples=20)["page"]
    assert first["calibration"][0] == second["calibration"][0] and first["calibration"][1] != second["calibration"][1]
    assert len(confidence.known_rows(folded, frame)) == 60


def test_both_ways_to_decide_are_refused_together(run: Run, tiny_prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both say what is decided"):
        confidence.limit(run, min_confidence=0.5, target_precision=0.9)
    assert confidence.limit(run) is None
    out = tmp_path / "p.csv"
    both = ["--min-confidence", 0.5, "--target-precision", 0.9]
    refused = invoke("predict", "text", tiny_prepared, *both, "--out", out, "--runs", run.folder.parent, "--dry-run")
    assert refused.exit_code == 2 and not out.exists()
    for option in ("--min-confidence", "--target-precision"):
        for value in (0, 1, 1.5, "much"):
            asked = invoke("predict", "text", tiny_prepared, option, value, "--out", out, "--runs", run.folder.parent)
            assert asked.exit_code == 2 and option in asked.stderr


def test_predict_leaves_unsure_pages_undecided(run: Run, tiny_prepared: Path, tmp_path: Path) -> None:
    at = ["--runs", run.folder.parent]
    plain = tmp_path / "plain.csv"
    assert invoke("predict", "text", tiny_prepared, "--out", plain, *at).exit_code == 0
    known = read_table(plain)
    trained = calibration.calibrated(run.predictions(), confidence.of(run))
    level = float(trained["confidence"].median())
    out = tmp_path / "p.csv"
    result = invoke("--json", "predict", "text", tiny_prepared, "--min-confidence", level, "--out", out, *at)
    assert result.exit_code == 0, result.output
    found, told = read_table(out), json.loads(result.stdout)
    assert found[known.columns].equals(known)
    enough = found["calibrated_confidence"].astype(float) >= level
    assert 0 < enough.sum() < len(found)
    assert (found["decision"] == found["predicted"].where(enough, "")).all()
    assert told["decided"] == enough.sum() == sum(told["decisions"].values())
    assert told["from_confidence"] == level
    assert 0 <= told["test"]["precision"]["low"] <= told["test"]["precision"]["high"] <= 1
    assert found["calibrated_confidence"].astype(float).between(0, 1).all()


def test_a_precision_that_validation_shows_decides_and_says_what_it_was_worth(
    run: Run, tiny_prepared: Path, tmp_path: Path
) -> None:
    sure(run, wrong=4)
    out = tmp_path / "p.csv"
    asked = ["--target-precision", 0.9, "--out", out, "--runs", run.folder.parent]
    result = invoke("--json", "predict", "text", tiny_prepared, *asked)
    assert result.exit_code == 0, result.output
    told, found = json.loads(result.stdout), read_table(out)
    assert told["target"] == 0.9 and told["bound"] >= 0.9
    decided = found["calibrated_confidence"].astype(float) >= told["from_confidence"]
    assert ((found["decision"] != "") == decided).all()
    shown = invoke("predict", "text", tiny_prepared, *asked)
    assert "at which 26 of 26 known ones are right" in shown.stderr
    assert "test pages of text" in shown.stderr


def test_a_precision_that_cannot_be_shown_decides_nothing_and_says_so(
    run: Run, tiny_prepared: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    result = invoke(
        "predict", "text", tiny_prepared, "--target-precision", 0.95, "--out", out, "--runs", run.folder.parent
    )
    assert result.exit_code == 0
    assert "a precision of 0.95 can't be shown" in result.stderr and "nothing is decided" in result.stderr
    found = read_table(out)
    assert set(found["decision"]) == {""} and (found["predicted"] != "").all()


def test_evaluate_shows_errors_before_and_after_and_what_is_decided(run: Run, tiny_prepared: Path) -> None:
    shown = invoke("evaluate", "text", "--runs", run.folder.parent)
    assert shown.exit_code == 0, shown.output
    for words in ("calibration_error", "brier", "area under risk-coverage", "precision asked for", "0.99"):
        assert words in shown.stdout
    assert "test pages had no part in it" in shown.stderr
    assert "it takes at least 45 leaflets" in shown.stderr
    told = json.loads(invoke("--json", "evaluate", "text", "--runs", run.folder.parent).stdout)
    assert told["confidence"] == run.metrics()["confidence"]
    validation = invoke("evaluate", "text", "--split", "validation", "--runs", run.folder.parent)
    assert "calibration_error" in validation.stdout and "area under risk-coverage" not in validation.stdout


def test_another_archive_is_judged_with_the_runs_calibration(run: Run, tiny_prepared: Path, tmp_path: Path) -> None:
    from leaflet_tool.manifest import read_prepared, write_manifest

    other = Path(shutil.copytree(tiny_prepared, tmp_path / "other"))
    prepared = read_prepared(tiny_prepared)
    write_manifest(prepared.frame[prepared.frame["split"] == "test"], other / "manifest.csv", prepared.label)
    found = evaluation.on_other_data(run, other)["confidence"]
    assert found["page"]["rows"] == 12
    assert found["page"]["calibration"] == run.metrics()["confidence"]["page"]["calibration"]


def test_several_labels_are_decided_ruled_out_or_left_open(
    tiny_subject_runs: Path, tiny_subjects: Path, tmp_path: Path
) -> None:
    run, out = runs.finished("words", tiny_subject_runs), tmp_path / "p.csv"
    kept = read_json(run.folder / "calibration.json")
    assert kept["kind"] == "platt" and "Art" in kept["labels"]
    result = invoke(
        "predict", "words", tiny_subjects, "--min-confidence", 0.7, "--out", out, "--runs", tiny_subject_runs
    )
    assert result.exit_code == 0, result.output
    assert "pages have a decided label" in result.stderr
    found = read_table(out)
    columns = [name for name in found if name.startswith("calibrated_")]
    values = found[columns].astype(float).set_axis([name.removeprefix("calibrated_") for name in columns], axis=1)
    for row in range(len(found)):
        given, left = (set(split_labels(found[name].iloc[row])) for name in ("decision", "undecided"))
        assert given == set(values.columns[values.iloc[row] >= 0.7])
        assert left == set(values.columns[(values.iloc[row] > 0.3) & (values.iloc[row] < 0.7)])
    assert (found["decision"] != "").any() and (found["undecided"] != "").any()
    shown = invoke("evaluate", "words", "--runs", tiny_subject_runs)
    assert "fitted on the validation split" in shown.stderr and "share of labels given at 0.5" in shown.stdout


def test_a_label_that_is_decided_though_no_page_is_predicted_to_have_it_is_in_the_table(
    tiny_subject_runs: Path, tiny_subjects: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_subject_runs / "words", tmp_path / "strict")
    limits = read_json(tmp_path / "strict" / runs.THRESHOLDS)
    limits["labels"] = {name: {**found, "threshold": 1.0} for name, found in limits["labels"].items()}
    write_json(tmp_path / "strict" / runs.THRESHOLDS, limits)
    asked = ["predict", "strict", tiny_subjects, "--min-confidence", 0.6, "--out", tmp_path / "p.csv"]
    told = json.loads(invoke("--json", *asked, "--runs", tmp_path).stdout)
    assert set(told["classes"]) == {"(none)"}
    assert told["decisions"]
    lines = [line.split() for line in invoke(*asked, "--runs", tmp_path).stdout.splitlines()]
    for name, pages in told["decisions"].items():
        assert [name, "0", str(pages)] in lines
