"""The definitions for documents: their sizes, their schedule, and what sets the views apart."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import pytest
import torch
from ludwig.callbacks import Callback

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import Label, Prepared, read_prepared
from leaflet_tool.models import definitions, engine, rows, training

REGIONS = ("top", "bottom", "left", "right")
SIDES = tuple(f"input_features.image.preprocessing.{side}" for side in ("height", "width"))
SMALL = (
    "input_features.image.encoder.model_name=test_resnet",
    "input_features.image.encoder.use_pretrained=false",
    "trainer.batch_size=8",
)


def filled(name: str, *overrides: str) -> dict[str, Any]:
    return training.filled(definitions.find(name), Label("party"), training.Request("any", overrides=overrides))


@pytest.fixture(scope="module")
def pages(tiny_prepared: Path) -> Prepared:
    """A few of the tiny pages, whose regions are the pages themselves."""
    prepared = read_prepared(tiny_prepared)
    frame = prepared.frame.groupby(["party", "split"]).head(2)
    return Prepared(prepared.folder, frame.assign(image_left=frame["image"]), prepared.label, "", prepared.facts)


@dataclass
class Look(Callback):
    """Keeps the sizes of the images that reach the backbone, and the trainer, and breaks off after an epoch."""

    sizes: set[tuple[int, ...]] = field(default_factory=set)
    trainer: Any = None

    def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
        backbone = model.input_features.get("image").encoder_obj.model
        backbone.register_forward_hook(lambda _module, inputs, _output: self.sizes.add(tuple(inputs[0].shape[1:])))

    def on_epoch_end(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        self.trainer = trainer
        raise RuntimeError("seen enough")


def looked_at(pages: Prepared, folder: Path, name: str, *overrides: str) -> Look:
    config, look = filled(name, *SMALL, *overrides), Look()
    rows.write(rows.for_ludwig(pages.frame, pages.folder, pages.label), folder / "ludwig.csv")
    with pytest.raises(TrainingError, match="seen enough"):
        engine.train(config, folder / "ludwig.csv", folder, seed=1, callbacks=[look])
    return look


@pytest.mark.parametrize(("name", "size"), [("document_128", 64), ("document_128", 128), ("region_left", 256)])
def test_the_declared_size_reaches_the_backbone(pages: Prepared, tmp_path: Path, name: str, size: int) -> None:
    declared = filled(name)["input_features"][0]["preprocessing"]
    overrides = () if declared["height"] == declared["width"] == size else [f"{side}={size}" for side in SIDES]
    assert (overrides == ()) == (size > 64)
    assert looked_at(pages, tmp_path, name, *overrides).sizes == {(3, size, size)}


def test_the_recipes_optimizer_and_schedule_arrive(pages: Prepared, tmp_path: Path) -> None:
    trainer = looked_at(pages, tmp_path, "document_256", *(f"{side}=32" for side in SIDES)).trainer
    (group,) = trainer.optimizer.param_groups
    assert isinstance(trainer.optimizer, torch.optim.SGD)
    assert (group["initial_lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.0, 0.0)
    assert trainer.gradient_clipping_config.clipglobalnorm is None
    plateau = trainer.scheduler._eval_scheduler
    for accuracy in (0.5, 0.6, 0.6):
        plateau.step(accuracy)
    assert plateau.num_reduce_lr == 0
    plateau.step(0.55)
    trainer.scheduler.step()
    assert group["lr"] == pytest.approx(0.09)
    plateau.step(0.7)
    assert plateau.num_reduce_lr == 1
    assert trainer.scheduler.config.reduce_eval_split == "validation"
    dense = [module for module in trainer.model.combiner.modules() if isinstance(module, torch.nn.Linear)]
    assert [layer.out_features for layer in dense] == [256, 256]
    assert {module.p for module in trainer.model.combiner.modules() if isinstance(module, torch.nn.Dropout)} == {0.5}


@pytest.mark.parametrize(
    ("name", "epochs", "optimizer", "rate"),
    [("document_128", 30, "sgd", 0.1), ("document_256", 20, "sgd", 0.1), ("region_top", 5, "adam", 0.0001)],
)
def test_the_steps_of_the_recipe(name: str, epochs: int, optimizer: str, rate: float) -> None:
    trainer = filled(name)["trainer"]
    assert (trainer["epochs"], trainer["optimizer"]["type"], trainer["learning_rate"]) == (epochs, optimizer, rate)
    assert trainer["batch_size"] == 128


def test_the_steps_differ_by_size_column_and_training_alone() -> None:
    first = filled("document_128")
    for name in ("document_256", *(f"region_{region}" for region in REGIONS)):
        config = filled(name)
        assert {key: value for key, value in config.items() if key not in ("input_features", "trainer")} == {
            key: value for key, value in first.items() if key not in ("input_features", "trainer")
        }
        (feature,), (of_first,) = config["input_features"], first["input_features"]
        assert {**feature, "column": "image", "preprocessing": {}} == {**of_first, "preprocessing": {}}
        assert feature["preprocessing"] == {**of_first["preprocessing"], "height": 256, "width": 256}


@pytest.mark.parametrize("region", REGIONS)
def test_the_regions_differ_by_their_column_alone(region: str) -> None:
    config, top = filled(f"region_{region}"), filled("region_top")
    assert config["input_features"][0].pop("column") == f"image_{region}"
    assert top["input_features"][0].pop("column") == "image_top"
    assert config == top
    assert f"regions: [{region}]" in definitions.find(f"region_{region}").path.read_text()


def test_all_views_share_one_encoder_and_are_read_alike() -> None:
    page, *regions = filled("document_regions")["input_features"]
    assert [each["column"] for each in (page, *regions)] == ["image", *(f"image_{region}" for region in REGIONS)]
    for each in regions:
        assert each == {**page, "name": each["name"], "column": each["column"], "tied": page["name"]}
