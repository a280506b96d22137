"""A model that looks at a region: trained on a prepared folder's, it predicts photographs nobody has cut yet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared
from leaflet_tool.models import bases, prediction
from leaflet_tool.models.definitions import find
from leaflet_tool.models.runs import Run
from leaflet_tool.models.training import Request, train
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results import stacking
from leaflet_tool.results.explaining import NEW, explain

FOLDERS = overridden(
    load("class_folders"),
    {"ocr.engine": "none", "images.max_side": 64, "region_side": 32, "duplicates.near": False},
)
COLOURS = {"blue": (40, 70, 200), "red": (200, 50, 50)}
Page = Callable[[Path, str, int], Path]


def page(path: Path, party: str, number: int) -> Path:
    """A page of which the lower half is black, and the upper one has the party's colour."""
    levels = np.random.default_rng(number).normal(COLOURS[party], 20, size=(40 + number, 30, 3))
    levels[len(levels) // 2 :] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(24):
        party = list(COLOURS)[number % 2]
        page(folder / party / f"{number}.png", party, number)
    return folder


@pytest.fixture(scope="module")
def run(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on the upper half, which alone tells the party."""
    folder = tmp_path_factory.mktemp("top")
    prepare(archive, folder / "prepared", overridden(FOLDERS, {"regions": "top", "split.fractions": [0.4, 0.4, 0.2]}))
    sides = tuple(f"input_features.image.preprocessing.{side}=32" for side in ("height", "width"))
    overrides = ("input_features.image.column=image_top", *sides)
    request = Request("top", folder / "runs", overrides=overrides, epochs=2, resamples=100)
    return train(find("image_small"), read_prepared(folder / "prepared"), request)


@pytest.fixture(scope="module")
def stack(run: Run) -> Run:
    """The run of the upper half and one of the whole page, stacked."""
    data, overrides = (
        run.folder.parents[1] / "prepared",
        [each for each in run.facts["overrides"] if "column" not in each],
    )
    whole = Request("whole", run.folder.parent, overrides=tuple(overrides), epochs=1, resamples=20)
    base = train(find("image_small"), read_prepared(data), whole)
    return stacking.stack([run, base], replace(whole, name="both", overrides=()))


def test_photographs_get_the_regions_that_the_run_looks_at(run: Run, archive: Path, tmp_path: Path) -> None:
    new = [page(tmp_path / f"{party}.png", party, 50) for party in COLOURS]
    fresh = prediction.predict(run, new).predictions
    prepare(archive, tmp_path / "again", overridden(FOLDERS, {"regions": "left,top"}))
    known = prediction.predict(run, [tmp_path / "again"]).predictions
    assert len(known) == 24
    probabilities = [name for name in fresh if name.startswith("probability_")]
    source = archive / known["source"][0]
    (lone,) = prediction.predict(run, [source]).predictions[probabilities].to_dict("records")
    there = known[probabilities].iloc[0]
    pd.testing.assert_series_equal(pd.Series(lone), there, check_names=False, rtol=1e-3)
    assert not np.allclose(*fresh[probabilities].to_numpy())

    prepare(archive, tmp_path / "without", FOLDERS)
    with pytest.raises(InputError, match=r"the region image_top was not prepared; .* or add --regions top to prepare"):
        prediction.predict(run, [tmp_path / "without"])


def test_a_stack_cuts_the_regions_of_a_photograph_for_those_that_look_at_them(stack: Run, tmp_path: Path) -> None:
    photograph = page(tmp_path / "red.png", "red", 51)
    votes = [prediction.predict(base, [photograph]).predictions for base in bases.of(stack)]
    (found,) = prediction.predict(stack, [photograph]).predictions.to_dict("records")
    explained = explain(stack, str(photograph))
    assert explained.asked.seen == NEW and explained.target == found["predicted"]
    assert explained.asked.probabilities[found["predicted"]] == pytest.approx(found["confidence"], abs=1e-5)
    for base, vote in zip(explained.bases, votes, strict=True):
        assert base.asked.probabilities["red"] == pytest.approx(vote["probability_red"][0], abs=1e-5)
    top, whole = explained.bases
    assert [part.column for part in top.inputs] == ["image_top"] and set(top.pictures) == {"image", "image_top"}
    assert [part.column for part in whole.inputs] == ["image"]
    assert top.pictures["image_top"].shape[:2] == (32, 32)
    assert top.pictures["image_top"].mean() > 1.5 * top.pictures["image"].mean()  # the lower half is black
    assert len(explained.weights) == 2
