"""What a hand-held camera makes of a printed page: table, turn, perspective, light, blur, noise."""

import math
import random

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter

from leaflet_tool.prepare import camera
from leaflet_tool.prepare.sample.settings import Photo

FRAME = (760, 1080)
"""Width and height of a photograph held upright, pixels."""
HAZE = 150
"""The grey that haze draws everything towards."""


def photograph(page: Image.Image, photo: Photo, rng: random.Random) -> Image.Image:
    """The page on a table, as a camera saw it; an upright RGB image of `FRAME` size."""
    noise = np.random.default_rng(rng.getrandbits(64))
    if rng.random() < photo.crease:
        _crease(page, rng)
    image = _lay(page, _table(photo, rng, noise), _corners(page.size, photo, rng))
    bad = rng.random() < photo.bad
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(*(photo.bad_blur if bad else photo.blur))))
    return _expose(image, photo, rng, noise)


def _crease(page: Image.Image, rng: random.Random) -> None:
    """A fold across the page, with the shade below it."""
    draw = ImageDraw.Draw(page, "RGBA")
    width, height = page.size
    across = round(height * rng.choice([1 / 3, 1 / 2, 2 / 3]) + rng.uniform(-6, 6))
    draw.line((0, across, width, across + rng.uniform(-5, 5)), (60, 60, 60, 70), 3)
    draw.rectangle((0, across + 2, width, across + 60), (0, 0, 0, 14))


def _table(photo: Photo, rng: random.Random, noise: np.random.Generator) -> Image.Image:
    """A surface with grain along it, or cloudy as stone and cloth are."""
    rows, columns = (90, 6) if rng.random() < 0.6 else (10, 14)
    base = np.array(ImageColor.getrgb(rng.choice(photo.surfaces))[:3])
    cells = (base + 9 * noise.standard_normal((rows, columns, 1))).clip(0, 255).astype(np.uint8)
    return Image.fromarray(cells).resize(FRAME, Image.Resampling.BICUBIC)


def _corners(size: tuple[int, int], photo: Photo, rng: random.Random) -> list[camera.Point]:
    """Where the page's corners come to lie in the frame: moved, turned and seen at a slant."""
    scale = min(FRAME[0] / size[0], FRAME[1] / size[1]) * rng.uniform(0.9, 0.97)
    turn = math.radians(rng.gauss(0, photo.turn))
    middle = (FRAME[0] / 2 + rng.uniform(-12, 12), FRAME[1] / 2 + rng.uniform(-14, 14))
    return camera.corners(size, middle, turn, photo.perspective, rng, scale=scale)


def _lay(page: Image.Image, table: Image.Image, corners: list[camera.Point]) -> Image.Image:
    """The page on the table, with the soft shadow of its edge."""
    slanted = page.transform(
        FRAME, Image.Transform.PERSPECTIVE, camera.perspective(page.size, corners), Image.Resampling.BILINEAR
    )
    mask = Image.new("L", (2 * FRAME[0], 2 * FRAME[1]))
    ImageDraw.Draw(mask).polygon([(2 * x, 2 * y) for x, y in corners], fill=255)
    shadow = Image.new("L", FRAME)
    ImageDraw.Draw(shadow).polygon([(x + 7, y + 9) for x, y in corners], fill=120)
    table.paste((15, 12, 10), mask=shadow.reduce(4).filter(ImageFilter.GaussianBlur(2)).resize(FRAME))
    table.paste(slanted, mask=mask.reduce(2))
    return table


def _expose(image: Image.Image, photo: Photo, rng: random.Random, noise: np.random.Generator) -> Image.Image:
    """Uneven and tinted light, haze and the sensor's noise."""
    haze = rng.uniform(*photo.fade)
    light = (1 - haze) * rng.uniform(*photo.light)
    pixels = camera.lit(image, light, photo.tint, photo.shadow, rng)
    grain = noise.standard_normal(FRAME[::-1], dtype=np.float32) * np.float32(rng.uniform(*photo.noise))
    pixels += (grain + np.float32(HAZE * haze))[..., None]
    return camera.eight_bits(pixels)
