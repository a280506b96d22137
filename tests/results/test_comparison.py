"""Comparing runs: the numbers, what is refused, and the words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import Label, read_table, write_table
from leaflet_tool.models import rows
from leaflet_tool.models.runs import Run, finished
from leaflet_tool.results.comparison import compare, opened
from leaflet_tool.results.verdict import meaning, sentences, standing
from leaflet_tool.storage import read_json, write_json

type Scripted = Callable[..., Run]
TEST_LEAFLETS = [f"{party}{leaflet}" for party in ("blue", "green", "red") for leaflet in (8, 9)]
EVERY_PAGE = [f"{leaflet}p{page}" for leaflet in TEST_LEAFLETS for page in (1, 2)]


def test_figures_are_those_of_the_runs_and_their_baselines(tiny_runs: Path) -> None:
    runs = opened(["text", "image"], tiny_runs)
    comparison = compare(runs, seed=42, resamples=100)
    for run in runs:
        metrics = run.metrics()
        for unit in ("page", "leaflet"):
            found = comparison.figures[run.name][unit]["figures"]
            for name, figure in metrics[unit]["figures"].items():
                assert found[name] == pytest.approx(figure, abs=1e-6)
            for baseline, figures in metrics["baselines"].items():
                for name, figure in figures[unit]["figures"].items():
                    assert comparison.baselines[baseline][unit]["figures"][name] == pytest.approx(figure, abs=1e-6)
    assert comparison.size == {"page": 12, "leaflet": 6}
    assert comparison.units == ("page", "leaflet")


def test_pairs_are_tested_on_the_same_rows(scripted: Scripted) -> None:
    """By hand: a misses 1 page of 12, b misses 6 others, so 6 against 1; McNemar's p is 2 (1 + 7) / 2^7."""
    a, b = scripted("a", wrong=["blue8p1"]), scripted("b", wrong=EVERY_PAGE[2:8])
    comparison = compare([a, b], resamples=200)
    (pair,) = comparison.pairs
    assert (pair.a, pair.b) == ("a", "b")
    page = pair.units["page"]
    assert (page["only_a_right"], page["only_b_right"]) == (6, 1)
    assert pair.difference("page") == pytest.approx(5 / 12)
    assert pair.p("page") == pytest.approx(2 * 8 / 128)
    assert meaning(pair, "page") == "a is ahead, which may be chance"
    # blue8's pages disagree evenly, and of equals the first class, which is Blue, counts: no leaflet of a is wrong.
    assert (pair.units["leaflet"]["only_a_right"], pair.units["leaflet"]["only_b_right"]) == (3, 0)


def test_a_clear_difference_and_baselines_that_stay_unbeaten_are_said(scripted: Scripted) -> None:
    comparison = compare([scripted("good"), scripted("bad", wrong=EVERY_PAGE)], resamples=100)
    assert [comparison.headline(name, "leaflet")["value"] for name in ("good", "bad")] == [1.0, 0.0]
    assert comparison.unbeaten("bad", "leaflet") == ["majority", "tfidf_logistic"]
    assert standing(comparison, "bad", "page") == "no: majority class and TF-IDF + logistic regression"
    said = sentences(comparison)
    assert said[0] == "Per leaflet, good has the highest accuracy: 1.000 (1.000 to 1.000)."
    assert any(sentence.startswith("bad does not beat the baselines majority class (0.333)") for sentence in said)
    assert "good is more accurate than bad, beyond chance: by 1.000 (p = 0.031)." in said
    assert "only 6 leaflets" in said[-1]


def test_a_lead_over_a_baseline_that_may_be_chance_is_no_victory(scripted: Scripted) -> None:
    half = scripted("half", wrong=[page for page in EVERY_PAGE if page.startswith("red") or page.startswith("green8")])
    comparison = compare([half, scripted("other")], resamples=100)
    assert comparison.headline("half", "page")["value"] == pytest.approx(0.5)
    assert [pair.b for pair in comparison.unsure("half", "page")] == ["majority"]
    (pair,) = comparison.unsure("half", "page")
    assert meaning(pair, "page") == "half is ahead, which may be chance"
    assert pair.p("page") > 0.05
    assert "is ahead of the baseline majority class (0.333) with 0.500" in " ".join(sentences(comparison))


def test_rows_that_differ_are_named_with_their_files(scripted: Scripted) -> None:
    a, b = scripted("a"), scripted("b")
    predictions = b.folder / "predictions.csv"
    table = read_table(predictions)
    table.loc[table["id"] == "red9p2", "split"] = "validation"
    table.loc[table["id"] == "red9p1", "label"] = "Blue"
    write_table(table, predictions)
    with pytest.raises(InputError) as caught:
        compare([a, b])
    assert "a and b were not judged on the same rows" in caught.value.message
    assert "red9p2 (Red/9_2.png): only in a" in caught.value.message
    assert "red9p1 (Red/9_1.png): label 'Red' in a, 'Blue' in b" in caught.value.message
    assert "green" not in caught.value.message


def test_a_comparison_needs_two_different_runs(scripted: Scripted) -> None:
    run = scripted("a")
    with pytest.raises(UsageError, match="at least two"):
        compare([run])
    with pytest.raises(UsageError, match="more than once"):
        compare([run, Run(run.folder.parent / "." / "a", run.facts)])


