"""Alterations: each does what it says, all of it from given chance, and a copy is never left as its page was."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from leaflet_tool.errors import InputError
from leaflet_tool.prepare import camera
from leaflet_tool.prepare.augment import DRAWN, Augment, Task, altered, altered_copy, chosen, reworded
from leaflet_tool.prepare.dataset import build, overridden

NONE = dict.fromkeys(DRAWN, 0.0)


def chance(seed: object) -> random.Random:
    return random.Random(str(seed))  # noqa: S311 - chance for pictures, not for secrets


@pytest.fixture
def page() -> Image.Image:
    """A grey page with a dark block in the upper left, a red one in the upper right, and lines."""
    page = Image.new("RGB", (120, 200), (200, 200, 200))
    draw = ImageDraw.Draw(page)
    draw.rectangle((10, 10, 50, 60), fill=(20, 20, 20))
    draw.rectangle((80, 10, 110, 60), fill=(200, 30, 30))
    for line in range(90, 180, 6):
        draw.line((10, line, 110, line), fill=(40, 40, 40), width=2)
    return page


def levels(page: Image.Image) -> np.ndarray:
    return np.asarray(page, dtype=float)


@pytest.mark.parametrize("name", DRAWN)
def test_an_alteration_alters_and_depends_on_its_chance_alone(page: Image.Image, name: str) -> None:
    drawn = DRAWN[name](page, Augment(), chance(1))
    again = DRAWN[name](page, Augment(), chance(1))
    assert drawn.mode == "RGB"
    assert drawn.tobytes() == again.tobytes()
    assert drawn.size != page.size or ImageChops.difference(drawn, page).getbbox()


def test_turns_are_clockwise_and_flips_mirror(page: Image.Image) -> None:
    dark = (30, 30)
    assert page.getpixel(dark) == (20, 20, 20)
    assert DRAWN["rotate_90"](page, Augment(), chance(1)).getpixel((200 - 1 - 30, 30)) == (20, 20, 20)
    assert DRAWN["rotate_270"](page, Augment(), chance(1)).getpixel((30, 120 - 1 - 30)) == (20, 20, 20)
    assert DRAWN["flip_left_right"](page, Augment(), chance(1)).getpixel((120 - 1 - 30, 30)) == (20, 20, 20)
    assert DRAWN["flip_top_bottom"](page, Augment(), chance(1)).getpixel((30, 200 - 1 - 30)) == (20, 20, 20)


def test_magnitudes_are_those_of_the_definition(page: Image.Image) -> None:
    dark = DRAWN["light"](page, Augment(gain=(0.3, 0.3), tint=0, shadow=(0, 0)), chance(1))
    assert levels(dark) == pytest.approx(levels(page) * 0.3, abs=1)
    half = levels(DRAWN["light"](page, Augment(gain=(1, 1), tint=0, shadow=(0.5, 0.5)), chance(1))) / levels(page)
    assert 0.45 < half.min() < 0.9 < half.max() <= 1.0
    soft, softer = (DRAWN["blur"](page, Augment(blur_radius=(size, size)), chance(1)) for size in (2, 10))
    edges = [np.abs(np.diff(levels(image), axis=0)).max() for image in (page, soft, softer)]
    assert edges == sorted(edges, reverse=True)
    errors = [
        np.abs(levels(DRAWN["jpeg"](page, Augment(quality=(quality, quality)), chance(1))) - levels(page)).mean()
        for quality in (5, 95)
    ]
    assert errors[0] > 2 * errors[1]


def test_a_turned_page_keeps_its_middle_and_is_filled_with_the_colour_of_its_edge() -> None:
    page = Image.new("RGB", (200, 200), (10, 120, 40))
    ImageDraw.Draw(page).circle((100, 100), 20, fill=(255, 255, 255))
    turned = DRAWN["turn"](page, Augment(turn_degrees=(30, 30)), chance(1))
    assert turned.getpixel((100, 100)) == (255, 255, 255)
    assert {turned.getpixel(corner) for corner in ((0, 0), (199, 0), (0, 199), (199, 199))} == {(10, 120, 40)}


def test_corners_without_chance_are_a_plain_turn() -> None:
    placed = camera.corners((20, 10), (10, 5), np.pi / 2, 0.0, chance(1))
    assert np.array(placed) == pytest.approx(np.array([(15, -5), (15, 15), (5, 15), (5, -5)]))
    a, b, c, d, e, f, g, h = camera.perspective((20, 10), placed)
    x, y = placed[2]
    found = ((a * x + b * y + c) / (g * x + h * y + 1), (d * x + e * y + f) / (g * x + h * y + 1))
    assert found == pytest.approx((20, 10))


def test_odds_are_kept() -> None:
    settings = Augment(**{**NONE, "turn": 0.8, "blur": 0.25, "jpeg": 0.5})
    draws = [chosen(settings, chance(seed)) for seed in range(4000)]
    assert all(draws)
    shares = {name: sum(name in draw for draw in draws) / len(draws) for name in DRAWN}
    # a draw of nothing, 7.5 % of them, becomes one of the three by their odds
    assert shares["turn"] == pytest.approx(0.8 + 0.075 * 0.8 / 1.55, abs=0.02)
    assert shares["blur"] == pytest.approx(0.25 + 0.075 * 0.25 / 1.55, abs=0.02)
    assert sum(shares.values()) == pytest.approx(shares["turn"] + shares["blur"] + shares["jpeg"])


@pytest.mark.parametrize(
    "odds",
    [
        {"rotate_90": 1.0, "rotate_270": 1.0},
        {"flip_left_right": 1.0, "flip_top_bottom": 1.0, "rotate_90": 1.0, "rotate_270": 1.0},
        {"jpeg": 1e-9},
        {"rotate_90": 0.5, "rotate_270": 0.5, "flip_left_right": 0.5, "flip_top_bottom": 0.5},
    ],
)
def test_a_copy_never_equals_its_page(page: Image.Image, odds: dict[str, float]) -> None:
    settings = Augment(**{**NONE, **odds})
    for seed in range(60):
        copy = altered(page, settings, chance(seed))
        assert copy.size != page.size or copy.tobytes() != page.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 2)])
def test_pages_of_any_size_are_altered(size: tuple[int, int]) -> None:
    settings = Augment(**dict.fromkeys(DRAWN, 1.0))
    assert sorted(altered(Image.new("RGB", size, "white"), settings, chance(1)).size) == sorted(size)


def test_a_copy_is_written_whole_or_not_at_all(page: Image.Image, tmp_path: Path) -> None:
    page.save(tmp_path / "page.jpg", quality=95)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    task = Task(tmp_path / "page.jpg", tmp_path / "copy.jpg", Augment(), "42/a", 90)
    made = altered_copy(task)
    assert made.reason == ""
    assert Image.open(tmp_path / "copy.jpg").size in {(120, 200), (200, 120)}
    assert 0 < made.brightness < 255
    broken = altered_copy(Task(tmp_path / "broken.jpg", tmp_path / "none.jpg", Augment(), "42/b", 90))
    assert broken.reason.startswith("unreadable working copy: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.jpg", "copy.jpg", "page.jpg"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"copies": 2, **NONE}, "no alteration has odds above 0"),
        ({"turn": 1.5}, "augment.turn"),
        ({"rotate": 0.5}, "unknown key augment.rotate, did you mean"),
        ({"turn_degrees": [5, 1]}, "the lower end comes first"),
        ({"shadow": [0, 2]}, "augment.shadow"),
        ({"copies": -1}, "augment.copies"),
    ],
)
def test_what_is_wrong_is_named(section: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build({"source": {"type": "folders"}, "augment": section}, "test")
    assert message in caught.value.message


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=9), st.floats(0, 1), st.integers(0, 9))
def test_some_words_go_and_some_stay(words: list[str], share: float, seed: int) -> None:
    whole = "\n".join([" ".join(words[:2]), " ".join(words[2:])]).strip()
    text = reworded(whole, share, chance(seed))
    assert text == reworded(whole, share, chance(seed))
    if len(words) == 1:
        assert text == whole
        return
    left = text.split()
    assert 1 <= len(left) < len(words)
    rest = iter(words)
    assert all(word in rest for word in left), "those that stay keep their order"


def test_as_many_words_go_as_the_odds_say() -> None:
    whole = " ".join(f"w{number}" for number in range(1000))
    for share in (0.1, 0.5):
        left = len(reworded(whole, share, chance(1)).split())
        assert abs(left / 1000 - (1 - share)) < 0.05
    assert len(reworded(whole, 0.0, chance(1)).split()) == 999
    assert len(reworded(whole, 1.0, chance(1)).split()) == 1
    assert "\n" in reworded("a b\nc d e\nf g", 0.2, chance(2))


def test_the_studys_four_alterations_are_declared_in_a_line_each() -> None:
    study = {"rotate_90": 0.5, "rotate_270": 0.5, "flip_left_right": 0.5, "flip_top_bottom": 0.5}
    others = dict.fromkeys(("turn", "perspective", "light", "blur", "jpeg"), 0)
    definition = build({"source": {"type": "folders"}, "augment": {"copies": 2, **study, **others}}, "test")
    names = {name for seed in range(200) for name in chosen(definition.augment, chance(seed))}
    assert names == set(study)
    assert build(definition.model_dump(mode="json"), "again") == definition
    assert overridden(definition, {"augment.copies": 3}).augment.copies == 3
