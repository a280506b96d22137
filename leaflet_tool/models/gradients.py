"""Integrated gradients (Sundararajan, Taly and Yan 2017) of a trained model's log odds, from all its inputs at once.

Texts are followed from their embeddings or their TF-IDF row on, images from their pixels. The weights of all inputs sum
up to the difference of log odds between the page and what it is weighed against, but for the convergence delta.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor

from leaflet_tool.models.alignment import Tokenize, aligned, words_of
from leaflet_tool.models.opened import IMAGE, TEXT, Opened
from leaflet_tool.settings import EXPLAIN

type FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Integrated:
    """What each pixel `[height, width]`, or each word, of the inputs adds to the log odds, and how exact that is."""

    weights: Mapping[str, FloatArray]
    totals: Mapping[str, float]
    """Of all that an input has, words and what is no word."""
    difference: float
    """Log odds of the page less those of what it is weighed against."""
    delta: float
    """What the totals sum up to, less the difference."""
    steps: int


@dataclass(frozen=True)
class Words:
    """A text's words, and the words (by number) behind each place in the tensor of its tokens.

    `read` is how many of the words the model reads before its longest text is full.
    """

    words: tuple[str, ...]
    places: Mapping[int, tuple[int, ...]]
    read: int


@dataclass(frozen=True)
class Start:
    """Where integration begins, for each input that it can follow."""

    points: Mapping[str, Tensor]
    baselines: Mapping[str, Tensor]
    words: Mapping[str, Words]


def words_in(opened: Opened, name: str, text: str) -> Words | None:
    """The words of a text input and where their tokens are; None where its tokenizer does not let that be told."""
    from ludwig.utils.strings_utils import get_tokenizer

    known = opened.metadata(name)
    how = known["preprocessing"]
    tokenize: Tokenize = get_tokenizer(how["tokenizer"], how["vocab_file"], how["pretrained_model_name_or_path"])
    shown = words_of(text)
    cased = text.lower() if how["lowercase"] else text
    tokens = list(tokenize(cased))
    found = aligned(words_of(cased), tokens, tokenize) if len(words_of(cased)) == len(shown) else None
    if found is None:
        return None
    whole = how["tokenizer"] == "hf_tokenizer"  # Ludwig puts a start and a stop symbol around any other's tokens
    length, size = len(tokens) + (0 if whole else 2), known["max_sequence_length"]
    first = (0 if whole else 1) + (max(0, size - length) if how["padding"] == "left" else 0)
    places = {place + first: numbers for place, numbers in found.items() if place + first < size}
    last = max((number + 1 for numbers in places.values() for number in numbers), default=0)
    cut = len(places) < len(found) or whole  # a language model's tokenizer cuts by itself, and drops nothing else
    return Words(tuple(shown), places, last if cut else len(shown))


def start(
    opened: Opened, inputs: Mapping[str, Tensor], texts: Mapping[str, str], averages: Mapping[str, Tensor]
) -> Start:
    """The inputs that integration can follow; `texts` are those of the text inputs, `averages` the mean pages."""
    words = {name: words_in(opened, name, text) for name, text in texts.items()}
    known = {name: found for name, found in words.items() if found is not None}
    embedded = opened.embedded(inputs, list(known))
    emptied = {**inputs, **{name: _emptied(opened, name, inputs[name], known[name]) for name in embedded}}
    rows = {name for name, values in embedded.items() if values.ndim == 2}
    empty = {**opened.embedded(emptied, list(embedded)), **{name: torch.zeros_like(embedded[name]) for name in rows}}
    images = {name: inputs[name].float() for name in averages if inputs[name].ndim == 4}
    points = {name: {**images, **embedded}[name] for name in opened.features if name in {**images, **embedded}}
    reached = _reached(opened, inputs, points)
    kept = {name: value for name, value in points.items() if name in reached}
    return Start(kept, {name: {**averages, **empty}[name] for name in kept}, known)


def _emptied(opened: Opened, name: str, tokens: Tensor, words: Words) -> Tensor:
    """The tokens with padding in the place of words."""
    emptied = tokens.clone()
    emptied[:, list(words.places)] = int(opened.metadata(name)["pad_idx"])
    return emptied


def _forward(opened: Opened, inputs: Mapping[str, Tensor], names: list[str], place: int) -> Callable[..., Tensor]:
    """Log odds of rows that differ in the inputs `names`, as captum calls it."""

    def forward(*values: Tensor) -> Tensor:
        rows, given = len(values[0]), dict(zip(names, values, strict=True))
        expanded = {name: value.expand(rows, *value.shape[1:]) for name, value in inputs.items()}
        expanded |= {name: value for name, value in given.items() if opened.features[name]["type"] == IMAGE}
        with opened.embedding({name: value for name, value in given.items() if opened.features[name]["type"] == TEXT}):
            return opened.log_odds(expanded, place)

    return forward


def _reached(opened: Opened, inputs: Mapping[str, Tensor], points: Mapping[str, Tensor]) -> set[str]:
    """The inputs on which the log odds have a gradient."""
    leaves = {name: value.detach().clone().requires_grad_() for name, value in points.items()}
    if not leaves:
        return set()
    output = _forward(opened, inputs, list(leaves), 0)(*leaves.values())
    if not output.requires_grad:
        return set()
    found = torch.autograd.grad(output.sum(), list(leaves.values()), allow_unused=True)
    return {name for name, gradient in zip(leaves, found, strict=True) if gradient is not None}


def integrated(opened: Opened, inputs: Mapping[str, Tensor], begin: Start, place: int) -> Integrated:
    """Weights along the straight line from the baselines to the page, in steps that double until they are exact."""
    names, steps = list(begin.points), EXPLAIN.steps
    forward = _forward(opened, inputs, names, place)
    values = tuple(begin.points[name].contiguous() for name in names)
    against = tuple(begin.baselines[name].contiguous() for name in names)
    with torch.no_grad():
        difference = float(forward(*values) - forward(*against))
    while True:
        found, delta = IntegratedGradients(forward).attribute(
            values, baselines=against, n_steps=steps, internal_batch_size=EXPLAIN.batch, return_convergence_delta=True
        )
        off = float(delta.item())
        if abs(off) <= EXPLAIN.tolerance * abs(difference) or steps >= EXPLAIN.most_steps:
            break
        steps *= 2
    parts = {name: value.detach().double().cpu()[0] for name, value in zip(names, found, strict=True)}
    weights = {name: _weights(inputs[name], part, begin.words.get(name)) for name, part in parts.items()}
    return Integrated(weights, {name: float(part.sum()) for name, part in parts.items()}, difference, off, steps)


def _weights(tokens: Tensor, part: Tensor, words: Words | None) -> FloatArray:
    """Of an image `[channels, height, width]` each pixel's; of a text's row or its embeddings each word's."""
    if words is None:
        return part.sum(0).numpy()
    ids = tokens[0].long().cpu()
    # a TF-IDF row has one entry a word of the vocabulary, whose weight is shared by the places where it stands
    each = part[ids] / torch.bincount(ids)[ids] if part.ndim == 1 else part.sum(-1)
    weights = np.zeros(len(words.words))
    for place, numbers in words.places.items():
        for number in numbers:
            weights[number] += float(each[place]) / len(numbers)
    return weights
