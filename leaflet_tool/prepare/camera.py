"""What a hand-held camera does to a flat page: where its corners come to lie, and how it is lit."""

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""Of a page, from the upper left, clockwise."""

Point = tuple[float, float]
Range = tuple[float, float]
Floats = NDArray[np.float32]


def corners(
    size: tuple[float, float], middle: Point, turn: float, slant: float, rng: random.Random, *, scale: float = 1.0
) -> list[Point]:
    """Where the corners of a page of that size come to lie around `middle`, turned by `turn` radians.

    Each corner is moved by chance as well; `slant` is the standard deviation, as a share of the page's width.
    """
    width, height = size
    placed = []
    for across, down in CORNERS:
        x, y = (across - 0.5) * width * scale, (down - 0.5) * height * scale
        placed.append(
            (
                middle[0] + x * math.cos(turn) - y * math.sin(turn) + rng.gauss(0, slant) * width,
                middle[1] + x * math.sin(turn) + y * math.cos(turn) + rng.gauss(0, slant) * width,
            )
        )
    return placed


def perspective(size: tuple[int, int], placed: list[Point]) -> list[float]:
    """The eight coefficients by which Pillow finds a frame's point in the page: a homography from four pairs."""
    rows, targets = [], []
    for (x, y), (across, down) in zip(placed, CORNERS, strict=True):
        u, v = across * size[0], down * size[1]
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(targets))]


def lit(image: Image.Image, light: float, tint: float, shadow: Range, rng: random.Random) -> Floats:
    """Levels [height, width, 3] under uneven, coloured light; they may exceed 255.

    `tint` is the standard deviation of a channel's gain, `shadow` the range of what is lost at the dark end.
    """
    gains = [light * (1 + rng.gauss(0, tint)) for _ in range(3)]
    pixels = np.asarray(image, dtype=np.float32) * np.array(gains, dtype=np.float32)
    pixels *= _shade(image.size, shadow, rng)[..., None]
    return pixels


def _shade(size: tuple[int, int], shadow: Range, rng: random.Random) -> Floats:
    """Light from 1 down to 1 - shadow across the frame, from a side of chance; (height, width)."""
    width, height = size
    way, sharpness = rng.uniform(0, 2 * math.pi), rng.uniform(1.5, 6)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * np.float32(math.cos(way))
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(math.sin(way))
    depth = (across + down - np.float32(rng.uniform(-0.4, 0.2))) * np.float32(sharpness) + np.float32(0.5)
    depth = depth.clip(0, 1)
    return 1 - np.float32(rng.uniform(*shadow)) * depth * depth * (3 - 2 * depth)


def eight_bits(pixels: Floats) -> Image.Image:
    """The picture of such levels, cut at black and white; `pixels` is used up."""
    return Image.fromarray(pixels.clip(0, 255, out=pixels).astype(np.uint8))
