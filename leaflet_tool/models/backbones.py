"""The networks of timm behind image encoders: which one it is, and its tensors, told without building it in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaflet_tool.models.downloads import CARD, LOCAL_PREFIX
from leaflet_tool.storage import read_json

TIMM = ("timm", "timm_layers", "caformer", "convformer", "convnextv2", "poolformer")
"""Encoders that wrap a backbone of timm's, and nothing else with weights."""
NORM = "num_batches_tracked"
"""What batch normalisations alone have, and Ludwig loads twice where features share one."""


def architecture(encoder: Mapping[str, Any], kept: Path | None = None) -> str:
    """The backbone's name in timm; of a local one, what its card says, a copy of which may be in the folder `kept`."""
    name = str(encoder["model_name"])
    if name.startswith(LOCAL_PREFIX):
        cards = [folder / CARD for folder in (kept, Path(name.removeprefix(LOCAL_PREFIX))) if folder]
        found = next((card for card in cards if card.is_file()), None)
        return str(read_json(found)["architecture"]) if found else name
    return name.rpartition("/")[2].partition(".")[0]


def shapes(encoder: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of an encoder's tensors by their names; empty where timm has no such backbone, which is told elsewhere."""
    import timm
    import torch

    if not timm.is_model(architecture(encoder)):
        return {}
    with torch.device("meta"):
        backbone = timm.create_model(encoder["model_name"], pretrained=False, num_classes=0)
    return {f"model.{name}": tuple(tensor.shape) for name, tensor in backbone.state_dict().items()}


def has_batch_norm(encoder: Mapping[str, Any]) -> bool:
    """Whether the backbone has batch normalisations."""
    return any(name.endswith(NORM) for name in shapes(encoder))
