"""Training on disk: what a run holds, what it never overwrites, and how it goes on after a fold or an interruption."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from ludwig.callbacks import Callback

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError, TrainingError
from leaflet_tool.manifest import Label, Prepared, read_prepared, write_manifest
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.models import definitions, engine, rows, runs, scoring, training
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import locked, sha256, write_json

EPOCHS = 40
"""Enough that a signal sent after the first ones arrives in the middle of training, twice."""


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path) -> Prepared:
    return read_prepared(tiny_prepared)


@pytest.fixture(scope="module")
def folded(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of `text_tfidf` in three folds."""
    request = training.Request("folded", tmp_path_factory.mktemp("runs"), folds=3, epochs=2, resamples=50)
    return training.train(definitions.find("text_tfidf"), prepared, request)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder."""
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["text", "image"])
def test_a_run_directory_is_complete(tiny_runs: Path, prepared: Prepared, name: str) -> None:
    run = runs.find(name, tiny_runs)
    for file in ("config.yaml", "ludwig.csv", "run.json", "predictions.csv", "metrics.json"):
        assert (run.folder / file).is_file()
    for file in ("description.json", "training_statistics.json", "test_statistics.json", "predictions.parquet"):
        assert (run.folder / file).is_file()
    for file in ("model_hyperparameters.json", "model_weights.safetensors", "training_set_metadata.json"):
        assert (run.folder / "model" / file).is_file()
    assert not list(run.folder.glob("*.parquet.*")) and not list(run.folder.glob("*.part"))


def test_run_json_says_what_the_figures_depend_on(tiny_runs: Path, prepared: Prepared) -> None:
    facts = runs.find("image", tiny_runs).facts
    assert facts["state"] == "done"
    assert facts["definition"]["name"] == "image_small"
    assert facts["overrides"] == [f"input_features.image.preprocessing.{side}=32" for side in ("height", "width")]
    assert facts["data"] == {"folder": str(prepared.folder), "manifest_sha256": prepared.digest, "rows": 60}
    assert facts["classes"] == ["Blue", "Green", "Red"]
    assert (facts["seed"], facts["folds"], facts["backend"]) == (42, 0, "local")
    assert {name: facts[name] for name in ("device", "cores")} == engine.machine()
    assert facts["versions"].keys() >= {"python", "leaflet-tool", "ludwig", "torch", "timm"}
    assert facts["started"] <= facts["finished"]
    assert facts["seconds"] > 0


@pytest.mark.parametrize("name", ["text", "image"])
def test_predictions_have_every_row_once_in_the_manifests_order(tiny_runs: Path, prepared: Prepared, name: str) -> None:
    predictions = runs.find(name, tiny_runs).predictions()
    for column in ("id", "group", "split"):
        assert predictions[column].tolist() == prepared.frame[column].tolist()
    assert predictions["label"].tolist() == prepared.frame["party"].tolist()
    probabilities = predictions[["probability_Blue", "probability_Green", "probability_Red"]]
    assert probabilities.sum(axis=1).between(1 - 1e-4, 1 + 1e-4).all()
    assert ("probability_" + predictions["predicted"]).tolist() == probabilities.idxmax(axis=1).tolist()


def test_metrics_are_those_of_the_predictions(tiny_runs: Path) -> None:
    run = runs.find("text", tiny_runs)
    predictions, metrics = run.predictions(), run.metrics()
    again = evaluate(predictions[predictions["split"] == "test"], seed=42, resamples=100)
    assert json.loads(json.dumps(again["page"])) == metrics["page"]
    assert json.loads(json.dumps(again["leaflet"])) == metrics["leaflet"]
    assert (metrics["split"], metrics["page"]["rows"], metrics["leaflet"]["rows"]) == ("test", 12, 6)
    assert metrics["baselines"].keys() == {"majority", "tfidf_logistic"}
    right = (predictions["predicted"] == predictions["label"])[predictions["split"] == "test"]
    assert metrics["page"]["figures"]["accuracy"]["value"] == pytest.approx(right.mean())


def test_the_frozen_definition_repeats_the_run(tiny_runs: Path, prepared: Prepared) -> None:
    frozen = definitions.read(tiny_runs / "text" / "config.yaml")
    request = training.Request("any", epochs=3)
    assert frozen.content == training.filled(definitions.find("text_tfidf"), prepared.label, request)
    assert frozen.needs == definitions.find("text_tfidf").needs


def test_prediction_anew_gives_the_same_by_id_whatever_the_order(
    tiny_runs: Path, prepared: Prepared, tmp_path: Path
) -> None:
    shuffled = shutil.copytree(prepared.folder, tmp_path / "shuffled")
    write_manifest(prepared.frame.sample(frac=1, random_state=5), shuffled / "manifest.csv", prepared.label)
    for name in ("text", "image"):
        out = tmp_path / f"{name}.csv"
        result = invoke("predict", name, shuffled, "--out", out, "--runs", tiny_runs)
        assert result.exit_code == 0, result.output
        found, trained = runs.read_predictions(out).set_index("id"), runs.find(name, tiny_runs).predictions()
        assert found.index.tolist() != trained["id"].tolist()
        again = found.loc[trained["id"]].reset_index()[trained.columns]
        pd.testing.assert_frame_equal(again, trained, atol=1e-5)


def test_pages_without_labels_are_predicted_from_files(tiny_runs: Path, prepared: Prepared, tmp_path: Path) -> None:
    pages = [prepared.folder / name for name in prepared.frame["image"][:3]]
    result = invoke("predict", "image", *pages, "--out", tmp_path / "new.csv", "--runs", tiny_runs)
    assert result.exit_code == 0, result.output
    found = runs.read_predictions(tmp_path / "new.csv")
    assert found["source"].tolist() == [str(page) for page in pages]
    assert set(found["label"]) == {""}
    assert set(found["predicted"]) <= {"Blue", "Green", "Red"}


def test_evaluating_another_split_leaves_the_test_figures(tiny_runs: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_runs / "text", tmp_path / "text")
    before = sha256(tmp_path / "text" / "metrics.json")
    result = invoke("--json", "evaluate", "text", "--split", "validation", "--runs", tmp_path)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["split"], told["page"]["rows"]) == ("validation", 12)
    assert (tmp_path / "text" / "metrics_validation.json").is_file()
    assert sha256(tmp_path / "text" / "metrics.json") == before


def test_an_existing_run_is_refused_and_left_as_it_was(tiny_runs: Path, prepared: Prepared) -> None:
    before = contents(tiny_runs / "text")
    with pytest.raises(InputError, match="run text exists already"):
        training.train(definitions.find("text"), prepared, training.Request("text", tiny_runs))
    with pytest.raises(InputError, match="nothing was trained"):
        training.train(
            definitions.find("text"), prepared, training.Request("text", tiny_runs, ("trainer.epochs=no",), force=True)
        )
    with locked(tiny_runs / "text"), pytest.raises(InputError, match="in use by another"):
        training.train(definitions.find("text"), prepared, training.Request("text", tiny_runs, force=True))
    with pytest.raises(InputError, match="run text is done already"):
        training.resume("text", tiny_runs)
    assert contents(tiny_runs / "text") == before


def test_a_training_that_ludwig_gives_up_is_marked_as_failed(prepared: Prepared, tmp_path: Path) -> None:
    request = training.Request("bad", tmp_path, ("trainer.learning_rate=-1",), epochs=1)
    with pytest.raises(TrainingError, match="Invalid learning rate") as caught:
        training.train(definitions.find("text_tfidf"), prepared, request)
    assert caught.value.exit_code == 5
    run = runs.find("bad", tmp_path)
    assert run.state == "failed"
    assert "Invalid learning rate" in run.facts["error"]
    training.train(definitions.find("text_tfidf"), prepared, training.Request("bad", tmp_path, epochs=1, force=True))
    assert runs.find("bad", tmp_path).state == "done"


def test_a_full_disk_names_the_run_and_what_was_half_written_is_trained_again(
    tiny_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FillsUp(Callback):
        def on_eval_end(self, trainer: Any, progress_tracker: Any, save_path: str, **_: Any) -> None:
            if progress_tracker.epoch == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    small = ("encoder.num_filters=16", "preprocessing.max_sequence_length=16")
    settings = [word for each in small for word in ("--set", f"input_features.text.{each}")]
    start = ("train", "--config", "text", "--data", tiny_prepared, "--name", "full", "--runs", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_log", FillsUp)
        try:
            failed = invoke(*start, "--epochs", 4, *settings)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert failed.exit_code == 3, failed.output
    assert f"error: {tmp_path / 'full'}: there is no room for the model" in failed.stderr
    assert "hint: free some space" in failed.stderr and "--resume" in failed.stderr
    assert runs.find("full", tmp_path).state == "interrupted"

    progress = tmp_path / "full" / "model" / "training_progress.json"
    progress.write_text(progress.read_text()[:200])
    done = training.resume("full", tmp_path)
    assert done.state == "done"
    statistics = json.loads((done.folder / "training_statistics.json").read_text())
    assert len(statistics["training"]["party"]["loss"]) == 4


def test_rows_that_ludwig_drops_are_refused_before_and_counted_after(prepared: Prepared, tmp_path: Path) -> None:
    drop = ("input_features.text.preprocessing.missing_value_strategy=drop_row",)
    request = training.Request("drops", tmp_path, drop, epochs=1, resamples=10)
    blank = replace(
        prepared, frame=prepared.frame.assign(text=prepared.frame["text"].where(prepared.frame.index > 1, ""))
    )
    with pytest.raises(InputError, match=r"2 rows have no text \(manifest rows 2, 3\)"):
        training.train(definitions.find("text_tfidf"), blank, request)
    assert not (tmp_path / "drops").exists()
    run = training.train(definitions.find("text_tfidf"), prepared, request)
    with pytest.raises(InputError, match=r"nothing was predicted:\n.*2 rows have no text"):
        predict_pages(run, blank.frame, blank.folder)
    table = rows.for_ludwig(blank.frame, blank.folder, prepared.label)
    with pytest.raises(TrainingError, match="58 predictions for 60 rows") as caught:
        scoring.predict(engine.load(run.folder), table, prepared.label)
    assert "empty cells" in caught.value.hint


def test_a_cut_of_probabilities_is_refused_before_training(tiny_prepared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_prepared, tmp_path / "several")
    facts = json.loads((folder / "prepare.json").read_text())
    write_json(folder / "prepare.json", {**facts, "label": {"name": "party", "multiple": True}})
    sets = 'output_features=[{"name": "party", "type": "set"}]'
    start = ("train", "--config", "text", "--data", folder, "--name", "x", "--runs", tmp_path / "runs")
    refused = invoke(*start, "--set", sets)
    assert refused.exit_code == 3
    assert "output_features.party.threshold: must be 0" in refused.stderr
    assert not (tmp_path / "runs").exists()


def test_labels_stay_text_from_the_manifest_to_the_predictions(prepared: Prepared, tmp_path: Path) -> None:
    odd = prepared.frame["party"].map({"Blue": "NA", "Green": "no", "Red": "01"})
    frame = prepared.frame.assign(party=odd)
    request = training.Request("odd", tmp_path, epochs=1, resamples=10)
    run = training.train(definitions.find("text_tfidf"), replace(prepared, frame=frame), request)
    predictions = run.predictions()
    assert predictions["label"].tolist() == odd.tolist()
    assert set(predictions["predicted"]) <= {"NA", "no", "01"} == set(run.facts["classes"])
    assert [name for name in predictions if name.startswith("p") and name != "predicted"] == [
        "probability_01",
        "probability_NA",
        "probability_no",
    ]


def test_a_run_is_judged_on_another_archive_with_a_class_it_does_not_know(
    tiny_runs: Path, prepared: Prepared, tmp_path: Path
) -> None:
    other = shutil.copytree(prepared.folder, tmp_path / "other")
    frame = prepared.frame.assign(split="train")
    frame.loc[:3, "party"] = "Purple"
    write_manifest(frame, other / "manifest.csv", prepared.label)
    told = json.loads(invoke("--json", "evaluate", "text", "--data", other, "--runs", tiny_runs).stdout)
    assert told["page"]["rows"] == told["baselines"]["majority"]["page"]["rows"] == 60
    assert told["page"]["unseen_labels"] == {"Purple": 4}
    write_json(other / "prepare.json", {**prepared.facts, "label": {"name": "topics", "multiple": True}})
    write_manifest(frame.assign(topics=""), other / "manifest.csv", Label("topics", multiple=True))
    refused = invoke("evaluate", "text", "--data", other, "--runs", tiny_runs)
    assert refused.exit_code == 3
    assert "has the label 'topics', run text predicts 'party'" in refused.stderr


def test_a_run_whose_images_are_gone_is_not_resumed(tiny_runs: Path, tmp_path: Path) -> None:
    run = Run(shutil.copytree(tiny_runs / "image", tmp_path / "image"), runs.find("image", tiny_runs).facts)
    table = rows.read(run.folder / "ludwig.csv")
    rows.write(table.assign(image=str(tmp_path / "gone.png")), run.folder / "ludwig.csv")
    run.noting(state=runs.TRAINING)
    with pytest.raises(InputError, match=r"60 files of column image are gone, .*gone\.png the first"):
        training.resume("image", tmp_path)


def test_a_search_is_not_replaced_by_a_run(prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in ("hyperopt.json", "config.yaml"):
        (tmp_path / "mine" / name).write_text("{}")
    with pytest.raises(InputError, match="mine is a search"):
        training.train(definitions.find("text"), prepared, training.Request("mine", tmp_path, force=True))
    assert (tmp_path / "mine" / "hyperopt.json").is_file()


def test_every_page_is_predicted_by_the_fold_that_held_it_out(folded: Run, prepared: Prepared) -> None:
    predictions = folded.predictions()
    assert predictions["id"].tolist() == prepared.frame["id"].tolist()
    assert set(predictions["split"]) == {"test"}
    assert predictions.groupby("group")["fold"].nunique().max() == 1
    for fold, folder in enumerate(folded.models()):
        own = runs.read_predictions(folder / "predictions.csv").set_index("id")
        table = rows.in_words(rows.read(folder / "ludwig.csv"), Label("party")).set_index("id")
        mine = predictions[predictions["fold"] == str(fold)].set_index("id")
        assert set(table.loc[mine.index, "split"]) == {"test"}
        assert not set(table.loc[table["split"] != "test", "group"]) & set(mine["group"])
        pd.testing.assert_frame_equal(mine[own.columns], own.loc[mine.index])
    metrics = folded.metrics()
    assert metrics["page"]["rows"] == metrics["baselines"]["majority"]["page"]["rows"] == 60


def test_a_folded_run_goes_on_at_the_fold_it_was_in(folded: Run, tmp_path: Path) -> None:
    run = Run(shutil.copytree(folded.folder, tmp_path / "folded"), folded.facts)
    last = run.models()[-1]
    for path in (run.folder / "predictions.csv", run.folder / "metrics.json", last / "predictions.csv"):
        path.unlink()
    for leftover in ("model", "training_report.json", "training_statistics.json"):
        shutil.rmtree(last / leftover) if (last / leftover).is_dir() else (last / leftover).unlink()
    run.noting(state=runs.TRAINING)
    weights = [folder / "model" / "model_weights.safetensors" for folder in run.models()]
    before = [path.stat().st_mtime_ns for path in weights[:-1]]
    assert not weights[-1].exists()

    done = training.resume("folded", tmp_path)

    assert done.state == runs.DONE
    assert [path.stat().st_mtime_ns for path in weights[:-1]] == before
    assert weights[-1].is_file()
    assert done.facts["resumed"] == 1
    pd.testing.assert_frame_equal(done.predictions(), folded.predictions(), atol=1e-5)


def test_a_folded_run_votes_on_new_pages(folded: Run, tiny_prepared: Path, tmp_path: Path) -> None:
    result = invoke("predict", "folded", tiny_prepared, "--out", tmp_path / "p.csv", "--runs", folded.folder.parent)
    assert result.exit_code == 0, result.output
    votes = runs.read_predictions(tmp_path / "p.csv")
    models = [runs.read_predictions(folder / "predictions.csv") for folder in folded.models()]
    mean = sum(model["probability_Red"] for model in models) / 3
    assert votes["probability_Red"].to_numpy() == pytest.approx(mean.to_numpy(), abs=1e-5)
    assert invoke("evaluate", "folded", "--split", "train", "--runs", folded.folder.parent).exit_code == 3


@dataclass(frozen=True)
class Story:
    """What happened to one run that was interrupted twice."""

    folder: Path
    refused: str
    beside: Run
    exit_codes: tuple[int, int]
    states: tuple[str, str]
    listing: str
    epochs: tuple[int, int]
    resumed: Result


@pytest.fixture(scope="module")
def story(tiny_prepared: Path, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A run is stopped with Ctrl-C, resumed, killed, resumed; meanwhile another is trained on the same data."""
    folder = tmp_path_factory.mktemp("interrupted")
    own = ("--name", "mine", "--runs", str(folder))
    start = ("train", "--config", "text", "--data", str(tiny_prepared), "--epochs", str(EPOCHS), *own)
    small = ("encoder.num_filters=16", "preprocessing.max_sequence_length=16")
    settings = ("trainer.early_stop=-1", *(f"input_features.text.{each}" for each in small))

    first = _started(*start, *(word for each in settings for word in ("--set", each)))
    _epoch(first)
    os.kill(first.pid, signal.SIGSTOP)  # so that it is in the middle of training for as long as the rest takes
    refused = invoke("train", "--resume", *own).stderr
    request = training.Request("beside", folder, epochs=3, resamples=100)
    beside = training.train(definitions.find("text_tfidf"), prepared, request)
    os.kill(first.pid, signal.SIGINT)
    os.kill(first.pid, signal.SIGCONT)
    interrupted, state = _ended(first), runs.find("mine", folder).state

    second = _started("train", "--resume", *own)
    again = _epoch(second)
    second.kill()
    killed = _ended(second)
    listing = invoke("runs", "--runs", folder).stdout

    resumed = invoke("--json", "train", "--resume", *own)
    third = int(resumed.stderr.partition("epoch ")[2].split()[0])
    states = state, listing.partition("mine")[2].splitlines()[0]
    yield Story(folder / "mine", refused, beside, (interrupted, killed), states, listing, (again, third), resumed)


