"""Runs whose predictions are known, made of a real one."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest

from leaflet_tool.measure.predictions import from_probabilities
from leaflet_tool.models.runs import PREDICTIONS, Run, finished, write_predictions

type Scripted = Callable[..., Run]
CLASSES = ["Blue", "Green", "Red"]


@pytest.fixture
def scripted(tiny_runs: Path, tmp_path: Path) -> Scripted:
    """`scripted(name, wrong)` is the run `text` again, wrong on the pages `wrong` (ids) and right on the others."""

    def scripted(name: str, wrong: Collection[str] = (), runs: Path = tmp_path / "runs") -> Run:
        shutil.copytree(tiny_runs / "text", runs / name)
        run = finished(name, runs)
        frame = run.predictions()
        named = [CLASSES.index(label) for label in frame["label"]]
        places = [(place + 1) % 3 if page in wrong else place for page, place in zip(frame["id"], named, strict=True)]
        frame[[f"probability_{name}" for name in CLASSES]] = np.eye(3)[places] * 0.7 + 0.1
        values = frame[[f"probability_{name}" for name in CLASSES]].set_axis(CLASSES, axis=1)
        write_predictions(from_probabilities(frame, frame["label"], values), run.folder / PREDICTIONS)
        return run

    return scripted
