"""What evaluate reports of several labels a row: complete, ready for JSON, honest intervals, and quick."""

import json
import time
import tracemalloc

import numpy as np
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.intervals import basic_interval, bootstrap_weights, interval
from leaflet_tool.measure.label_metrics import judged, label_sums
from leaflet_tool.measure.label_sets import by_group
from leaflet_tool.taxonomy import Taxonomy

SCORES = ["macro_ap", "macro_pr_auc_trapezoid", "micro_ap", "ranking_loss", "log_loss"]
VIEW = [
    *("micro_precision", "micro_recall", "micro_f1"),
    *(f"macro_{name}{end}" for end in ("", "_frequent", "_rest") for name in ("precision", "recall", "f1")),
    *("example_f1", "subset_accuracy", "hamming_loss", "labels_per_row"),
]


def test_pages_and_leaflets_are_reported_alike(drawn_labels):
    frame = drawn_labels(200, 9, seed=1, pages=2)
    report = evaluate(frame, seed=4, resamples=200)
    assert report["intervals"].keys() == {"level", "method", "resamples", "seed"}
    assert (report["page"]["rows"], report["page"]["groups"]) == (200, 100)
    assert (report["leaflet"]["rows"], report["leaflet"]["groups"]) == (100, 100)
    for unit, rows in (("page", frame), ("leaflet", by_group(frame))):
        found, table = report[unit], judged(rows)
        assert list(found["figures"]) == SCORES
        assert [list(view["figures"]) for view in found["views"].values()] == [VIEW, VIEW]
        assert list(found["views"]) == ["half", "thresholds"]
        assert found["labels_per_row"] == pytest.approx(table.truth.sum(axis=1).mean())
        assert found["most_frequent"] == sorted(
            found["most_frequent"], key=lambda name: -found["per_class"][name]["support"]
        )
        assert list(found["per_class"]) == list(found["views"]["half"]["per_class"]) == table.classes
        areas = [each["ap"] for each in found["per_class"].values() if each["ap"] is not None]
        assert found["figures"]["macro_ap"]["value"] == pytest.approx(np.mean(areas))
        for figure in [*found["figures"].values(), *found["views"]["half"]["figures"].values()]:
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_views_differ_where_thresholds_do(build_labels):
    frame = build_labels(["a", "b", ""], {"a": [0.4, 0.1, 0.3], "b": [0.1, 0.2, 0.1]}, (), {"a": 0.3, "b": 0.2})
    views = evaluate(frame, seed=1, resamples=20)["page"]["views"]
    assert views["half"]["figures"]["labels_per_row"]["value"] == 0
    assert views["thresholds"]["figures"]["labels_per_row"]["value"] == 1
    assert views["thresholds"]["per_class"]["a"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
        "predicted": 2,
        "support": 1,
    }


def test_labels_are_told_that_cannot_be_judged(build_labels):
    values = {"a": [0.9, 0.1], "never": [0.1, 0.2]}
    report = evaluate(build_labels(["a|new", ""], values), seed=1, resamples=20, train_counts={"a": 7})["page"]
    assert report["without_positives"] == ["never"]
    assert report["unseen_labels"] == {"new": 1}
    assert report["per_class"]["a"].items() >= {"ap": 1.0, "support": 1, "share": 0.5, "train": 7}.items()
    assert report["per_class"]["new"].items() >= {"ap": 0.5, "pr_auc_trapezoid": 0.75, "train": 0}.items()
    assert report["per_class"]["never"].items() >= {"ap": None, "ap_low": None, "pr_auc_trapezoid": None}.items()
    assert report["ranked_rows"] == 1


def test_coherence_is_judged_only_by_a_taxonomy(build_labels):
    frame = build_labels(["a"], {"a": [0.9], "b": [0.1]})
    assert "coherence_violations" not in evaluate(frame, seed=1, resamples=5)["page"]["views"]["half"]["figures"]
    report = evaluate(frame, seed=1, resamples=5, taxonomy=Taxonomy({"a": ["b"], "b": []}))
    assert report["page"]["views"]["half"]["figures"]["coherence_violations"]["value"] == 1


