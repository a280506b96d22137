"""Areas under precision-recall curves and the ranking loss, for whole stacks of resamples at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from leaflet_tool.measure.label_sets import BoolArray
from leaflet_tool.measure.metrics import ratio
from leaflet_tool.measure.predictions import FloatArray

_CELLS = 1_000_000
"""Cells of an array of (cuts, resamples) at a time (8 MB)."""


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest probability down, cut after each probability that a positive row has.

    Sparse counts `[cuts, groups]` of the rows between the cut before and this one's own probability, of the rows with
    that probability, and of the positives among these; and that probability and the next lower one, 0 after the last.
    What lies below the last positive changes no area, and no best F score.
    """

    between: csr_array
    tied: csr_array
    positives: csr_array
    values: FloatArray
    below: FloatArray

    def areas(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Average precision and trapezoid area of each of the `[resamples, groups]`; NaN without a positive."""
        block = max(1, _CELLS // max(1, len(self.values)))
        parts = [self._areas(weights[start : start + block]) for start in range(0, len(weights), block)]
        average, trapezoid = zip(*parts, strict=True)
        return np.concatenate(average), np.concatenate(trapezoid)

    def _areas(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        columns = np.ascontiguousarray(weights.T)
        found, between = self.positives @ columns, self.between @ columns
        passed = between + self.tied @ columns
        right, rows = np.cumsum(found, axis=0), np.cumsum(passed, axis=0)
        precision, above = ratio(right, rows), rows - passed + between
        before = np.divide(right - found, above, out=np.ones_like(above), where=above > 0)
        whole = found.sum(axis=0)
        average, trapezoid = (found * precision).sum(axis=0), (found * (precision + before) / 2).sum(axis=0)
        return share_of(average, whole), share_of(trapezoid, whole)

    def counts(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positives and all rows down to each cut in each of the `[resamples, groups]`: `[cuts, resamples]`."""
        columns = np.ascontiguousarray(weights.T)
        rows = (self.between + self.tied) @ columns
        return np.cumsum(self.positives @ columns, axis=0), np.cumsum(rows, axis=0)


def ranking(truth: BoolArray, probabilities: FloatArray, groups: NDArray[np.intp], count: int) -> Ranking:
    """The ranking of rows of `count` groups; rows of one probability are one step, as in scikit-learn."""
    order = np.argsort(-probabilities, kind="stable")
    values, positive, owners = probabilities[order], truth[order], groups[order]
    first = np.insert(values[1:] != values[:-1], 0, True)[: len(values)]
    ties = np.cumsum(first) - 1
    is_cut = np.bincount(ties, positive) > 0
    cuts = (np.cumsum(is_cut) - is_cut)[ties]
    tied, steps = is_cut[ties], values[first]

    def counted(chosen: BoolArray) -> csr_array:
        places = (cuts[chosen], owners[chosen])
        return csr_array((np.ones(len(places[0])), places), shape=(int(is_cut.sum()), count))

    return Ranking(
        between=counted(~tied & (cuts < is_cut.sum())),
        tied=counted(tied),
        positives=counted(positive),
        values=steps[is_cut],
        below=np.append(steps[1:], 0.0)[: len(steps)][is_cut],
    )


def ranking_losses(truth: BoolArray, probabilities: FloatArray) -> FloatArray:
    """Share of each row's pairs of a true and another label in which the other is not less probable (rows).

    NaN where a row has no label or every one: it has no such pair. (scikit-learn's mean counts these rows as 0.)
    """
    order = np.argsort(probabilities, axis=1, kind="stable")
    values, true = np.take_along_axis(probabilities, order, 1), np.take_along_axis(truth, order, 1)
    places = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    starts = np.insert(values[:, 1:] != values[:, :-1], 0, True, axis=1)
    tie = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    lower = np.take_along_axis(np.cumsum(~true, axis=1) - ~true, tie, 1)
    others = (~true).sum(axis=1)
    pairs = true.sum(axis=1) * others
    wrong = (true * (others[:, None] - lower)).sum(axis=1)
    return np.divide(wrong, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def share_of(part: FloatArray, whole: FloatArray) -> FloatArray:
    """`part / whole`, NaN where `whole` is 0: nothing there to be a share of."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
