"""What a model of several labels a row has to beat: `baselines` once a label, with thresholds from validation rows."""

from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, classes_of
from leaflet_tool.measure import thresholds
from leaflet_tool.measure.baselines import MAJORITY, TFIDF_LOGISTIC, logistic, repeated, vectorised
from leaflet_tool.measure.label_sets import BoolArray, from_label_probabilities, matrix
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.taxonomy import Taxonomy


def baseline_label_predictions(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    judged: pd.DataFrame,
    *,
    text: str,
    label: str,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Predictions frames of both baselines for `judged`, learned from `train`; all three are rows of a manifest.

    Thresholds are fitted on `validation` for `objective`, or 0.5 where that has no row. A label without a training row
    has the probability 0.
    """
    if train.empty or judged.empty:
        raise InputError(
            f"there is no {'training' if train.empty else 'judged'} row for the baselines",
            hint="check the split column of the manifest",
        )
    rows = pd.concat([validation, judged], ignore_index=True)
    classes = classes_of([*train[label], *rows[label]], multiple=True)
    truth = matrix(train[label], classes)
    shares = pd.Series(truth.mean(axis=0), index=classes)
    learned = label_tfidf_logistic(train[text], truth, rows[text], classes, seed=seed)
    found = {MAJORITY: repeated(shares, len(rows)), TFIDF_LOGISTIC: learned}
    how: dict[str, Any] = {"objective": objective, "seed": seed}
    return {name: with_thresholds(values, validation, judged, label, **how) for name, values in found.items()}


def with_thresholds(
    probabilities: pd.DataFrame,
    validation: pd.DataFrame,
    judged: pd.DataFrame,
    label: str,
    taxonomy: Taxonomy | None = None,
    *,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
) -> pd.DataFrame:
    """The frame of the later rows of `probabilities`, with thresholds from the earlier ones, coherent by `taxonomy`."""
    known, new = probabilities.iloc[: len(validation)], probabilities.iloc[len(validation) :]
    if validation.empty:
        return from_label_probabilities(judged, judged[label], new, taxonomy=taxonomy)
    truth = matrix(validation[label], list(known.columns))
    fitted = thresholds.fit(known, truth, groups=validation[GROUP], objective=objective, seed=seed)
    return from_label_probabilities(judged, judged[label], new, fitted.by_label, taxonomy)


def label_tfidf_logistic(
    train_texts: pd.Series, truth: BoolArray, texts: pd.Series, classes: list[str], *, seed: int
) -> pd.DataFrame:
    """Each label's probability in each of `texts`, by a model of its own: `[texts, classes]`.

    It is the label's share in training where all rows, or none, have it, or where the training texts have no word.
    """
    columns: dict[str, Any] = {name: np.full(len(texts), truth[:, place].mean()) for place, name in enumerate(classes)}
    found = vectorised(train_texts, texts)
    if found is not None:
        train, test = found
        for place, name in enumerate(classes):
            if 0 < truth[:, place].sum() < len(truth):
                columns[name] = logistic(train, truth[:, place], seed=seed).predict_proba(test)[:, 1]
    return pd.DataFrame(columns)
