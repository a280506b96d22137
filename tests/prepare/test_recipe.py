"""The recipe on small archives: what it writes, what it refuses, and what a second run leaves alone."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.errors import ExitCode, InputError
from leaflet_tool.manifest import SPLITS, read_prepared, read_table
from leaflet_tool.prepare import copies, recipe
from leaflet_tool.prepare.dataset import Dataset, build, load, overridden
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.output import ANEW
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.storage import locked

FILES = (
    *("manifest.csv", "skipped.csv", "duplicates.csv", "prepare.json", "metadata.csv", "croissant.json", "images"),
    *(".copies.sqlite", ".pages.sqlite", ".lock"),
)
"""What prepare leaves in its folder."""
FOLDERS = overridden(load("class_folders"), {"ocr.engine": "none"})
Draw = Callable[..., Path]


def texts(rows: list[str], folder: Path, header: str = "text,label") -> Path:
    """A table in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def of_texts(**changes: Any) -> Dataset:
    """A definition for such a table."""
    content = {"source": {"type": "table"}, "columns": {"text": "text", "label": "label"}} | changes
    return build(content, "test")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time and bytes."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_class_folders_become_a_prepared_folder(class_folders: Path, tmp_path: Path) -> None:
    told = prepare(class_folders, tmp_path / "out", FOLDERS)
    prepared = read_prepared(tmp_path / "out")
    assert (told["found"], told["kept"], told["skipped"]) == (13, 12, {"not an image": 1})
    assert prepared.classes == ["blue", "red"]
    assert prepared.facts == json.loads(json.dumps(told))
    assert prepared.frame["source"].tolist()[0] == "blue/0.png"
    assert all((tmp_path / "out" / image).is_file() for image in prepared.frame["image"])
    assert prepared.frame["id"].equals(prepared.frame["group"])
    assert read_table(tmp_path / "out" / "skipped.csv").values.tolist() == [["notes.txt", "", "not an image"]]
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_pages_are_read(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "in" / "green" / "1.png", "Vote Green")
    draw(tmp_path / "in" / "red" / "1.png")
    told = prepare(tmp_path / "in", tmp_path / "out", load("class_folders"))
    frame = read_prepared(tmp_path / "out").frame
    assert frame[["text", "ocr_status"]].values.tolist() == [["Vote Green", "read"], ["", "blank"]]
    assert told["text"] == {"read": 1, "blank": 1}
    assert told["tesseract"]


def test_ids_depend_on_the_path_in_the_archive_alone(class_folders: Path, tmp_path: Path, draw: Draw) -> None:
    prepare(class_folders, tmp_path / "one", FOLDERS)
    moved = shutil.copytree(class_folders, tmp_path / "elsewhere" / "moved")
    draw(moved / "amber" / "0.png", size=(9, 9))
    prepare(moved, tmp_path / "two", FOLDERS)
    one, two = (read_prepared(tmp_path / name).frame.set_index("source")["id"] for name in ("one", "two"))
    assert two[one.index].equals(one)
    assert len(two) == 13


def test_a_second_run_writes_the_same_manifest_and_makes_no_copy_again(class_folders: Path, tmp_path: Path) -> None:
    prepare(class_folders, tmp_path / "out", FOLDERS)
    before = snapshot(tmp_path / "out")
    prepare(class_folders, tmp_path / "out", FOLDERS)
    after = snapshot(tmp_path / "out")
    assert after["manifest.csv"][1] == before["manifest.csv"][1]
    assert {name: after[name] for name in after if name.startswith("images/")} == {
        name: before[name] for name in before if name.startswith("images/")
    }


def test_changed_and_removed_sources_change_their_copies(class_folders: Path, tmp_path: Path, draw: Draw) -> None:
    prepare(class_folders, tmp_path / "out", FOLDERS)
    names = read_prepared(tmp_path / "out").frame.set_index("source")["image"]
    before = snapshot(tmp_path / "out")
    draw(class_folders / "blue" / "0.png", colour="yellow", size=(70, 70))
    (class_folders / "red" / "0.png").unlink()
    prepare(class_folders, tmp_path / "out", FOLDERS)
    after = snapshot(tmp_path / "out")
    assert after[names["blue/0.png"]][1] != before[names["blue/0.png"]][1]
    assert after[names["blue/1.png"]] == before[names["blue/1.png"]]
    assert names["red/0.png"] not in after


