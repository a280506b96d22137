"""Ludwig's own comparison figures of finished runs, as `ludwig visualize` draws them.

A figure that Ludwig can't draw is a reason in the list, not an error: nothing else of a comparison depends on it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label
from leaflet_tool.measure.predictions import LABEL, PROBABILITY, classes_of
from leaflet_tool.models import engine
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import read_json

TRAINING_STATISTICS = "training_statistics.json"
METADATA = "training_set_metadata.json"
PERFORMANCE, FROM_PROBABILITIES = "compare_performance", "compare_classifiers_performance_from_prob"
LEARNING_CURVES, CONFUSION_MATRIX = "learning_curves", "confusion_matrix"
TOP_K = 3
DPI = 150


@dataclass(frozen=True)
class LudwigFigure:
    """One figure by the name of its visualization: a PNG, or why there is none (of several visualizations)."""

    visualization: str
    subject: str = ""
    """The run it shows, or the metric, where a visualization gives several figures."""
    png: bytes = b""
    problem: str = ""


@dataclass(frozen=True)
class _Job:
    """A visualization, the arguments it needs, read when it is its turn, and the files it makes that are wanted."""

    visualization: str
    arguments: Callable[[], dict[str, Any]]
    subject: str = ""
    wanted: str = "*.png"


def drawn(runs: Mapping[str, Run], predictions: Mapping[str, pd.DataFrame]) -> list[LudwigFigure]:
    """Every comparison figure of the runs; `predictions` are theirs of the same rows, in the same order.

    Of several labels a row, Ludwig draws its own figures and the curves of training, and nothing else.
    """
    label = next(iter(runs.values())).label
    single = {name: run for name, run in runs.items() if not run.folds}
    jobs = [] if label.multiple else [_Job(FROM_PROBABILITIES, partial(_probabilities, predictions))]
    if single:
        jobs.insert(0, _Job(PERFORMANCE, partial(_performance, single)))
        jobs.append(_Job(LEARNING_CURVES, partial(_learning, single)))
    if not label.multiple:
        # In the file's name the run is "run", whatever it is called: confusion_matrix_entropy_… is another figure.
        wanted = "confusion_matrix_run_*.png"
        jobs += [_Job(CONFUSION_MATRIX, partial(_confusion, run), name, wanted) for name, run in single.items()]
    with engine.quiet(), _own_pyplot():
        figures = [figure for job in jobs for figure in _draw(job, label.name)]
    return figures + [_in_folds(name, label) for name in runs if name not in single]


def _in_folds(name: str, label: Label) -> LudwigFigure:
    """Why a run in folds is not in the figures that are drawn from Ludwig's own statistics."""
    missed = ", ".join([PERFORMANCE, LEARNING_CURVES, *([] if label.multiple else [CONFUSION_MATRIX])])
    return LudwigFigure(missed, name, problem="trained in folds: Ludwig knows each fold, but not the whole")


def _draw(job: _Job, label: str) -> list[LudwigFigure]:
    """The figures of one visualization, or the one reason why there is none."""
    from ludwig import visualize

    missing = partial(LudwigFigure, job.visualization, job.subject)
    try:
        arguments = job.arguments()
    except InputError as error:
        return [missing(problem=error.message)]
    with TemporaryDirectory() as folder:
        try:
            getattr(visualize, job.visualization)(
                **arguments, output_feature_name=label, output_directory=folder, file_format="png"
            )
        except Exception as error:  # whatever Ludwig's drawing trips over; nothing of ours runs in here
            return [missing(problem=f"Ludwig gave up: {type(error).__name__}: {error}")]
        files = sorted(Path(folder).glob(job.wanted))
        if not files:
            return [missing(problem="Ludwig drew nothing")]
        metrics = [file.stem.removeprefix(f"{job.visualization}_{label}_") for file in files]
        return [
            LudwigFigure(job.visualization, job.subject or (metric if len(files) > 1 else ""), file.read_bytes())
            for metric, file in zip(metrics, files, strict=True)
        ]


def _performance(runs: Mapping[str, Run]) -> dict[str, Any]:
    return {
        "test_stats_per_model": [read_json(run.folder / engine.TEST_STATISTICS) for run in runs.values()],
        "model_names": list(runs),
    }


def _learning(runs: Mapping[str, Run]) -> dict[str, Any]:
    from ludwig.api import EvaluationFrequency, TrainingStats

    found = [read_json(run.folder / TRAINING_STATISTICS) for run in runs.values()]
    return {
        "train_stats_per_model": [
            TrainingStats(**{**stats, "evaluation_frequency": EvaluationFrequency(**stats["evaluation_frequency"])})
            for stats in found
        ],
        "model_names": list(runs),
    }


def _confusion(run: Run) -> dict[str, Any]:
    """Each run has its own order of classes, in which its matrix is written."""
    return {
        "test_stats_per_model": [read_json(run.folder / engine.TEST_STATISTICS)],
        "metadata": read_json(run.folder / engine.MODEL / METADATA),
        "top_n_classes": [0],
        "normalize": False,
        "model_names": ["run"],
    }


def _probabilities(predictions: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Probabilities `[rows, classes]` of every run over one order of classes, and the true class of each row."""
    truth = next(iter(predictions.values()))[LABEL]
    classes = sorted({*truth, *(name for frame in predictions.values() for name in classes_of(frame))})
    columns = [PROBABILITY + name for name in classes]
    return {
        "probabilities_per_model": [
            frame.reindex(columns=columns, fill_value=0.0).to_numpy(dtype=float) for frame in predictions.values()
        ],
        "ground_truth": np.asarray(pd.Index(classes).get_indexer(pd.Index(truth))),
        "metadata": {},
        "top_n_classes": [TOP_K],
        "model_names": list(predictions),
    }


@contextmanager
def _own_pyplot() -> Iterator[None]:
    """The pyplot that Ludwig draws with, without windows; what it changes for everybody is undone afterwards."""
    from ludwig.utils.visualization_utils import mpl, plt

    backend, before = mpl.get_backend(), set(plt.get_fignums())
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    plt.switch_backend("Agg")
    fonts.setLevel(logging.ERROR)  # it warns of every font weight that Ludwig asks for in vain
    try:
        with mpl.rc_context({"text.parse_math": False, "figure.max_open_warning": 0, "savefig.dpi": DPI}):
            yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
        plt.switch_backend(backend)
        fonts.setLevel(level)
