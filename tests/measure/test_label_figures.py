"""Drawings of several labels a row: well formed for any names, few and many labels, and true to their figures."""

import warnings
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from leaflet_tool.measure import figures, imbalance, label_figures, label_panels
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_sets import truth_matrix
from leaflet_tool.measure.predictions import classes_of, probabilities_of
from leaflet_tool.measure.thresholds import fit

VIEWS = {"half": "at 0.5", "thresholds": "with thresholds"}
HOSTILE = ["$\\frac{x$", "<b>&amp;</b>", "two\nlines\x00", " ", "n" * 300, "_x_^2", "party 🎉"]


def texts_of(svg):
    return [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


@pytest.fixture(scope="module")
def frames(drawn_labels, build_labels):
    """Predictions by name: 31 labels, one label, and labels of any name of which one never occurs."""
    values = {name: [0.1, 0.6, 0.6, 0.2] for name in HOSTILE}
    rows = ["|".join(HOSTILE[:3]), HOSTILE[3], "", "|".join(HOSTILE[:-1])]
    return {
        "many": drawn_labels(900, 31, seed=1),
        "one": build_labels(["a", ""], {"a": [0.9, 0.4]}),
        "hostile": build_labels(rows, values),
    }


def drawings(frame):
    """A new figure of each kind, by its name."""
    classes = classes_of(frame)
    report = evaluate(frame, seed=1, resamples=20, train_counts=dict.fromkeys(classes, 9))["page"]
    probabilities = frame[[f"probability_{name}" for name in classes]].set_axis(classes, axis=1)
    found = fit(probabilities, truth_matrix(frame), groups=frame["group"], seed=1).to_json()
    limits = {name: each["threshold"] for name, each in found["labels"].items()}
    sets = [tuple(cell.split("|")) if cell else () for cell in frame["label"]]
    return {
        "curves": lambda: label_panels.precision_recall({"$run$ <1>": frame, "again": frame}),
        "f1": lambda: label_panels.f1_by_threshold(frame, limits),
        "frequency": lambda: label_figures.frequency_and_precision(report["per_class"]),
        "distribution": lambda: label_figures.label_distribution(
            {VIEWS[view]: each["per_class"] for view, each in report["views"].items()}
        ),
        "cooccurrence": lambda: label_figures.cooccurrence(imbalance.of_labels(sets)["cooccurrence"], title="$t$"),
        "thresholds": lambda: label_figures.threshold_dots(found["labels"], found["global"]),
    }


@pytest.mark.parametrize("kind", ["many", "one", "hostile"])
def test_every_drawing_is_well_formed_and_repeats_itself_without_a_warning(frames, kind):
    for name, draw in drawings(frames[kind]).items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            svg = figures.svg(draw())
        texts = [text or "" for text in texts_of(svg)]
        assert not [text for text in texts if "mathdefault" in text], name
        assert svg == figures.svg(draw()), name
        assert len(svg) < 600_000, name


def test_hostile_names_are_written_as_they_are(frames):
    for name, draw in drawings(frames["hostile"]).items():
        texts = texts_of(figures.svg(draw()))
        assert "$\\frac{x$" in texts, name
        assert max(map(len, texts)) <= 55, name


def test_labels_of_thirty_one_rows_do_not_overlap(frames):
    for name in ("distribution", "thresholds", "cooccurrence"):
        figure = drawings(frames["many"])[name]()
        figures.png(figure, dpi=50)
        boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        assert len(boxes) == 31
        assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes)), name


def test_names_of_dots_cover_no_other_name_and_most_are_there(frames):
    figure = drawings(frames["many"])["frequency"]()
    figures.png(figure)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) > 15
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]


def test_panels_do_not_run_into_each_other(frames):
    figure = drawings(frames["many"])["curves"]()
    figures.png(figure)
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert len(boxes) == 31
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]


def test_labels_asked_for_have_a_panel_in_their_order_and_unknown_ones_an_empty_one(frames):
    figure = label_panels.precision_recall({"a": frames["many"]}, labels=["label 30", "label 02", "never"])
    titles = [axes.get_title(loc="left").splitlines()[0] for axes in figure.axes]
    assert titles == ["label 30", "label 02", "never"]
    assert not figure.legends


def test_the_area_under_a_drawn_curve_is_the_average_precision(frames):
    frame = frames["many"]
    figure = label_panels.precision_recall({"a": frame}, labels=["label 09"])
    recall, precision = figure.axes[0].lines[1].get_data()
    truth, values = truth_matrix(frame)[:, 9], probabilities_of(frame)[:, 9]
    assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(average_precision_score(truth, values))


def test_a_drawn_f1_is_that_of_its_threshold(frames):
    frame = frames["many"]
    figure = label_panels.f1_by_threshold(frame, {"label 01": 0.25}, labels=["label 01"])
    lines = {line.get_color(): line.get_data() for line in figure.axes[0].lines}
    limits, scores = lines[figures.COLOURS[0]]
    truth, values = truth_matrix(frame)[:, 1], probabilities_of(frame)[:, 1]
    for place in (0, len(limits) // 2, -2):
        assert scores[place] == pytest.approx(f1_score(truth, values >= limits[place]))
    assert set(lines[figures.COLOURS[1]][0]) == {0.25}


def test_curves_of_very_many_rows_stay_small(drawn_labels):
    frame = drawn_labels(20_000, 3, seed=1)
    for figure in (label_panels.precision_recall({"a": frame}), label_panels.f1_by_threshold(frame, {})):
        assert len(figures.svg(figure)) < 100_000


def test_what_is_counted_is_written(frames):
    texts = texts_of(figures.svg(drawings(frames["hostile"])["cooccurrence"]()))
    assert "<b>&amp;</b>  (2)" in texts
    assert {"50", "100"} <= set(texts)
    texts = texts_of(figures.svg(drawings(frames["many"])["distribution"]()))
    assert {"true", *VIEWS.values(), "rows (logarithmic)", "0"} <= set(texts)


def test_a_threshold_is_told_with_the_validation_positives_it_rests_on():
    texts = texts_of(figures.svg(label_figures.threshold_dots({"a": {"threshold": 0.25, "positives": 7}}, 0.5)))
    assert {"0.250  (7)", "all labels: 0.500"} <= set(texts)


def test_a_label_without_positives_in_validation_has_a_hollow_dot():
    found = {"a": {"threshold": 0.25, "positives": 7}, "b": {"threshold": 0.5, "positives": 0}}
    dots = [line for line in label_figures.threshold_dots(found, 0.5).axes[0].lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() for dot in dots] == [figures.COLOURS[0], "white"]
