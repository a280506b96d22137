"""Builders of predictions frames for the tests of measure/."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

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
