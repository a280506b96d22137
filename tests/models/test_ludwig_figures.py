"""Ludwig's figures as the comparison takes them: right, complete, and without a trace in anybody else's pyplot."""

import io
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.models.ludwig_figures import (
    CONFUSION_MATRIX,
    FROM_PROBABILITIES,
    LEARNING_CURVES,
    PERFORMANCE,
    LudwigFigure,
    drawn,
)
from leaflet_tool.models.runs import Run, finished


def opened(folder: Path, *names: str) -> dict[str, Run]:
    return {name: finished(name, folder) for name in names}


def judged(runs: dict[str, Run]) -> dict[str, pd.DataFrame]:
    """Each run's predictions of the test rows."""
    frames = {name: run.predictions() for name, run in runs.items()}
    return {name: frame[frame["split"] == "test"].reset_index(drop=True) for name, frame in frames.items()}


def kinds(figures: list[LudwigFigure]) -> list[tuple[str, str]]:
    return [(figure.visualization, figure.subject) for figure in figures]


def test_every_figure_is_a_picture(tiny_runs: Path) -> None:
    runs = opened(tiny_runs, "text", "image")
    figures = drawn(runs, judged(runs))
    assert [figure.problem for figure in figures] == [""] * len(figures)
    assert kinds(figures) == [
        (PERFORMANCE, ""),
        (FROM_PROBABILITIES, ""),
        *((LEARNING_CURVES, metric) for metric in ("accuracy", "loss")),
        (CONFUSION_MATRIX, "text"),
        (CONFUSION_MATRIX, "image"),
    ]
    for figure in figures:
        Image.open(io.BytesIO(figure.png)).verify()


def test_what_one_run_lacks_is_named_and_the_rest_drawn(tiny_runs: Path, tmp_path: Path) -> None:
    for name in ("text", "image"):
        shutil.copytree(tiny_runs / name, tmp_path / name)
    (tmp_path / "image" / "test_statistics.json").unlink()
    runs = opened(tmp_path, "text", "image")
    problems = {(figure.visualization, figure.subject): figure.problem for figure in drawn(runs, judged(runs))}
    path = tmp_path / "image" / "test_statistics.json"
    assert {key: problem for key, problem in problems.items() if problem} == {
        (PERFORMANCE, ""): f"{path} is missing",
        (CONFUSION_MATRIX, "image"): f"{path} is missing",
    }
    assert (CONFUSION_MATRIX, "text") in problems


def test_what_ludwig_stumbles_over_is_a_reason(tiny_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ludwig.utils import visualization_utils

    def broken(*_: Any, **__: Any) -> None:
        raise IndexError("tuple index out of range")

    runs = opened(tiny_runs, "text", "image")
    monkeypatch.setattr(visualization_utils, "learning_curves_plot", broken)
    figures = drawn(runs, judged(runs))
    assert [figure.problem for figure in figures if figure.visualization == LEARNING_CURVES] == [
        "Ludwig gave up: IndexError: tuple index out of range"
    ]
    assert all(figure.png for figure in figures if figure.visualization != LEARNING_CURVES)


def test_a_run_in_folds_has_only_the_figure_from_probabilities(tiny_runs: Path) -> None:
    runs = opened(tiny_runs, "text", "image")
    in_folds = {name: Run(run.folder, {**run.facts, "folds": 2}) for name, run in runs.items()}
    figures = drawn(in_folds, judged(runs))
    assert [figure.visualization for figure in figures if figure.png] == [FROM_PROBABILITIES]
    assert [figure.subject for figure in figures if figure.problem] == ["text", "image"]
    assert all("folds" in figure.problem for figure in figures if not figure.png)


def test_probabilities_are_compared_over_one_order_of_classes(tiny_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that one run never saw must not shift the others' columns."""
    from ludwig.utils import visualization_utils

    found: dict[str, list[float]] = {}

    def watch(scores: list[list[float]], metrics: list[str], *_: Any, **__: Any) -> None:
        found.update(zip(metrics, scores, strict=True))

    runs = opened(tiny_runs, "text", "image")
    frames = judged(runs)
    narrow = frames["image"].drop(columns="probability_Blue")
    columns = [name for name in narrow if name.startswith("probability_")]
    narrow[columns] = narrow[columns].div(narrow[columns].sum(axis=1), axis=0)
    narrow["predicted"] = narrow[columns].idxmax(axis=1).str.removeprefix("probability_")
    narrow["confidence"] = narrow[columns].max(axis=1)
    frames["image"] = narrow
    monkeypatch.setattr(visualization_utils, "compare_classifiers_plot", watch)
    drawn({name: Run(run.folder, {**run.facts, "folds": 2}) for name, run in runs.items()}, frames)
    expected = [
        evaluate(frame, seed=1, resamples=2)["page"]["figures"]["accuracy"]["value"] for frame in frames.values()
    ]
    assert found["accuracy"] == pytest.approx(expected)
    assert expected[1] <= 2 / 3  # the class it never saw is a third of the rows


def test_others_drawings_are_left_alone(tiny_runs: Path) -> None:
    import matplotlib
    from matplotlib import pyplot

    runs = opened(tiny_runs, "text", "image")
    own = pyplot.figure()
    others = pyplot.get_fignums()
    before = (matplotlib.get_backend(), dict(matplotlib.rcParams))
    try:
        drawn(runs, judged(runs))
        assert pyplot.get_fignums() == others
        assert (matplotlib.get_backend(), dict(matplotlib.rcParams)) == before
    finally:
        pyplot.close(own)
