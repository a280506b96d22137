"""Grids of weights, and the areas in them."""

import numpy as np
import pytest

from leaflet_tool.measure.areas import areas, gridded


@pytest.mark.parametrize("shape", [(64, 64), (50, 37), (5, 7), (224, 3)])
def test_a_grid_has_the_sum_of_its_pixels(shape: tuple[int, int]) -> None:
    weights = np.random.default_rng(1).normal(size=shape)
    grid = gridded(weights, 12)
    assert grid.shape == (min(12, shape[0]), min(12, shape[1]))
    assert grid.sum() == pytest.approx(weights.sum())
    assert gridded(np.full(shape, 0.5), 12, mean=True) == pytest.approx(np.full(grid.shape, 0.5))


def test_the_heaviest_areas_are_found_where_they_are_with_their_signs() -> None:
    grid = np.zeros((12, 12))
    grid[1:4, 8:11] = 1.0
    grid[8:11, 1:4] = -0.5
    first, second = areas(grid, 5)
    assert (first.left, first.top, first.right, first.bottom) == pytest.approx((8 / 12, 1 / 12, 11 / 12, 4 / 12))
    assert (first.weight, second.weight) == pytest.approx((9.0, -4.5))
    assert [area.weight for area in areas(grid, 1, mean=True)] == pytest.approx([1.0])


def test_areas_do_not_overlap_and_small_ones_are_not_named() -> None:
    grid = np.random.default_rng(2).random((12, 12))
    found = areas(grid, 9)
    assert len(found) > 3
    for number, area in enumerate(found):
        for other in found[:number]:
            apart = area.right <= other.left + 1e-9 or other.right <= area.left + 1e-9
            assert apart or area.bottom <= other.top + 1e-9 or other.bottom <= area.top + 1e-9
    grid = np.zeros((12, 12))
    grid[0, 0], grid[11, 11] = 1.0, 0.2
    assert len(areas(grid, 3)) == 1


def test_nothing_weighs_nothing() -> None:
    assert areas(np.zeros((12, 12)), 3) == []
    assert len(areas(np.ones((1, 1)), 3)) == 1
