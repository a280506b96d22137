"""95 % intervals by the bootstrap over groups: leaflets are drawn, and their pages come along.

Pages of a leaflet resemble each other; drawing pages one by one would pretend to more evidence than there is. A limit
of the method: with few groups, or figures near 0 or 1, the intervals are too narrow. Intervals are those of the
percentiles, but for a figure that resampling raises: see `basic_interval`.
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


def basic_interval(value: ArrayLike, resampled: FloatArray, groups: int) -> Interval:
    """As `interval`, for a share that chance raises: the basic bootstrap interval, within 0 and 1, out to `value`.

    Rows are less calibrated than what they were drawn from, and a resample is less calibrated than its rows: the
    percentiles lie high twice over. The basic interval (Davison and Hinkley 1997, Bootstrap Methods, eq. 5.6) reflects
    them at the value, which takes the bias off. Where the bias is larger than the spread it would end below the value,
    and is widened to hold it. Of well calibrated models it holds the true error far more often than the percentiles do,
    of others about as often.
    """
    found = interval(value, resampled, groups)
    if found["low"] is None or found["high"] is None:
        return found
    middle = found["value"]
    low, high = 2 * middle - found["high"], 2 * middle - found["low"]
    return {"value": middle, "low": max(0.0, min(low, middle)), "high": min(1.0, max(high, middle))}
