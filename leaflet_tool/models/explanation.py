"""Why a model says what it says of one page: what each of its inputs weighs, and the words and areas in it.

Weights are log odds of one class: +0.7 doubles its odds, -0.7 halves them. A page that was held out in a fold is
explained by that fold's model; where no fold knows it, all of them are asked, and their weights averaged.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from leaflet_tool.errors import UsageError
from leaflet_tool.manifest import SPLIT, own
from leaflet_tool.measure.areas import gridded
from leaflet_tool.models import bases, gradients, occlusion, rows
from leaflet_tool.models.alignment import words_of
from leaflet_tool.models.opened import IMAGE, TEXT, Opened
from leaflet_tool.models.runs import ROWS
from leaflet_tool.settings import EXPLAIN, Method

logger = logging.getLogger(__name__)

type FloatArray = NDArray[np.float64]
GRADIENTS, OCCLUSION, NONE = "integrated gradients", "occlusion", "not explained"
AVERAGE_PAGE, PLAIN_PAGE, NO_TEXT = "the average training page", "an even grey", "no text"


@dataclass(frozen=True)
class Input:
    """What one input of a model weighs for a class, and what in it."""

    name: str
    column: str
    type: str
    method: str
    weight: float = 0.0
    against: str = ""
    """What the input is weighed against."""
    delta: float | None = None
    """Convergence delta of integrated gradients, of all inputs of the model together."""
    difference: float | None = None
    """What the weights of all these inputs should sum up to."""
    text: str = ""
    words: tuple[str, ...] = ()
    read: int = 0
    """So many of the words the model reads; the others are beyond its longest text."""
    word_weights: FloatArray | None = None
    grid: FloatArray | None = None
    """Weights by cell, from the top; sums of integrated gradients, or means of what covering it changes."""
    whole: bool = True
    """Whether the grid lies over the whole image, edge to edge."""


@dataclass(frozen=True)
class Weighed:
    """The inputs of one model, or the mean of several, and the log odds of the class."""

    inputs: tuple[Input, ...]
    log_odds: float


def weighed(models: Sequence[Opened], table: pd.DataFrame, target: str, method: Method) -> Weighed:
    """What the inputs weigh for a class in the one row of `table`; the mean over models that know the same classes."""
    found = [_of_model(model, table, model.classes.index(target), method) for model in models]
    inputs = tuple(_mean_input(each) for each in zip(*(one.inputs for one in found), strict=True))
    return Weighed(inputs, float(np.mean([one.log_odds for one in found])))


def _mean_input(found: Sequence[Input]) -> Input:
    """The mean of one input's weights; methods that differ are both named."""
    first = found[0]
    if len(found) == 1:
        return first
    methods = list(dict.fromkeys(one.method for one in found))
    return replace(
        first,
        method=" and ".join(methods),
        weight=float(np.mean([one.weight for one in found])),
        delta=_mean([one.delta for one in found]),
        difference=_mean([one.difference for one in found]),
        read=max(one.read for one in found),
        word_weights=_mean_array([one.word_weights for one in found]),
        grid=_mean_array([one.grid for one in found]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _mean_array(values: Sequence[FloatArray | None]) -> FloatArray | None:
    known = [value for value in values if value is not None]
    return reduce(np.add, known) / len(known) if known else None


def _of_model(model: Opened, table: pd.DataFrame, place: int, method: Method) -> Weighed:
    inputs = model.tensors(table)
    columns = {name: str(feature.get("column", name)) for name, feature in model.features.items()}
    texts = {name: str(table[columns[name]].iloc[0]) for name in columns if model.features[name]["type"] == TEXT}
    averages, against = _averages(model, inputs)
    by_gradients = {} if method == OCCLUSION else _by_gradients(model, inputs, texts, averages, place)
    if method == "gradients" and by_gradients.keys() != {*texts, *averages}:
        lost = ", ".join(sorted({*texts, *averages} - by_gradients.keys()))
        raise UsageError(f"integrated gradients can't follow {lost} into {model.folder}", hint="use --method auto")
    found = []
    for name, feature in model.features.items():
        blank = Input(name, columns[name], feature["type"], NONE, whole=_stretched(feature))
        if name in by_gradients:
            part = by_gradients[name]
        elif name in averages:
            pixels, total = occlusion.of_image(model, inputs, name, averages[name], place)
            part = replace(blank, method=OCCLUSION, weight=total, grid=gridded(pixels, EXPLAIN.grid, mean=True))
        elif name in texts:
            values, total = occlusion.of_text(model, inputs, table, name, place)
            words = tuple(words_of(texts[name]))
            part = replace(blank, method=OCCLUSION, weight=total, words=words, read=len(words), word_weights=values)
        else:
            part = blank
        covered = NO_TEXT if name in texts else against if name in averages else ""
        found.append(replace(part, against=covered, text=texts.get(name, "")))
    with torch.no_grad():
        return Weighed(tuple(found), float(model.log_odds(inputs, place)))


def _by_gradients(
    model: Opened, inputs: Mapping[str, Tensor], texts: Mapping[str, str], averages: Mapping[str, Tensor], place: int
) -> dict[str, Input]:
    """The inputs that integrated gradients can follow."""
    begin = gradients.start(model, inputs, texts, averages)
    if not begin.points:
        return {}
    found = gradients.integrated(model, inputs, begin, place)
    if abs(found.delta) > EXPLAIN.tolerance * abs(found.difference):
        logger.warning(
            "the weights of %s sum up to %+.2f instead of %+.2f, even after %d steps: take them as rough ones",
            *(", ".join(begin.points), found.difference + found.delta, found.difference, found.steps),
        )
    parts = {}
    for name, weights in found.weights.items():
        feature, words = model.features[name], begin.words.get(name)
        part = Input(name, str(feature.get("column", name)), feature["type"], GRADIENTS, found.totals[name])
        part = replace(part, delta=found.delta, difference=found.difference, whole=_stretched(feature))
        if words is None:
            parts[name] = replace(part, grid=gridded(weights, EXPLAIN.grid))
        else:
            parts[name] = replace(part, words=words.words, read=words.read, word_weights=weights)
    return parts


def bases_weigh(models: Sequence[Opened], table: pd.DataFrame, count: int, target: str) -> tuple[list[float], float]:
    """What each of a stack's `count` base runs weighs for a class, and its log odds; `table` has one row.

    A base run is covered by what it says of the stack's own training pages in the mean.
    """
    weights, values = [], []
    for model in models:
        known = rows.read(model.folder / ROWS)
        said = _cells(known.loc[known[SPLIT] == rows.SPLIT_NUMBERS["train"], bases.COLUMN], count).mean(0)
        own_says = _cells(table[bases.COLUMN], count)[0]
        covered = [np.where(np.arange(count)[:, None] == base, said, own_says) for base in range(count)]
        cells = [bases.cell(each.ravel()) for each in (own_says, *covered)]
        asked = pd.concat([table] * len(cells), ignore_index=True).assign(**{bases.COLUMN: cells})
        with torch.no_grad():
            whole, *without = model.log_odds(model.tensors(asked), model.classes.index(target)).tolist()
        weights.append([whole - value for value in without])
        values.append(whole)
    return [float(value) for value in np.mean(weights, axis=0)], float(np.mean(values))


def _cells(column: Iterable[str], count: int) -> FloatArray:
    """`[rows, base runs, classes]`."""
    return np.array([np.array(cell.split(), dtype=float).reshape(count, -1) for cell in column])


def _stretched(feature: Mapping[str, object]) -> bool:
    """Whether the model sees the whole image, resized to its input: torchvision's encoders crop it, as may others."""
    preprocessing, encoder = feature.get("preprocessing", {}), feature["encoder"]
    crops = isinstance(preprocessing, Mapping) and preprocessing.get("resize_method") == "crop_or_pad"
    return not crops and isinstance(encoder, Mapping) and "model_variant" not in encoder


def _averages(model: Opened, inputs: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """What images are weighed against: the mean of some training pages, or nothing but grey where they are gone."""
    images = [name for name, feature in model.features.items() if feature["type"] == IMAGE]
    if not images:
        return {}, ""
    columns = [str(model.features[name].get("column", name)) for name in images]
    table = own(rows.read(model.folder / ROWS))
    table = table[table[SPLIT] == rows.SPLIT_NUMBERS["train"]]
    table = table.iloc[np.unique(np.linspace(0, len(table) - 1, EXPLAIN.references).astype(int))]
    table = table[[all(Path(cell).is_file() for cell in cells) for cells in table[columns].to_numpy()]]
    if table.empty:
        return {name: torch.zeros_like(inputs[name], dtype=torch.float32) for name in images}, PLAIN_PAGE
    pages = model.tensors(table, images)
    return {name: pages[name].float().mean(0, keepdim=True) for name in images}, AVERAGE_PAGE
