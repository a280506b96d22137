"""Comparing runs that predict several labels a page: the numbers, the words, the tables and the page."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label, read_table, write_table
from leaflet_tool.measure.label_sets import from_label_probabilities
from leaflet_tool.measure.predictions import classes_of, probabilities_of
from leaflet_tool.models import rows
from leaflet_tool.models.runs import Run, finished, read_predictions, write_predictions
from leaflet_tool.results import curves, label_pictures, label_sheets, label_tables
from leaflet_tool.results.comparison import Comparison, compare, opened
from leaflet_tool.results.comparison_page import write_page
from leaflet_tool.results.verdict import meaning, sentences, standing
from leaflet_tool.storage import read_json, write_json
from tests.results.pages import Page, stands_alone, without_eyes

HOSTILE = "<script>alert('x')</script> & \"quoted\""
type Copied = Callable[..., Run]


@pytest.fixture(scope="module")
def compared(tiny_subject_runs: Path) -> Comparison:
    """For reading."""
    return compare(opened(["words", "brief"], tiny_subject_runs), resamples=100)


@pytest.fixture
def copied(tiny_subject_runs: Path, tmp_path: Path) -> Copied:
    """`copied(name, changed)` is the run `words` again, with what `changed` makes of its probabilities and labels."""

    def copied(name: str, changed: Callable[[pd.DataFrame, pd.Series], pd.DataFrame] | None = None) -> Run:
        folder = shutil.copytree(tiny_subject_runs / "words", tmp_path / "runs" / name)
        run = finished(name, folder.parent)
        if changed:
            frame = run.predictions()
            values = pd.DataFrame(probabilities_of(frame), columns=classes_of(frame))
            write_predictions(
                from_label_probabilities(frame, frame["label"], changed(values, frame["label"])),
                folder / "predictions.csv",
            )
        return run

    return copied


def right(values: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({name: np.where([name in cell.split("|") for cell in labels], 0.9, 0.1) for name in values})


def everything(values: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    return values * 0 + 0.8


def test_figures_are_those_of_the_runs_and_trees_are_one_baseline_more(
    compared: Comparison, tiny_subject_runs: Path
) -> None:
    for name in ("words", "brief"):
        metrics = finished(name, tiny_subject_runs).metrics()
        found, theirs = compared.figures[name], metrics["baselines"]
        assert set(theirs) == {"majority", "tfidf_logistic"}
        for unit in ("page", "leaflet"):
            for rival, figures in theirs.items():  # they read what the runs read: captions, not texts
                headline = figures[unit]["figures"]["macro_ap"]["value"]
                assert compared.headline(rival, unit)["value"] == pytest.approx(headline, abs=1e-6)
            for figure, value in metrics[unit]["figures"].items():
                assert found[unit]["figures"][figure]["value"] == pytest.approx(value["value"], abs=1e-6)
            for view in ("half", "thresholds"):
                expected = metrics[unit]["views"][view]["figures"]["macro_f1"]["value"]
                assert found[unit]["views"][view]["figures"]["macro_f1"]["value"] == pytest.approx(expected)
                violations = found[unit]["views"][view]["figures"]["coherence_violations"]
                assert violations == pytest.approx(metrics[unit]["views"][view]["figures"]["coherence_violations"])
    assert list(compared.baselines) == ["majority", "tfidf_logistic", "label_trees"]
    assert compared.headline("label_trees", "page")["value"] > compared.headline("majority", "page")["value"]
    assert compared.baselines["label_trees"]["page"]["views"]["half"]["figures"]["coherence_violations"]["value"] == 0
    assert compared.size == {"page": 24, "leaflet": 12}


def test_pairs_differ_by_the_headline_and_by_the_figures_of_both_views(compared: Comparison) -> None:
    (pair,) = compared.pairs
    gain = compared.headline("words", "page")["value"] - compared.headline("brief", "page")["value"]
    assert pair.difference("page") == pytest.approx(gain) and gain > 0.2
    assert pair.beyond_chance("page") and meaning(pair, "page") == "words is better in macro AP"
    assert list(pair.differences("page")) == [
        *("macro AP", "micro F1 at 0.5", "macro F1 at 0.5"),
        *("micro F1 with thresholds", "macro F1 with thresholds"),
    ]
    half = [compared.figures[name]["page"]["views"]["half"]["figures"]["micro_f1"]["value"] for name in compared.runs]
    assert pair.differences("page")["micro F1 at 0.5"]["value"] == pytest.approx(half[0] - half[1])
    assert [pair.b for pair in compared.against_baselines if pair.a == "words"] == list(compared.baselines)


def test_a_run_beside_itself_is_no_better(copied: Copied) -> None:
    comparison = compare([copied("a"), copied("b")], resamples=50)
    (pair,) = comparison.pairs
    assert (pair.difference("page"), pair.p("page")) == (0.0, 1.0)
    assert meaning(pair, "page") == "alike in macro AP"
    said = sentences(comparison)
    assert said[0].startswith("Per leaflet, a and b share the highest macro AP: ")
    assert "No difference between two of the runs is beyond what chance may make." in said


def test_a_run_that_floods_its_pages_is_warned_of(copied: Copied) -> None:
    """At 0.5 it gives nothing, with thresholds every label: macro F1 rises, and so do labels a row."""
    good, flood = copied("good", right), copied("flood", lambda values, labels: everything(values, labels) / 2)
    predictions = read_table(flood.folder / "predictions.csv")
    named = "|".join(sorted(classes_of(predictions)))
    write_table(predictions.assign(predicted=named), flood.folder / "predictions.csv")
    comparison = compare([good, flood], resamples=50)
    assert comparison.headline("good", "leaflet")["value"] == 1.0
    said = sentences(comparison)
    (warning,) = (sentence for sentence in said if "thresholds of" in sentence)
    assert warning.startswith("The thresholds of flood raise its macro F1 from 0.000 to ")
    assert "give a leaflet 6.00 labels where the truth has 1.58" in warning
    assert said[-1] == "No test page has “Art”: the macro averages leave such labels out."
    assert standing(comparison, "flood", "page").startswith("no: ")
    cells = {(row[0].text, row[0].second): row for row in label_tables.views(comparison, "page").rows}
    heads = label_tables.views(comparison, "page").heads
    labels = cells["flood", "with thresholds"][heads.index("labels a row")]
    assert (labels.text, labels.second) == ("6.00", "3.8 times the truth")
    assert cells["the truth", ""][heads.index("labels a row")].text == "1.58"
    assert cells["good", "at 0.5"][heads.index("macro F1")].strong


def test_labels_stand_from_the_commonest_to_the_rarest_with_their_thresholds(compared: Comparison) -> None:
    areas, decisions = label_tables.areas(compared, "page"), label_tables.decisions(compared, "page")
    assert [row[0].text for row in areas.rows] == ["Society", "Nature", "Plants", "Politics", "Sports"]
    assert [cell.text for cell in areas.rows[0][1:3]] == ["14", "44"]
    per_class = compared.figures["words"]["page"]["per_class"]
    assert areas.rows[3][3].text == f"{per_class['Politics']['ap']:.3f}"
    assert areas.rows[3][3].second == f"{per_class['Politics']['ap_low']:.3f} to {per_class['Politics']['ap_high']:.3f}"
    limits = read_json(compared.runs["words"].folder / "thresholds.json")["labels"]
    assert decisions.rows[3][2].second == f"from {limits['Politics']['threshold']:.2f} on"
    half, fitted = (
        compared.figures["words"]["page"]["views"][view]["per_class"]["Politics"]["f1"]
        for view in ("half", "thresholds")
    )
    assert decisions.rows[3][2].text == f"{half:.2f}\u00a0→\u00a0{fitted:.2f}"


def test_a_label_that_a_run_does_not_know_is_said_to_be_unknown(copied: Copied) -> None:
    narrow = copied("narrow", lambda values, labels: values.drop(columns="Sports"))
    comparison = compare([copied("a"), narrow], resamples=10)
    assert comparison.figures["narrow"]["page"]["unseen_labels"] == {"Sports": 4}
    (sports,) = (row for row in label_tables.areas(comparison, "page").rows if row[0].text == "Sports")
    assert (sports[4].text, sports[4].second) == ("–", "unknown to it")
    (decided,) = (row for row in label_tables.decisions(comparison, "page").rows if row[0].text == "Sports")
    assert decided[3].second == "unknown to it"


def test_thresholds_of_folds_are_a_span(copied: Copied) -> None:
    run = copied("a")
    for fold, limit in enumerate((0.2, 0.4)):
        part = Path(shutil.copytree(run.folder, run.folder.parent / f"part{fold}"))
        part.rename(run.folder / f"fold_{fold}")
        found = read_json(run.folder / "thresholds.json")
        found["labels"]["Sports"]["threshold"] = limit
        write_json(run.folder / f"fold_{fold}" / "thresholds.json", found)
    found = label_tables.thresholds(run.noting(folds=2))
    assert found["Sports"] == "0.20–0.40" and "–" not in found["Plants"]


def test_precision_and_recall_stand_beside_f1(compared: Comparison) -> None:
    table = label_tables.shares(compared, "page")
    assert table.heads == [
        *("", "micro precision", "micro recall", "macro precision", "macro recall"),
        "F1 page by page",  # five labels have test pages, so that there is no rest
    ]
    rows_of = {(row[0].text, row[0].second): row for row in table.rows}
    found = compared.figures["words"]["page"]["views"]["thresholds"]["figures"]
    shown = [cell.text for cell in rows_of["words", "with thresholds"][1:]]
    names = ("micro_precision", "micro_recall", "macro_precision", "macro_recall", "example_f1")
    assert shown == [f"{found[name]['value']:.3f}" for name in names]
    assert set(compared.kind.short_decided) == {*compared.kind.decided, *compared.kind.shares}
    assert list(compared.kind.short) == list(compared.kind.titles)


def test_a_label_without_a_validation_page_is_marked(copied: Copied, tmp_path: Path) -> None:
    run = copied("a")
    found = read_json(run.folder / "thresholds.json")
    found["labels"]["Sports"] = {"threshold": found["global"], "positives": 0, "source": "global"}
    write_json(run.folder / "thresholds.json", found)
    comparison = compare([run, copied("b")], resamples=5)
    rows_of = {row[0].text: row for row in label_tables.decisions(comparison, "page").rows}
    assert rows_of["Sports"][2].second == f"from {found['global']:.2f} on*"
    assert rows_of["Sports"][3].second.endswith(" on") and rows_of["Plants"][2].second.endswith(" on")
    assert [picture.title for picture in label_pictures.limits(comparison)] == ["a", "b"]
    assert label_pictures.limits(comparison)[0].alt.endswith("Without a validation page: Sports.")
    write_page(comparison, tmp_path / "page.html")
    assert "An asterisk: no validation page has the label" in (tmp_path / "page.html").read_text()


def test_other_objectives_are_noted(copied: Copied) -> None:
    a, b = copied("a"), copied("b").noting(threshold_objective="f2")
    (note,) = compare([a, b], resamples=5).notes
    assert "different objectives (f1 and f2), the baselines' for that of a" in note


def test_one_label_and_several_are_refused(copied: Copied) -> None:
    a, b = copied("a"), copied("b")
    with pytest.raises(InputError) as caught:
        compare([a, Run(b.folder, {**b.facts, "label": {"name": "subjects", "multiple": False}})])
    assert "a predicts several labels a page" in caught.value.message
    assert "b predicts one label a page" in caught.value.message


def test_other_hierarchies_are_noted(copied: Copied) -> None:
    a, b = copied("a"), copied("b")
    assert compare([a, b], resamples=5).notes == []
    assert "judged by that of a" in compare([a, b.noting(taxonomy={})], resamples=5).notes[0]


def test_json_is_complete_and_plain(compared: Comparison) -> None:
    found = json.loads(json.dumps(compared.to_json(), allow_nan=False))
    assert found["runs"]["words"]["page"]["views"]["thresholds"]["figures"]["macro_f1"]["low"] is not None
    assert found["runs"]["words"]["page"]["without_positives"] == ["Art"]
    assert set(found["pairs"][0]["page"]) >= {"differences", "views"}
    assert len(found["against_baselines"]) == 6


def test_curves_know_the_loss_alone(compared: Comparison) -> None:
    found = curves.of_run(compared.runs["words"])["words"]
    assert list(found) == ["loss"] and curves.epochs(found) == 8


def test_the_worst_pages_come_first_with_what_each_run_says_of_them(copied: Copied) -> None:
    def mixed_up(values: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
        found = right(values, labels)
        found.loc[pages.index("leaflet53p2")] = 1 - found.loc[pages.index("leaflet53p2")]
        return found

    pages = read_predictions(copied("a", right).folder / "predictions.csv")["id"].tolist()
    sheet = label_sheets.worst(compare([copied("b", right), copied("c", mixed_up)], resamples=5))
    first = sheet.cards[0]
    assert first.name == "53_2.png" and first.uri.startswith("data:image/jpeg;base64,")
    assert first.notes[:3] == ("GT: Society", "b: Society", "c: Art, Nature, Plants, Politics, Sports")
    assert first.notes[3] == "ranking loss 0.5"
    assert sheet.cards[1].notes[3] == "ranking loss 0"


def test_sheets_show_pages_of_their_label_and_texts_where_there_is_no_image(copied: Copied) -> None:
    a, b = copied("a"), copied("b")
    table = rows.read(a.folder / "ludwig.csv").assign(image="")
    rows.write(table, a.folder / "ludwig.csv")
    sheets = label_sheets.of_labels(compare([a, b], resamples=5))
    assert [sheet.title for sheet in sheets][::4] == ["Society (14 pages)", "Sports (4 pages)"]
    for sheet in sheets:
        name = sheet.title.partition(" (")[0]
        assert sheet.cards and all(name in card.notes[0].removeprefix("GT: ").split(", ") for card in sheet.cards)
        assert all(not card.uri and card.excerpt for card in sheet.cards)


@pytest.fixture
def hostile(copied: Copied) -> Comparison:
    """Two runs in which Plants has a name that would run on a careless page."""
    found = [copied("a"), copied("b", right)]
    label = Label("subjects", multiple=True)
    for place, run in enumerate(found):
        table = rows.in_words(rows.read(run.folder / "ludwig.csv"), label)
        cells = table["subjects"].str.replace("Plants", HOSTILE, regex=False)
        rows.write(rows.for_ludwig(table.assign(subjects=cells), Path("/"), label), run.folder / "ludwig.csv")
        frame = run.predictions().rename(columns={"probability_Plants": f"probability_{HOSTILE}"})
        values = pd.DataFrame(probabilities_of(frame), columns=classes_of(frame))
        labels = frame["label"].str.replace("Plants", HOSTILE, regex=False)
        write_predictions(from_label_probabilities(frame, labels, values), run.folder / "predictions.csv")
        limits = read_json(run.folder / "thresholds.json")
        limits["labels"][HOSTILE] = limits["labels"].pop("Plants")
        write_json(run.folder / "thresholds.json", limits)
        above = {HOSTILE if name == "Plants" else name: parents for name, parents in run.facts["taxonomy"].items()}
        found[place] = run.noting(taxonomy=above)
    return compare(found, resamples=20)


def test_a_hostile_label_is_escaped_and_the_page_stands_alone(hostile: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "comparison.html"
    write_page(hostile, path)
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.all("script")
    assert page.text.count(HOSTILE) > 5
    stands_alone(page)
    without_eyes(page)


def test_the_page_holds_what_was_asked_for(compared: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "comparison.html"
    write_page(compared, path)
    page = Page(path.read_text(encoding="utf-8"))
    for words in (
        "Per leaflet: 12 leaflets",
        "difference in macro AP",
        "macro F1 with thresholds",
        "labels lacking",
        "F1 page by page",
        "Trapezoid area",
        "A hollow dot has no page of its own",
        "times the truth",
        "gradient-boosted trees",
        "No test page has Art: not shown and in no average.",
        "The pages ranked worst",
        "GT: ",
        "Loss by epoch",
        "labels left open a leaflet",
        "by the mean of their logits",
    ):
        assert words in page.text
    for words in ("McNemar", "Accuracy by epoch", "Mix-ups", "balanced accuracy"):
        assert words not in page.text
    pictures = [image["src"] or "" for image in page.all("img")]
    # macro AP by unit, curves, frequency, together, distribution, thresholds, F1, loss; reliability, risk by unit
    drawn = 2 + 1 + 2 + 1 + 2 + 2 + 2 + 1 + 2 + 2
    assert sum(uri.startswith("data:image/svg+xml;base64,") for uri in pictures) == drawn
    assert sum(uri.startswith("data:image/jpeg;base64,") for uri in pictures) > 12
