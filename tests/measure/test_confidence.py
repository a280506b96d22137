"""What confidence is worth: nothing of the judged rows is learned from, and what is not sure is not decided."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.manifest import split_labels
from leaflet_tool.measure.calibration import Line, Lines, Temperature, calibrated, fit
from leaflet_tool.measure.confidence import Part, calibrated_part, decide, judge, outcome
from leaflet_tool.measure.label_sets import raised
from leaflet_tool.taxonomy import Taxonomy

CHANCE = {"seed": 1, "resamples": 50}
CLASSES = list("abcd")


def named(frame, prefix):
    return frame.assign(id=prefix + frame["id"], group=prefix + frame["group"])


@pytest.fixture(scope="module")
def oversure(drawn):
    """`oversure(rows, seed)`: leaflets of two pages, of which a model is far too sure."""

    def oversure(rows, seed):
        labels = np.repeat(np.random.default_rng(seed).choice(CLASSES, rows // 2), 2)
        groups = [f"{seed} {row // 2}" for row in range(rows)]
        frame = calibrated(drawn(list(labels), CLASSES, seed=seed, groups=groups), Temperature(0.3, {}))
        return named(frame, f"{seed} ")

    return oversure


def test_calibration_error_falls_and_everything_is_json(oversure):
    found = judge([Part(oversure(300, 1), oversure(300, 2))], **CHANCE)
    assert json.loads(json.dumps(found)) == found
    assert found["page"]["difference"]["calibration_error"]["high"] < 0
    for unit, rows in (("page", 300), ("leaflet", 150)):
        assert found[unit]["rows"] == rows and found[unit]["groups"] == 150
        assert found[unit]["difference"]["log_loss"]["value"] < 0
        (told,) = found[unit]["calibration"]
        assert told["kind"] == "temperature" and told["temperature"] > 1.3
        assert told["fitted"]["rows"] == rows
    assert [each["target"] for each in found["page"]["targets"]] == [0.9, 0.95, 0.99]


def test_judged_labels_move_neither_temperature_nor_threshold(oversure):
    known, judged = oversure(300, 1), oversure(300, 2)
    permuted = judged.assign(label=np.random.default_rng(9).permutation(judged["label"]))
    first, second = (judge([Part(known, each)], targets=[0.6], **CHANCE) for each in (judged, permuted))
    assert first["page"]["after"] != second["page"]["after"]
    for unit in ("page", "leaflet"):
        assert first[unit]["calibration"] == second[unit]["calibration"]
    for unit in ("page", "leaflet"):
        before, after = (found[unit]["targets"][0] for found in (first, second))
        assert before["thresholds"] == after["thresholds"]
    assert first["page"]["targets"][0]["precision"] != second["page"]["targets"][0]["precision"]


def test_folds_are_each_calibrated_by_the_others(oversure):
    folds = [oversure(100, seed) for seed in (1, 2, 3)]

    def parts(changed):
        rest = [[each for place, each in enumerate(changed) if place != fold] for fold in range(3)]
        return [Part.apart(pd.concat(others), fold) for others, fold in zip(rest, changed, strict=True)]

    permuted = [folds[0].assign(label=np.random.default_rng(9).permutation(folds[0]["label"])), *folds[1:]]
    first, second = (judge(parts(each), targets=[0.7], **CHANCE) for each in (folds, permuted))
    assert first["page"]["rows"] == 300
    assert [
        one == two for one, two in zip(*(found["page"]["calibration"] for found in (first, second)), strict=True)
    ] == [
        True,
        False,
        False,
    ]
    thresholds = [found["page"]["targets"][0]["thresholds"] for found in (first, second)]
    assert thresholds[0][0] == thresholds[1][0]


def test_a_group_in_two_splits_calibrates_nothing(oversure):
    known, judged = oversure(100, 1), oversure(100, 2)
    crossing = known.assign(group=judged["group"].iloc[:50].tolist() + known["group"].iloc[50:].tolist())
    part = Part.apart(crossing, judged)
    assert len(part.known) == 50 and not set(part.known["group"]) & set(judged["group"])


def test_without_known_rows_nothing_is_calibrated_or_decided(oversure, drawn_labels):
    for judged in (oversure(40, 1), drawn_labels(40, 3, seed=1)):
        found = judge([Part(judged.iloc[:0], judged)], **CHANCE)
        assert found["page"]["before"] == found["page"]["after"]
        for target in found["page"]["targets"]:
            assert target["thresholds"][0]["confidence"] is None and target["precision"] is None


def test_pages_below_the_limit_are_left_empty(build):
    frame = build(["", "", ""], {"a": [0.9, 0.55, 0.2], "b": [0.1, 0.45, 0.8]})
    found = decide(frame, Temperature(1.0, {}), 0.8)
    assert found["decision"].tolist() == ["a", "", "b"]
    assert found["calibrated_confidence"].tolist() == pytest.approx([0.9, 0.55, 0.8])
    assert found[frame.columns].equals(frame)
    assert list(found.columns).index("decision") < list(found.columns).index("probability_a")
    assert decide(frame, Temperature(1.0, {}), None)["decision"].tolist() == ["", "", ""]
    softer = decide(frame, Temperature(2.0, {}), 0.8)
    assert softer["decision"].tolist() == ["", "", ""] and softer["predicted"].tolist() == ["a", "a", "b"]


SAME = Lines(Line(1.0, 0.0, 0, "global"), {}, {})


def test_several_labels_are_given_ruled_out_or_left_open(build_labels):
    frame = build_labels(["", ""], {"a": [0.9, 0.05], "b": [0.6, 0.3], "c": [0.12, 0.5]})
    found = decide(frame, SAME, 0.85)
    assert found["decision"].tolist() == ["a", ""]
    assert found["undecided"].tolist() == ["b", "b|c"]
    assert found["calibrated_b"].tolist() == pytest.approx([0.6, 0.3])
    assert found[frame.columns].equals(frame)
    none = decide(frame, SAME, None)
    assert none["decision"].tolist() == ["", ""] and none["undecided"].tolist() == ["a|b", "c"]
    everything = decide(frame, SAME, 0.3)
    assert everything["decision"].tolist() == ["a|b", "c"] and everything["undecided"].tolist() == ["", ""]


def test_a_decided_label_brings_those_above_it(build_labels):
    frame = build_labels([""], {"Animals": [0.9], "Nature": [0.7], "History": [0.2]})
    taxonomy = Taxonomy({"Animals": ["Nature"], "Nature": [], "History": []})
    assert decide(frame, SAME, 0.85)["undecided"].tolist() == ["History|Nature"]
    coherent = decide(frame, SAME, 0.85, taxonomy)
    assert coherent["decision"].tolist() == ["Animals|Nature"] and coherent["undecided"].tolist() == ["History"]


NAMES = ["low", "middle", "side", "top"]
GRAPH = Taxonomy({"low": ["middle", "side"], "middle": ["top"], "side": [], "top": [], "unused": ["top"]})
SHARES, LINES = st.floats(0.001, 0.999), st.tuples(st.floats(0.05, 20), st.floats(-20, 20))


@given(
    st.lists(st.tuples(*[SHARES] * 4), min_size=1, max_size=6), st.tuples(*[LINES] * 4), st.one_of(st.none(), SHARES)
)
def test_lines_of_their_own_leave_coherent_labels_coherent(build_labels, values, lines, limit):
    table = pd.DataFrame(raised(np.array(values), NAMES, GRAPH), columns=NAMES)
    found = Lines(SAME.global_, {name: Line(*line, 9, "label") for name, line in zip(NAMES, lines, strict=True)}, {})
    decided = decide(build_labels([""] * len(table), table), found, limit, GRAPH)
    for low, high in (("low", "middle"), ("middle", "top"), ("low", "side")):
        assert (decided[f"calibrated_{high}"] >= decided[f"calibrated_{low}"]).all()
    for given_cell, open_cell in zip(decided["decision"], decided["undecided"], strict=True):
        given_, left = set(split_labels(given_cell)), set(split_labels(open_cell))
        assert not given_ & left
        assert not GRAPH.missing_ancestors(given_)
        assert set(GRAPH.missing_ancestors(left)) <= given_


def test_a_threshold_is_fitted_and_judged_on_what_is_decided(build_labels):
    taxonomy = Taxonomy({"low": ["top"], "top": []})
    known = build_labels(["top", "", "low|top"] * 20, {"low": [0.3, 0.1, 0.7] * 20, "top": [0.5, 0.2, 0.8] * 20})
    part = Part(known, known, taxonomy)
    lines = Lines(SAME.global_, {"low": Line(4.0, 3.0, 20, "label"), "top": Line(0.5, -1.0, 40, "label")}, {})
    counted = outcome([calibrated_part(part, lines)], [0.9], **CHANCE)
    table = decide(known, lines, 0.9, taxonomy)
    assert table["decision"].tolist() == ["", "", "low|top"] * 20
    assert counted["precision"]["value"] == 1 and counted["answers"] == 40
    assert counted["recall"] == pytest.approx(40 / 60)


def test_what_several_labels_come_to_is_what_decide_decides(drawn_labels):
    known, judged = named(drawn_labels(400, 4, seed=1), "k"), named(drawn_labels(300, 4, seed=2), "j")
    found = judge([Part(known, judged)], targets=[0.6], **CHANCE)["page"]["targets"][0]
    limit = found["thresholds"][0]["confidence"]
    assert limit is not None
    table = decide(judged, fit(known), limit)
    decided, true = ([set(split_labels(cell)) for cell in table[name]] for name in ("decision", "label"))
    right = sum(len(one & two) for one, two in zip(decided, true, strict=True))
    assert found["answers"] == sum(map(len, decided))
    assert found["precision"]["value"] == pytest.approx(right / sum(map(len, decided)))
    assert found["recall"] == pytest.approx(right / sum(map(len, true)))
    assert found["undecided"] == pytest.approx(table["undecided"].map(lambda cell: len(split_labels(cell))).mean())
