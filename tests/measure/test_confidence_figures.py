"""Drawings of confidence: well formed, the same every time, and with whatever names."""

import warnings
from xml.etree import ElementTree

import pytest

from leaflet_tool.measure import confidence_figures, figures

BINS = [{"rows": 3, "confidence": 0.7, "accuracy": 0.5}, {"rows": 30, "confidence": 0.9, "accuracy": 0.8}]
POINTS = [{"confidence": 0.9, "coverage": 0.5, "risk": 0.0}, {"confidence": 0.4, "coverage": 1.0, "risk": 0.25}]
HOSTILE = {"$x_^$ <b>&": POINTS, "nothing": [], "n" * 200: POINTS, "one": POINTS[:1]}


def drawing(name):
    match name:
        case "reliability":
            return confidence_figures.reliability_change({"before": BINS, "after": BINS[:1]}, title="$t")
        case "no bins":
            return confidence_figures.reliability_change({"before": [], "after": []})
        case "curves":
            return confidence_figures.risk_coverage(HOSTILE, share="share of pages decided")
        case "many":
            return confidence_figures.risk_coverage({f"run {place}": POINTS for place in range(16)}, share="share")


@pytest.mark.parametrize("name", ["reliability", "no bins", "curves", "many"])
def test_every_drawing_is_well_formed_and_repeats_itself_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = figures.svg(drawing(name))
    ElementTree.fromstring(svg)  # noqa: S314
    assert svg == figures.svg(drawing(name))


def test_both_states_and_every_run_are_named():
    texts = figures.svg(drawing("reliability"))
    assert ">before<" in texts and ">after<" in texts
    texts = figures.svg(drawing("curves"))
    assert "$x_^$ &lt;b&gt;&amp;" in texts and ">share of pages decided<" in texts and "25.0%" in texts
