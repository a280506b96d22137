"""Drawings: any name is drawn as it is, nothing global is touched, and the same data give the same bytes."""

import subprocess
import sys
import warnings
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaflet_tool.measure import figures

HOSTILE = ["$\\frac{x$", "<b>&amp;</b>", "party 🎉", "two\nlines\x00", "_x_^2", "مرحبا", "n" * 300, ""]
INTERVALS = {
    "multimodal $x$": {"value": 0.9, "low": 0.85, "high": 0.94},
    "one leaflet": {"value": 0.8, "low": None, "high": None},
    "value outside": {"value": 0.1, "low": 0.12, "high": 0.2},
    "majority": {"value": 0.3, "low": 0.25, "high": 0.35},
}
CURVES = {
    "image <&>": {"training": [0.2, 0.5, 0.9], "validation": [0.2, 0.4, 0.5]},
    "$text$": {"training": [], "validation": [0.7]},
    "nothing yet": {},
}


def confusion(classes):
    counts = [
        [1000 if row == column else (row + column) % 3 for column in range(len(classes))] for row in range(len(classes))
    ]
    return {"classes": classes, "counts": counts}


def drawing(name):
    """A new figure of that name."""
    match name:
        case "hostile":
            return figures.confusion_matrix(confusion(HOSTILE), title="$a <title> & 🎉")
        case "thirty classes":
            return figures.confusion_matrix(confusion([f"a class with a long name {number}" for number in range(30)]))
        case "fifty classes":
            return figures.confusion_matrix(confusion([f"class {number}" for number in range(50)]))
        case "one class":
            return figures.confusion_matrix({"classes": ["only"], "counts": [[0]]})
        case "intervals":
            return figures.intervals(INTERVALS, metric="macro_f1", baselines=["majority"], title="$t")
        case "curves":
            return figures.learning_curves(CURVES, metric="accuracy")


EVERY = ("hostile", "thirty classes", "fifty classes", "one class", "intervals", "curves")


def texts_of(svg):
    return [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


@pytest.mark.parametrize("name", EVERY)
def test_every_drawing_is_well_formed_and_repeats_itself_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg, png = figures.svg(drawing(name)), figures.png(drawing(name), dpi=50)
    assert svg.startswith("<svg ")
    ElementTree.fromstring(svg)  # noqa: S314
    assert svg == figures.svg(drawing(name))
    assert png.startswith(b"\x89PNG")


def test_hostile_names_are_written_as_they_are():
    texts = texts_of(figures.svg(drawing("hostile")))
    for expected in ("$\\frac{x$", "<b>&amp;</b>", "party 🎉", "two lines", "_x_^2", "(no name)", "$a <title> & 🎉"):
        assert expected in texts
    assert max(map(len, texts)) <= figures.NAME_LENGTH + len("  (1000)")


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=25)
def test_any_name_gives_well_formed_svg(name):
    ElementTree.fromstring(figures.svg(figures.intervals({name: INTERVALS["majority"]}, metric="m", title=name)))  # noqa: S314


def test_long_names_keep_both_ends():
    texts = texts_of(
        figures.svg(figures.intervals({"party of " + "very " * 20 + "old": INTERVALS["majority"]}, metric="m"))
    )
    (cut,) = [text for text in texts if "…" in text]
    assert cut.startswith("party of very")
    assert cut.endswith("very old")


def test_counts_are_spelt_out_up_to_forty_classes():
    assert "1000" in texts_of(figures.svg(drawing("thirty classes")))
    assert "1000" not in texts_of(figures.svg(drawing("fifty classes")))


def test_the_labels_of_thirty_classes_do_not_overlap():
    figure = drawing("thirty classes")
    figures.png(figure)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_intervals_are_written_beside_their_dots():
    texts = texts_of(figures.svg(drawing("intervals")))
    assert "0.900  [0.850, 0.940]" in texts
    assert "0.800" in texts
    assert "macro f1" in texts


def test_training_is_explained_only_where_it_is_drawn():
    assert "training" in texts_of(figures.svg(drawing("curves")))
    alone = figures.learning_curves({"text": {"validation": [0.5, 0.6]}}, metric="loss")
    assert "training" not in texts_of(figures.svg(alone))


def test_the_style_stays_in_the_drawing():
    before = dict(matplotlib.rcParams)
    figures.png(drawing("curves"), dpi=50)
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported():
    code = "import sys, leaflet_tool.measure.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