def _started(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "leaflet_tool.cli.main", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _epoch(process: "subprocess.Popen[str]") -> int:
    """Waits until the process has said twice how far it is; the first epoch it told."""
    assert process.stderr
    lines, told = [], []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("epoch "):
            told.append(int(line.split()[1]))
            if len(told) == 2:
                return told[0]
    raise AssertionError("".join(lines))


def _ended(process: "subprocess.Popen[str]") -> int:
    assert process.stderr
    with process.stderr:
        return process.wait(timeout=120)


def test_ctrl_c_interrupts_and_does_not_pass_for_the_end(story: Story) -> None:
    assert story.exit_codes[0] == 130
    assert story.states[0] == "interrupted"


def test_ctrl_c_that_ludwig_drops_interrupts_all_the_same(tiny_runs: Path, tmp_path: Path) -> None:
    class Dropping(Callback):
        """As Ludwig while it writes a checkpoint."""

        batches = 0

        def on_batch_end(self, *_: Any, **__: Any) -> None:
            self.batches += 1
            handler = signal.signal(signal.SIGINT, lambda *_: None)
            signal.raise_signal(signal.SIGINT)
            signal.signal(signal.SIGINT, handler)

    run, dropping, before = runs.find("text", tiny_runs), Dropping(), signal.getsignal(signal.SIGINT)
    config = definitions.read(run.folder / runs.CONFIG).content
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.train(config, run.folder / runs.ROWS, tmp_path, seed=1, callbacks=[dropping])
    finally:
        signal.signal(signal.SIGINT, before)
    assert dropping.batches == 1
    assert not engine.trained(tmp_path)


def test_a_killed_run_is_listed_as_interrupted(story: Story) -> None:
    assert story.exit_codes[1] == -signal.SIGKILL
    assert "interrupted" in story.states[1]


def test_an_interrupted_run_goes_on_where_it_was(story: Story) -> None:
    assert story.resumed.exit_code == 0, story.resumed.output
    assert 1 < story.epochs[0] < story.epochs[1]
    run = runs.find(str(story.folder), Path())
    assert run.state == "done"
    assert json.loads(story.resumed.stdout)["page"]["rows"] == 12
    assert "%|" not in story.resumed.stderr
    assert run.facts["resumed"] == 2
    assert run.predictions()["id"].is_unique
    assert len(run.predictions()) == 60
    statistics = json.loads((story.folder / "training_statistics.json").read_text())
    assert len(statistics["training"]["party"]["loss"]) == EPOCHS


def test_a_run_in_training_is_not_resumed_a_second_time(story: Story) -> None:
    assert "in use by another leaflet-tool" in story.refused


def test_two_trainings_on_one_prepared_folder_do_not_meet(story: Story, tiny_runs: Path, tiny_prepared: Path) -> None:
    alone = runs.find("text", tiny_runs)
    pd.testing.assert_frame_equal(story.beside.predictions(), alone.predictions(), atol=1e-6)
    assert sorted(path.name for path in tiny_prepared.iterdir()) == ["images", "manifest.csv", "prepare.json"]


def _by_ludwig(command: str, run: Run, out: Path) -> Path:
    """The run's definition and rows through Ludwig's own command line; the experiment's folder."""
    assert not run.facts["definition"]["name"].endswith("tfidf")
    files = ["--config", str(run.folder / "config.yaml"), "--dataset", str(run.folder / "ludwig.csv")]
    options = ["--output_directory", str(out), "--random_seed", "42", *UNCACHED]
    ludwig = Path(sys.executable).with_name("ludwig")
    done = subprocess.run([ludwig, command, *files, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (folder,) = out.iterdir()
    return folder


def _losses(folder: Path) -> list[float]:
    statistics = json.loads((folder / "training_statistics.json").read_text())
    return statistics["validation"]["party"]["loss"]


def test_ludwig_experiment_gives_the_same_test_accuracy(prepared: Prepared, tmp_path: Path) -> None:
    request = training.Request("text", tmp_path / "runs", ("trainer.learning_rate=3e-4",), epochs=2, resamples=10)
    run = training.train(definitions.find("text"), prepared, request)
    theirs = _by_ludwig("experiment", run, tmp_path / "ludwig")
    statistics = json.loads((theirs / "test_statistics.json").read_text())
    ours = run.metrics()["page"]["figures"]["accuracy"]["value"]
    assert statistics["party"]["accuracy_micro"] == pytest.approx(ours, abs=1e-6)
    assert _losses(theirs) == pytest.approx(_losses(run.folder), rel=1e-4)


PLAIN = [name for name in definitions.names() if not definitions.find(name).needs]
"""The definitions that Ludwig alone can train on any machine."""
EXTENDED = [name for name in definitions.names() if "leaflet_tool.models.extensions" in definitions.find(name).needs]
SMALL = {
    "image": ("preprocessing.height=32", "preprocessing.width=32"),
    "text": ("preprocessing.max_sequence_length=16", "encoder.num_filters=16"),
}
UNCACHED = ("--skip_save_processed_input",)
LUDWIG_ALONE = """
import json, sys
from ludwig.error import ConfigValidationError
from ludwig.schema.model_types.base import ModelConfig
from ludwig.train import cli

for arguments in json.loads(sys.argv[1]):
    cli(arguments)
refused = []
for name, config in json.loads(sys.argv[2]).items():
    try:
        ModelConfig.from_dict(config)
    except ConfigValidationError as error:
        ours = ("sublinear_tf_idf", "timm_layers", "coherent_bce", "logarithm")
        assert any(f"'{each}' is not one of" in str(error) for each in ours), error
        refused.append(name)
assert not any(module.startswith("leaflet_tool") for module in sys.modules)
print(json.dumps(refused))
"""


@pytest.fixture(scope="module")
def plain(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A small run of every definition in PLAIN; the stack's reads what a run that knows half of it would say."""
    folder, trained = tmp_path_factory.mktemp("plain"), {}
    said = {"Blue": "0.6 0.2 0.2", "Green": "0.4 0.4 0.2", "Red": "0.2 0.2 0.6"}
    prepared = replace(prepared, frame=prepared.frame.assign(probabilities=prepared.frame["party"].map(said)))
    for name in PLAIN:
        definition = definitions.find(name)
        features = [feature["name"] for feature in definition.content["input_features"]]
        overrides = tuple(f"input_features.{feature}.{each}" for feature in features for each in SMALL.get(feature, ()))
        request = training.Request(name, folder, overrides, epochs=2, resamples=10)
        trained[name] = training.train(definition, prepared, request)
    return trained


@pytest.fixture(scope="module")
def by_ludwig_alone(plain: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """`ludwig train` on the config.yaml and ludwig.csv of each plain run; and which of EXTENDED it refuses."""
    out = tmp_path_factory.mktemp("by_ludwig")
    repeats = []
    for name, run in plain.items():
        files = ["--config", str(run.folder / "config.yaml"), "--dataset", str(run.folder / "ludwig.csv")]
        repeats.append([*files, "--output_directory", str(out / name), "--random_seed", "42", *UNCACHED])
    extended = {
        name: training.filled(definitions.find(name), Label("party"), training.Request("any")) for name in EXTENDED
    }
    command = [sys.executable, "-c", LUDWIG_ALONE, json.dumps(repeats), json.dumps(extended)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", PLAIN)
def test_ludwig_train_repeats_a_run(plain: dict[str, Run], by_ludwig_alone: tuple[Path, list[str]], name: str) -> None:
    run, (theirs,) = plain[name], (by_ludwig_alone[0] / name).iterdir()
    assert _losses(theirs) == pytest.approx(_losses(run.folder), rel=1e-4)
    model = engine.load(theirs)
    predicted = engine.probabilities(model, engine.predict(model, run.folder / "ludwig.csv"), "party")
    assert predicted["Red"].to_numpy() == pytest.approx(run.predictions()["probability_Red"].to_numpy(), abs=1e-4)


def test_the_definitions_that_say_they_need_an_extension_do(by_ludwig_alone: tuple[Path, list[str]]) -> None:
    assert {"image_small", "text"} <= set(PLAIN)
    assert by_ludwig_alone[1] == EXTENDED != []


@pytest.mark.slow
def test_ray_trains_the_same_kind_of_run(tiny_runs: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    start = ("train", "--config", "text_tfidf", "--data", str(tiny_prepared), "--epochs", "3", "--backend", "ray")
    command = [
        sys.executable,
        "-m",
        "leaflet_tool.cli.main",
        "--json",
        *start,
        "--name",
        "ray",
        "--runs",
        str(tmp_path),
    ]
    home = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["page"]["rows"] == 12
    assert "Ray trains with one worker: with more, Ludwig's copies would not exchange gradients" in done.stderr
    run, local = runs.find("ray", tmp_path), runs.find("text", tiny_runs)
    assert run.facts["backend"] == "ray"
    assert contents(run.folder).keys() >= {"config.yaml", "ludwig.csv", "test_statistics.json", "training_report.json"}
    predictions, known = run.predictions(), ["id", "group", "split", "label"]
    pd.testing.assert_frame_equal(predictions[known], local.predictions()[known])
    assert list(predictions) == list(local.predictions())
    assert run.metrics()["page"]["figures"]["accuracy"]["value"] > 0.8
