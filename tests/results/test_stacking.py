"""Stacks: what they learn from, what they refuse, and that they are runs like others."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Prepared, read_prepared, write_manifest
from leaflet_tool.measure.predictions import PROBABILITY
from leaflet_tool.models import bases, definitions, evaluation, rows, runs, training
from leaflet_tool.models.prediction import predict, predict_pages
from leaflet_tool.models.runs import ROWS, Run
from leaflet_tool.results import stacking
from leaflet_tool.results.comparison import compare

EPOCHS = 3


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path) -> Prepared:
    return read_prepared(tiny_prepared)


@pytest.fixture(scope="module")
def stacked(tiny_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A stack of `text` and `image`, beside copies of them."""
    folder = tmp_path_factory.mktemp("stacks")
    for name in ("text", "image"):
        shutil.copytree(tiny_runs / name, folder / name)
    request = training.Request("both", folder, epochs=EPOCHS, resamples=50)
    return stacking.stack([runs.find(name, folder) for name in ("text", "image")], request)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_it_learns_from_validation_pages_and_is_judged_on_test_pages(stacked: Run, prepared: Prepared) -> None:
    split = prepared.frame.set_index("id")["split"]
    table = rows.in_words(rows.read(stacked.folder / ROWS), stacked.label)
    assert set(split[table["id"]]) == {"validation", "test"}
    assert set(table.loc[table["split"] == "test", "id"]) == set(split.index[split == "test"])
    learned = table[table["split"] != "test"]
    assert set(learned["split"]) == {"train", "validation"}
    assert learned.groupby("group")["split"].nunique().max() == 1


def test_its_rows_hold_what_the_base_runs_predict(stacked: Run) -> None:
    table = rows.read(stacked.folder / ROWS).set_index("id")
    classes = stacked.facts["stack"]["classes"]
    for number, base in enumerate(bases.of(stacked)):
        predictions = base.predictions().set_index("id").loc[table.index]
        expected = predictions[[PROBABILITY + name for name in classes]].to_numpy(float)
        assert np.allclose(bases.votes(table[bases.COLUMN], classes)[number], expected, atol=1e-8)


def test_it_stands_beside_its_base_runs_and_simple_rules(stacked: Run) -> None:
    metrics = stacked.metrics()
    assert list(metrics["baselines"]) == [
        *("majority", "tfidf_logistic"),
        *("text", "image", "mean_log_probability", "weighted_mean"),
    ]
    base = bases.of(stacked)[0].metrics()["page"]["figures"]["accuracy"]["value"]
    assert metrics["baselines"]["text"]["page"]["figures"]["accuracy"]["value"] == base


def test_it_predicts_pages_by_running_its_base_runs(stacked: Run, prepared: Prepared) -> None:
    pages = prepared.frame[prepared.frame["split"] == "test"].drop(columns="party")
    known = stacked.predictions().set_index("id").loc[pages["id"]]
    found = predict_pages(stacked, pages, prepared.folder)
    assert list(found["predicted"]) == list(known["predicted"])
    assert np.allclose(found["confidence"].to_numpy(float), known["confidence"].to_numpy(float), atol=1e-5)


def test_it_predicts_photographs(stacked: Run, prepared: Prepared) -> None:
    images = [prepared.folder / name for name in prepared.frame["image"][:2]]
    found = predict(stacked, images).predictions
    assert [Path(source).name for source in found["source"]] == [image.name for image in images]
    assert set(found["predicted"]) <= set(prepared.classes)


def test_evaluate_and_compare_take_it_like_any_run(stacked: Run) -> None:
    assert evaluation.on_split(stacked, "validation")["page"]["rows"] > 0
    result = compare([stacked, *bases.of(stacked)], resamples=20)
    assert list(result.runs) == ["both", "text", "image"]


def test_a_base_run_that_is_gone_or_another_is_named(stacked: Run, prepared: Prepared, tmp_path: Path) -> None:
    moved = stacked.folder.parent / "image"
    shutil.move(moved, tmp_path / "image")
    try:
        with pytest.raises(InputError, match="image is not at"):
            predict_pages(stacked, prepared.frame[:2], prepared.folder)
    finally:
        shutil.move(tmp_path / "image", moved)
    other = runs.find("text", stacked.folder.parent)
    other.noting(started="2020-01-01T00:00:00+00:00")
    try:
        with pytest.raises(InputError, match=r"text at .* was trained anew since"):
            predict_pages(stacked, prepared.frame[:2], prepared.folder)
    finally:
        other.noting()


