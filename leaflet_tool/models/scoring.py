"""From a trained model to predictions and figures: every page once, joined by id, beside the baselines."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import GROUP, ID, SPLIT, TEXT, Label, own
from leaflet_tool.measure.baselines import baseline_predictions
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.predictions import from_probabilities
from leaflet_tool.models import engine, rows
from leaflet_tool.models.runs import ROWS


def predict(model: Any, table: pd.DataFrame, label: str, *, statistics: Path | None = None) -> pd.DataFrame:
    """Class probabilities for the rows of `table` (as Ludwig wants them), in their order, columns sorted by class.

    With `statistics`, a folder, Ludwig evaluates the rows too and leaves there what `ludwig visualize` reads.
    """
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / ROWS
        rows.write(table, path)
        found = engine.evaluate(model, path, statistics) if statistics else engine.predict(model, path)
    if len(found) != len(table):
        raise TrainingError(
            f"Ludwig returned {len(found)} predictions for {len(table)} rows, so they can't be told apart",
            hint="look for empty cells in the columns that the definition reads",
        )
    return engine.probabilities(model, found, label)


def predict_all(folder: Path, label: Label, split: str = "test") -> pd.DataFrame:
    """The predictions frame of the archive's own pages in a Ludwig directory; Ludwig itself evaluates `split`, too."""
    table = own(rows.read(folder / ROWS))
    model = engine.load(folder)
    judged = table[SPLIT] == rows.SPLIT_NUMBERS[split]
    parts = [(table[judged], folder), (table[~judged], None)]
    frames = [
        predictions_of(part, predict(model, part, label.name, statistics=statistics), label)
        for part, statistics in parts
        if len(part)
    ]
    return pd.concat(frames).set_index(ID).loc[table[ID]].reset_index()


def predictions_of(table: pd.DataFrame, probabilities: pd.DataFrame, label: Label) -> pd.DataFrame:
    """The predictions frame of ludwig.csv's rows and their probabilities."""
    named = rows.in_words(table, label)
    return from_probabilities(named[[ID, GROUP, SPLIT]], named[label.name], probabilities)


def baselines(table: pd.DataFrame, label: Label, *, split: str = "test", seed: int) -> dict[str, pd.DataFrame]:
    """Predictions frames of both baselines for `split`, learned from the training rows of ludwig.csv.

    Altered copies teach them nothing: they have the text and the label of their page.
    """
    named = own(rows.in_words(table, label))
    train, judged = named[named[SPLIT] == "train"], named[named[SPLIT] == split]
    return baseline_predictions(train, judged, text=TEXT, label=label.name, seed=seed)


def figures(
    predictions: pd.DataFrame,
    rivals: dict[str, pd.DataFrame],
    *,
    split: str = "test",
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """What metrics.json holds: the run's figures on `split` and its rivals' on the same rows."""
    judged = predictions[predictions[SPLIT] == split]
    return {
        "split": split,
        **evaluate(judged, seed=seed, resamples=resamples),
        "baselines": {name: evaluate(frame, seed=seed, resamples=resamples) for name, frame in rivals.items()},
    }
