"""Occlusion: how far a trained model's log odds fall when an area of the page is covered, or a word left out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from captum.attr import Occlusion
from numpy.typing import NDArray
from torch import Tensor

from leaflet_tool.models.alignment import WORD, words_of
from leaflet_tool.models.opened import Opened
from leaflet_tool.settings import EXPLAIN

type FloatArray = NDArray[np.float64]


def of_image(
    opened: Opened, inputs: Mapping[str, Tensor], name: str, average: Tensor, place: int
) -> tuple[FloatArray, float]:
    """What each pixel `[height, width]` weighs, the mean of the windows over it, and what the whole image does.

    A window of two cells of the grid a side is covered with what the average page has there.
    """

    def forward(image: Tensor) -> Tensor:
        rows = {each: value.expand(len(image), *value.shape[1:]) for each, value in inputs.items()}
        return opened.log_odds({**rows, name: image}, place)

    image = inputs[name].float()
    channels, height, width = image.shape[1:]
    strides = (channels, -(-height // EXPLAIN.grid), -(-width // EXPLAIN.grid))
    with torch.no_grad():
        found = Occlusion(forward).attribute(
            image,
            sliding_window_shapes=(channels, min(2 * strides[1], height), min(2 * strides[2], width)),
            strides=strides,
            baselines=average,
            perturbations_per_eval=EXPLAIN.batch,
        )
        total = float(forward(image) - forward(average))
    return found[0].mean(0).double().cpu().numpy(), total


def of_text(
    opened: Opened, inputs: Mapping[str, Tensor], table: pd.DataFrame, name: str, place: int
) -> tuple[FloatArray, float]:
    """What each word weighs, and the whole text: left out wherever it stands, its places sharing what that changes."""
    column = opened.features[name].get("column", name)
    text = str(table[column].iloc[0])
    kinds = [word.lower() for word in words_of(text)]
    distinct = list(dict.fromkeys(kinds))
    texts = [text, "", *(_without(text, kind) for kind in distinct)]
    changed = pd.concat([table] * len(texts), ignore_index=True).assign(**{column: texts})
    tokens = opened.tensors(changed, [name])[name]
    values = []
    with torch.no_grad():
        for part in tokens.split(EXPLAIN.batch):
            rows = {each: value.expand(len(part), *value.shape[1:]) for each, value in inputs.items()}
            values.append(opened.log_odds({**rows, name: part}, place).double().cpu())
    whole, empty, *without = torch.cat(values).tolist()
    lost = {kind: whole - value for kind, value in zip(distinct, without, strict=True)}
    return np.array([lost[kind] / kinds.count(kind) for kind in kinds], dtype=float), whole - empty


def _without(text: str, kind: str) -> str:
    return WORD.sub(lambda found: " " if found[0].lower() == kind else found[0], text)
