"""What Tesseract is given to read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from leaflet_tool.prepare.images import TURNS
from leaflet_tool.prepare.rendition import ENLARGED, PIXELS, deskewed, flattened, rendition


def page(size: tuple[int, int] = (1200, 900), turn: float = 0.0) -> Image.Image:
    """A page of lines, turned against the clock."""
    image, font = Image.new("L", size, 255), ImageFont.load_default(size=28)
    for top in range(60, size[1] - 90, 60):
        ImageDraw.Draw(image).text((90, top), "Vote for a greener town today " * 2, font=font)
    return image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=255)


def evenness(image: Image.Image) -> float:
    """How much rows differ in ink: large when lines are level."""
    rows = np.asarray(image, dtype=float).mean(axis=1)
    return float((np.diff(rows) ** 2).sum())


@pytest.mark.parametrize("turn", [-4.5, -3.0, -1.25, 1.0, 2.5, 4.0])
def test_a_skewed_page_is_set_straight(turn: float) -> None:
    straight = deskewed(page(turn=turn))
    assert evenness(page(turn=turn)) < 0.5 * evenness(straight)
    assert evenness(straight) > 0.6 * evenness(page())


@pytest.mark.parametrize("turn", [0.0, 15.0, 90.0])
def test_what_is_straight_or_far_off_stays(turn: float) -> None:
    picture = page(turn=turn)
    assert deskewed(picture) is picture


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (500, 2), (640, 480)])
def test_empty_pages_of_any_size_pass(size: tuple[int, int]) -> None:
    for level in (0, 255):
        picture = Image.new("L", size, level)
        assert deskewed(flattened(picture)).size == size


def test_a_shadow_is_taken_out_and_print_is_kept() -> None:
    shade = np.linspace(1.0, 0.35, 1200)
    dark = Image.fromarray((np.asarray(page(), dtype=float) * shade).astype(np.uint8))
    flat = np.asarray(flattened(dark))
    paper = flat[5:40, 40:-40]
    assert paper.min() > 215
    assert np.asarray(dark)[5:40, 40:-40].min() < 100
    assert (flat < 90).sum() > 0.8 * (np.asarray(page()) < 90).sum()


@pytest.mark.parametrize(
    ("size", "expected"),
    [((300, 400), (600, 800)), ((3000, 4000), (1369, 1826)), ((5000, 500), (5000, 500)), ((1, 1), (2, 2))],
)
def test_size_is_bounded_by_pixels_and_enlargement(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    Image.new("RGB", size, "white").save(tmp_path / "a.png")
    found = rendition(tmp_path / "a.png")
    assert found.mode == "L"
    assert found.size == expected
    assert found.width * found.height <= PIXELS * 1.001
    assert found.width <= ENLARGED * size[0]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_gives_the_same_pixels(tmp_path: Path, turn: int) -> None:
    """Tesseract's layout may turn on the last bit of a pixel."""
    chance = np.random.default_rng(1)
    page = Image.fromarray(chance.integers(0, 256, (411, 287, 3), dtype=np.uint8))
    page.save(tmp_path / "upright.png")
    page.transpose(TURNS[360 - turn]).save(tmp_path / "turned.png")
    upright, turned = (np.asarray(rendition(tmp_path / f"{name}.png")) for name in ("upright", "turned"))
    assert np.array_equal(np.rot90(turned, -turn // 90), upright)
