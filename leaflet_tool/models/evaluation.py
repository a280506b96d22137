"""A finished run judged again: on another split of its data, or on another archive."""

from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import SPLIT, own, read_prepared
from leaflet_tool.models import checks, confidence, definitions, rows, scoring
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import CONFIG, ROWS, Run, metrics_name
from leaflet_tool.storage import write_json


def on_split(run: Run, split: str) -> dict[str, Any]:
    """Figures of one split from the run's predictions, kept beside metrics.json; test figures are those it has."""
    if split == "test":
        metrics = run.metrics()
        return metrics if confidence.KEY in metrics else _with_confidence(metrics, run)
    if run.folds:
        raise InputError(
            f"run {run.name} was trained in folds: every page was tested once, there is no {split} split",
            hint="evaluate it without --split",
        )
    rivals = scoring.baselines(rows.read(run.folder / ROWS), run.label, split=split, **_reading(run))
    metrics = scoring.figures(run.predictions(), rivals, split=split, **_terms(run))
    write_json(run.folder / metrics_name(split), metrics)
    return metrics


def on_other_data(run: Run, folder: Path) -> dict[str, Any]:
    """Figures of the run on every page of another prepared folder; its own training rows are refused."""
    prepared, label = read_prepared(folder), run.label
    if prepared.label != label:
        raise InputError(
            f"{folder} has the label {prepared.label.name!r}, run {run.name} predicts {label.name!r}",
            hint="prepare it with the same label",
        )
    if prepared.digest == run.facts["data"]["manifest_sha256"]:
        raise InputError(f"{folder} is what run {run.name} was trained on", hint="use --split instead of --data")
    pages = own(prepared.frame).assign(**{SPLIT: "test"})
    known = own(rows.in_words(rows.read(run.folder / ROWS), label))
    rivals = scoring.baselines_on(known, pages, label, **_reading(run))
    predictions = predict_pages(run, pages, folder)
    metrics = scoring.figures(predictions, rivals, **_terms(run))
    return {**metrics, confidence.KEY: confidence.figures_on(run, predictions)}


def _with_confidence(metrics: dict[str, Any], run: Run) -> dict[str, Any]:
    """The figures of a run that was trained before its confidence was judged."""
    return {**metrics, confidence.KEY: confidence.figures(run, run.predictions(), **confidence.chance_of(run))}


def _terms(run: Run) -> dict[str, Any]:
    """How the run's predictions are judged, today as on the day it was trained."""
    return {"taxonomy": run.taxonomy, "follows": checks.followed(run), **confidence.chance_of(run)}


def _reading(run: Run) -> dict[str, Any]:
    """What the run's baselines read, what their thresholds are fitted for, and their chance."""
    config = definitions.read(run.folder / CONFIG).content
    read = scoring.texts(checks.columns(config))
    return {"read": read, "objective": run.threshold_objective, "seed": run.facts["seed"]}
