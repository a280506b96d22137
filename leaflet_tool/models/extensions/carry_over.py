"""A finished run's encoder weights in a new model before it trains.

Ludwig restores a checkpoint after `on_train_start`, and a checkpoint holds no frozen parameter: when training goes on,
those come from the run again and all others from the checkpoint. On Ray the driver does it, and the workers get the
model as it is then; the callback itself travels there too.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from ludwig.callbacks import Callback
from ludwig.constants import IMAGE
from safetensors import safe_open

from leaflet_tool.models.transfer import TRANSFER, Match, match, stored
from leaflet_tool.storage import write_json

logger = logging.getLogger(__name__)


@dataclass
class CarryOver(Callback):
    """Copies the encoder of `feature` in the file `weights` into every image feature; `folder` gets what came of it."""

    weights: Path
    feature: str
    folder: Path

    def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
        found = {name: carried(self.weights, self.feature, encoder) for name, encoder in _encoders(model, config)}
        for name, each in found.items():
            total = len(each.loaded) + len(each.new)
            logger.info("%d of %d tensors of %s come from %s", len(each.loaded), total, name, self.weights)
            for left, reason in each.skipped.items():
                logger.warning("%s: %s is not carried over: %s", name, left, reason)
            if each.new:
                logger.warning("%s: newly initialised: %s", name, ", ".join(each.new))
        if not any(each.loaded for each in found.values()):
            raise ValueError(f"nothing of {self.weights} could be carried over")
        write_json(self.folder / TRANSFER, {name: asdict(each) for name, each in found.items()})


def _encoders(model: Any, config: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """The encoders of the image features, each once: tied features share theirs."""
    for feature in config["input_features"]:
        if feature["type"] == IMAGE and not feature.get("tied"):
            yield feature["name"], model.input_features.get(feature["name"]).encoder_obj


def carried(weights: Path, feature: str, encoder: torch.nn.Module) -> Match:
    """Copies what fits into `encoder`, in place, parameters and running statistics alike."""
    here = encoder.state_dict()
    with safe_open(weights, framework="pt") as file, torch.no_grad():
        there = {name: file.get_tensor(place) for name, place in stored(weights, feature).items()}
        found = match(_shapes(there), _shapes(here))
        for name in found.loaded:
            here[name].copy_(there[name])
    return found


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
