"""How deep an image model is tuned: what trains, what stays, and what a run says of it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import pytest
import timm
import torch
from ludwig.callbacks import Callback

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import Label, Prepared, read_prepared
from leaflet_tool.models import definitions, engine, rows, training
from leaflet_tool.models.completion import completed
from leaflet_tool.models.extensions.layers import TimmLayersEncoder, layers_of
from leaflet_tool.models.parameters import counted

ENCODER = {"model_name": "resnet10t", "use_pretrained": False}


def encoder(layers: int | str, **settings: Any) -> TimmLayersEncoder:
    return TimmLayersEncoder(layers, **ENCODER, **settings)


def trained_of(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def test_layers_are_modules_with_parameters_of_their_own() -> None:
    names = {type(layer).__name__ for layer in layers_of(encoder("all").model)}
    assert names == {"Conv2d", "BatchNorm2d"}
    assert len(layers_of(timm.create_model("efficientnet_b2", num_classes=0))) > 150


@pytest.mark.parametrize(("layers", "count"), [(0, 0), (3, 3), ("all", 28), (28, 28)])
def test_the_last_layers_train(layers: int | str, count: int) -> None:
    found = encoder(layers)
    every = layers_of(found.model)
    assert len(every) == 28
    train = [any(parameter.requires_grad for parameter in layer.parameters(recurse=False)) for layer in every]
    assert train == [False] * (28 - count) + [True] * count


def test_an_encoder_that_is_not_trainable_trains_no_layer() -> None:
    assert trained_of(encoder("all", trainable=False)) == trained_of(encoder(5, trainable=False)) == 0


def test_frozen_normalisations_keep_their_running_statistics() -> None:
    found = encoder(3)
    found.train()
    before = {name: value.clone() for name, value in found.state_dict().items() if "running" in name}
    found(torch.rand(4, 3, 64, 64) * 9)
    moved = [name for name, value in found.state_dict().items() if name in before and not value.equal(before[name])]
    norms = [name for name, layer in found.model.named_modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    late = [name for name in norms if found.model.get_submodule(name).weight.requires_grad]
    assert {name.removeprefix("model.").rpartition(".")[0] for name in moved} == set(late) != set(norms)
    assert found.training and not any(layer.training for layer in found.frozen)
    transformer = TimmLayersEncoder(1, model_name="vit_tiny_patch16_224", use_pretrained=False).train()
    assert transformer.frozen[0] is transformer.model  # it has a class token of its own
    assert all(block.training for block in transformer.model.blocks)


def test_more_layers_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="resnet10t has 28 layers, not 29"):
        encoder(29)


@pytest.mark.parametrize("value", ["-1", "some", "2.5"])
def test_what_is_no_number_of_layers_is_refused(value: str) -> None:
    request = training.Request("any", overrides=(f"input_features.image.encoder.trainable_layers={value}",))
    config = training.filled(definitions.find("topics_image"), Label("topics", multiple=True), request)
    (problem,) = completed(config).problems
    assert "trainable_layers" in problem
    assert "\n" not in problem


@pytest.fixture(scope="module")
def data(tiny_prepared: Path) -> Prepared:
    """The tiny pages with two labels each."""
    prepared, label = read_prepared(tiny_prepared), Label("topics", multiple=True)
    topics = prepared.frame["party"].map({"Red": "warm|strong", "Blue": "cold|strong", "Green": "cold"})
    return Prepared(prepared.folder, prepared.frame.assign(topics=topics), label, "", {"taxonomy": {}})


@dataclass
class Stop(Callback):
    """Breaks training off at the end of an epoch."""

    after: int

    def on_epoch_end(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        if progress_tracker.epoch == self.after:
            raise RuntimeError("broken off")


def begun(data: Prepared, folder: Path, layers: int | str, *, epochs: int = 2, stop: int = 0) -> Any:
    """A model of `topics_image` with a small encoder, trained in `folder`."""
    settings = [f"encoder.{key}={json.dumps(value)}" for key, value in {**ENCODER, "trainable_layers": layers}.items()]
    settings += ["preprocessing.height=32", "preprocessing.width=32"]
    overrides = tuple(f"input_features.image.{each}" for each in settings)
    request = training.Request("any", overrides=overrides, epochs=epochs)
    config = training.filled_for(definitions.find("topics_image"), data, request)
    folder.mkdir(exist_ok=True)
    rows.write(rows.for_ludwig(data.frame, data.folder, data.label), folder / "ludwig.csv")
    engine.train(config, folder / "ludwig.csv", folder, seed=4, callbacks=[Stop(stop)])
    return engine.load(folder)


def weights(model: Any, part: str) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.model.state_dict().items() if part in name}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[bool]:
    return [value.equal(other[name]) for name, value in one.items()]


def test_with_no_layer_the_head_alone_trains_and_all_of_it_is_saved(data: Prepared, tmp_path: Path) -> None:
    short, long = begun(data, tmp_path / "1", 0, epochs=1), begun(data, tmp_path / "3", 0, epochs=3)
    assert all(same(weights(short, "encoder_obj"), weights(long, "encoder_obj")))
    assert not any(same(weights(short, "dense.weight"), weights(long, "dense.weight")))
    found = json.loads((tmp_path / "3" / "parameters.json").read_text())
    assert found == counted(begun(data, tmp_path / "3", 0, epochs=3).model)
    image = found["encoders"]["image"]
    assert image["trained"] == 0 < image["total"] == sum(p.numel() for p in encoder(0).parameters())
    assert found["trained"] == found["total"] - image["total"] > 0


def test_a_model_broken_off_goes_on_with_its_frozen_layers(data: Prepared, tmp_path: Path) -> None:
    whole = begun(data, tmp_path / "whole", 3, epochs=3)
    with pytest.raises(TrainingError, match="broken off"):
        begun(data, tmp_path / "broken", 3, epochs=3, stop=1)
    (tmp_path / "broken" / "parameters.json").unlink()
    resumed = begun(data, tmp_path / "broken", 3, epochs=3)
    assert (tmp_path / "broken" / "parameters.json").is_file()
    frozen = [name for name, p in whole.model.named_parameters() if not p.requires_grad]
    assert len(frozen) > 20
    kept = {name: value for name, value in weights(whole, "encoder_obj").items() if name in frozen}
    assert all(same(kept, weights(resumed, "encoder_obj")))


def test_a_reloaded_model_predicts_what_the_trained_one_did(data: Prepared, tmp_path: Path) -> None:
    model = begun(data, tmp_path / "here", 3)
    there = Path(shutil.move(tmp_path / "here", tmp_path / "there"))
    one, other = (
        engine.probabilities(each, engine.predict(each, there / "ludwig.csv"), "topics")
        for each in (model, engine.load(there))
    )
    assert one.equals(other)
    trained = json.loads((there / "parameters.json").read_text())["encoders"]["image"]["trained"]
    assert trained == trained_of(encoder(3)) > 0
