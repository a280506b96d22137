"""Outliers: leaflets that say what no other says."""

import numpy as np

from leaflet_tool.measure.outliers import distances, far_out, outliers

WORDS = ["council", "vote", "street", "local", "party", "school", "hospital", "tax", "green", "road", "bus", "market"]


def texts(count: int = 60) -> list[str]:
    chance = np.random.default_rng(2)
    return [" ".join(chance.choice(WORDS, 14)) for _ in range(count)]


def test_a_text_unlike_all_others_is_the_worst() -> None:
    strange = "recipe flour butter sugar oven recipe flour butter sugar oven bake cake council street"
    found = outliers([*texts(), strange], seed=1)
    assert found.index[0] == 60
    assert len(found) <= 2
    assert found.between(0, 1).all()
    assert found.is_monotonic_decreasing


def test_texts_of_one_kind_have_no_outlier_and_few_words_are_not_judged() -> None:
    assert outliers([*texts(), "recipe flour"], seed=1).empty


def test_too_few_texts_say_nothing() -> None:
    assert outliers(texts(15), seed=1).empty
    assert outliers([""] * 40, seed=1).empty


def test_every_text_that_is_judged_has_a_distance() -> None:
    found = distances([*texts(), "recipe flour"], seed=1)
    assert list(found.index) == list(range(60))
    assert found.between(0, 1).all()
    assert far_out(found).equals(outliers([*texts(), "recipe flour"], seed=1))
    assert distances(["a b c d e f g h"] * 40, seed=1).empty
