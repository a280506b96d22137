"""95 % intervals by the percentile bootstrap over groups: leaflets are drawn, and their pages come along.

Pages of a leaflet resemble each other; drawing pages one by one would pretend to more evidence than there is. Two
limits of the method: with few groups, or figures near 0 or 1, the intervals are too narrow; and a resample is a little
less calibrated than its rows, so the interval of the expected calibration error lies high and may leave its value out.
"""

from collections.abc import Iterator
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from leaflet_tool.measure.predictions import FloatArray

LEVEL = 0.95
_CELLS = 4_000_000
"""Weights held at a time (32 MB), so that many groups don't need much memory."""


class Interval(TypedDict):
    """A figure and its bounds, which are None where no interval could be had."""

    value: float
    low: float | None
    high: float | None


def bootstrap_weights(groups: int, *, seed: int, resamples: int) -> Iterator[FloatArray]:
    """How often each group is drawn when `groups` are drawn with replacement: blocks of (some resamples, groups)."""
    chance = np.random.default_rng(seed)
    block = max(1, _CELLS // groups)
    for start in range(0, resamples, block):
        count = min(block, resamples - start)
        drawn = chance.integers(groups, size=(count, groups)) + groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(float)


def interval(value: ArrayLike, resampled: FloatArray, groups: int) -> Interval:
    """`value` with the bounds of its 95 % interval; they are None for a single group, which shows no spread at all."""
    if groups < 2 or not len(resampled):
        return {"value": float(np.asarray(value)), "low": None, "high": None}
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(np.asarray(value)), "low": float(low), "high": float(high)}
