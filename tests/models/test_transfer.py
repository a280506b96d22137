"""Runs that start from another: what is carried over, when, what is refused, and what a run says of it."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from ludwig.callbacks import Callback
from safetensors.torch import load_file, save_file

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError, TrainingError
from leaflet_tool.manifest import Label, Prepared, read_prepared
from leaflet_tool.models import definitions, engine, rows, runs, training, transfer
from leaflet_tool.models.completion import completed
from leaflet_tool.models.extensions.carry_over import CarryOver
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import CONFIG, ROWS, Run
from leaflet_tool.storage import read_json, sha256

REGIONS = ("image_top", "image_bottom", "image_left", "image_right")


def small(size: int, feature: str = "image", model: str = "test_resnet", **encoder: Any) -> tuple[str, ...]:
    """Overrides that make a definition quick; its weights are left as declared."""
    settings = {"encoder.model_name": model, "preprocessing.height": size, "preprocessing.width": size}
    settings |= {f"encoder.{key}": value for key, value in encoder.items()}
    return tuple(f"input_features.{feature}.{key}={json.dumps(value)}" for key, value in settings.items())


def scratch(size: int, **settings: Any) -> tuple[str, ...]:
    return (*small(size, use_pretrained=False, **settings), "trainer.batch_size=16")


@pytest.fixture(scope="module")
def data(tiny_prepared: Path) -> Prepared:
    """The tiny pages, whose regions are the pages themselves."""
    prepared = read_prepared(tiny_prepared)
    frame = prepared.frame.assign(**dict.fromkeys(REGIONS, prepared.frame["image"]))
    return Prepared(prepared.folder, frame, prepared.label, prepared.digest, prepared.facts)


def train(name: str, data: Prepared, folder: Path, config: str, *overrides: str, **settings: Any) -> Run:
    request = training.Request(name, folder, overrides, epochs=1, resamples=10, offline=True, **settings)
    return training.train(definitions.find(config), data, request)


@pytest.fixture(scope="module")
def folder(data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with `page` and, of another input size, column and feature name, `top`, which starts from it."""
    folder = tmp_path_factory.mktemp("transfer")
    train("page", data, folder, "document_128", *scratch(32))
    other = (*small(48), "trainer.batch_size=16", "input_features.image.name=view")
    train("top", data, folder, "region_top", *other, start_from="page")
    return folder


def weights(run: Run, feature: str) -> dict[str, torch.Tensor]:
    """The encoder of a feature as saved in a run."""
    file = run.folder / transfer.WEIGHTS
    tensors = load_file(file)
    return {name: tensors[place] for name, place in transfer.stored(file, feature).items()}


