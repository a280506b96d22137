"""Rules that combine models without learning a model."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure.rules import fitted_weights, mean_log_probability, weighted_mean

CLASSES = ["a", "b", "c"]


def votes(seed: int, skill: float, labels: list[str]) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    values = chance.dirichlet(np.ones(3), len(labels)) + skill * np.eye(3)[[CLASSES.index(label) for label in labels]]
    return pd.DataFrame(values / values.sum(axis=1, keepdims=True), columns=CLASSES)


@pytest.fixture
def labels() -> list[str]:
    return list(np.random.default_rng(3).choice(CLASSES, 300))


def test_the_product_rule_is_the_normalised_geometric_mean() -> None:
    first = pd.DataFrame([[0.5, 0.25, 0.25]], columns=CLASSES)
    second = pd.DataFrame([[0.02, 0.49, 0.49]], columns=CLASSES)
    expected = np.sqrt(np.array([0.5 * 0.02, 0.25 * 0.49, 0.25 * 0.49]))
    assert mean_log_probability([first, second]).to_numpy()[0] == pytest.approx(expected / expected.sum())


def test_a_certain_no_of_one_model_does_not_make_nonsense() -> None:
    sure = pd.DataFrame([[1.0, 0.0, 0.0]], columns=CLASSES)
    found = mean_log_probability([sure, sure[["b", "a", "c"]].set_axis(CLASSES, axis=1)])
    assert np.isfinite(found.to_numpy()).all()
    assert found.to_numpy().sum() == pytest.approx(1)


def test_weights_are_a_mean_and_prefer_the_better_model(labels: list[str]) -> None:
    good, bad = votes(1, 1.0, labels), votes(2, 0.0, labels)
    weights = fitted_weights([good, bad], labels)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[0] > 0.9


def test_no_other_weights_have_a_lower_log_loss(labels: list[str]) -> None:
    each = [votes(seed, skill, labels) for seed, skill in ((1, 0.5), (2, 0.4), (3, 0.1))]
    places = [CLASSES.index(label) for label in labels]

    def loss(weights: np.ndarray) -> float:
        return float(-np.log(weighted_mean(each, weights).to_numpy()[np.arange(len(places)), places]).mean())

    best = loss(fitted_weights(each, labels))
    for weights in np.random.default_rng(0).dirichlet(np.ones(3), 200):
        assert best <= loss(weights) + 1e-6


def test_the_weighted_mean_of_one_model_is_that_model(labels: list[str]) -> None:
    only = votes(1, 0.3, labels)
    assert np.allclose(weighted_mean([only], fitted_weights([only], labels)), only)