def test_predict_names_a_base_run_that_was_moved(stacked: Run, prepared: Prepared, tmp_path: Path) -> None:
    moved, out = stacked.folder.parent / "image", tmp_path / "predictions.csv"
    image = prepared.folder / prepared.frame["image"].iloc[0]
    shutil.move(moved, tmp_path / "image")
    try:
        result = invoke("predict", "both", image, "--runs", stacked.folder.parent, "--out", out)
    finally:
        shutil.move(tmp_path / "image", moved)
    assert result.exit_code == 3
    words = " ".join(result.stderr.split())
    assert "run both is a stack, and its base runs are not what they were" in words
    assert f"image is not at {moved} any more" in words
    assert "put them back where they were" in words and not out.exists()


def test_ludwig_visualize_draws_it_beside_its_base_run(
    stacked: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from ludwig.utils.visualization_utils import mpl, plt
    from ludwig.visualize import cli

    names, level = ("both", "text"), logging.getLogger("ludwig").level
    files = [str(stacked.folder.parent / name / "test_statistics.json") for name in names]
    command = ["--visualization", "compare_performance", "--test_statistics", *files, "--model_names", *names]
    try:
        with mpl.rc_context():
            cli([*command, "--output_directory", str(tmp_path), "--file_format", "png"])
    finally:
        plt.close("all")
        logging.getLogger("ludwig").setLevel(level)
    (picture,) = tmp_path.glob("*.png")
    assert picture.stem == "compare_performance_party"
    with Image.open(picture) as image:
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 10  # not a blank sheet


def test_pages_that_a_base_run_was_trained_on_are_refused(tiny_runs: Path, prepared: Prepared, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(prepared.folder, other)
    turned = {"train": "validation", "validation": "train", "test": "test"}
    frame = prepared.frame.assign(split=prepared.frame["split"].map(turned))
    write_manifest(frame, other / "manifest.csv", prepared.label)
    arguments = ["--name", "leaky", "--runs", tiny_runs, "--data", other]
    result = invoke("stack", "text", "image", *arguments)
    assert result.exit_code == 3
    words = " ".join(result.output.split())
    assert "text was trained on 36 of them: blue0p1, blue0p2" in words
    assert not (tiny_runs / "leaky").exists()


def test_a_run_of_another_archive_that_read_the_same_text_is_refused(
    tiny_runs: Path, prepared: Prepared, tmp_path: Path
) -> None:
    frame = prepared.frame.assign(id=[f"x{name}" for name in prepared.frame["id"]], image="", source="")
    turned = {"train": "validation", "validation": "train", "test": "test"}
    folder = tmp_path / "texts"
    folder.mkdir()
    write_manifest(frame.assign(split=frame["split"].map(turned)), folder / "manifest.csv", prepared.label)
    shutil.copy(prepared.folder / "prepare.json", folder)
    request = training.Request("elsewhere", tmp_path, epochs=1, resamples=20)
    elsewhere = training.train(definitions.find("text_tfidf"), read_prepared(folder), request)
    with pytest.raises(InputError, match=r"elsewhere was trained on 12 of them"):
        stacking.stack([runs.find("image", tiny_runs), elsewhere], replace(request, name="leaky"))


def test_runs_in_folds_are_stacked_in_folds_with_a_run_of_another_archive(prepared: Prepared, tmp_path: Path) -> None:
    request = training.Request("folded", tmp_path, folds=2, epochs=1, resamples=20)
    folded = training.train(definitions.find("text_tfidf"), prepared, request)
    frame = prepared.frame.assign(
        id=[f"x{name}" for name in prepared.frame["id"]],
        image="",
        source="",
        text=[f"another {text}" for text in prepared.frame["text"]],
    )
    folder = tmp_path / "texts"
    folder.mkdir()
    write_manifest(frame, folder / "manifest.csv", prepared.label)
    shutil.copy(prepared.folder / "prepare.json", folder)
    elsewhere = training.train(
        definitions.find("text_tfidf"), read_prepared(folder), replace(request, name="elsewhere", folds=0)
    )
    run = stacking.stack([folded, elsewhere], replace(request, name="stack", folds=0))
    assert run.folds == 2
    predictions = run.predictions()
    assert sorted(predictions["id"]) == sorted(prepared.frame["id"])
    held_out = folded.predictions().set_index("id")["fold"]
    assert list(predictions["fold"]) == list(held_out.loc[predictions["id"]])
    assert {"folded", "elsewhere", "weighted_mean"} <= run.metrics()["baselines"].keys()


def copied(run: Path, folder: Path, words: dict[str, str]) -> Run:
    """A finished run that was trained on pages of other splits: `words` gives the new one of each."""
    shutil.copytree(run, folder)
    table = rows.in_words(rows.read(folder / ROWS), runs.find(run.name, run.parent).label)
    numbers = table["split"].map(words).map(rows.SPLIT_NUMBERS)
    rows.write(rows.read(folder / ROWS).assign(split=numbers), folder / ROWS)
    return runs.find(folder.name, folder.parent)


@pytest.mark.parametrize("steps", [1, 2])
def test_pages_from_which_a_carried_encoder_was_learned_are_refused(
    tiny_runs: Path, tmp_path: Path, steps: int
) -> None:
    turned = {"train": "validation", "validation": "train", "test": "test"}
    same = {split: split for split in turned}
    copied(tiny_runs / "image", tmp_path / "elder", turned)
    for number, name in enumerate(["image", "middle"][:steps]):
        run = copied(tiny_runs / "image", tmp_path / name, same)
        source = "elder" if number == steps - 1 else "middle"
        run.noting(start_from={"folder": str(tmp_path / source), "feature": "image", "weights_sha256": {}})
    shutil.copytree(tiny_runs / "text", tmp_path / "text")
    result = invoke("stack", "text", "image", "--name", "leaky", "--runs", tmp_path)
    assert result.exit_code == 3
    words = " ".join(result.output.split())
    assert "image is made of elder, which was trained on 12 of them: blue6p1, blue6p2" in words
    assert words.count("was trained on") == 1
    assert not (tmp_path / "leaky").exists()


def test_a_carried_encoder_that_saw_nothing_of_the_pages_is_no_leak(
    tiny_runs: Path, prepared: Prepared, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    same = {split: split for split in ("train", "validation", "test")}
    copied(tiny_runs / "image", tmp_path / "elder", same)
    run = copied(tiny_runs / "image", tmp_path / "image", same)
    for folder in ("elder", "nowhere"):
        started = {"folder": str(tmp_path / folder), "feature": "image", "weights_sha256": {}}
        base = stacking._base(run.noting(start_from=started), prepared)
        own_pages = set(prepared.frame.loc[prepared.frame["split"] == "train", "id"])
        assert {each.name: set(ids) for each, ids in base.trained} == (
            {"image": own_pages, "elder": own_pages} if folder == "elder" else {"image": own_pages}
        )
    assert "which is gone: what that learned from is not known" in caplog.text


def test_different_classes_are_refused(tiny_runs: Path, prepared: Prepared, tmp_path: Path) -> None:
    frame = prepared.frame[prepared.frame["party"] != "Red"]
    shutil.copytree(prepared.folder, tmp_path / "two")
    write_manifest(frame, tmp_path / "two" / "manifest.csv", prepared.label)
    request = training.Request("two_classes", tmp_path, epochs=1, resamples=20)
    two = training.train(definitions.find("text_tfidf"), read_prepared(tmp_path / "two"), request)
    with pytest.raises(InputError, match="two_classes knows no Red"):
        stacking.stack([runs.find("image", tiny_runs), two], replace(request, name="stack"))


def test_a_label_that_no_run_knows_is_refused(tiny_runs: Path, prepared: Prepared, tmp_path: Path) -> None:
    shutil.copytree(prepared.folder, tmp_path / "others", ignore=shutil.ignore_patterns("images"))
    frame = prepared.frame.copy()
    changed = frame.index[frame["split"] == "validation"][:2]
    frame["id"] = "q" + frame["id"].str[1:]
    frame["group"] = "other " + frame["group"]
    frame["text"] = "other " + frame["text"]
    frame.loc[changed, prepared.label.name] = "Monster"
    write_manifest(frame, tmp_path / "others" / "manifest.csv", prepared.label)
    (tmp_path / "others" / "images").symlink_to(prepared.folder / "images")
    compared = [runs.find(name, tiny_runs) for name in ("text", "image")]
    with pytest.raises(InputError) as error:
        stacking.stack(compared, training.Request("s", tmp_path / "runs", epochs=1), tmp_path / "others")
    assert "'Monster', on 2 pages" in error.value.message


def test_one_run_is_no_stack(tiny_runs: Path) -> None:
    result = invoke("--json", "stack", "text", "text", "--name", "one", "--runs", tiny_runs)
    assert result.exit_code == 2
    assert "at least two different runs" in json.loads(result.stdout)["error"]


def test_several_labels_are_refused(tiny_topics: Prepared, tiny_runs: Path, tmp_path: Path) -> None:
    request = training.Request("topics", tmp_path, epochs=1, resamples=20)
    topics = training.train(definitions.find("topics_filename"), tiny_topics, request)
    with pytest.raises(InputError, match="topics predicts several labels a page"):
        stacking.stack([runs.find("text", tiny_runs), topics], replace(request, name="stack"))


def test_probabilities_survive_being_cells() -> None:
    frames = [
        pd.DataFrame({PROBABILITY + "a": [0.25, 1e-12], PROBABILITY + "b": [0.75, 1 - 1e-12]}),
        pd.DataFrame({PROBABILITY + "b": [0.1, 0.2], PROBABILITY + "a": [0.9, 0.8]}),
    ]
    first, second = bases.votes(bases.cells(frames, ["a", "b"]), ["a", "b"])
    assert first["a"].tolist() == [0.25, 1e-12]
    assert second["a"].tolist() == [0.9, 0.8]
