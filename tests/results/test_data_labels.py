"""The report's part on several labels a page: figures as counted by hand, the hierarchy, and what resampling did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.manifest import Label
from leaflet_tool.prepare.dataset import build
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results import data_findings, data_labels
from leaflet_tool.results.data_contents import read
from leaflet_tool.results.data_report import write_report
from tests.results.pages import Page, stands_alone, without_eyes

CELLS = ["Plants", "Past;Fossils", "Past", "Past", "STEM", ""]
TAXONOMY = {"STEM": None, "Plants": "STEM", "Fossils": ["STEM", "Past"], "Past": None, "Zoo": "STEM"}
type Prepare = Callable[..., Path]


@pytest.fixture
def prepared(tmp_path: Path) -> Prepare:
    """Prepares texts with these cells of labels, ten times each."""

    def folder(*cells: str, **changes: Any) -> Path:
        lines = [f"a number of words {n},{cell}" for n, cell in enumerate(cells * 10)]
        (tmp_path / "rows.csv").write_text("\n".join(["text,topics", *lines]) + "\n")
        content = {"source": {"type": "table"}, "columns": {"text": "text", "labels": "topics"}, "label_delimiter": ";"}
        prepare(tmp_path / "rows.csv", tmp_path / "out", build(content | changes, "test"))
        return tmp_path / "out"

    return folder


def page(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def words(folder: Path) -> str:
    return " ".join(page(folder).text.split())


def test_the_figures_are_those_of_the_labels(prepared: Prepare) -> None:
    folder = prepared(*CELLS, taxonomy=TAXONOMY, unlabelled="keep")
    text = words(folder)
    # Plants+STEM 10, Fossils+Past+STEM 10, Past 20, STEM 10, none 10 -> STEM 30, Past 30, Plants 10, Fossils 10
    assert "A page has 1.33 labels on average (cardinality), which is 0.333 of the 4 there are (density)." in text
    assert "10 pages without any label. The policy for such pages is “keep”: they are kept" in text
    for row in ("0 labels 10 17 %", "1 label 30 50 %", "2 labels 10 17 %", "3 labels 10 17 %"):
        assert row in text
    # IRLbl 1, 1, 3, 3; SCUMBLE of {1, 3}: 1 - sqrt(3) / 2, of {3, 1, 1}: 1 - 3 ** (1/3) / (5/3)
    assert "mean IR 2 the commonest label" in text
    scumble = 10 * (1 - 3**0.5 / 2) + 10 * (1 - 3 ** (1 / 3) / (5 / 3))
    assert f"SCUMBLE {scumble / 60:.3g} how far" in text
    original = 10 * (1 - 3**0.25 / 2) + 10 * (1 - 3**0.25 / (5 / 3))
    assert f"SCUMBLE with all labels {original / 60:.3g} the same" in text
    for row in ("STEM 30 1", "Past 30 1", "Plants 10 3", "Fossils 10 3"):
        assert row in text
    assert "Past and Fossils" in text or "Fossils and Past" in text
    assert "The commonest pairs of labels" in text
    stands_alone(page(folder))
    without_eyes(page(folder))


def test_the_hierarchy_is_an_indented_list_with_counts(prepared: Prepare) -> None:
    folder = prepared(*CELLS, taxonomy=TAXONOMY, unlabelled="keep")
    tops = data_labels.hierarchy(read(folder))
    assert [(node.label, node.pages) for node in tops] == [("STEM", 30), ("Past", 30)]
    assert [(node.label, node.pages, node.others) for node in tops[0].below] == [
        ("Plants", 10, ""),
        ("Fossils", 10, "“Past”"),
        ("Zoo", 0, ""),
    ]
    assert tops[1].below == []
    text = words(folder)
    assert "STEM 30 Plants 10 Fossils 10 also below “Past” Zoo 0 Past 30" in text
    assert "A label brings all labels above it along. No page has “Zoo”, nor a label below." in text
    assert [finding.what for finding in data_findings.found(read(folder)) if finding.section == "labels"] == [
        "10 pages without any label",
        "1 label of the taxonomy that no page has",
    ]


def test_a_flat_form_is_said_and_no_hierarchy_is_shown_without_one(prepared: Prepare) -> None:
    assert "only the most specific are kept. Each label is some page's." in words(
        prepared("Plants", "Fossils", "Past", taxonomy={k: v for k, v in TAXONOMY.items() if k != "Zoo"}, labels="flat")
    )
    text = words(prepared("a", "a;b"))
    assert "Several labels a page" in text
    assert "The hierarchy of labels" not in text and "Resampling" not in text


def test_what_resampling_did_is_told_by_label(prepared: Prepare) -> None:
    how = {"resample": {"undersample": 0.8, "oversample": 0.2}, "augment": {"words": 0.2}}
    folder = prepared(*["a"] * 5, "b", **how)
    told = read(folder).facts["resampled"]
    text = words(folder)
    assert f"Of {told['before']} training pages under-sampling took out {told['taken']}" in text
    assert f"and {told['added']} altered copies were added" in text
    for label in "ab":
        before, after = told["classes"][label]["before"], told["classes"][label]["after"]
        assert f"{label} {before} {after} {after - before:+}" in text
    assert told["classes"]["b"]["after"] > told["classes"]["b"]["before"]


def test_one_label_a_page_has_no_such_part(tiny_prepared: Path, tmp_path: Path) -> None:
    assert data_labels.context(read(tiny_prepared)) == {"several": None}


def test_many_labels_and_deep_hierarchies_have_a_report(prepared: Prepare) -> None:
    deep = {f"l{n}": f"l{n - 1}" if n else None for n in range(200)}
    text = words(prepared("l199", "l50", taxonomy=deep))
    assert "Labels together: the 40 commonest" in text
    assert "l50 20" in text


def test_labels_that_never_meet_have_no_picture(prepared: Prepare) -> None:
    assert data_labels.together({"cooccurrence": {"classes": ["a"], "counts": [[3]]}, "counts": {"a": 3}}) is None
    assert "The commonest pairs of labels" not in words(prepared("a", "b"))


def test_hostile_labels_are_shown_as_text(prepared: Prepare) -> None:
    bad = "<script>alert(1)</script>"
    folder = prepared(f"a;{bad}", "a", taxonomy={"a": None, bad: ["a"], "<b>": None})
    text = write_report(folder).read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>&" not in text
    assert "&lt;script&gt;" in text


def test_a_folder_that_says_nothing_of_this_has_a_report_too(prepared: Prepare, tmp_path: Path) -> None:
    from leaflet_tool.storage import read_json, write_json

    folder = prepared("a", "a;b")
    told = read_json(folder / "prepare.json")
    for name in ("unlabelled", "taxonomy", "unused_labels", "resampled"):
        told.pop(name, None)
    told["dataset"].pop("labels")
    write_json(folder / "prepare.json", told)
    assert "A page has 1.50 labels on average" in words(folder)
    assert read(folder).prepared.label == Label("topics", multiple=True)