def test_runs_that_predict_different_columns_are_refused(scripted: Scripted) -> None:
    a, b = scripted("a"), scripted("b")
    other = Run(b.folder, {**b.facts, "label": {"name": "topic", "multiple": False}})
    with pytest.raises(InputError) as caught:
        compare([a, other])
    assert "a predicts party" in caught.value.message and "b predicts topic" in caught.value.message


def test_every_run_that_cannot_be_used_is_named_at_once(scripted: Scripted) -> None:
    run = scripted("a")
    scripted("b").noting(state="training")
    runs = run.folder.parent
    with pytest.raises(InputError) as caught:
        opened(["a", "b", "c"], runs)
    assert "run b is not done: interrupted" in caught.value.message
    assert "no run called 'c'" in caught.value.message
    with pytest.raises(InputError, match="b is not done: interrupted"):
        compare([run, Run(runs / "b", read_json(runs / "b" / "run.json"))])


def test_runs_of_one_name_are_told_apart_by_their_folders(scripted: Scripted, tmp_path: Path) -> None:
    here, there = scripted("a"), scripted("a", wrong=["red8p1"], runs=tmp_path / "more")
    comparison = compare([here, there], resamples=10)
    assert list(comparison.runs) == [str(here.folder), str(there.folder)]


def test_a_run_called_like_a_baseline_is_shown_by_its_path(scripted: Scripted) -> None:
    run = scripted("majority")
    comparison = compare([run, scripted("b")], resamples=10)
    assert list(comparison.runs) == [str(run.folder), "b"]


def test_other_data_and_other_seeds_are_noted(scripted: Scripted) -> None:
    a, b = scripted("a"), scripted("b")
    assert compare([a, b], resamples=10).notes == []
    b = b.noting(seed=7, data={**b.facts["data"], "manifest_sha256": "0" * 64})
    notes = compare([a, b], resamples=10).notes
    assert "training rows of a" in notes[0] and "different seeds" in notes[1]


def test_pages_alone_are_shown_where_a_leaflet_is_a_page(scripted: Scripted) -> None:
    runs = [scripted("a"), scripted("b", wrong=["red8p1"])]
    for run in runs:
        for name in ("predictions.csv", "ludwig.csv"):
            table = read_table(run.folder / name)
            table["group"] = table["id"]
            (rows.write if name == "ludwig.csv" else write_table)(table, run.folder / name)
    comparison = compare(runs, resamples=10)
    assert comparison.units == ("page",)
    assert sentences(comparison)[0].startswith("Per page, a has the highest accuracy")


def in_folds(run: Run) -> Run:
    """The run as if trained in two folds: odd leaflets held out by the first, even ones by the second."""
    folder = run.folder
    table = rows.in_words(rows.read(folder / "ludwig.csv"), Label("party"))
    for fold in range(2):
        part = folder / f"fold_{fold}"
        shutil.copytree(folder, part, ignore=shutil.ignore_patterns("fold_*"))
        held_out = table["group"].str[-1].astype(int) % 2 != fold
        fold_rows = table.assign(split=["test" if out else "train" for out in held_out])
        rows.write(rows.for_ludwig(fold_rows, folder, Label("party")), part / "ludwig.csv")
    predictions = read_table(folder / "predictions.csv").assign(split="test")
    numbers = 1 - predictions["group"].str[-1].astype(int) % 2
    write_table(predictions.assign(fold=numbers.astype(str)), folder / "predictions.csv")
    return run.noting(folds=2)


def test_runs_in_folds_are_compared_on_every_row(scripted: Scripted) -> None:
    a, b = in_folds(scripted("a")), in_folds(scripted("b", wrong=EVERY_PAGE))
    comparison = compare([a, b], resamples=50)
    assert comparison.size == {"page": 60, "leaflet": 30}
    assert comparison.headline("b", "page")["value"] == pytest.approx(48 / 60)
    assert comparison.baselines["tfidf_logistic"]["page"]["rows"] == 60
    worth = comparison.confidence["b"]["page"]
    assert worth["rows"] == 60 and [part["fitted"]["rows"] for part in worth["calibration"]] == [30, 30]
    with pytest.raises(InputError, match="not judged on the same rows"):
        compare([a, scripted("c")])


def test_json_is_complete_and_plain(scripted: Scripted) -> None:
    comparison = compare([scripted("a"), scripted("b", wrong=["red8p1"]), scripted("c")], resamples=10)
    found = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert list(found["runs"]) == ["a", "b", "c"]
    assert found["runs"]["a"]["page"]["figures"]["accuracy"]["value"] == 1.0
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert len(found["against_baselines"]) == 6
    assert {"accuracy_difference", "only_a_right", "only_b_right", "mcnemar_p"} <= set(found["pairs"][0]["leaflet"])


def test_a_run_without_its_rows_is_an_error_not_a_crash(scripted: Scripted) -> None:
    a, b = scripted("a"), scripted("b")
    (b.folder / "ludwig.csv").unlink()
    with pytest.raises(InputError, match=r"ludwig\.csv is missing"):
        compare([a, finished("b", b.folder.parent)])
    write_json(b.folder / "run.json", {**b.facts, "state": "failed"})
    with pytest.raises(InputError, match="b is not done: failed"):
        opened(["a", "b"], b.folder.parent)
