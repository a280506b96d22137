"""Means over seeds and paired differences of them."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure import over_seeds
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_sets import from_label_probabilities
from leaflet_tool.measure.predictions import from_probabilities

ROWS = 60
CLASSES = ["a", "b", "c"]


def pages() -> pd.DataFrame:
    return pd.DataFrame(
        {"id": [f"p{n}" for n in range(ROWS)], "group": [f"g{n // 2}" for n in range(ROWS)], "split": "test"}
    )


def one_label(seed: int, skill: float) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    truth = np.arange(ROWS) % 3
    values = chance.dirichlet(np.ones(3), ROWS) + skill * np.eye(3)[truth]
    values /= values.sum(axis=1, keepdims=True)
    return from_probabilities(
        pages(), [("a", "b", "c")[n] for n in truth], pd.DataFrame(values, columns=["a", "b", "c"])
    )


def several(seed: int, skill: float) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    truth = np.random.default_rng(0).random((ROWS, 3)) < 0.4
    values = pd.DataFrame(
        np.clip(chance.random((ROWS, 3)) * (1 - skill) + skill * truth, 0, 1), columns=["a", "b", "c"]
    )
    cells = ["|".join(np.array(["a", "b", "c"])[row]) for row in truth]
    return from_label_probabilities(pages(), cells, values)


@pytest.mark.parametrize(("make", "name"), [(one_label, "accuracy"), (several, "macro_ap"), (several, "half.micro_f1")])
def test_one_seed_has_the_figures_of_its_evaluation(make, name: str) -> None:
    frame = make(1, 0.3)
    found = over_seeds.scores(frame, classes=CLASSES if make is several else None, seed=5, resamples=200)
    page = evaluate(frame, seed=5, resamples=200)["page"]
    view, _, figure = name.rpartition(".")
    expected = page["views"][view]["figures"][figure] if view else page["figures"][figure]
    assert found.values[name] == pytest.approx(expected["value"])
    assert found.interval(name) == pytest.approx(expected)


def test_the_mean_lies_between_the_seeds_and_is_steadier_than_one() -> None:
    each = [over_seeds.scores(one_label(seed, 0.3), seed=5, resamples=300) for seed in (1, 2, 3)]
    whole = over_seeds.mean(each)
    values = [one.values["accuracy"] for one in each]
    assert whole.values["accuracy"] == pytest.approx(np.mean(values))
    widths = [one.interval("accuracy")["high"] - one.interval("accuracy")["low"] for one in each]
    assert whole.interval("accuracy")["high"] - whole.interval("accuracy")["low"] < max(widths)
    assert over_seeds.spread(each, "accuracy") == pytest.approx(np.std(values, ddof=1))
    assert over_seeds.spread(each[:1], "accuracy") is None


@pytest.mark.parametrize(("make", "name"), [(one_label, "accuracy"), (several, "macro_ap")])
def test_differences_are_paired(make, name: str) -> None:
    terms = {"classes": CLASSES if make is several else None, "seed": 5, "resamples": 400}
    good, bad = (over_seeds.scores(make(1, skill), **terms) for skill in (0.8, 0.1))
    gain = good.minus(bad)
    assert gain.values[name] == pytest.approx(good.values[name] - bad.values[name])
    assert gain.interval(name)["low"] > 0
    assert gain.p(name) < 0.05
    same = good.minus(good)
    assert same.interval(name) == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert same.p(name) == 1.0
