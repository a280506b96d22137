"""Metrics of one class a row, each computed from sums over rows, so that whole stacks of resamples cost one product.

Definitions agree with scikit-learn's (`zero_division=0`). Leading axes of every array are groups or resamples; there is
none in the figures of the rows themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.predictions import (
    CONFIDENCE,
    LABEL,
    PREDICTED,
    FloatArray,
    classes_of,
    label_places,
    label_probabilities,
    log_losses,
    probabilities_of,
)

BINS = 15
"""Equal-width bins of confidence, as in Guo et al. 2017, On Calibration of Modern Neural Networks."""
TOP = 3


class Sums:
    """Sums over rows: every field is (groups, …), or (…) once they are summed over groups."""

    def weighted(self, weights: FloatArray) -> Self:
        """Sums over the first axis with `weights`: (groups) gives one set of sums, (resamples, groups) a stack."""
        return type(self)(*(weights @ getattr(self, field.name) for field in fields(self)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class CategorySums(Sums):
    """What the metrics need to know of some rows; (…, classes), (…) and (…, bins) for class, row and bin sums."""

    hits: FloatArray
    predicted: FloatArray
    support: FloatArray
    log_loss: FloatArray
    top_3: FloatArray
    bin_rows: FloatArray
    bin_hits: FloatArray
    bin_confidence: FloatArray

    def total(self) -> Self:
        """Sums over the first axis."""
        return self.weighted(np.ones(len(self.log_loss)))

    @property
    def rows(self) -> FloatArray:
        """How many rows were summed (…)."""
        return self.support.sum(axis=-1)


def all_classes(predictions: pd.DataFrame) -> list[str]:
    """The model's classes and the labels it never saw, sorted."""
    return sorted({*classes_of(predictions), *predictions[LABEL]})


def unseen_labels(predictions: pd.DataFrame) -> dict[str, int]:
    """Rows of each label for which the model has no probability; they count as wrong in every metric."""
    unseen = predictions.loc[~predictions[LABEL].isin(classes_of(predictions)), LABEL]
    return {str(name): int(rows) for name, rows in unseen.value_counts().sort_index().items()}


def category_sums(predictions: pd.DataFrame) -> CategorySums:
    """The sums of each group (groups in order of appearance); class sums run over `all_classes`."""
    groups, names = pd.factorize(predictions[GROUP])
    classes = all_classes(predictions)
    truth, predicted = _positions(predictions[LABEL], classes), _positions(predictions[PREDICTED], classes)
    right, confidence = truth == predicted, predictions[CONFIDENCE].to_numpy(dtype=float)
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    every = np.ones(len(predictions))

    def sums(cells: NDArray[np.intp], values: FloatArray, width: int) -> FloatArray:
        return np.bincount(groups * width + cells, values, len(names) * width).reshape(len(names), width)

    return CategorySums(
        hits=sums(truth, right.astype(float), len(classes)),
        predicted=sums(predicted, every, len(classes)),
        support=sums(truth, every, len(classes)),
        log_loss=np.bincount(groups, log_losses(label_probabilities(predictions))),
        top_3=np.bincount(groups, _among_top(predictions)),
        bin_rows=sums(bins, every, BINS),
        bin_hits=sums(bins, right.astype(float), BINS),
        bin_confidence=sums(bins, confidence, BINS),
    )


def _positions(names: pd.Series, classes: list[str]) -> NDArray[np.intp]:
    """Where in `classes` each name is, -1 for one that is not there."""
    return pd.Index(classes).get_indexer(pd.Index(names))


def _among_top(predictions: pd.DataFrame) -> FloatArray:
    """1 where the label is among the three most probable classes; of equals the first counts, as in `predicted`."""
    order = np.argsort(-probabilities_of(predictions), axis=1, kind="stable")[:, :TOP]
    return (order == label_places(predictions)[:, None]).any(axis=1).astype(float)


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """`part / whole`, 0 where `whole` is 0."""
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)