def test_a_growing_archive_moves_no_page(tmp_path: Path) -> None:
    rows = [f"text {number},{'ab'[number % 2]}" for number in range(20)]
    prepare(texts(rows, tmp_path / "in"), tmp_path / "out", of_texts())
    before = read_prepared(tmp_path / "out").frame.set_index("id")["split"]
    more = [f"new {number},{'abc'[number % 3]}" for number in range(30)]
    prepare(texts(more + rows, tmp_path / "in"), tmp_path / "out", of_texts())
    after = read_prepared(tmp_path / "out").frame.set_index("id")["split"]
    assert len(after) == 50
    assert after[before.index].equals(before)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"split": {"seed": 7}}, "seed: 42 then, 7 now"),
        ({"split": {"fractions": [0.8, 0.1, 0.1]}}, "fractions"),
        ({"split": {"folds": 3}}, "folds: 0 then, 3 now"),
        ({"label_name": "party"}, "label: 'label' then, 'party' now"),
        ({"columns": {"text": "text", "label": "label", "group": "text"}}, "group: '' then, 'text' now"),
    ],
)
def test_other_settings_need_force(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    table = texts(["x,a", "y,b", "z,a"], tmp_path / "in")
    prepare(table, tmp_path / "out", of_texts())
    before = snapshot(tmp_path / "out")
    with pytest.raises(InputError, match="prepared otherwise") as error:
        prepare(table, tmp_path / "out", of_texts(**changes))
    assert named in error.value.message
    assert "--force" in error.value.hint
    assert snapshot(tmp_path / "out") == before
    prepare(table, tmp_path / "out", of_texts(**changes), force=True)


def test_force_removes_only_what_prepare_wrote(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(class_folders, out, FOLDERS)
    (out / "images" / "mine.jpg").write_text("mine")
    (out / "notes.txt").write_text("mine")
    prepare(texts(["x,a", "y,b"], tmp_path / "in"), out, of_texts(), force=True)
    assert [path.name for path in (out / "images").iterdir()] == ["mine.jpg"]
    assert (out / "notes.txt").read_text() == "mine"
    assert len(read_prepared(out).frame) == 2


def test_force_leaves_the_earlier_files_when_it_fails(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(class_folders, out, FOLDERS)
    before = snapshot(out)
    for number in range(1, 6):
        (class_folders / "red" / f"{number}.png").unlink()
    smaller = overridden(FOLDERS, {"images.max_side": 20, "split.seed": 7, "rare.policy": "drop"})
    with pytest.raises(InputError, match="every row has the label 'blue'"):
        prepare(class_folders, out, smaller, force=True)
    assert snapshot(out) == before
    assert not (out / ANEW).exists()
    prepare(class_folders, out, overridden(smaller, {"rare.policy": "keep"}), force=True)
    after = read_prepared(out)
    assert after.facts["settings"]["split"]["seed"] == 7
    assert Image.open(out / after.frame["image"][0]).width == 20
    assert len(list((out / "images").iterdir())) == len(after.frame) == 7
    assert {path.name for path in out.iterdir()} == set(FILES)


def test_an_interrupted_force_leaves_the_earlier_files_and_is_gone_on_with(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    out, other = tmp_path / "out", overridden(FOLDERS, {"split.seed": 7})
    prepare(class_folders, out, FOLDERS)
    before = snapshot(out)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recipe, "write_manifest", interrupted)
        prepare(class_folders, out, other, force=True)
    kept = snapshot(out / ANEW)
    assert {name: file for name, file in snapshot(out).items() if not name.startswith(ANEW)} == before
    prepare(class_folders, out, other, force=True)
    copies = {name: file for name, file in kept.items() if name.endswith(".jpg")}
    assert copies == {name: file for name, file in snapshot(out).items() if name.endswith(".jpg")}
    assert len(copies) == 12
    (out / ANEW).mkdir()
    prepare(class_folders, out, other)
    assert not (out / ANEW).exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_force_killed_while_it_replaces_is_gone_on_with(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {name: file[1] for name, file in snapshot(folder).items() if name.endswith((".jpg", "manifest.csv"))}

    def killed(path: Path, target: Path) -> Path:
        if path.parent.name == ANEW != target.parent.name:
            raise KeyboardInterrupt
        return replace(path, target)

    out, replace = tmp_path / "out", Path.replace
    prepare(class_folders, out, FOLDERS)
    whole = contents(out)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        prepare(class_folders, out, FOLDERS, force=True)
    assert not (out / "prepare.json").exists()
    prepare(class_folders, out, FOLDERS, force=force)
    assert contents(out) == whole
    assert {path.name for path in out.iterdir()} == set(FILES)


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_other_things_is_left_alone(class_folders: Path, tmp_path: Path, force: bool) -> None:
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "manifest.csv").write_text("mine")
    with pytest.raises(InputError, match="is left alone"):
        prepare(class_folders, out, FOLDERS, force=force)
    assert snapshot(out).keys() == {"manifest.csv"}
    with pytest.raises(InputError, match="is a file"):
        prepare(class_folders, out / "manifest.csv", FOLDERS, force=force)
    with pytest.raises(InputError, match="lies inside the archive"):
        prepare(class_folders, class_folders / "prepared", FOLDERS, force=force)


def test_a_dry_run_writes_nothing(class_folders: Path, tmp_path: Path) -> None:
    told = prepare(class_folders, tmp_path / "out", FOLDERS, dry_run=True)
    assert not (tmp_path / "out").exists()
    real = prepare(class_folders, tmp_path / "out", FOLDERS)
    unseen = {"exact": None, "near": None}
    assert told["duplicates"] == real["duplicates"] | unseen
    told, real = ({**facts, "created": "", "text": {}, "duplicates": {}} for facts in (told, real))
    assert told == real


def test_two_at_once(class_folders: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "out"), pytest.raises(InputError, match="in use by another"):
        prepare(class_folders, tmp_path / "out", FOLDERS)


def test_everything_wrong_is_said_at_once_and_earlier_results_stay(tmp_path: Path) -> None:
    columns = {"id": "id", "text": "text", "label": "label", "group": "group", "split": "split", "fold": "fold"}
    definition = of_texts(columns=columns, classes=["a", "b"])
    header = "id,text,label,group,split,fold"
    good = ["1,t1,a,g1,train,0", "2,t2,b,g2,test,1", "3,t3,a,g3,validation,0"]
    prepare(texts(good, tmp_path / "in", header), tmp_path / "out", definition)
    before = snapshot(tmp_path / "out")
    bad = ["1,t4,A,g1,test,0", ",t5,a|b,g5,tset,1", "6,t6,b,g3,dev,x"]
    with pytest.raises(InputError) as error:
        prepare(texts(good + bad, tmp_path / "in", header), tmp_path / "out", definition)
    for part in (
        "row 5: 'A' is not among the declared classes",
        "row 6: 'a|b' holds '|'",
        "the id is empty in row 6",
        "the id '1' is used twice: row 2, row 5",
        "the word 'tset' in row 6",
        "(perhaps test)",
        "the word 'dev' in row 7",
        "split_words: {dev: …}",
        "fold: 'x' in row 7",
        "the group 'g1' lies in split test, train at once (row 2, row 5)",
    ):
        assert part in error.value.message
    assert snapshot(tmp_path / "out") == before


def test_declared_splits_folds_and_ids_are_honoured(tmp_path: Path) -> None:
    columns = {"id": "id", "text": "text", "label": "label", "split": "split", "fold": "fold"}
    rows = ["07,t1,no,train,0", "1.0,t2,yes,dev,1", "NA,t3,no,test,0", "d,t4,yes,train,1"]
    table = texts(rows, tmp_path / "in", "id,text,label,split,fold")
    prepare(table, tmp_path / "out", of_texts(columns=columns, split_words={"dev": "validation"}))
    frame = read_prepared(tmp_path / "out").frame
    assert frame["id"].tolist() == ["07", "1.0", "NA", "d"]
    assert frame["split"].tolist() == ["train", "validation", "test", "train"]
    assert frame["fold"].tolist() == ["0", "1", "0", "1"]
    assert frame["label"].tolist() == ["no", "yes", "no", "yes"]
    assert frame["row"].tolist() == ["2", "3", "4", "5"]


def test_two_words_for_one_split_are_no_leak(tmp_path: Path) -> None:
    columns = {"text": "text", "label": "label", "group": "group", "split": "split"}
    rows = ["t1,a,g1,dev", "t2,a,g1,validation", "t3,b,g2,train", "t4,a,g3,train"]
    table = texts(rows, tmp_path / "in", "text,label,group,split")
    told = prepare(table, tmp_path / "out", of_texts(columns=columns, split_words={"dev": "validation"}))
    assert told["splits"] == {"train": 2, "validation": 2, "test": 0}


def test_rows_without_a_declared_split_join_their_group(tmp_path: Path) -> None:
    columns = {"text": "text", "label": "label", "group": "group", "split": "split"}
    rows = ["t1,a,g1,test", "t2,a,g1,", "t3,b,g2,", "t4,a,g3,"]
    prepare(texts(rows, tmp_path / "in", "text,label,group,split"), tmp_path / "out", of_texts(columns=columns))
    assert read_prepared(tmp_path / "out").frame["split"].tolist() == ["test", "test", "train", "train"]


def test_rows_without_a_label_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = prepare(texts(["x,a", "y,", "z,b", "w, "], tmp_path / "in"), tmp_path / "out", of_texts())
    assert told["skipped"] == {"no label": 2}
    assert "2 rows have no label and are left out: row 3, row 5" in caplog.text
    assert read_table(tmp_path / "out" / "skipped.csv")["row"].tolist() == ["3", "5"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["x,", "y,"], "none of the 2 usable rows"),
        (["x,a", "y,a"], "every row has the label 'a'"),
        ([",a", " ,b"], "neither image nor text: 2 of 2"),
    ],
)
def test_too_little_to_learn_from(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(texts(rows, tmp_path / "in"), tmp_path / "out", of_texts())
    assert not (tmp_path / "out").exists()


def test_a_table_without_a_named_label_lists_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which column") as error:
        prepare(texts(["x,a"], tmp_path / "in"), tmp_path / "out", of_texts(columns={"text": "text"}))
    assert "there are: text, label" in error.value.hint


def test_rare_classes_may_leave_too_little(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="every row has the label 'a'"):
        prepare(
            texts(["x,a", "y,a", "z,b"], tmp_path / "in"),
            tmp_path / "out",
            of_texts(rare={"policy": "drop", "minimum": 2}),
        )


def test_classes_without_a_training_row_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    columns = {"text": "text", "label": "label", "split": "split"}
    rows = ["t1,a,train", "t2,b,train", "t3,c,test"]
    prepare(texts(rows, tmp_path / "in", "text,label,split"), tmp_path / "out", of_texts(columns=columns))
    assert "classes without a row in train: c" in caplog.text
    assert "no row is in validation" in caplog.text


def test_images_of_a_table(tmp_path: Path, draw: Draw) -> None:
    for name in "abcd":
        draw(tmp_path / "in" / f"{name}.png", size=(30, 20))
    (tmp_path / "in" / "broken.png").write_bytes(b"x")
    draw(tmp_path / "secret.png")
    names = ["a.png", "b.png", "./a.png", "broken.png", "absent.png", "../secret.png", "", "c.png"]
    rows = [f"{name},{'xy'[number % 2]}" for number, name in enumerate(names)]
    definition = build(
        {"source": {"type": "table"}, "columns": {"image": "image", "label": "label"}, "ocr": {"engine": "none"}},
        "test",
    )
    told = prepare(texts(rows, tmp_path / "in", "image,label"), tmp_path / "out", definition)
    assert (told["found"], told["kept"]) == (9, 3)
    assert sum(told["skipped"].values()) == 6
    reasons = read_table(tmp_path / "out" / "skipped.csv").set_index("row")["reason"].str.partition(":")[0].to_dict()
    assert reasons == {
        "4": "listed twice",
        "5": "unreadable image",
        "6": "missing file",
        "7": "path leaves the archive",
        "8": "no image",
        "": "no row names it",
    }


def test_an_image_listed_twice_with_two_labels_is_refused(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "in" / "a.png", size=(30, 20))
    definition = build({"source": {"type": "table"}, "columns": {"image": "image", "label": "label"}}, "test")
    definition = overridden(definition, {"ocr.engine": "none"})
    with pytest.raises(InputError, match=r"a\.png is listed twice .* row 2 says 'x'; row 3 says 'y'"):
        prepare(texts(["a.png,x", "a.png,y"], tmp_path / "in", "image,label"), tmp_path / "out", definition)


def test_same_texts_keep_distinct_ids(tmp_path: Path) -> None:
    prepare(texts(["same,a", "same,b", "other,a"], tmp_path / "in"), tmp_path / "out", of_texts())
    first = read_prepared(tmp_path / "out").frame["id"].tolist()
    assert len(set(first)) == 3
    prepare(texts(["same,a", "same,b", "other,a", "same,a"], tmp_path / "in"), tmp_path / "out", of_texts())
    assert read_prepared(tmp_path / "out").frame["id"].tolist()[:3] == first


def test_ids_of_any_kind_name_their_copies(tmp_path: Path, draw: Draw) -> None:
    ids = ["../../x", "IMG", "img", "é 1", "a" * 300]
    for number in range(len(ids)):
        draw(tmp_path / "in" / f"{number}.png", size=(30, 20))
    rows = [f"{number}.png,{'ab'[number % 2]},{name}" for number, name in enumerate(ids)]
    content = {"source": {"type": "table"}, "columns": {"image": "image", "label": "label", "id": "id"}}
    definition = overridden(build(content, "test"), {"ocr.engine": "none"})
    prepare(texts(rows, tmp_path / "in", "image,label,id"), tmp_path / "out", definition)
    frame = read_prepared(tmp_path / "out").frame
    assert frame["id"].tolist() == ids
    assert len({image.casefold() for image in frame["image"]}) == len(ids)
    assert all((tmp_path / "out" / image).resolve().parent == tmp_path / "out" / "images" for image in frame["image"])


def test_odd_names_come_back_from_the_files(tmp_path: Path, draw: Draw) -> None:
    odd = ['quote".png', "new\nline.png", "carriage\rreturn.png", "comma, .png", "umläut 漢字 😀.png"]
    for name in odd:
        draw(tmp_path / "in" / "a" / name, size=(30, 20))
        draw(tmp_path / "in" / "b\rb" / name, size=(30, 20))
    (tmp_path / "in" / "skip\rped.txt").write_text("x")
    prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    assert sorted(read_prepared(tmp_path / "out").frame["source"]) == sorted(
        [f"{folder}/{name}" for folder in ("a", "b\rb") for name in odd]
    )
    assert read_table(tmp_path / "out" / "skipped.csv")["source"].tolist() == ["skip\rped.txt"]


def test_names_and_texts_that_a_spreadsheet_would_run_come_back(tmp_path: Path, draw: Draw) -> None:
    for name in ("=1+1.png", "'=1.png", "-x.png", "@sum.png", "a" * 251 + ".png"):
        draw(tmp_path / "in" / "+a" / name, size=(30, 20))
        draw(tmp_path / "in" / "b" / name, size=(30, 20))
    (tmp_path / "in" / "=cmd|' C calc'!A0.txt").write_text("x")
    prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    for name in ("manifest.csv", "skipped.csv"):
        with (tmp_path / "out" / name).open(encoding="utf-8", newline="") as file:
            assert not [cell for row in csv.reader(file) for cell in row if cell[:1] in tuple("=+-@")]
    frame = read_prepared(tmp_path / "out").frame
    assert sorted(set(frame["label"])) == ["+a", "b"]
    assert "+a/=1+1.png" in set(frame["source"])
    assert read_table(tmp_path / "out" / "skipped.csv")["source"].tolist() == ["=cmd|' C calc'!A0.txt"]
    given = texts(["=SUM(A1),a", "'-x,b", "-5,a"], tmp_path / "table")
    prepare(given, tmp_path / "texts", of_texts())
    assert read_prepared(tmp_path / "texts").frame["text"].tolist() == ["=SUM(A1)", "'-x", "-5"]


def test_pages_of_a_file_are_rows_of_one_group(tmp_path: Path, draw: Draw, pdf: Callable[..., Path]) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    for number in range(3):
        pdf(tmp_path / "in" / "a" / f"{number}.pdf", f"one of {number}", f"two of {number}")
        draw(tmp_path / "in" / "b" / f"{number}.png", size=(30, 20))
    (tmp_path / "in" / "b" / "post.png").write_bytes(b"%!PS-Adobe-3.0")
    told = prepare(tmp_path / "in", tmp_path / "out", overridden(FOLDERS, {"duplicates.near": False}))
    assert (told["found"], told["kept"], told["skipped"]) == (10, 9, {"format not read": 1})
    frame = read_prepared(tmp_path / "out").frame
    pages = frame[frame["source"] == "a/0.pdf"]
    assert pages["page"].tolist() == ["1", "2"]
    assert pages["group"].nunique() == pages["split"].nunique() == 1
    assert frame["id"].is_unique
    assert pages["id"].tolist() == [pages["group"].iloc[0], pages["group"].iloc[0] + "-2"]
    assert pages["image"].nunique() == 2
    dry = prepare(tmp_path / "in", tmp_path / "dry", FOLDERS, dry_run=True)
    assert (dry["found"], dry["kept"]) == (10, 10)  # before anything is opened
    before = snapshot(tmp_path / "out")
    prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    after = snapshot(tmp_path / "out")
    assert {name: after[name] for name in after if name.startswith("images/")} == {
        name: before[name] for name in before if name.startswith("images/")
    }
    assert after["manifest.csv"][1] == before["manifest.csv"][1]


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_the_text_layer_of_a_pdf_is_taken_where_it_may_be(tmp_path: Path, draw: Draw, pdf: Callable[..., Path]) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    pdf(tmp_path / "in" / "a" / "1.pdf", "Vote Green", "")
    draw(tmp_path / "in" / "b" / "1.png", "Vote Red")
    for allowed, statuses in ((True, ["not_run", "blank", "read"]), (False, ["read", "blank", "read"])):
        definition = overridden(load("class_folders"), {"ocr.pdf_text": allowed, "ocr.orientation": "none"})
        prepare(tmp_path / "in", tmp_path / f"out{allowed}", definition)
        frame = read_prepared(tmp_path / f"out{allowed}").frame
        assert frame["text"].tolist() == ["Vote Green", "", "Vote Red"]
        assert frame["ocr_status"].tolist() == statuses


def test_the_text_of_a_pdf_is_taken_without_tesseract(tmp_path: Path, pdf: Callable[..., Path]) -> None:
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        pdf(tmp_path / "in" / label / "1.pdf", f"Vote {label}")
    prepare(tmp_path / "in", tmp_path / "out", overridden(FOLDERS, {"ocr.pdf_text": True}))
    frame = read_prepared(tmp_path / "out").frame
    assert frame[["text", "ocr_status"]].values.tolist() == [["Vote a", "not_run"], ["Vote b", "not_run"]]
    columns = {"image": "image", "text": "text", "label": "label"}
    table = texts(["a/1.pdf,given,x", "b/1.pdf,,y"], tmp_path / "in", "image,text,label")
    definition = overridden(build({"source": {"type": "table"}, "columns": columns}, "test"), {"ocr.pdf_text": True})
    prepare(table, tmp_path / "given", definition)
    assert read_prepared(tmp_path / "given").frame["text"].tolist() == ["given", ""]


@pytest.mark.parametrize(
    ("limit", "file", "why"), [(2_000, ".pages.sqlite", "disk I/O error"), (90_000, "manifest.csv", "File too large")]
)
def test_a_full_disk_leaves_the_earlier_manifest(tmp_path: Path, limit: int, file: str, why: str) -> None:
    out = tmp_path / "out"
    table = texts(["x,a", "y,b"], tmp_path / "in")
    prepare(table, out, of_texts())
    before = (out / "manifest.csv").read_bytes()
    texts([f"{number} {'long ' * 200},{'ab'[number % 2]}" for number in range(100)], tmp_path / "in")
    code = (
        "import resource, sys; from leaflet_tool.cli.main import main\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "prepare", table, "--out", out, "--label", "label"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.INPUT
    assert re.search(rf"^error: {re.escape(str(out / file))}\b.*: {why}$", done.stderr, re.MULTILINE), done.stderr
    assert "hint: free some space; what was finished is kept" in done.stderr
    assert (out / "manifest.csv").read_bytes() == before
    assert not list(out.rglob("*.part"))


def started(archive: Path, out: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal starts it; returns when the first copies are made."""
    command = [sys.executable, "-m", "leaflet_tool.cli.main", "prepare", archive, "--ocr", "none", "--out", out]
    running = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    while len(list((out / "images").glob("*.jpg"))) < 5:
        assert running.poll() is None
        time.sleep(0.01)
    return running


def test_ctrl_c_ends_in_one_line_and_keeps_what_was_finished(tmp_path: Path, draw: Draw) -> None:
    for number in range(60):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", "x", size=(800, 800))
    running = started(tmp_path / "in", tmp_path / "out")
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == ExitCode.INTERRUPTED
    assert "error: interrupted" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.csv").exists()
    assert len(list((tmp_path / "out" / "images").glob("*.jpg"))) >= 5


def test_a_killed_run_is_gone_on_with(tmp_path: Path, draw: Draw) -> None:
    for number in range(40):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", "x", size=(800, 800))
    running = started(tmp_path / "in", tmp_path / "out")
    images = tmp_path / "out" / "images"
    running.kill()
    running.communicate()
    (images / ".left.part").write_bytes(b"half")
    made = {path: path.stat().st_mtime_ns for path in images.glob("*.jpg")}
    prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    prepare(tmp_path / "in", tmp_path / "undisturbed", FOLDERS)
    for name in ("manifest.csv", "skipped.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert not list(images.glob(".*.part"))
    assert sum(path.stat().st_mtime_ns == time for path, time in made.items()) >= len(made) - 10


def test_given_texts_are_cleaned_and_no_tesseract_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    told = prepare(texts(['"a\x0cb\x00",x', "cafe\u0301,y"], tmp_path / "in"), tmp_path / "out", of_texts())
    frame: pd.DataFrame = read_prepared(tmp_path / "out").frame
    assert frame["text"].tolist() == ["ab", "café"]
    assert frame["ocr_status"].tolist() == ["not_run", "not_run"]
    assert told["tesseract"] is None


LONG = "we will plant more trees, clean the rivers and insulate homes in"


def test_duplicates_share_a_group_and_no_pair_crosses(tmp_path: Path) -> None:
    towns = [f"{LONG} town {number // 3}" for number in range(60)]
    rows = [f'"{text}",{"ab"[number % 2]}' for number, text in enumerate(towns)]
    told = prepare(texts(rows, tmp_path / "in"), tmp_path / "out", of_texts())
    frame = read_prepared(tmp_path / "out").frame
    assert frame.groupby("text")["group"].nunique().max() == frame.groupby("group")["split"].nunique().max() == 1
    assert frame["group"].nunique() == 20
    listed = read_table(tmp_path / "out" / "duplicates.csv")
    assert set(zip(listed["kind"], listed["labels_disagree"], listed["crosses"], strict=True)) == {
        ("text", "yes", "no"),
        ("text", "no", "no"),
    }
    assert listed["labels_disagree"].is_monotonic_decreasing
    assert told["duplicates"] == {
        **{"exact": 0, "near": 0, "text": 40, "pages": 60, "disagreeing": 20, "crossing": 0, "crossing_folds": 0}
    }
    assert told["balance"]["crossings"] == 0
    assert told["balance"]["classes"] == {
        label: {split: int(((frame["label"] == label) & (frame["split"] == split)).sum()) for split in SPLITS}
        for label in "ab"
    }
    assert "pairs of duplicates: text 40 (60 pages, 20 with different labels)" in summary(told)
    assert "different splits" not in summary(told)


def test_a_page_that_duplicates_two_splits_joins_the_training_one(
    tmp_path: Path, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", f"{number * 7919}", size=(600, 200 + number))
    prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    before = read_prepared(tmp_path / "out").frame.set_index("source")
    train = before.index[before["split"] == "train"][0]
    test = before.index[before["split"] == "test"][0]
    shutil.copy(tmp_path / "in" / train, tmp_path / "in" / "a" / "between.png")
    shutil.copy(tmp_path / "in" / train, tmp_path / "in" / test)
    told = prepare(tmp_path / "in", tmp_path / "out", FOLDERS)
    after = read_prepared(tmp_path / "out").frame.set_index("source")
    assert after.loc[before.index, ["group", "split"]].equals(before[["group", "split"]])
    assert after.loc["a/between.png", ["group", "split"]].tolist() == before.loc[train, ["group", "split"]].tolist()
    assert (told["duplicates"]["exact"], told["duplicates"]["crossing"]) == (2, 1)
    assert (told["added"], told["removed"], told["changed"]) == (1, 0, 1)
    assert "pairs of duplicates in different splits: 1 (duplicates.csv" in caplog.text
    assert "pairs of duplicates in different splits: 1" in summary(told)
    listed = read_table(tmp_path / "out" / "duplicates.csv")
    crossing = listed[listed["crosses"] == "yes"]
    assert set(crossing[["source_a", "source_b"]].iloc[0]) == {train, test}


def test_a_split_that_the_archive_declares_is_honoured_and_its_leak_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    columns = {"text": "text", "label": "label", "split": "split"}
    rows = [f'"{LONG} X",a,train', f'"{LONG} X",a,test', "t3,b,train", "t4,b,validation"]
    told = prepare(texts(rows, tmp_path / "in", "text,label,split"), tmp_path / "out", of_texts(columns=columns))
    frame = read_prepared(tmp_path / "out").frame
    assert frame["split"].tolist() == ["train", "test", "train", "validation"]
    assert frame["group"].nunique() == 4
    assert told["duplicates"]["crossing"] == 1
    assert told["balance"]["crossings"] == 0
    assert "pairs of duplicates in different splits: 1" in caplog.text


def test_folds_are_dealt_by_group_and_stay(tmp_path: Path) -> None:
    columns = {"text": "text", "label": "label", "group": "group"}
    definition = of_texts(columns=columns, split={"folds": 4})
    rows = [f"text {number},{'ab'[number // 2 % 2]},g{number // 2}" for number in range(64)]
    prepare(texts(rows[:40], tmp_path / "in", "text,label,group"), tmp_path / "out", definition)
    before = read_prepared(tmp_path / "out").frame.set_index("id")
    assert before["fold"].value_counts().to_dict() == {str(fold): 10 for fold in range(4)}
    assert before.groupby("group")["fold"].nunique().max() == 1
    prepare(texts(rows[::-1], tmp_path / "in", "text,label,group"), tmp_path / "out", definition)
    after = read_prepared(tmp_path / "out").frame.set_index("id")
    assert after.loc[before.index, ["fold", "split"]].equals(before[["fold", "split"]])
    assert after["fold"].value_counts().to_dict() == {str(fold): 16 for fold in range(4)}


def test_the_archives_own_folds_come_before_ours(tmp_path: Path) -> None:
    columns = {"text": "text", "label": "label", "fold": "fold"}
    rows = [f"text {number},{'ab'[number % 2]},{number % 3}" for number in range(9)]
    table = texts(rows, tmp_path / "in", "text,label,fold")
    prepare(table, tmp_path / "out", of_texts(columns=columns, split={"folds": 5}))
    assert read_prepared(tmp_path / "out").frame["fold"].tolist() == ["0", "1", "2"] * 3


def test_rare_and_full_classes_are_accounted_for(tmp_path: Path) -> None:
    rows = [f"text {number},{label}" for number, label in enumerate("a" * 10 + "b" * 4 + "c")]
    definition = of_texts(rare={"policy": "drop", "minimum": 2}, max_per_class=6)
    told = prepare(texts(rows, tmp_path / "in"), tmp_path / "out", definition)
    assert told["labels"] == {
        "a": {"found": 10, "kept": 6, "outcome": "capped"},
        "b": {"found": 4, "kept": 4, "outcome": "kept"},
        "c": {"found": 1, "kept": 0, "outcome": "dropped"},
    }
    assert told["skipped"] == {"class is full": 4, "rare class": 1}
    assert set(read_table(tmp_path / "out" / "skipped.csv")["reason"]) == {"class is full: 6 pages", "rare class"}
    assert told["found"] == told["kept"] + sum(told["skipped"].values()) == 15
    kept = set(read_prepared(tmp_path / "out").frame["id"])
    more = [f"earlier {number},a" for number in range(40)] + rows
    prepare(texts(more, tmp_path / "in"), tmp_path / "out", definition)
    assert set(read_prepared(tmp_path / "out").frame["id"]) == kept


def test_what_changed_in_the_archive_is_said(
    class_folders: Path, tmp_path: Path, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "leaflet_tool")
    first = prepare(class_folders, tmp_path / "out", FOLDERS)
    assert (first["added"], first["removed"], first["changed"]) == (0, 0, 0)
    assert "since the last run" not in caplog.text
    draw(class_folders / "blue" / "0.png", colour="yellow", size=(70, 70))
    os.utime(class_folders / "blue" / "1.png")
    (class_folders / "red" / "0.png").unlink()
    (class_folders / "red" / "1.png").write_bytes(b"broken")
    draw(class_folders / "red" / "new.png", size=(50, 50))
    dry = prepare(class_folders, tmp_path / "out", FOLDERS, dry_run=True)
    assert (dry["added"], dry["removed"], dry["changed"]) == (1, 1, None)
    caplog.clear()
    told = prepare(class_folders, tmp_path / "out", FOLDERS)
    assert (told["added"], told["removed"], told["changed"]) == (1, 1, 1)
    assert "pages since the last run: 1 added, 1 removed, 1 changed" in caplog.text
    named = [(record.module, record.levelname, record.message) for record in caplog.records]
    pages = ("added: red/new.png", "removed: red/0.png", "changed: blue/0.png")
    assert [record for record in named if record[:2] == ("changes", "DEBUG")] == [
        ("changes", "DEBUG", page) for page in pages
    ]


def test_a_file_that_the_table_still_lists_is_gone(tmp_path: Path, draw: Draw) -> None:
    for name in "abcd":
        draw(tmp_path / "in" / f"{name}.png", size=(30, 20))
    table = texts(
        [f"{name}.png,{label}" for name, label in zip("abcd", "xyxy", strict=True)], tmp_path / "in", "image,label"
    )
    content = {"source": {"type": "table"}, "columns": {"image": "image", "label": "label"}}
    definition = overridden(build(content, "test"), {"ocr.engine": "none"})
    prepare(table, tmp_path / "out", definition)
    (tmp_path / "in" / "a.png").unlink()
    assert prepare(table, tmp_path / "out", definition)["removed"] == 1


def test_pages_beyond_a_cap_are_not_copied_and_a_broken_one_makes_room(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        for name in ("blue", "red"):
            draw(tmp_path / "in" / name / f"{number}.png", colour=name, size=(40 + number, 30))
    capped = overridden(FOLDERS, {"max_per_class": 5})
    whole = prepare(tmp_path / "in", tmp_path / "whole", capped)
    first = read_prepared(tmp_path / "whole").frame["source"].tolist()
    for name in first[:2]:
        (tmp_path / "in" / name).write_bytes(b"no picture")
    made: list[str] = []
    make = copies.make

    def counting(tasks: Any, *arguments: Any, **settings: Any) -> Any:
        made.extend(task.source.name for task in tasks)
        return make(tasks, *arguments, **settings)

    monkeypatch.setattr(copies, "make", counting)
    told = prepare(tmp_path / "in", tmp_path / "out", capped)
    kept = read_prepared(tmp_path / "out").frame["source"].tolist()
    assert (whole["kept"], told["kept"], told["found"]) == (10, 10, 60)
    assert set(first[2:]) < set(kept) and not set(first[:2]) & set(kept)
    assert told["skipped"] == {"class is full": 48, "unreadable image": 2}
    assert len(made) < 30
    before = snapshot(tmp_path / "out")
    prepare(tmp_path / "in", tmp_path / "out", capped)
    after = snapshot(tmp_path / "out")
    assert {name: after[name][1] for name in ("manifest.csv", "skipped.csv")} == {
        name: before[name][1] for name in ("manifest.csv", "skipped.csv")
    }
