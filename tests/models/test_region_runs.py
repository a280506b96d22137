"""A model that looks at a region: trained on a prepared folder's, it predicts photographs nobody has cut yet."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared
from leaflet_tool.models import prediction
from leaflet_tool.models.definitions import find
from leaflet_tool.models.runs import Run
from leaflet_tool.models.training import Request, train
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare

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
    prepare(archive, folder / "prepared", overridden(FOLDERS, {"regions": "top"}))
    sides = tuple(f"input_features.image.preprocessing.{side}=32" for side in ("height", "width"))
    overrides = ("input_features.image.column=image_top", *sides)
    request = Request("top", folder / "runs", overrides=overrides, epochs=2, resamples=100)
    return train(find("image_small"), read_prepared(folder / "prepared"), request)


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
