"""Runs of several labels that look at images: each trains, and the trees beside them read what they read."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from leaflet_tool.cli.main import main
from leaflet_tool.manifest import read_prepared
from leaflet_tool.measure.components import main_components
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_sets import matrix
from leaflet_tool.models import definitions, embeddings, rows, runs
from leaflet_tool.models.opened import Opened
from leaflet_tool.models.runs import Run
from leaflet_tool.models.training import Request, train
from leaflet_tool.results import kinds, rivals
from leaflet_tool.results.kinds import TREES

SMALL = tuple(
    f"input_features.image.{setting}"
    for setting in (
        *("encoder.model_name=resnet10t", "encoder.use_pretrained=false"),
        *("preprocessing.height=32", "preprocessing.width=32"),
    )
)
PLAIN = ("input_features.text.preprocessing.tokenizer=words",)
OVERRIDES = {"topics_image": SMALL, "topics_text": PLAIN, "topics_multimodal": (*SMALL, *PLAIN)}
IMAGES = "gradient-boosted trees on image embeddings"
BOTH = "gradient-boosted trees on text + image embeddings"


@pytest.fixture(scope="module")
def trained(tiny_subjects: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A run of each definition of OVERRIDES, by its name; for reading."""
    prepared, folder = read_prepared(tiny_subjects), tmp_path_factory.mktemp("topics")
    return {
        name: train(definitions.find(name), prepared, Request(name, folder, overrides=settings, epochs=1, resamples=20))
        for name, settings in OVERRIDES.items()
    }


@pytest.fixture
def copies(trained: dict[str, Run], tmp_path: Path) -> dict[str, Run]:
    """Copies of `trained` that a test may change."""
    for name, run in trained.items():
        shutil.copytree(run.folder, tmp_path / "runs" / name)
    return {name: runs.finished(name, tmp_path / "runs") for name in trained}


def again(run: Run) -> Run:
    """The same run under another name."""
    return runs.finished("again", Path(shutil.copytree(run.folder, run.folder.parent / "again")).parent)


def keep_truth(run: Run) -> None:
    """Puts the true labels, as numbers, in the place of what the run makes of its images."""
    table = rows.in_words(rows.read(run.folder / "ludwig.csv"), run.label)[::-1]
    truth = matrix(table[run.label.name], run.facts["classes"]).astype(np.float32)
    np.savez(run.folder / embeddings.EMBEDDINGS, ids=table["id"].to_numpy(dtype=str), vectors=truth)


def macro_ap(found: rivals.Rivals) -> float:
    """Of the trees."""
    figures = evaluate(found.predictions["label_trees"], seed=1, resamples=2)["page"]["figures"]
    return float(figures["macro_ap"]["value"])


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_definition_trains_and_predicts_every_page(name: str, trained: dict[str, Run]) -> None:
    run = trained[name]
    assert run.state == runs.DONE
    predictions = run.predictions()
    assert len(predictions) == 120
    values = predictions[[f"probability_{label}" for label in run.facts["classes"]]].to_numpy()
    assert ((values > 0) & (values < 1)).all() and (values.std(axis=0) > 0).all()
    assert run.metrics()["page"]["figures"]["macro_ap"]["value"] > 0


def test_trees_beside_images_read_them_alone(copies: dict[str, Run], tmp_path: Path) -> None:
    run = copies["topics_image"]
    again(run)
    page = tmp_path / "page.html"
    arguments = ["compare", "topics_image", "again", "--runs", run.folder.parent, "--out", page, "--no-figures"]
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0
    said = " ".join(result.stderr.split())
    assert "The trees read the images as topics_image sees them. Its encoder was trained on the pages" in said
    assert "learning trees, label by label: 6" in said
    assert IMAGES in " ".join(page.read_text(encoding="utf-8").split())
    blind = tmp_path / "blind.csv"
    rows.write(rows.read(run.folder / "ludwig.csv").assign(text="", caption=""), blind)
    read = rivals.learned([run]).predictions["label_trees"]
    shutil.copy(blind, run.folder / "ludwig.csv")
    pd.testing.assert_frame_equal(rivals.learned([run]).predictions["label_trees"], read)
    assert read["probability_Plants"].nunique() > 1


