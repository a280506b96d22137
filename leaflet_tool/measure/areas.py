"""Where on a page the weights of a model lie: sums on a coarse grid, and the areas that weigh most."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

type FloatArray = NDArray[np.float64]
SHARE = 4
"""An area is a quarter of the grid a side, so that all are as large and their weights compare."""
STANDS_OUT = 0.3
"""An area that weighs less than this share of the heaviest is not named."""
SMOOTHING = 0.6
"""Standard deviation of the smoothing with which weights are drawn, cells."""


@dataclass(frozen=True)
class Area:
    """A box on the page, its edges as shares of the page's width and height, and what it weighs."""

    left: float
    top: float
    right: float
    bottom: float
    weight: float


def gridded(weights: FloatArray, side: int, *, mean: bool = False) -> FloatArray:
    """`[height, width]` summed, or averaged, up to `[side, side]` cells, or fewer where there are fewer pixels."""
    for axis in (0, 1):
        size = weights.shape[axis]
        edges = np.linspace(0, size, min(side, size) + 1).astype(int)
        weights = np.add.reduceat(weights, edges[:-1], axis=axis)
        if mean:
            weights = weights / np.expand_dims(np.diff(edges), 1 - axis)
    return weights


def smoothed(grid: FloatArray) -> FloatArray:
    """The grid as it is drawn."""
    return ndimage.gaussian_filter(grid, SMOOTHING, mode="nearest")


def areas(grid: FloatArray, shown: int, *, mean: bool = False) -> list[Area]:
    """The heaviest area, for or against, then the heaviest that does not overlap it, and so on: `shown` at most.

    An area weighs what its cells sum up to or, with `mean`, what they weigh on average.
    """
    rows, columns = (max(1, size // SHARE) for size in grid.shape)
    windows = sliding_window_view(grid, (rows, columns))
    weights = (windows.mean(axis=(2, 3)) if mean else windows.sum(axis=(2, 3))).copy()
    least, found = STANDS_OUT * abs(weights).max(), list[Area]()
    while len(found) < shown:
        row, column = np.unravel_index(abs(weights).argmax(), weights.shape)
        weight = float(weights[row, column])
        if not weight or abs(weight) < least:
            break
        found.append(_area(int(row), int(column), rows, columns, grid.shape, weight))
        weights[max(0, row - rows + 1) : row + rows, max(0, column - columns + 1) : column + columns] = 0
    return found


def _area(row: int, column: int, rows: int, columns: int, shape: tuple[int, ...], weight: float) -> Area:
    height, width = shape
    return Area(column / width, row / height, (column + columns) / width, (row + rows) / height, weight)
