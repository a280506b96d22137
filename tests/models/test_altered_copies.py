"""Altered copies teach and are never judged: in single runs, in folds, in predictions and in comparisons."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import AUGMENTED_FROM, Label, Prepared, own, read_prepared, validate, write_manifest
from leaflet_tool.models import definitions, folds, rows, runs, scoring, training
from leaflet_tool.models.runs import Run

PARTY = Label("party")

SMALL = tuple(f"input_features.image.preprocessing.{side}=32" for side in ("height", "width"))


@pytest.fixture(scope="module")
def augmented(tiny_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The tiny folder with one mirrored copy of each of its 36 training pages, written among the others."""
    from PIL import Image, ImageOps

    folder = shutil.copytree(tiny_prepared, tmp_path_factory.mktemp("augmented") / "tiny")
    prepared = read_prepared(folder)
    parents = prepared.frame[prepared.frame["split"] == "train"]
    for image in parents["image"]:
        ImageOps.mirror(Image.open(folder / image)).save(folder / image.replace(".png", "-a1.png"))
    copies = parents.assign(
        id=parents["id"] + "-a1",
        image=parents["image"].str.replace(".png", "-a1.png"),
        augmented_from=parents["id"],
    )
    frame = pd.concat([copies.head(10), prepared.frame.assign(augmented_from=""), copies.tail(-10)])
    write_manifest(frame, folder / "manifest.csv", prepared.label)
    return read_prepared(folder)


@pytest.fixture(scope="module")
def trained(augmented: Prepared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Image models on the augmented folder: `single`, and `folded` in two folds."""
    folder, image = tmp_path_factory.mktemp("runs"), definitions.find("image_small")
    single = training.Request("single", folder, overrides=SMALL, epochs=1, resamples=20)
    folded = training.Request("folded", folder, overrides=SMALL, epochs=1, resamples=20, folds=2)
    return {request.name: training.train(image, augmented, request) for request in (single, folded)}


def invoke(*arguments: object) -> str:
    """What a command prints that must succeed."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_learns_from_copies_and_predicts_the_archives_own_pages(
    trained: dict[str, Run], augmented: Prepared
) -> None:
    table = rows.read(trained["single"].folder / "ludwig.csv")
    assert len(table) == len(augmented.frame) == 96
    assert set(table.loc[table[AUGMENTED_FROM] != "", "split"]) == {"0"}
    predictions = trained["single"].predictions()
    assert predictions["id"].tolist() == own(augmented.frame)["id"].tolist()
    assert len(predictions) == 60
    metrics = trained["single"].metrics()
    assert metrics["page"]["rows"] == metrics["baselines"]["majority"]["page"]["rows"] == 12


def test_folds_train_on_copies_and_never_judge_them(trained: dict[str, Run], augmented: Prepared) -> None:
    run, copies = trained["folded"], augmented.frame[augmented.frame[AUGMENTED_FROM] != ""]
    learned: list[str] = []
    for fold, folder in enumerate(run.models()):
        table = rows.in_words(rows.read(folder / "ludwig.csv"), augmented.label)
        mine = table[table[AUGMENTED_FROM] != ""]
        assert 0 < len(mine) < len(copies)
        assert set(mine["split"]) == {"train"}
        assert set(mine["fold"]) == {str(1 - fold)}
        assert set(mine[AUGMENTED_FROM]) <= set(table.loc[table["split"] == "train", "id"])
        assert not set(mine["group"]) & set(table.loc[table["split"] != "train", "group"])
        assert set(runs.read_predictions(folder / "predictions.csv")["id"]) == set(own(table)["id"])
        learned += list(mine["id"])
    assert set(learned) <= set(copies["id"])
    predictions, metrics = run.predictions(), run.metrics()
    assert predictions["id"].tolist() == own(augmented.frame)["id"].tolist()
    assert metrics["page"]["rows"] == metrics["baselines"]["tfidf_logistic"]["page"]["rows"] == 60


