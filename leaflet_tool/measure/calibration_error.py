"""How far probabilities are from what comes true, before and after they are calibrated, on the same rows.

Of one label a row, the calibration error is that of the confidence in what is predicted; of several, that of the
probability of every pair of a row and a label, which also log loss and Brier score are means over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.intervals import Interval, basic_interval, bootstrap_weights, interval
from leaflet_tool.measure.label_sets import BoolArray, all_labels, is_multiple, truth_matrix
from leaflet_tool.measure.metrics import Sums, reliability
from leaflet_tool.measure.predictions import (
    CONFIDENCE,
    LABEL,
    PREDICTED,
    PROBABILITY,
    FloatArray,
    label_probabilities,
    log_losses,
    probabilities_of,
)

BINS, ROWS_A_BIN = 15, 10
"""Bins hold equally many rows (Nguyen and O'Connor 2015), of few rows there are fewer bins."""
FIGURES = ("calibration_error", "log_loss", "brier")
RAISED_BY_CHANCE = frozenset({"calibration_error"})


@dataclass(frozen=True)
class ErrorSums(Sums):
    """Sums of some rows or pairs; (…, bins) for those of bins, else (…), where … is groups, resamples or nothing."""

    rows: FloatArray
    log_loss: FloatArray
    brier: FloatArray
    bin_rows: FloatArray
    bin_confidence: FloatArray
    bin_hits: FloatArray

    def figures(self) -> dict[str, FloatArray]:
        """FIGURES (…): gap between confidence and share of right ones over bins, nats, and squared distance."""
        gaps = np.abs(self.bin_confidence - self.bin_hits).sum(axis=-1)
        return dict(zip(FIGURES, (each / self.rows for each in (gaps, self.log_loss, self.brier)), strict=True))

    def bins(self) -> list[dict[str, float | int]]:
        """Rows, mean confidence and accuracy of each bin that has rows, as `metrics.calibration` gives them."""
        return reliability(self.bin_rows, self.bin_confidence, self.bin_hits)


def before_and_after(before: pd.DataFrame, after: pd.DataFrame, *, seed: int, resamples: int) -> dict[str, Any]:
    """FIGURES of two frames of the same rows with intervals, their differences (after - before), and the bins of both.

    Groups are drawn, the same in both; a calibration error has basic intervals, as in `intervals.basic_interval`.
    """
    sums = {"before": error_sums(before), "after": error_sums(after)}
    groups = len(sums["before"].rows)
    totals = {when: each.weighted(np.ones(groups)) for when, each in sums.items()}
    values = {when: total.figures() for when, total in totals.items()}
    blocks = [
        {when: each.weighted(weights).figures() for when, each in sums.items()}
        for weights in bootstrap_weights(groups, seed=seed, resamples=resamples)
    ]
    drawn = {when: _joined([block[when] for block in blocks]) for when in sums}
    intervals: dict[str, dict[str, Interval]] = {
        when: {
            name: (basic_interval if name in RAISED_BY_CHANCE else interval)(value, drawn[when][name], groups)
            for name, value in values[when].items()
        }
        for when in sums
    }
    difference = {
        name: interval(
            values["after"][name] - values["before"][name], drawn["after"][name] - drawn["before"][name], groups
        )
        for name in FIGURES
    }
    reliability = {when: total.bins() for when, total in totals.items()}
    return {**intervals, "difference": difference, "reliability": reliability}


def _joined(blocks: Sequence[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    return {name: np.concatenate([block[name] for block in blocks] or [np.empty(0)]) for name in FIGURES}


def error_sums(predictions: pd.DataFrame) -> ErrorSums:
    """The sums of each group."""
    owners, names = pd.factorize(predictions[GROUP])
    if is_multiple(predictions):
        confidence, right, losses, distances = _of_pairs(predictions)
        owners = np.repeat(owners, len(confidence) // len(owners))
    else:
        confidence, right, losses, distances = _of_rows(predictions)
    bins, count = equal_bins(confidence)

    def sums(values: FloatArray) -> FloatArray:
        return np.bincount(owners * count + bins, values, len(names) * count).reshape(len(names), count)

    return ErrorSums(
        rows=np.bincount(owners, minlength=len(names)).astype(float),
        log_loss=np.bincount(owners, losses, len(names)),
        brier=np.bincount(owners, distances, len(names)),
        bin_rows=sums(np.ones(len(bins))),
        bin_confidence=sums(confidence),
        bin_hits=sums(right.astype(float)),
    )


def equal_bins(confidence: FloatArray) -> tuple[np.ndarray, int]:
    """The bin of each value and how many bins there are: of equally many values, but equal values share a bin."""
    count = min(BINS, max(1, len(confidence) // ROWS_A_BIN))
    edges = np.quantile(confidence, np.arange(1, count) / count)
    return np.searchsorted(edges, confidence, side="right"), count


def _of_rows(predictions: pd.DataFrame) -> tuple[FloatArray, BoolArray, FloatArray, FloatArray]:
    """Confidence, whether it is right, loss and Brier score of each row; a label never seen has probability 0."""
    values, given = probabilities_of(predictions), label_probabilities(predictions)
    right = (predictions[PREDICTED] == predictions[LABEL]).to_numpy()
    distances = (values**2).sum(axis=1) - 2 * given + 1
    return predictions[CONFIDENCE].to_numpy(dtype=float), right, log_losses(given), distances


def _of_pairs(predictions: pd.DataFrame) -> tuple[FloatArray, BoolArray, FloatArray, FloatArray]:
    """Probability, truth, loss and Brier score of each pair, row after row."""
    labels = all_labels(predictions)
    truth = truth_matrix(predictions, labels).ravel()
    columns = [PROBABILITY + name for name in labels]
    values = predictions.reindex(columns=columns, fill_value=0.0).to_numpy(dtype=float).ravel()
    return values, truth, log_losses(np.where(truth, values, 1 - values)), (values - truth) ** 2
