"""Drawings of an archive: well formed for any counts and values, bounded in size, in numbers that people read."""

import warnings
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaflet_tool.measure import data_figures, figures

HOSTILE = {"$\\frac{x$": 3, "<b>&amp;</b>": 2, "two\nlines\x00": 0, "": 1, "n" * 300: 9}
VALUES = st.lists(st.floats(0, 1e7), min_size=1, max_size=50)


def texts_of(svg):
    return [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


def drawing(name):
    """A new figure of that name."""
    match name:
        case "hostile":
            return data_figures.bars(HOSTILE, unit="pages")
        case "wide":
            return data_figures.bars({f"class {n}": 3**n for n in range(9)}, unit="pages")
        case "one class":
            return data_figures.bars({"only": 1}, unit="pages")
        case "tail":
            return data_figures.ranks([500 // n for n in range(1, 300)], unit="pages")
        case "shares":
            shares = dict.fromkeys(HOSTILE, (7, 2, 1)) | {"empty": (0, 0, 0)}
            return data_figures.shares(shares, ("train", "validation", "test"), unit="pages")
        case "words":
            return data_figures.histogram([0, 0, 1, 2, 3, 900], label="words")
        case "one value":
            return data_figures.histogram([5.5], label="brightness")
        case "sizes":
            return data_figures.sizes([100, 200, 6000], [200, 100, 4000])
        case "one size":
            return data_figures.sizes([300, 300], [400, 400])


EVERY = ("hostile", "wide", "one class", "tail", "shares", "words", "one value", "sizes", "one size")


@pytest.mark.parametrize("name", EVERY)
def test_every_drawing_is_well_formed_and_repeats_itself_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = figures.svg(drawing(name))
    ElementTree.fromstring(svg)  # noqa: S314
    assert svg == figures.svg(drawing(name))


@pytest.mark.parametrize("name", EVERY)
def test_numbers_on_axes_are_plain(name):
    texts = [text or "" for text in texts_of(figures.svg(drawing(name)))]
    assert not [text for text in texts if "mathdefault" in text or "e+" in text]


def test_counts_stand_at_their_bars_and_names_are_as_they_are():
    texts = texts_of(figures.svg(drawing("hostile")))
    for expected in ("$\\frac{x$", "<b>&amp;</b>", "two lines", "(no name)", "pages", "9"):
        assert expected in texts


def test_an_axis_is_logarithmic_where_a_bar_would_be_lost_and_says_so():
    assert "pages (logarithmic)" in texts_of(figures.svg(drawing("wide")))
    assert "pages (logarithmic)" not in texts_of(figures.svg(drawing("one class")))
    assert "pages (logarithmic)" in texts_of(figures.svg(drawing("tail")))
    assert "words (logarithmic)" in texts_of(figures.svg(drawing("words")))
    assert "width, pixels (logarithmic)" in texts_of(figures.svg(drawing("sizes")))
    assert "width, pixels" in texts_of(figures.svg(drawing("one size")))


def test_the_labels_of_forty_bars_do_not_overlap():
    figure = data_figures.bars({f"a class with a long name {n}": n + 1 for n in range(40)}, unit="pages")
    figures.png(figure)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_a_histogram_counts_every_value_once_where_its_axis_is_plain():
    values = [0, 1, 1, 2, 3, 4, 7, 7]
    bars = data_figures.histogram(values, label="words").axes[0].patches
    assert sum(bar.get_height() for bar in bars) == len(values)
    assert all(bar.get_width() == bars[0].get_width() for bar in bars)


def test_a_drawing_of_a_hundred_thousand_sizes_is_as_small_as_one_of_a_few():
    chance = np.random.default_rng(1)
    svg = figures.svg(data_figures.sizes(chance.integers(50, 9000, 100_000), chance.integers(50, 9000, 100_000)))
    assert len(svg) < 500_000


@given(VALUES)
@settings(deadline=None, max_examples=40)
def test_any_values_can_be_drawn(values):
    ElementTree.fromstring(figures.svg(data_figures.histogram(values, label="words")))  # noqa: S314
    ElementTree.fromstring(figures.svg(data_figures.sizes(values, values)))  # noqa: S314
