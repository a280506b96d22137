"""Builders of predictions frames for the tests of measure/."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure.label_sets import cells, from_label_probabilities
from leaflet_tool.measure.predictions import from_probabilities

type Build = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def build() -> Build:
    """`build(labels, probabilities, groups)` makes a frame whose pages are p0, p1, … of the test split."""

    def build(
        labels: Sequence[str], probabilities: pd.DataFrame | dict[str, Sequence[float]], groups: Sequence[str] = ()
    ) -> pd.DataFrame:
        pages = [f"p{number}" for number in range(len(labels))]
        rows = pd.DataFrame({"id": pages, "group": list(groups) or pages, "split": "test"})
        return from_probabilities(rows, labels, pd.DataFrame(probabilities))

    return build


@pytest.fixture(scope="session")
def drawn(build: Build) -> Build:
    """`drawn(labels, classes, seed, groups)` makes a frame with random probabilities that lean to the label."""

    def drawn(labels: Sequence[str], classes: Sequence[str], *, seed: int, groups: Sequence[str] = ()) -> pd.DataFrame:
        values = np.random.default_rng(seed).dirichlet(np.full(len(classes), 0.5), size=len(labels))
        lean = np.array([[name == label for name in classes] for label in labels]) * 0.3
        values = (values + lean) / (values + lean).sum(axis=1, keepdims=True)
        return build(labels, pd.DataFrame(values, columns=list(classes)), groups)

    return drawn


@pytest.fixture(scope="session")
def build_labels() -> Build:
    """`build_labels(labels, probabilities, groups, thresholds)` makes a frame of several labels a row."""

    def build_labels(
        labels: Sequence[str],
        probabilities: pd.DataFrame | dict[str, Sequence[float]],
        groups: Sequence[str] = (),
        thresholds: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        pages = [f"p{number}" for number in range(len(labels))]
        rows = pd.DataFrame({"id": pages, "group": list(groups) or pages, "split": "test"})
        return from_label_probabilities(rows, labels, pd.DataFrame(probabilities), thresholds)

    return build_labels


@pytest.fixture(scope="session")
def drawn_labels() -> Build:
    """`drawn_labels(rows, labels, seed, pages)` makes a frame of ever rarer labels; `pages` of a leaflet are alike.

    Probabilities have one decimal where `coarse`, so that many are equal.
    """

    def drawn_labels(rows: int, labels: int, *, seed: int, pages: int = 1, coarse: bool = False) -> pd.DataFrame:
        chance = np.random.default_rng(seed)
        shares = 0.4 / np.arange(1, labels + 1) ** 1.2
        truth = np.repeat(chance.random((-(-rows // pages), labels)) < shares, pages, axis=0)[:rows]
        logits = np.log(shares / (1 - shares)) + truth * chance.normal(1.5, 0.75, truth.shape)
        values = 1 / (1 + np.exp(-logits - chance.normal(0, 0.8, truth.shape)))
        classes = [f"label {number:02}" for number in range(labels)]
        table = pd.DataFrame(values.round(1) if coarse else values, columns=classes)
        named = [f"p{number}" for number in range(rows)]
        groups = [f"g{number // pages}" for number in range(rows)]
        frame = pd.DataFrame({"id": named, "group": groups, "split": "test"})
        return from_label_probabilities(frame, cells(truth, classes), table)

    return drawn_labels
