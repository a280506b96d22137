"""The sheet of one page: whatever words and names are in it, it can be drawn, and everything is on it."""

import io

import numpy as np
import pytest
from PIL import Image

from leaflet_tool.measure.areas import Area
from leaflet_tool.measure.explanation_figures import Bar, Sheet, Text, View, explanation, signed
from leaflet_tool.measure.figures import png, svg
from leaflet_tool.measure.marked_text_figures import COLUMN, COLUMNS, MOST, Word, laid

PAGE = np.full((90, 60, 3), 200, dtype=np.uint8)
HOSTILE = r"$\frac{1}{0}$ <b>&amp; \n{x}_^%"
BARS = [Bar("Red", 0.7, predicted=True, asked=True), Bar(HOSTILE, 0.3), Bar("N" * 300, 0.0)]


def text(*words: str, weight: float = 0.5) -> Text:
    return Text("text", "text", [[Word(word, weight) for word in words]], [(word, weight) for word in words[:12]])


def test_all_parts_are_on_the_sheet() -> None:
    grid = np.zeros((12, 12))
    grid[2, 3], grid[9, 9] = 1, -1
    areas = [Area(0.1, 0.1, 0.4, 0.4, 1.25), Area(0.6, 0.6, 0.9, 0.9, -0.05)]
    sheet = Sheet(
        *("page.jpg: why Red?", "mm says Red", PAGE, BARS, [("image", 2.0), ("words", -1.0)]),
        views=[View("image: +2.00", PAGE, grid, areas)],
        texts=[text("wages", "schools")],
        notes=["how it was weighed"],
    )
    drawn = svg(explanation(sheet))
    for said in ("page.jpg: why Red?", "mm says Red", "the page", "image: +2.00", "+1.25", "-0.050", "0.70", "-1.00"):
        assert said in drawn
    for said in ("wages", "schools", "how it was weighed", "what each weighs, log odds"):
        assert said in drawn


def test_names_and_words_are_drawn_as_they_stand() -> None:
    drawn = svg(explanation(Sheet(HOSTILE, HOSTILE, None, BARS, texts=[text(HOSTILE, "$x$", "語", "\x07")])))
    assert "$x$" in drawn
    assert r"$\frac{1}{0}$ &lt;b&gt;&amp;amp;" in drawn
    assert "N" * 100 not in drawn


@pytest.mark.parametrize(("views", "texts"), [(0, 0), (1, 1), (5, 2)])
def test_any_number_of_views_and_texts_fits_on_a_page_that_can_be_opened(views: int, texts: int) -> None:
    sheet = Sheet(
        *("page", "said", PAGE if views else None, BARS),
        views=[View(f"view {number}", PAGE, np.eye(12)) for number in range(views)],
        texts=[text(*["word"] * 100)] * texts,
    )
    with Image.open(io.BytesIO(png(explanation(sheet), dpi=40))) as image:
        assert 150 < image.width < 700
        assert image.height < 2500
        assert np.asarray(image.convert("L")).std() > 1


def test_thresholds_are_told() -> None:
    drawn = svg(explanation(Sheet("page", "said", None, [Bar("Nature", 0.6, 0.4, True), Bar("Art", 0.1, 0.3)])))
    assert "probability, and threshold" in drawn


def test_long_lines_break_between_words_and_long_words_are_cut() -> None:
    lines = laid([[Word("word", 0.0)] * 40, [Word("x" * 500, 0.0)]])
    assert max(sum(word.letters for word in line) for line in lines) <= COLUMN + 1
    assert sum(len(line) for line in lines) == 41


def test_of_a_very_long_text_the_lines_that_weigh_most_are_shown_and_gaps_marked() -> None:
    telling = {5, 400, 999}
    lines = laid([[Word(f"line{number}", 1.0 if number in telling else 0.0)] for number in range(1000)])
    assert len(lines) <= COLUMNS * MOST
    shown = [line[0].text for line in lines]
    assert {f"line{number}" for number in telling} <= set(shown)
    assert "…" in shown
    assert shown[-1] == "line999"
    kept = [int(each.removeprefix("line")) for each in shown if each != "…"]
    assert kept == sorted(kept)


def test_words_stand_together_where_the_text_has_no_blank() -> None:
    assert [word.letters for word in (Word("NHS", 0.0), Word("NHS", 0.0, blank=False))] == [4, 3]


def test_small_weights_keep_a_figure() -> None:
    assert [signed(weight) for weight in (1.234, -0.0123, 0.0)] == ["+1.23", "-0.012", "+0.000"]
