"""Corrections of labels: from a review's decisions to the manifest, and what of them finds no page."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import own, read_prepared, read_table, write_table
from leaflet_tool.prepare.corrections import MEANING
from leaflet_tool.prepare.dataset import Dataset, build, load, overridden
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results.data_report import write_report
from leaflet_tool.results.review import Review
from leaflet_tool.results.review_export import export
from tests.reviews import finding, write_audit

FOLDERS = overridden(load("class_folders"), {"ocr.engine": "none"})
PARENTS = {"Nature": None, "Plants": "Nature", "Trees": "Plants", "Society": None}
type Corrected = Callable[..., Path]


@pytest.fixture
def corrected(tmp_path: Path) -> Corrected:
    """`corrected((id, before, label), …)` is a file of corrections; a row may be a whole mapping of cells."""

    def corrected(*rows: tuple[str, str, str] | dict[str, str], name: str = "corrections.csv") -> Path:
        keys = ("id", "label_before", "label")
        told = [row if isinstance(row, dict) else dict(zip(keys, row, strict=True)) for row in rows]
        records = [{**dict.fromkeys(MEANING, ""), "decision": "change", **row} for row in told]
        write_table(pd.DataFrame(records, columns=list(MEANING)), tmp_path / name)
        return tmp_path / name

    return corrected


def texts(folder: Path, labels: Iterable[str]) -> Path:
    """A table of one text a label, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f'p{number},"{label}",words of number {number}' for number, label in enumerate(labels)]
    (folder / "rows.csv").write_text("\n".join(["id,label,text", *rows]) + "\n")
    return folder / "rows.csv"


def of_texts(**changes: Any) -> Dataset:
    columns = {"id": "id", "text": "text", "label": "label"}
    return build({"source": {"type": "table"}, "columns": columns, **changes}, "test")


def of_topics(**changes: Any) -> Dataset:
    columns = {"id": "id", "text": "text", "labels": "label"}
    content = {"source": {"type": "table"}, "columns": columns, "label_delimiter": ";", "taxonomy": PARENTS}
    return build({**content, **changes}, "test")


def labels_in(folder: Path) -> dict[str, tuple[str, str]]:
    """Label and label before of each page."""
    found = read_prepared(folder)
    before = found.frame.get("label_before", pd.Series("", index=found.frame.index))
    return dict(zip(found.frame["id"], zip(found.frame[found.label.name], before, strict=True), strict=True))


