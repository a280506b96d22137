"""Fewer numbers a row: by training rows alone, and none where there are few anyway."""

import numpy as np

from leaflet_tool.measure.components import COMPONENTS, main_components


def test_components_keep_what_tells_rows_apart_and_know_training_rows_alone() -> None:
    chance = np.random.default_rng(1)
    within = chance.normal(size=(200, 5))
    vectors = within @ chance.normal(size=(5, 300)) + 7
    train = np.arange(200) < 150
    found = main_components(vectors, train, seed=1)
    assert found.shape == (200, COMPONENTS)
    apart = np.linalg.norm(found[0] - found[199])
    assert np.isclose(apart, np.linalg.norm(vectors[0] - vectors[199]))
    other = np.where(train[:, None], vectors, vectors * 3)
    assert np.allclose(main_components(other, train, seed=1)[:150], found[:150])


def test_few_numbers_stay_and_few_training_rows_give_few() -> None:
    few = np.random.default_rng(1).normal(size=(9, COMPONENTS))
    assert main_components(few, np.ones(9, dtype=bool), seed=1) is few
    many = np.random.default_rng(1).normal(size=(9, COMPONENTS + 1))
    assert main_components(many, np.arange(9) < 6, seed=1).shape == (9, 6)