@dataclass
class Look(Callback):
    """Keeps the encoder's weights as they are at the first step, and breaks training off after an epoch if asked."""

    feature: str
    stop: bool = False
    seen: dict[str, torch.Tensor] = field(default_factory=dict)

    def on_epoch_start(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        if not self.seen:
            encoder = trainer.model.input_features.get(self.feature).encoder_obj
            self.seen = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
            self.frozen = {name for name, parameter in encoder.named_parameters() if not parameter.requires_grad}

    def on_epoch_end(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        if self.stop:
            raise RuntimeError("broken off")


def test_weights_are_carried_over_and_a_checkpoint_wins_but_for_frozen_layers(folder: Path, tmp_path: Path) -> None:
    source, target = Run(folder / "page", {}), runs.find("top", folder)
    config = definitions.read(target.folder / CONFIG).content
    config = definitions.override(config, ["input_features.view.encoder.trainable_layers=3", "trainer.epochs=2"])
    carry = CarryOver(source.folder / transfer.WEIGHTS, "image", tmp_path)

    begun = Look("view", stop=True)
    with pytest.raises(TrainingError, match="broken off"):
        engine.train(config, target.folder / ROWS, tmp_path, seed=4, callbacks=[carry, begun])
    original = weights(source, "image")
    assert original.keys() == begun.seen.keys()
    assert all(tensor.equal(original[name]) for name, tensor in begun.seen.items())

    checkpoint = load_file(tmp_path / "model" / engine.CHECKPOINTS / "latest.ckpt.safetensors")
    trained = {name.partition("encoder_obj.")[2]: tensor for name, tensor in checkpoint.items()}
    gone_on = Look("view")
    engine.train(config, target.folder / ROWS, tmp_path, seed=4, callbacks=[carry, gone_on])
    assert len(gone_on.frozen) > 20
    assert trained.keys().isdisjoint(gone_on.frozen)
    for name, tensor in gone_on.seen.items():
        assert tensor.equal(original[name] if name in gone_on.frozen else trained[name]), name
    learned = [name for name in gone_on.seen if not gone_on.seen[name].equal(original[name])]
    assert len(learned) >= 3


def test_run_json_says_what_came_from_where(folder: Path) -> None:
    run, source = runs.find("top", folder), runs.find("page", folder)
    count = len(weights(source, "image"))
    digest = sha256(source.folder / transfer.WEIGHTS)
    assert run.facts["transfer"] == {"view": {"loaded": count, "skipped": {}, "new": []}}
    assert run.facts["start_from"] == {
        "folder": str(source.folder.resolve()),
        "feature": "image",
        "weights_sha256": {transfer.WEIGHTS: digest},
    }
    assert len(read_json(run.folder / transfer.TRANSFER)["view"]["loaded"]) == count
    assert not {"transfer", "start_from"} & source.facts.keys()
    frozen = definitions.read(run.folder / CONFIG)
    assert frozen.content["input_features"][0]["encoder"]["use_pretrained"] is False
    assert "--start-from page:image" in (run.folder / CONFIG).read_text()
    assert frozen.needs.startswith("a run to start from")


def test_a_run_that_started_from_another_needs_neither_that_nor_a_network(
    folder: Path, data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    run = runs.find("top", folder)
    away = (folder / "page").rename(folder.parent / "away")
    try:
        again = predict_pages(run, data.frame, data.folder)
    finally:
        away.rename(folder / "page")
    pd.testing.assert_frame_equal(again[run.predictions().columns], run.predictions(), atol=1e-5)


@pytest.mark.parametrize(
    ("config", "overrides", "start", "complaint"),
    [
        ("document_256", small(32), "pge", "no run called 'pge'"),
        ("document_256", small(32), "page:picture", "page has no image feature 'picture'"),
        ("document_256", small(32, model="resnet10t"), "page", "is resnet10t, but that of page:image is test_resnet"),
        ("image_small", ('input_features.image.encoder={"type": "stacked_cnn"}',), "page", "stacked_cnn takes over no"),
        ("text_tfidf", (), "page", "none is an image, so that nothing of page:image can be carried over"),
        ("document_256", small(32), "new", "no run called 'new'"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(
    folder: Path, data: Prepared, config: str, overrides: tuple[str, ...], start: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        train("new", data, folder, config, *overrides, start_from=start)
    assert not (folder / "new").exists()


def test_a_run_does_not_start_from_itself(folder: Path, data: Prepared) -> None:
    before = sha256(folder / "page" / transfer.WEIGHTS)
    with pytest.raises(InputError, match="run page cannot start from itself"):
        train("page", data, folder, "document_128", *scratch(32), start_from="page", force=True)
    assert sha256(folder / "page" / transfer.WEIGHTS) == before


def test_an_unfinished_run_is_no_source(folder: Path, data: Prepared, tmp_path: Path) -> None:
    shutil.copytree(folder / "page", tmp_path / "page")
    runs.find("page", tmp_path).noting(state=runs.FAILED, error="no room")
    with pytest.raises(InputError, match="run page is not done: failed"):
        train("new", data, tmp_path, "document_256", *small(32), start_from="page")


def test_a_carry_over_that_would_move_nothing_is_refused(folder: Path, data: Prepared, tmp_path: Path) -> None:
    shutil.copytree(folder / "page", tmp_path / "page")
    file = tmp_path / "page" / transfer.WEIGHTS
    save_file({name: tensor for name, tensor in load_file(file).items() if "encoder_obj" not in name}, file)
    with pytest.raises(InputError, match="so that nothing would carry over"):
        train("new", data, tmp_path, "document_256", *small(32), start_from="page")
    carry = CarryOver(file, "image", tmp_path)
    model = engine.load(folder / "page")
    with pytest.raises(ValueError, match=r"nothing of .* could be carried over"):
        carry.on_train_start(model.model, model.config, None)


def test_tensors_match_by_name_and_shape() -> None:
    found = transfer.match({"a": (1, 2), "b": (3,), "old": (4,)}, {"a": (1, 2), "b": (2,), "new": (4,)})
    assert found.loaded == ["a"]
    assert found.skipped == {"old": "absent", "b": "other shape: [3] there, [2] here"}
    assert found.new == ["b", "new"]
    assert found.counts == {"loaded": 1, "skipped": found.skipped, "new": ["b", "new"]}


def test_a_definition_with_several_image_features_lists_them() -> None:
    full = completed(
        training.filled(definitions.find("document_regions"), Label("party"), training.Request("any"))
    ).full
    with pytest.raises(InputError, match="several image features: page, top, bottom, left, right") as raised:
        transfer.of("views", full)
    assert raised.value.hint == "name one, as in views:page"
    assert transfer.of("views", full, "left").feature == "left"


@pytest.mark.parametrize("change", ["moved", "changed"])
def test_a_run_whose_source_is_not_what_it_was_does_not_go_on(folder: Path, tmp_path: Path, change: str) -> None:
    shutil.copytree(folder, tmp_path / "runs")
    run, source = runs.find("top", tmp_path / "runs"), tmp_path / "runs" / "page"
    run = run.noting(state=runs.TRAINING, start_from={**run.facts["start_from"], "folder": str(source)})
    (run.folder / "training_report.json").unlink()
    file = source / transfer.WEIGHTS
    if change == "moved":
        source.rename(tmp_path / "elsewhere")
    else:
        save_file({name: tensor + 1 for name, tensor in load_file(file).items()}, file)
    with pytest.raises(InputError, match=f"run top started from {file}, which (is gone|has changed since)") as raised:
        training.resume("top", tmp_path / "runs")
    assert "--force" in raised.value.hint


def test_a_run_that_started_from_another_is_interrupted_and_resumed_to_its_end(
    folder: Path, tiny_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Callback):
        def on_epoch_end(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
            raise KeyboardInterrupt

    folder = Path(shutil.copytree(folder, tmp_path / "runs"))
    source, callbacks = runs.find("page", folder), transfer.callbacks
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transfer, "callbacks", lambda run, model: [*callbacks(run, model), Stop()])
        request = training.Request("half", folder, scratch(48), epochs=2, resamples=10, start_from="page")
        training.train(definitions.find("document_256"), read_prepared(tiny_prepared), request)
    half = runs.find("half", folder)
    assert half.state == runs.INTERRUPTED and not engine.trained(half.folder)
    assert half.facts["seconds"] > 0
    carried = (half.folder / transfer.TRANSFER).read_bytes()

    found = CliRunner().invoke(main, ["train", "--resume", "--name", "half", "--runs", str(folder)])
    assert found.exit_code == 0, found.output
    assert "epoch 2 of 2" in found.stderr and "epoch 1 of 2" not in found.stderr
    done = runs.find("half", folder)
    assert done.state == runs.DONE and done.facts["resumed"] == 1
    assert done.facts["seconds"] > half.facts["seconds"]
    assert done.facts["start_from"]["folder"] == str(source.folder.resolve())
    assert done.facts["transfer"]["image"]["loaded"] == len(weights(source, "image"))
    assert (half.folder / transfer.TRANSFER).read_bytes() == carried
    assert set(done.predictions()["id"]) == set(source.predictions()["id"])
    assert not all(tensor.equal(weights(source, "image")[name]) for name, tensor in weights(done, "image").items())


def folded_source(data: Prepared, folder: Path, held_out: pd.Series) -> transfer.Source:
    """A run in folds, as far as its rows go."""
    for fold in sorted(set(held_out)):
        split = held_out.eq(fold).map({True: "test", False: "train"})
        (folder / f"fold_{fold}").mkdir(parents=True)
        rows.write(
            rows.for_ludwig(data.frame.assign(split=split), data.folder, data.label), folder / f"fold_{fold}" / ROWS
        )
    rows.write(rows.for_ludwig(data.frame.assign(fold=held_out), data.folder, data.label), folder / ROWS)
    facts = {"folder": str(data.folder), "manifest_sha256": data.digest}
    run = Run(folder, {"folds": held_out.nunique(), "prepare": data.facts, "data": facts})
    return transfer.Source("old", "image", {}, run)


def test_folds_must_agree(data: Prepared, tmp_path: Path) -> None:
    held_out = pd.Series([int(group[-1]) % 3 for group in data.frame["group"]], index=data.frame.index)
    source = folded_source(data, tmp_path, held_out)
    transfer.check_rows(source, data, held_out)
    with pytest.raises(InputError, match=r"learned from 60 rows which are to be new"):
        transfer.check_rows(source, data, (held_out + 1) % 3)
    for other in (held_out % 2, None):
        with pytest.raises(InputError, match="was trained in 3 folds") as raised:
            transfer.check_rows(source, data, other)
        assert "--folds 3" in raised.value.hint
    others = data.frame.assign(id="x" + data.frame["id"], image="", text="x" + data.frame["text"])
    elsewhere = Prepared(data.folder, others, data.label, "", {**data.facts, "archive": "another"})
    transfer.check_rows(source, elsewhere, (held_out + 1) % 3)


@pytest.mark.parametrize(
    ("words", "known"), [({"train": "test"}, 36), ({"train": "validation"}, 36), ({"validation": "test"}, 12)]
)
def test_a_run_that_learned_from_what_must_be_new_is_no_source(
    folder: Path, data: Prepared, words: dict[str, str], known: int
) -> None:
    turned = data.frame["split"].map(words).fillna("train")
    other = Prepared(data.folder, data.frame.assign(split=turned), data.label, "", data.facts)
    with pytest.raises(InputError, match=f"run page learned from {known} rows"):
        transfer.check_rows(transfer.find("page", folder), other, None)
    transfer.check_rows(transfer.find("page", folder), data, None)


def test_each_fold_starts_from_the_same_fold(data: Prepared, tmp_path: Path) -> None:
    source = train("page", data, tmp_path, "document_128", *scratch(32), folds=2)
    run = train(
        "again", data, tmp_path, "document_256", *small(32), "trainer.batch_size=16", folds=2, start_from="page"
    )
    files = [f"fold_{fold}/{transfer.WEIGHTS}" for fold in (0, 1)]
    assert run.facts["start_from"]["weights_sha256"] == {file: sha256(source.folder / file) for file in files}
    carried = [transfer.callbacks(run, model)[0].weights for model in run.models()]
    assert carried == [source.folder.resolve() / file for file in files]
    assert run.facts["transfer"]["image"]["loaded"] > 50


def test_one_model_sees_all_views_and_reloads(folder: Path, data: Prepared, tmp_path: Path) -> None:
    views = ("page", "top", "bottom", "left", "right")
    overrides = [each for view in views for each in small(32, view, "test_convnext", use_pretrained=False)]
    overrides += [f"input_features.{view}.encoder.trainable_layers=4" for view in views]
    run = train("views", data, tmp_path, "document_regions", *overrides)
    again = predict_pages(run, data.frame, data.folder)
    pd.testing.assert_frame_equal(again[run.predictions().columns], run.predictions(), atol=1e-5)
    encoders = [weights(run, view) for view in views]
    assert len(encoders[0]) > 50
    assert all(each.keys() == encoders[0].keys() for each in encoders)
    counted = run.facts["parameters"]["encoders"]["page"]
    assert 0 < counted["trained"] < counted["total"] < run.facts["parameters"]["total"] < 3 * counted["total"]

    model = engine.load(run.folder)
    CarryOver(run.folder / transfer.WEIGHTS, "left", tmp_path).on_train_start(model.model, model.config, None)
    assert {view: len(each["loaded"]) for view, each in read_json(tmp_path / transfer.TRANSFER).items()} == {
        "page": len(encoders[0])
    }


def test_the_callback_travels(tmp_path: Path) -> None:
    carry = CarryOver(tmp_path / "file", "image", tmp_path)
    assert pickle.loads(pickle.dumps(carry)) == carry  # noqa: S301


def test_the_flag_reaches_the_request(folder: Path, tiny_prepared: Path) -> None:
    command = [
        "train",
        "--config",
        "document_256",
        "--data",
        str(tiny_prepared),
        "--runs",
        str(folder),
        "--name",
        "cli",
    ]
    sets = [part for each in small(32) for part in ("--set", each)]
    found = CliRunner().invoke(main, [*command, *sets, "--offline", "--dry-run", "--start-from", "page"])
    assert found.exit_code == 0, found.output
    without = CliRunner().invoke(main, [*command, "--offline", "--dry-run"])
    assert without.exit_code == 4
    found = CliRunner().invoke(main, ["train", "--resume", "--name", "top", "--start-from", "page"])
    assert found.exit_code == 2


@pytest.mark.slow
def test_weights_are_carried_over_on_ray(folder: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    sets = [part for each in (*small(32, trainable_layers=0), "trainer.batch_size=16") for part in ("--set", each)]
    command = ["train", "--config", "document_256", "--data", tiny_prepared, "--runs", folder, "--name", "ray"]
    command += [*sets, "--offline", "--epochs", 1, "--backend", "ray", "--start-from", "page"]
    done = subprocess.run(
        [sys.executable, "-m", "leaflet_tool.cli.main", *map(str, command)],
        env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    run, original = runs.find("ray", folder), weights(runs.find("page", folder), "image")
    parameters = [name for name in original if "running" not in name and "num_batches" not in name]
    kept = weights(run, "image")
    assert all(kept[name].equal(original[name]) for name in parameters)
    assert run.facts["transfer"]["image"]["loaded"] == len(original)