def test_the_report_survives_json_without_nan(build_labels):
    frame = build_labels(["no|new", "no|new", "1"], {"no": [0.1, 0.9, 1.0], "1": [0.0, 0.2, 0.3], "NA": [0.1] * 3})
    report = evaluate(frame, seed=1, resamples=50, taxonomy=Taxonomy({"no": []}))
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_one_row_one_group_and_no_resample_have_no_intervals(build_labels):
    for frame, resamples in ((build_labels(["a"], {"a": [0.9]}), 10), (build_labels(["a", ""], {"a": [0.9, 0.1]}), 0)):
        report = evaluate(frame, seed=1, resamples=resamples)["page"]
        assert report["figures"]["macro_ap"] == {"value": 1.0, "low": None, "high": None}
        assert "ranking_loss" not in report["figures"]  # every row has all labels or none
        assert json.dumps(report, allow_nan=False)


def test_rows_without_any_label_are_nothing_to_judge(build_labels):
    with pytest.raises(InputError, match="no row of the predictions has a label"):
        evaluate(build_labels(["", ""], {"a": [0.9, 0.1]}), seed=1)


def test_pages_that_agree_widen_the_intervals(drawn_labels):
    frame = drawn_labels(400, 4, seed=2)
    copied = frame.loc[frame.index.repeat(4)].reset_index(drop=True)
    copied["id"] = [f"p{number}" for number in range(1600)]
    widths = []
    for rows in (frame, copied, copied.assign(group=copied["id"])):
        found = evaluate(rows, seed=1, resamples=400)["page"]
        widths.append(
            [each["high"] - each["low"] for each in (found["figures"]["micro_ap"], found["figures"]["macro_ap"])]
        )
    assert widths[1] == pytest.approx(widths[0], rel=1e-6)
    assert widths[0] == pytest.approx([2 * width for width in widths[2]], rel=0.25)


def test_the_basic_intervals_of_average_precision_hold_the_true_one_more_often(drawn_labels):
    true = float(label_sums(judged(drawn_labels(40_000, 15, seed=10_000))).total().scores["macro_ap"][0])
    held = []
    for seed in range(60):
        frame = drawn_labels(250, 15, seed=seed)
        sums = label_sums(judged(frame))
        spread = np.concatenate(
            [sums.figures(block).scores["macro_ap"] for block in bootstrap_weights(250, seed=seed, resamples=100)]
        )
        value = sums.total().scores["macro_ap"][0]
        kinds = [each(value, spread, 250) for each in (basic_interval, interval)]
        held.append([found["low"] <= true <= found["high"] for found in kinds])
    basic, percentiles = np.sum(held, axis=0)
    assert basic >= 48 > percentiles, (basic, percentiles)
    assert evaluate(frame, seed=seed, resamples=100)["page"]["figures"]["macro_ap"] == pytest.approx(kinds[0])


def test_a_seed_repeats_the_report(drawn_labels):
    frame = drawn_labels(50, 6, seed=1)
    assert evaluate(frame, seed=1, resamples=50) == evaluate(frame, seed=1, resamples=50)
    assert evaluate(frame, seed=1, resamples=50) != evaluate(frame, seed=2, resamples=50)


def test_blocks_of_resamples_change_nothing(drawn_labels, monkeypatch):
    frame = drawn_labels(60, 7, seed=1)
    whole = evaluate(frame, seed=1, resamples=40)
    monkeypatch.setattr("leaflet_tool.measure.label_ranking._CELLS", 50)
    blocks = evaluate(frame, seed=1, resamples=40)
    for name, figure in whole["page"]["figures"].items():
        assert blocks["page"]["figures"][name] == pytest.approx(figure)


def test_a_thousand_resamples_of_a_study_are_quick_and_small(drawn_labels):
    frame = drawn_labels(900, 31, seed=1)
    start = time.perf_counter()
    evaluate(frame, seed=1, resamples=1000)
    assert time.perf_counter() - start < 10  # about 0.5 s on a quiet machine


def test_areas_of_many_rows_take_little_memory(drawn_labels):
    sums = label_sums(judged(drawn_labels(5000, 31, seed=1)))
    (weights,) = bootstrap_weights(5000, seed=1, resamples=800)
    tracemalloc.start()
    sums.pooled.areas(weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000  # all resamples at once would take 300 MB