def precision(sums: CategorySums) -> FloatArray:
    """Share of right ones among the rows predicted as the class (…, classes)."""
    return ratio(sums.hits, sums.predicted)


def recall(sums: CategorySums) -> FloatArray:
    """Share of the class's rows that were found (…, classes)."""
    return ratio(sums.hits, sums.support)


def f1(sums: CategorySums) -> FloatArray:
    """Harmonic mean of precision and recall (…, classes)."""
    return ratio(2 * sums.hits, sums.predicted + sums.support)


def accuracy(sums: CategorySums) -> FloatArray:
    """Share of rows that are right. What Ludwig calls `accuracy` is `balanced_accuracy` here."""
    return sums.hits.sum(axis=-1) / sums.rows


def balanced_accuracy(sums: CategorySums) -> FloatArray:
    """Mean recall over the classes that occur in the truth."""
    return np.mean(recall(sums), axis=-1, where=sums.support > 0)


def macro_f1(sums: CategorySums) -> FloatArray:
    """Mean F1 over the classes that occur in the truth or in the predictions."""
    return np.mean(f1(sums), axis=-1, where=(sums.support > 0) | (sums.predicted > 0))


def weighted_f1(sums: CategorySums) -> FloatArray:
    """Mean F1 weighted by the rows of each class."""
    return (f1(sums) * sums.support).sum(axis=-1) / sums.rows


def log_loss(sums: CategorySums) -> FloatArray:
    """Mean negative log-probability of the label, in nats; probabilities count as at least 1e-15."""
    return sums.log_loss / sums.rows


def expected_calibration_error(sums: CategorySums) -> FloatArray:
    """Gap between confidence and accuracy in 15 bins of confidence, weighted by rows (Guo et al. 2017, eq. 3)."""
    return np.abs(sums.bin_confidence - sums.bin_hits).sum(axis=-1) / sums.rows


def top_3_accuracy(sums: CategorySums) -> FloatArray:
    """Share of rows whose label is among the three most probable classes; says nothing with three classes or fewer."""
    return sums.top_3 / sums.rows


METRICS: dict[str, Callable[[CategorySums], FloatArray]] = {
    metric.__name__: metric
    for metric in (
        accuracy,
        balanced_accuracy,
        macro_f1,
        weighted_f1,
        log_loss,
        expected_calibration_error,
        top_3_accuracy,
    )
}
RAISED_BY_CHANCE = frozenset({"expected_calibration_error"})
"""Shares that come out higher the fewer rows there are, and higher still in a resample."""
LOWER_IS_BETTER = frozenset({"log_loss", "expected_calibration_error", "ranking_loss", "coherence_violations"})


def per_class(sums: CategorySums, classes: list[str]) -> dict[str, dict[str, float | int]]:
    """Precision, recall, F1 and support (rows); all are 0 for a class that neither occurs nor is predicted."""
    columns = zip(classes, precision(sums), recall(sums), f1(sums), sums.support, strict=True)
    return {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(rows)}
        for name, p, r, f, rows in columns
    }


def confusion(predictions: pd.DataFrame) -> dict[str, Any]:
    """`classes` and `counts`: one row a true class, one column a predicted class, in the order of `classes`."""
    classes = all_classes(predictions)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (_positions(predictions[LABEL], classes), _positions(predictions[PREDICTED], classes)), 1)
    return {"classes": classes, "counts": counts.tolist()}


def calibration(sums: CategorySums) -> list[dict[str, float | int]]:
    """Rows, mean confidence and accuracy of each bin that has rows, from the least confident to the most."""
    return reliability(sums.bin_rows, sums.bin_confidence, sums.bin_hits)


def reliability(rows: FloatArray, confidence: FloatArray, hits: FloatArray) -> list[dict[str, float | int]]:
    """Rows, mean confidence and accuracy of each bin that has rows, of the bins' sums (bins)."""
    return [
        {"rows": int(count), "confidence": float(sure / count), "accuracy": float(right / count)}
        for count, sure, right in zip(rows, confidence, hits, strict=True)
        if count
    ]