def test_what_encoders_hand_on_is_kept_with_the_run(copies: dict[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = copies["topics_image"]
    table = rows.read(run.folder / "ludwig.csv")
    monkeypatch.setattr(embeddings, "CHUNK", 50)
    found = embeddings.image_embeddings(run.folder, table, run.label, seed=1)
    assert found.index.tolist() == table["id"].tolist()
    model = Opened(run.folder, run.label)
    raw = model.encoded(model.tensors(table, ["image"]), "image")
    for place in (3, 100):
        alone = model.encoded(model.tensors(table[place : place + 1], ["image"]), "image")
        assert np.allclose(raw[place], alone[0], atol=1e-4)
    assert np.allclose(found, main_components(raw, (table["split"] == "0").to_numpy(), seed=1), atol=1e-3)
    monkeypatch.setattr(embeddings, "_encoded", None)
    pd.testing.assert_frame_equal(embeddings.image_embeddings(run.folder, table[::-1], run.label, seed=1), found[::-1])


def test_trees_read_what_is_kept_page_by_page(copies: dict[str, Run]) -> None:
    for name, kind in (("topics_image", IMAGES), ("topics_multimodal", BOTH)):
        keep_truth(copies[name])
        found = rivals.learned([copies[name]])
        assert found.kind.baselines["label_trees"] == kind
        assert macro_ap(found) == 1.0
    together = rivals.learned([copies["topics_text"], copies["topics_image"]])
    assert together.kind.baselines["label_trees"] == BOTH
    assert together.notes[0].startswith("The trees read the images as topics_image sees them.")


@pytest.mark.parametrize(
    ("setting", "started", "frozen"),
    [
        ({}, False, False),
        ({"trainable_layers": 3}, False, False),
        ({"trainable_layers": 0}, False, True),
        ({"trainable_layers": 0}, True, False),
        ({"trainable": False}, False, True),
    ],
)
def test_it_is_said_whether_the_encoder_knows_the_pages_of_the_trees(
    copies: dict[str, Run], setting: dict[str, object], started: bool, frozen: bool
) -> None:
    run = copies["topics_image"]
    keep_truth(run)
    config = yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))
    config["input_features"][0]["encoder"].update(setting)
    (run.folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    note = rivals.learned([run.noting(**({"start_from": {"run": "a"}} if started else {}))]).notes[0]
    assert ("No layer of its encoder was trained" in note) == frozen
    assert ("Its encoder was trained on the pages" in note) != frozen


def test_each_fold_has_the_numbers_of_its_own_model(copies: dict[str, Run]) -> None:
    run = copies["topics_image"]
    table = rows.read(run.folder / "ludwig.csv")
    for fold, split in enumerate((table["split"], table["split"].map({"0": "2", "1": "1", "2": "0"}))):
        part = Run(run.folder / f"fold_{fold}", run.facts)
        part.folder.mkdir()
        shutil.copy(run.folder / "config.yaml", part.folder)
        rows.write(table.assign(split=split), part.folder / "ludwig.csv")
        keep_truth(part)
    noise = np.random.default_rng(1).normal(size=(120, 5))
    np.savez(run.folder / "fold_1" / embeddings.EMBEDDINGS, ids=table["id"].to_numpy(dtype=str), vectors=noise)
    trees = rivals.learned([run.noting(folds=2)]).predictions["label_trees"]
    assert trees["id"].tolist() == [*table["id"][table["split"] == "2"], *table["id"][table["split"] == "0"]]
    first, second = (rivals.Rivals(kinds.LABELS, {"label_trees": part}) for part in (trees[:24], trees[24:]))
    assert macro_ap(first) == 1.0 and macro_ap(second) < 0.9


def test_trees_beside_texts_read_them_alone(copies: dict[str, Run]) -> None:
    found = rivals.learned([copies["topics_text"]])
    assert found.kind.baselines["label_trees"] == TREES and found.notes == []


def test_without_the_images_or_with_other_pages_trees_read_text(copies: dict[str, Run]) -> None:
    text, image = copies["topics_text"], copies["topics_image"]
    expected = rivals.learned([text]).predictions["label_trees"]
    table = rows.read(image.folder / "ludwig.csv")
    rows.write(table.assign(image=table["image"] + ".gone"), image.folder / "ludwig.csv")
    for reason in ("120 files of column image are gone", "it was trained on other pages"):
        found = rivals.learned([text, image])
        assert found.kind.baselines["label_trees"] == TREES
        assert found.notes[0].startswith("The trees do not read the images as topics_image sees them: ")
        assert reason in found.notes[0]
        pd.testing.assert_frame_equal(found.predictions["label_trees"], expected)
        keep_truth(image)
        rows.write(table.assign(split=table["split"].map({"0": "2", "1": "1", "2": "0"})), image.folder / "ludwig.csv")


def test_broken_numbers_are_made_again_and_a_full_disk_costs_nothing_but_time(
    copies: dict[str, Run], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = copies["topics_image"]
    made = np.random.default_rng(1).normal(size=(120, 5))
    monkeypatch.setattr(embeddings, "_encoded", lambda *_: made)
    table = rows.read(run.folder / "ludwig.csv")
    kept = run.folder / embeddings.EMBEDDINGS
    kept.write_bytes(b"half a file")
    found = embeddings.image_embeddings(run.folder, table, run.label, seed=1)
    assert np.allclose(found, made) and "is broken" in caplog.text
    kept.unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embeddings, "replacing", full)
    assert np.allclose(embeddings.image_embeddings(run.folder, table, run.label, seed=1), made)
    assert "are not kept" in caplog.text and not kept.exists()