def test_folds_are_the_same_with_and_without_copies(augmented: Prepared) -> None:
    pages = own(augmented.frame)
    bare = folds.assign(pages, PARTY, folds=5, seed=3)
    dealt = folds.assign(augmented.frame, PARTY, folds=5, seed=3)
    assert dealt[pages.index].equals(bare)
    assert augmented.frame.assign(fold=dealt).groupby("group")["fold"].nunique().max() == 1
    for fold in range(5):
        split = folds.split(augmented.frame, dealt, fold, PARTY, seed=3)
        assert own(split)["split"].equals(folds.split(pages, bare, fold, PARTY, seed=3)["split"])
        assert set(split.loc[split[AUGMENTED_FROM] != "", "split"]) == {"train"}


def test_other_commands_judge_the_archives_own_pages(
    trained: dict[str, Run], augmented: Prepared, tiny_prepared: Path, tiny_runs: Path, tmp_path: Path
) -> None:
    folder = trained["single"].folder.parent
    assert (
        json.loads(invoke("--json", "evaluate", "single", "--split", "train", "--runs", folder))["page"]["rows"] == 36
    )
    invoke("predict", "single", augmented.folder, "--out", tmp_path / "p.csv", "--runs", folder)
    again, before = runs.read_predictions(tmp_path / "p.csv"), trained["single"].predictions()
    assert again["id"].tolist() == before["id"].tolist()
    assert again["probability_Red"].to_numpy() == pytest.approx(before["probability_Red"].to_numpy(), abs=1e-5)
    told = json.loads(invoke("--json", "evaluate", "text", "--data", augmented.folder, "--runs", tiny_runs))
    assert told["page"]["rows"] == told["baselines"]["majority"]["page"]["rows"] == 60
    told = json.loads(invoke("--json", "compare", folder / "single", tiny_runs / "image", "--out", tmp_path / "c.html"))
    assert told["test"] == {"pages": 12, "leaflets": 6}


def test_baselines_learn_from_the_archives_own_pages(trained: dict[str, Run], tiny_runs: Path) -> None:
    with_copies, without = (
        scoring.baselines(rows.read(folder / "ludwig.csv"), Label("party"), seed=1)["tfidf_logistic"]
        for folder in (trained["single"].folder, tiny_runs / "image")
    )
    pd.testing.assert_frame_equal(with_copies, without)


def test_a_model_that_sees_no_picture_is_given_no_copies(augmented: Prepared) -> None:
    assert len(rows.given(augmented.frame, ["text"], augmented.label)) == 60
    assert len(rows.given(augmented.frame, ["text", "image"], augmented.label)) == 96


def test_a_model_is_given_the_copies_in_which_it_sees_what_was_altered(augmented: Prepared) -> None:
    frame = augmented.frame.assign(caption="the same words")
    copies = frame.index[frame[AUGMENTED_FROM] != ""]
    frame.loc[copies[:5], "text"] += " more"
    frame.loc[copies[3:10], "caption"] = "other words"
    label = augmented.label
    for columns, seen in ((["text"], copies[:5]), (["caption"], copies[3:10]), (["text", "caption"], copies[:10])):
        given = rows.given(frame, columns, label)
        assert set(given.loc[given[AUGMENTED_FROM] != "", "id"]) == set(frame.loc[seen, "id"])
        assert own(given).equals(own(frame))
        assert given.index.is_monotonic_increasing
    assert len(rows.given(frame, ["width"], label)) == 60
    assert rows.given(frame, ["caption", "image"], label) is frame
    assert rows.given(own(frame).drop(columns=AUGMENTED_FROM), ["text"], label).equals(
        own(frame).drop(columns=AUGMENTED_FROM)
    )


@pytest.mark.parametrize(
    "change", [{"split": "test"}, {"split": "validation"}, {"group": "blue1"}, {"augmented_from": "gone"}]
)
def test_a_copy_that_could_leak_is_refused(augmented: Prepared, change: dict[str, str]) -> None:
    frame = augmented.frame.copy()
    assert frame.loc[0, "augmented_from"] == "blue0p1"
    for column, cell in change.items():
        frame.loc[0, column] = cell
    with pytest.raises(InputError, match=r"an altered copy must be in train, .* \(row 2\)"):
        validate(frame, augmented.label, "manifest.csv")
