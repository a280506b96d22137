"""Several labels a row in the recipe: cells, hierarchies, rows without labels, captions and resampling."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared, read_table
from leaflet_tool.prepare.dataset import Dataset, build, load, overridden
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.recipe import prepare

TAXONOMY = {"STEM": None, "Nature": "STEM", "Plants": "Nature", "Past": None, "Unseen": "Past"}


def table(folder: Path, *cells: str, times: int = 1, start: int = 0) -> Path:
    """A CSV of texts with cells of labels."""
    folder.mkdir(parents=True, exist_ok=True)
    every = list(cells) * times
    lines = [f"number {start + n} of many,{cell}" for n, cell in enumerate(every)]
    (folder / "rows.csv").write_text("\n".join(["text,topics", *lines]) + "\n")
    return folder / "rows.csv"


def of(**changes: Any) -> Dataset:
    """A definition for such a table."""
    columns = {"text": "text", "labels": "topics"}
    content = {"source": {"type": "table"}, "columns": columns, "label_delimiter": ";"}
    return build(content | changes, "test")


def topics(out: Path) -> list[str]:
    return read_prepared(out).frame["topics"].tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["Plants|Nature|STEM", "STEM|Nature", "Past"]),
        ({"labels": "closed"}, ["Plants|Nature|STEM", "STEM|Nature", "Past"]),
        ({"labels": "flat"}, ["Plants", "Nature", "Past"]),
        ({"labels": "given"}, ["Plants", "STEM|Nature", "Past"]),
    ],
)
def test_labels_take_the_declared_form(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    archive = table(tmp_path, "Plants", "STEM; Nature", "Past")
    told = prepare(archive, tmp_path / "out", of(taxonomy=TAXONOMY, **changes))
    prepared = read_prepared(tmp_path / "out")
    assert topics(tmp_path / "out") == expected
    parents = {"STEM": [], "Nature": ["STEM"], "Plants": ["Nature"], "Past": [], "Unseen": ["Past"]}
    assert told["taxonomy"] == parents
    assert {label: list(above) for label, above in prepared.taxonomy.parents.items()} == parents
    assert told["unused_labels"] == ["Unseen"]
    assert "labels of the taxonomy that no row has: Unseen" in summary(told)
    assert told["classes"] == dict(pd.Series(expected).str.split("|").explode().value_counts().sort_index())


def test_without_a_taxonomy_labels_are_as_given(tmp_path: Path) -> None:
    told = prepare(table(tmp_path, "Plants", "STEM;Nature"), tmp_path / "out", of())
    assert topics(tmp_path / "out") == ["Plants", "STEM|Nature"]
    assert "taxonomy" not in told
    assert not read_prepared(tmp_path / "out").taxonomy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": {"text": "text", "label": "topics"}, "taxonomy": TAXONOMY}, "a taxonomy is for rows with several"),
        ({"columns": {"text": "text", "label": "topics"}, "unlabelled": "keep"}, "unlabelled: keep is for rows with"),
        ({"labels": "flat"}, "labels: flat follows a taxonomy, and none is given"),
        ({"taxonomy": {"Plants": None}}, "'Plant' is not in the taxonomy, did you mean 'Plants'? (row 3, row 4)"),
        ({"taxonomy": "nowhere.yaml"}, "there is no such taxonomy"),
        ({"taxonomy": {"a": "b"}}, "its parent 'b' is not in the taxonomy"),
        ({"taxonomy": {"a": "b", "b": "a"}}, "a cycle: a -> b -> a"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    archive = table(tmp_path, "Plants", "Plant", "Plant")
    with pytest.raises(InputError) as caught:
        prepare(archive, tmp_path / "out", of(**changes))
    assert words in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("policy", "cells", "skipped"),
    [
        ("stated", ["a", "b", ""], {"no label": 1}),
        ("keep", ["a", "b", "", ""], {}),
        ("drop", ["a", "b"], {"no label": 2}),
    ],
)
def test_rows_without_labels_follow_the_policy(
    tmp_path: Path, policy: str, cells: list[str], skipped: dict[str, int]
) -> None:
    rows = [["a"], ["b"], [], None]
    lines = [json.dumps({"text": f"t{n}", "topics": labels}) for n, labels in enumerate(rows)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    told = prepare(tmp_path / "rows.jsonl", tmp_path / "out", of(unlabelled=policy, label_delimiter=""))
    assert topics(tmp_path / "out") == cells
    assert told["skipped"] == skipped
    assert told["found"] == 4 == told["kept"] + sum(skipped.values())
    assert told["unlabelled"] == {"policy": policy, "kept": len(cells) - 2}
    kept = f"rows without labels, kept as such: {len(cells) - 2}"
    assert (kept in summary(told)) == (policy != "drop")
    assert read_table(tmp_path / "out" / "skipped.csv")["reason"].tolist() == ["no label"] * sum(skipped.values())


def test_an_empty_text_is_unknown_unless_it_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = table(tmp_path, "a", "b", "")
    with caplog.at_level(logging.WARNING):
        assert prepare(archive, tmp_path / "out", of())["skipped"] == {"no label": 1}
    assert "1 rows have no label and are left out: row 4" in caplog.text
    assert prepare(archive, tmp_path / "kept", of(unlabelled="keep"))["skipped"] == {}
    single = build({"source": {"type": "table"}, "columns": {"text": "text", "label": "topics"}}, "test")
    assert prepare(archive, tmp_path / "single", single)["skipped"] == {"no label": 1}
    assert "unlabelled" not in prepare(archive, tmp_path / "single", single)


def test_no_row_has_a_label(tmp_path: Path) -> None:
    archive = table(tmp_path, "", "")
    with pytest.raises(InputError, match="none of the 2 usable rows"):
        prepare(archive, tmp_path / "out", of())
    with pytest.raises(InputError, match="no row has a topics"):
        prepare(archive, tmp_path / "out", of(unlabelled="keep"))


def test_a_label_that_holds_the_manifests_delimiter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 3: 'b\|c' holds '\|'"):
        prepare(table(tmp_path, "a", "b|c"), tmp_path / "out", of())


def test_a_table_that_prepare_exported_can_be_prepared(tmp_path: Path) -> None:
    """Its cells hold lists as in JSON, which need no delimiter."""
    (tmp_path / "rows.csv").write_text('text,topics\nt1,"[""a"", ""b;c""]"\nt2,[]\nt3,"[""b;c""]"\n')
    prepare(tmp_path / "rows.csv", tmp_path / "out", of(label_delimiter=""))
    assert topics(tmp_path / "out") == ["a|b;c", "", "b;c"]


def test_captions_come_from_file_names_and_the_archives_column(tmp_path: Path, draw: Any) -> None:
    for name in ("RedBus", "old-map"):
        draw(tmp_path / "in" / "a" / f"{name}.png", name, size=(90, 40))
    lines = ["a/RedBus.png,x,In the rain", "a/old-map.png,y;x,Peru_1900.svg"]
    (tmp_path / "in" / "rows.csv").write_text("\n".join(["image,topics,what", *lines]) + "\n")
    columns = {"image": "image", "labels": "topics", "caption": "what"}
    prepare(tmp_path / "in" / "rows.csv", tmp_path / "out", of(columns=columns, ocr={"engine": "none"}))
    frame = read_prepared(tmp_path / "out").frame
    assert frame["caption"].tolist() == ["Red Bus In the rain", "old map Peru 1900"]
    assert list(frame)[:4] == ["id", "image", "text", "caption"]
    prepare(table(tmp_path, "a", "b"), tmp_path / "texts", of())
    assert "caption" not in read_prepared(tmp_path / "texts").frame


HALF = of(resample={"undersample": 0.5})


def ids(out: Path) -> dict[str, str]:
    frame = read_prepared(out).frame
    return dict(zip(frame["id"], frame["split"], strict=True))


def test_rows_taken_out_are_skipped_and_remembered(tmp_path: Path) -> None:
    out, archive = tmp_path / "out", table(tmp_path, "a", "a;b", "c", "a", times=20)
    told = prepare(archive, out, HALF)
    whole = prepare(archive, tmp_path / "whole", of())
    taken = read_table(out / "undersampled.csv")
    assert told["found"] == whole["found"] == told["kept"] + told["skipped"]["under-sampled"] == 80
    assert len(taken) == told["resampled"]["taken"] == whole["splits"]["train"] - told["splits"]["train"]
    assert set(taken["split"]) == {"train"}
    assert f"training rows: {whole['splits']['train']} - {len(taken)} taken out + 0 added" in summary(told)
    everything = ids(tmp_path / "whole")
    assert ids(out) == {page: side for page, side in everything.items() if page not in set(taken["id"])}
    before = {name: (out / name).read_bytes() for name in ("manifest.csv", "undersampled.csv", "skipped.csv")}
    again = prepare(archive, out, HALF)
    assert {name: (out / name).read_bytes() for name in before} == before
    assert (again["added"], again["removed"]) == (0, 0)


def test_rows_taken_out_come_back_to_train(tmp_path: Path) -> None:
    out, archive = tmp_path / "out", table(tmp_path, "a", "a;b", "c", "a", times=20)
    prepare(archive, out, HALF)
    taken = set(read_table(out / "undersampled.csv")["id"])
    lines = archive.read_text().splitlines()
    archive.write_text("\n".join([*lines, *[f"more of {n},a" for n in range(20)]]) + "\n")
    told = prepare(archive, out, of())
    assert not (out / "undersampled.csv").exists()
    assert {page: side for page, side in ids(out).items() if page in taken} == dict.fromkeys(taken, "train")
    assert (told["added"], told["kept"]) == (20, 100)
    prepare(archive, out, HALF)
    prepare(archive, out, of(), force=True)
    assert not (out / "undersampled.csv").exists()


def test_pictures_taken_out_are_not_made_again(tmp_path: Path, draw: Any) -> None:
    for number in range(12):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", str(number), size=(90 + 9 * number, 60))
    content = {"source": {"type": "folders"}, "ocr": {"engine": "none"}, "duplicates": {"near": False}}
    half = build(content | {"resample": {"undersample": 0.5}}, "test")
    told = prepare(tmp_path / "in", tmp_path / "out", half)
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "images").iterdir()}
    assert len(times) == 12 > told["kept"]
    prepare(tmp_path / "in", tmp_path / "out", half)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "images").iterdir()} == times
    assert len(read_table(tmp_path / "out" / "duplicates.csv")) == 0


def test_over_sampling_alters_the_pages_of_rare_labels(tmp_path: Path) -> None:
    archive = table(tmp_path, *["a"] * 9, "b", times=8)
    how = of(resample={"oversample": 0.25}, augment={"words": 0.2})
    told = prepare(archive, tmp_path / "out", how)
    frame = read_prepared(tmp_path / "out").frame
    copies = frame[frame["augmented_from"] != ""]
    assert told["augmented"] == len(copies) == round(0.25 * told["splits"]["train"]) == told["resampled"]["added"]
    assert set(copies["topics"]) == {"b"}
    assert copies["augmented_from"].nunique() == told["resampled"]["classes"]["b"]["before"]
    assert copies["text"].str.split().str.len().between(1, 3).all()
    dry = prepare(archive, tmp_path / "dry", how, dry_run=True)
    assert dry["resampled"] == told["resampled"]


def test_a_definition_that_cannot_resample_is_refused() -> None:
    with pytest.raises(InputError, match="folds test on each row"):
        of(resample={"undersample": 0.5}, split={"folds": 3})
    odds = dict.fromkeys(("rotate_90", "rotate_270", "turn", "perspective", "light", "blur", "jpeg"), 0.0)
    with pytest.raises(InputError, match="no alteration has odds above 0"):
        of(resample={"oversample": 0.5}, augment=odds)
    of(resample={"oversample": 0.5}, augment=odds | {"words": 0.1})
    for share in (0, 1.2):
        with pytest.raises(InputError, match=r"resample\.undersample"):
            of(resample={"undersample": share})


def test_copies_of_words_alone_keep_the_picture(tmp_path: Path, draw: Any) -> None:
    for number in range(12):
        draw(tmp_path / "in" / "ab"[number % 2] / f"TheBus_{number}.png", size=(90 + 9 * number, 60))
    odds = dict.fromkeys(("rotate_90", "rotate_270", "turn", "perspective", "light", "blur", "jpeg"), 0.0)
    content = {"source": {"type": "folders"}, "ocr": {"engine": "none"}, "duplicates": {"near": False}}
    prepare(tmp_path / "in", tmp_path / "out", build(content | {"augment": odds | {"words": 0.2, "copies": 1}}, "test"))
    frame = read_prepared(tmp_path / "out").frame.set_index("id")
    copies = frame[frame["augmented_from"] != ""]
    parents = frame.loc[copies["augmented_from"]]
    assert len(copies) > 6
    assert copies["image"].tolist() == parents["image"].tolist()
    assert all(
        set(one.split()) < set(other.split()) for one, other in zip(copies["caption"], parents["caption"], strict=True)
    )
    assert len(list((tmp_path / "out" / "images").iterdir())) == 12


def test_topics_have_captions_and_a_hierarchy(shared_data: Path, tmp_path: Path) -> None:
    told = prepare(shared_data / "topics", tmp_path / "out", load("topics"), dry_run=True)
    assert (told["found"], told["kept"], told["skipped"]) == (5882, 5882, {})
    assert (len(told["classes"]), told["unused_labels"]) == (31, [])
    assert told["classes"]["STEM"] >= 2122
    prepare(shared_data / "topics", tmp_path / "out", load("topics"))
    prepared = read_prepared(tmp_path / "out")
    assert prepared.frame["caption"].head(2).tolist() == ["CPR oxygen defibrillator", "Location Philippines"]
    assert prepared.taxonomy.ancestors("Fossils") == {"Nature", "STEM"}
    assert all(not prepared.taxonomy.missing_ancestors(cell.split("|")) for cell in prepared.frame["topics"])


def test_issues_of_leaflets_keep_those_that_raise_none(shared_data: Path, tmp_path: Path) -> None:
    told = prepare(shared_data / "leaflet_texts.jsonl.gz", tmp_path, load("leaflet_issues"), dry_run=True)
    assert (told["found"], told["kept"], told["skipped"]) == (5946, 5946, {})
    assert len(told["classes"]) == 8
    assert told["unlabelled"]["kept"] > 0


def test_posters_and_the_issues_of_photographs(shared_data: Path, tmp_path: Path) -> None:
    no_text = {"ocr.engine": "none"}
    told = prepare(shared_data / "posters", tmp_path, overridden(load("posters"), no_text), dry_run=True)
    assert (told["kept"], len(told["classes"]), told["label"]) == (600, 23, {"name": "genres", "multiple": True})
    flags = no_text | {"columns.labels": "issues", "label_delimiter": ";", "rare.policy": "keep"}
    told = prepare(shared_data / "leaflets", tmp_path, overridden(load("leaflets"), flags), dry_run=True)
    assert told["label"] == {"name": "issues", "multiple": True}
    assert told["kept"] + sum(told["skipped"].values()) == 66


def test_a_prepared_folder_with_a_taxonomy_is_gone_on_with_without_it(tmp_path: Path) -> None:
    archive = table(tmp_path / "in", "Plants", "Past", times=10)
    (tmp_path / "in" / "tree.yaml").write_text("STEM:\nNature: STEM\nPlants: Nature\nPast:\n")
    prepare(archive, tmp_path / "out", of(taxonomy="tree.yaml"))
    sides = ids(tmp_path / "out")
    shutil.move(tmp_path / "in" / "tree.yaml", tmp_path / "tree.yaml")
    told = prepare(archive, tmp_path / "out", of(taxonomy=str(tmp_path / "tree.yaml"), labels="flat"))
    assert ids(tmp_path / "out") == sides
    assert set(told["classes"]) == {"Plants", "Past"}
