"""What evaluate reports, and that it is quick and ready for JSON."""

import json
import time

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.measure.evaluation import evaluate, figures
from leaflet_tool.measure.metrics import METRICS, category_sums
from leaflet_tool.measure.predictions import by_group


def test_pages_and_leaflets_are_reported_alike(drawn):
    labels = ["a", "a", "b", "b", "c", "c"] * 5
    groups = [f"g{number // 2}" for number in range(30)]
    frame = drawn(labels, ["a", "b", "c"], seed=1, groups=groups)
    report = evaluate(frame, seed=4, resamples=200)
    assert report["intervals"] == {
        "level": 0.95,
        "method": "percentile bootstrap over groups; basic bootstrap for expected_calibration_error",
        "resamples": 200,
        "seed": 4,
    }
    assert (report["page"]["rows"], report["page"]["groups"]) == (30, 15)
    assert (report["leaflet"]["rows"], report["leaflet"]["groups"]) == (15, 15)
    assert report["page"].keys() == report["leaflet"].keys()
    for part, rows in (("page", frame), ("leaflet", by_group(frame))):
        found = report[part]["figures"]
        assert list(found) == list(METRICS)
        assert found["accuracy"]["value"] == pytest.approx((rows["label"] == rows["predicted"]).mean())
        assert found["accuracy"]["low"] <= found["accuracy"]["value"] <= found["accuracy"]["high"]
        assert sum(map(sum, report[part]["confusion"]["counts"])) == len(rows)
        assert list(report[part]["per_class"]) == report[part]["confusion"]["classes"] == ["a", "b", "c"]


def test_the_report_survives_json_without_nan(drawn):
    report = evaluate(drawn(["no", "1", "new"], ["NA", "no", "1"], seed=2), seed=1, resamples=50)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["page"]["unseen_labels"] == {"new": 1}


def test_groups_with_several_labels_are_named(build):
    frame = build(["a", "b", "a"], {"a": [0.9, 0.1, 0.8], "b": [0.1, 0.9, 0.2]}, ["x", "x", "y"])
    report = evaluate(frame, seed=1, resamples=20)
    assert report["mixed_groups"] == ["x"]
    assert (report["leaflet"]["rows"], report["leaflet"]["groups"]) == (3, 2)


def test_one_class_and_one_group_can_be_evaluated(build):
    report = evaluate(build(["a", "a"], {"a": [1.0, 1.0]}, ["x", "x"]), seed=1)
    accuracy = report["page"]["figures"]["accuracy"]
    assert accuracy == {"value": 1.0, "low": None, "high": None}
    assert report["leaflet"]["figures"]["macro_f1"]["value"] == 1.0


def test_nothing_to_evaluate_is_an_error(build):
    with pytest.raises(InputError, match="no row to evaluate"):
        evaluate(build(["a"], {"a": [1.0]}).iloc[:0], seed=1)


def test_many_groups_and_classes_are_quick(drawn):
    classes = [f"class {number:02}" for number in range(20)]
    groups = [f"g{number % 1000}" for number in range(2000)]
    sums = category_sums(drawn([classes[number % 20] for number in range(2000)], classes, seed=1, groups=groups))
    start = time.perf_counter()
    figures(sums, seed=1, resamples=1000)
    assert time.perf_counter() - start < 2  # about 0.1 s on a quiet machine