def test_from_folders_through_a_review_back_into_the_archive(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(class_folders, out, FOLDERS)
    before = read_prepared(out)
    frame = before.frame
    groups = frame["group"].tolist()
    audit = write_audit(tmp_path / "audit", out, [finding(frame, "label", group) for group in groups[:4]])
    review = Review(audit)
    for number, (decision, label) in enumerate(
        [("change", "red"), ("keep", "blue"), ("unclear", "blue"), ("change", "red")]
    ):
        subject = review.subject(review.findings[number])
        review.decisions.record("anna", decision, label, subject, once=f"once{number}", base=0)
    review.decisions.record("bert", "keep", "blue", review.subject(review.findings[3]), once="other", base=0)
    told = export(review, audit / "corrections.csv")
    review.close()
    assert told["decisions"] == {"keep": 1, "change": 1, "several": 0, "unclear": 1, "conflict": 1}
    facts = prepare(class_folders, out, FOLDERS, corrected=audit / "corrections.csv")
    after = read_prepared(out)
    changed = frame["id"].tolist()[0]
    assert labels_in(out)[changed] == ("red", "blue")
    assert [page for page, (_, old) in labels_in(out).items() if old] == [changed]
    for column in ("id", "group", "split", "source", "image"):
        assert after.frame[column].tolist() == frame[column].tolist()
    mended = facts["corrections"]
    assert (mended["changed"], mended["already"], mended["left"]) == (1, 0, {})
    assert mended["decisions"] == {"keep": 1, "change": 1, "unclear": 1, "conflict": 1}
    assert "corrected labels: 1 pages" in summary(facts)
    assert "1 page has a corrected label" in write_report(out).read_text()
    assert not (out / "uncorrected.csv").exists()


@pytest.mark.usefixtures("in_one_process")
def test_a_correction_makes_room_for_another_page_of_a_full_class(
    class_folders: Path, tmp_path: Path, corrected: Corrected
) -> None:
    capped = overridden(FOLDERS, {"max_per_class": 3})
    prepare(class_folders, tmp_path / "out", capped)
    first = next(page for page, (label, _) in labels_in(tmp_path / "out").items() if label == "blue")
    corrections = corrected((first, "blue", "red"))
    prepare(class_folders, tmp_path / "mended", capped, corrected=corrections)
    found = read_prepared(tmp_path / "mended").frame
    assert found.loc[found["id"] == first, "label"].tolist() in (["red"], [])
    assert found["label"].value_counts().to_dict() == {"blue": 3, "red": 3}
    assert all((tmp_path / "mended" / image).is_file() for image in found["image"])


def test_splits_are_those_of_the_uncorrected_archive(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green"] * 20)
    prepare(archive, tmp_path / "plain", of_texts())
    wrong = [(f"p{number}", ["red", "blue", "green"][number % 3], "green") for number in range(0, 30)]
    prepare(archive, tmp_path / "mended", of_texts(), corrected=corrected(*wrong))
    plain, mended = (read_prepared(tmp_path / name).frame for name in ("plain", "mended"))
    assert plain["split"].tolist() == mended["split"].tolist()
    assert (plain["label"] != mended["label"]).sum() == 20


def test_pages_that_had_no_label_stay_where_they_are_as_well(tmp_path: Path, corrected: Corrected) -> None:
    listed = ["Trees", "Society", "", "Plants;Society", "Nature", ""] * 15
    archive, dataset = texts(tmp_path / "in", listed), of_topics(unlabelled="keep")
    prepare(archive, tmp_path / "plain", dataset)
    without = [(f"p{number}", "", "Society") for number, label in enumerate(listed) if not label]
    told = prepare(archive, tmp_path / "mended", dataset, corrected=corrected(*without[::2]))
    assert told["corrections"]["changed"] == 15
    plain, mended = (read_prepared(tmp_path / name).frame for name in ("plain", "mended"))
    assert plain["split"].tolist() == mended["split"].tolist()


def test_what_finds_no_page_is_listed_and_told(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green", "red"])
    rows = [
        ("p0", "red", "blue"),
        ("p1", "red", "green"),
        ("gone", "red", "blue"),
        ("p2", "blue", "green"),
        {"id": "p3", "label_before": "red", "label": "red|blue", "decision": "several"},
    ]
    told = prepare(archive, tmp_path / "out", of_texts(), corrected=corrected(*rows))
    assert labels_in(tmp_path / "out") == {
        "p0": ("blue", "red"),
        "p1": ("blue", ""),
        "p2": ("green", ""),
        "p3": ("red", ""),
    }
    mended = told["corrections"]
    assert (mended["changed"], mended["already"]) == (1, 1)
    assert sum(mended["left"].values()) == 3
    left = read_table(tmp_path / "out" / "uncorrected.csv").set_index("id")
    assert left["reason"].to_dict() == {
        "p3": "shows several classes, and the archive has one label a page",
        "p1": "its label is now another",
        "gone": "no such page",
    }
    assert left.loc["p1", "label_now"] == "blue"
    assert "corrections not applied (uncorrected.csv lists them)" in summary(told)
    assert "3 corrections of a review could not be applied" in write_report(tmp_path / "out").read_text()


def test_corrections_of_several_audits_follow_each_other(tmp_path: Path, corrected: Corrected) -> None:
    rows = [
        {"id": "p0", "label_before": "blue", "label": "green", "decided": "2026-02-02"},
        {"id": "p0", "label_before": "red", "label": "blue", "decided": "2026-01-01"},
        {"id": "p1", "label_before": "red", "label": "blue", "decided": "2026-01-01"},
        {"id": "p1", "label_before": "blue", "label": "red", "decided": "2026-02-02"},
    ]
    archive = texts(tmp_path / "in", ["red", "red", "green", "blue"])
    told = prepare(archive, tmp_path / "out", of_texts(), corrected=corrected(*rows))
    assert labels_in(tmp_path / "out")["p0"] == ("green", "red")
    assert labels_in(tmp_path / "out")["p1"] == ("red", "")
    assert (told["corrections"]["changed"], told["corrections"]["left"]) == (1, {})


def test_several_labels_are_corrected_as_sets_along_the_taxonomy(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["Trees", "Society", "Plants;Society", "Nature", ""])
    rows = [
        {"id": "p0", "label_before": "Plants|Nature|Trees", "label": "Plants", "decision": "change"},
        {"id": "p1", "label_before": "Society", "label": "Society|Trees", "decision": "several"},
        {"id": "p3", "label_before": "Nature", "label": "", "decision": "change"},
    ]
    dataset = of_topics(unlabelled="keep")
    told = prepare(archive, tmp_path / "out", dataset, corrected=corrected(*rows))
    found = {page: (set(label.split("|")), before) for page, (label, before) in labels_in(tmp_path / "out").items()}
    assert found["p0"] == ({"Plants", "Nature"}, "Trees|Nature|Plants")
    assert found["p1"] == ({"Society", "Trees", "Plants", "Nature"}, "Society")
    assert found["p3"] == ({""}, "Nature")
    assert told["corrections"]["changed"] == 3


def test_a_label_that_the_long_tail_had_made_other_is_known_by_that_name(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red"] * 4 + ["blue"] * 4 + ["tiny", "small"])
    dataset = of_texts(rare={"policy": "other", "minimum": 3})
    prepare(archive, tmp_path / "out", dataset)
    assert labels_in(tmp_path / "out")["p8"] == ("other", "")
    rows = [("p8", "other", "red"), ("p0", "red", "other")]
    told = prepare(archive, tmp_path / "out", dataset, corrected=corrected(*rows))
    assert labels_in(tmp_path / "out")["p8"] == ("red", "other")
    assert labels_in(tmp_path / "out")["p0"] == ("other", "red")
    assert labels_in(tmp_path / "out")["p9"] == ("other", "")
    assert told["corrections"]["changed"] == 2


def test_a_class_that_is_rare_only_by_mistake_is_no_longer_rare(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red"] * 4 + ["blue"] * 4 + ["green"])
    dataset = of_texts(rare={"policy": "drop", "minimum": 2})
    prepare(archive, tmp_path / "out", dataset)
    assert "p8" not in labels_in(tmp_path / "out")
    prepare(archive, tmp_path / "out", dataset, corrected=corrected(("p0", "red", "green")))
    assert labels_in(tmp_path / "out")["p8"] == ("green", "")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("p0", "red", "gren")], "row 2, column 'label': 'gren' is no class of the archive, did you mean 'green'?"),
        ([("p1", "blue", "red"), ("", "red", "blue")], "row 3, column 'id': empty"),
        (
            [{"id": "p0", "decision": "chnage"}],
            "row 2, column 'decision': 'chnage' is no decision, did you mean 'change'",
        ),
        ([("p0", "red", "")], "row 2, column 'label': empty, and every page has a label"),
        ([("p0", "red", "blue|green")], "row 2, column 'label': 'blue|green' holds '|'"),
        ([("p0", "red", "blue"), ("p0", "red", "green")], "row 3, column 'label': 'green', and row 2 says 'blue'"),
    ],
)
def test_a_broken_file_is_told_by_row_and_column(
    tmp_path: Path, corrected: Corrected, rows: list[Any], words: str
) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green"])
    with pytest.raises(InputError) as error:
        prepare(archive, tmp_path / "out", of_texts(), corrected=corrected(*rows))
    assert words in error.value.message
    assert not (tmp_path / "out").exists()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    archive = texts(tmp_path / "in", ["red", "blue"])
    with pytest.raises(InputError, match="column 'label_before' is missing"):
        prepare(archive, tmp_path / "out", of_texts(), corrected=archive)
    with pytest.raises(InputError, match="is missing"):
        prepare(archive, tmp_path / "out", of_texts(), corrected=tmp_path / "nothing.csv")


def test_a_new_class_is_one_that_was_said_to_be_new(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green"])
    row = {"id": "p0", "label_before": "red", "label": "purple", "new_class": "yes"}
    also = {"id": "p1", "label_before": "blue", "label": "purple"}
    told = prepare(archive, tmp_path / "out", of_texts(), corrected=corrected(row, also))
    assert told["classes"] == {"green": 1, "purple": 2}
    declared = of_texts(classes=["red", "blue", "green"])
    with pytest.raises(InputError, match="'purple' is not among the declared classes"):
        prepare(archive, tmp_path / "declared", declared, corrected=corrected(row))
    topics = texts(tmp_path / "topics", ["Trees", "Society"])
    strange = {"id": "p0", "label_before": "Trees", "label": "Bushes", "new_class": "yes"}
    with pytest.raises(InputError, match="'Bushes' is not in the taxonomy"):
        prepare(topics, tmp_path / "t", of_topics(), corrected=corrected(strange))


def test_a_folder_with_corrections_does_not_go_on_without_them(tmp_path: Path, corrected: Corrected) -> None:
    archive, out = texts(tmp_path / "in", ["red", "blue", "green"]), tmp_path / "out"
    file = corrected(("p0", "red", "blue"))
    prepare(archive, out, of_texts(), corrected=file)
    written = (out / "manifest.csv").read_bytes()
    for dry_run in (True, False):
        with pytest.raises(InputError, match="was prepared with the corrections of") as error:
            prepare(archive, out, of_texts(), dry_run=dry_run)
        assert f"--corrections {file}" in error.value.hint
    assert (out / "manifest.csv").read_bytes() == written
    again = prepare(archive, out, of_texts(), corrected=file)
    assert (out / "manifest.csv").read_bytes() == written
    assert again["corrections"]["changed"] == 1
    prepare(archive, out, of_texts(), corrected=file, force=True)
    assert (out / "manifest.csv").read_bytes() == written
    prepare(archive, out, of_texts(), force=True)
    assert labels_in(out)["p0"] == ("red", "")


def test_a_file_that_is_corrected_itself_takes_the_place_of_the_last(tmp_path: Path, corrected: Corrected) -> None:
    archive, out = texts(tmp_path / "in", ["red", "blue", "green"]), tmp_path / "out"
    prepare(archive, out, of_texts(), corrected=corrected(("p0", "red", "blue"), ("gone", "red", "blue")))
    assert (out / "uncorrected.csv").is_file()
    prepare(archive, out, of_texts(), corrected=corrected(("p1", "blue", "red"), name="newer.csv"))
    assert labels_in(out) == {"p0": ("red", ""), "p1": ("red", "blue"), "p2": ("green", "")}
    assert not (out / "uncorrected.csv").exists()


def test_altered_copies_carry_the_correction(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green"] * 4)
    dataset = of_texts(augment={"copies": 1, "words": 0.5})
    prepare(
        archive, tmp_path / "out", dataset, corrected=corrected(*[(f"p{n}", "red", "blue") for n in range(0, 12, 3)])
    )
    frame = read_prepared(tmp_path / "out").frame
    copies = frame[frame["augmented_from"] != ""]
    parents = own(frame).set_index("id").loc[copies["augmented_from"]]
    assert (copies["label_before"] == "red").any()
    assert copies["label_before"].tolist() == parents["label_before"].tolist()
    assert copies["label"].tolist() == parents["label"].tolist()


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path, corrected: Corrected) -> None:
    archive = texts(tmp_path / "in", ["red", "blue", "green"])
    told = prepare(archive, tmp_path / "out", of_texts(), dry_run=True, corrected=corrected(("p0", "red", "blue")))
    assert told["corrections"]["changed"] == 1
    assert told["classes"] == {"blue": 2, "green": 1}
    assert not (tmp_path / "out").exists()
