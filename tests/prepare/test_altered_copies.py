"""Altered copies in the recipe: of training pages alone, drawn once, counted apart, gone when nobody wants them."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageChops

from leaflet_tool.manifest import own, read_prepared
from leaflet_tool.prepare import altered_copies
from leaflet_tool.prepare.augment import Augment, Task, altered_copy
from leaflet_tool.prepare.dataset import build, load, overridden
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.images import Copy
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.prepare.sources.rows import raw_frame

FOLDERS = overridden(load("class_folders"), {"ocr.engine": "none"})
TWICE = overridden(FOLDERS, {"augment.copies": 2})
Draw = Callable[..., Path]


@pytest.fixture
def archive(tmp_path: Path, draw: Draw) -> Path:
    """Two classes of eight pages that show something."""
    for number in range(16):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", f"page {number}", size=(300, 120))
    return tmp_path / "in"


def copies_of(out: Path) -> pd.DataFrame:
    frame = read_prepared(out).frame
    return frame[frame["augmented_from"] != ""]


def pictures(out: Path) -> dict[str, tuple[int, bytes]]:
    """Every image with its time and bytes."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (out / "images").iterdir()}


def test_training_pages_get_copies_and_the_counts_stay_the_archives(archive: Path, tmp_path: Path) -> None:
    told, plain = prepare(archive, tmp_path / "out", TWICE), prepare(archive, tmp_path / "plain", FOLDERS)
    assert told["found"] == told["kept"] == sum(told["splits"].values()) == 16
    counts = ("found", "kept", "skipped", "classes", "splits", "text")
    assert {name: told[name] for name in counts} == {name: plain[name] for name in counts}
    assert told["augmented"] == 2 * told["splits"]["train"] == len(copies_of(tmp_path / "out"))
    assert f"altered copies: train {told['augmented']}" in summary(told)
    assert plain["augmented"] == 0
    assert "altered copies" not in summary(plain)
    assert "augmented_from" not in read_prepared(tmp_path / "plain").frame


def test_a_copy_is_its_page_but_for_the_picture(archive: Path, tmp_path: Path) -> None:
    prepare(archive, tmp_path / "out", TWICE)
    frame, altered = read_prepared(tmp_path / "out").frame, copies_of(tmp_path / "out")
    assert frame["id"].tolist() == [*own(frame)["id"], *altered["id"]]
    pages = frame.set_index("id").loc[altered["augmented_from"]].reset_index()
    assert set(pages["split"]) == set(altered["split"]) == {"train"}
    assert altered["id"].tolist() == [f"{page}-a{1 + number % 2}" for number, page in enumerate(pages["id"])]
    for column in ("text", "ocr_status", "label", "group", "page", "source", "row", "width", "height"):
        assert altered[column].tolist() == pages[column].tolist(), column
    for image, parent in zip(altered["image"], pages["image"], strict=True):
        with Image.open(tmp_path / "out" / image) as copy, Image.open(tmp_path / "out" / parent) as page:
            assert copy.size != page.size or ImageChops.difference(copy, page).getbbox()
    assert (altered["sharpness"] != pages["sharpness"].to_numpy()).any()
    assert altered["image"].is_unique


@pytest.mark.usefixtures("in_one_process")
def test_copies_do_not_depend_on_other_pages_or_their_order(archive: Path, tmp_path: Path, draw: Draw) -> None:
    prepare(archive, tmp_path / "one", TWICE)
    draw(archive / "a" / "000.png", "another", size=(300, 120))
    prepare(archive, tmp_path / "two", TWICE)
    one, two = pictures(tmp_path / "one"), pictures(tmp_path / "two")
    common = [name for name in one if "-a" in name and name in two]
    assert len(common) > 10
    assert all(one[name][1] == two[name][1] for name in common)


@pytest.mark.usefixtures("in_one_process")
def test_another_seed_draws_other_copies(archive: Path, tmp_path: Path) -> None:
    prepare(archive, tmp_path / "one", TWICE)
    prepare(archive, tmp_path / "two", overridden(TWICE, {"split.seed": 7}))
    one, two = pictures(tmp_path / "one"), pictures(tmp_path / "two")
    common = [name for name in one if "-a" in name and name in two]
    assert common
    assert all(one[name][1] != two[name][1] for name in common)


@pytest.mark.usefixtures("in_one_process")
def test_only_what_changed_is_drawn_again(archive: Path, tmp_path: Path, draw: Draw) -> None:
    out = tmp_path / "out"
    prepare(archive, out, TWICE)
    first, manifest = pictures(out), (out / "manifest.csv").read_bytes()
    prepare(archive, out, TWICE)
    assert pictures(out) == first
    assert (out / "manifest.csv").read_bytes() == manifest

    prepare(archive, out, overridden(TWICE, {"augment.copies": 3}))
    third = pictures(out)
    assert {name: third[name] for name in first} == first
    assert len(third) == len(first) + len(copies_of(out)) // 3

    changed = copies_of(out).iloc[0]
    draw(archive / changed["source"], "changed", size=(300, 120))
    prepare(archive, out, TWICE)
    fourth = pictures(out)
    mine = {Path(name).name for name in copies_of(out).query("augmented_from == @changed.augmented_from")["image"]}
    assert len(mine) == 2
    assert {name for name in first if "-a" in name and first[name] != fourth[name]} == mine
    assert fourth.keys() == first.keys()

    prepare(archive, out, build(TWICE.model_dump() | {"augment": {"copies": 1, "turn": 1.0}}, "test"))
    fifth = pictures(out)
    assert len(fifth) == len(first) - len(copies_of(out))
    assert all(fifth[name] != fourth[name] for name in fifth if "-a" in name)

    prepare(archive, out, FOLDERS)
    assert {name: first[name][1] for name in first if "-a" not in name}.keys() == pictures(out).keys()


@pytest.mark.usefixtures("in_one_process")
def test_half_done_copies_are_gone_on_with(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(archive, out, TWICE)
    before = pictures(out)
    lost = [name for name in before if name.endswith("-a1.jpg")]
    for name in lost:
        (out / "images" / name).unlink()
    (out / "images" / ".left.part").write_bytes(b"half")
    prepare(archive, out, TWICE)
    after = pictures(out)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name][0] != before[name][0]} == set(lost)
    assert all(after[name][1] == before[name][1] for name in after)


@pytest.mark.usefixtures("in_one_process")
def test_a_copy_that_cannot_be_drawn_is_left_out_and_said(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashing(task: Task) -> Copy:
        if task.target.name.endswith("-a2.jpg"):
            return Copy(reason="took more than 60 seconds")
        return altered_copy(task)

    monkeypatch.setattr(altered_copies, "altered_copy", crashing)
    told = prepare(archive, tmp_path / "out", TWICE)
    pages = told["splits"]["train"]
    assert told["augmented"] == pages == len(copies_of(tmp_path / "out"))
    assert (told["found"], told["kept"]) == (16, 16)
    assert f"{pages} altered copies could not be drawn and are left out: " in caplog.text
    assert "-a2: took more than 60 seconds" in caplog.text


def test_pages_without_image_get_no_copies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"t{n},{'ab'[n % 2]}\n" for n in range(8)))
    definition = {"source": {"type": "table"}, "columns": {"text": "text", "label": "label"}, "augment": {"copies": 1}}
    with caplog.at_level(logging.WARNING):
        told = prepare(tmp_path / "rows.csv", tmp_path / "out", build(definition, "test"))
    assert (told["kept"], told["augmented"]) == (8, 0)
    assert "no training page has an image" in caplog.text


@pytest.mark.usefixtures("in_one_process")
def test_several_labels_folds_and_taken_ids(tmp_path: Path, draw: Draw) -> None:
    for name in ("x", "x-a1", "y", "z"):
        draw(tmp_path / "in" / f"{name}.png", name, size=(200, 120))
    lines = ["x.png,a;b,x,train,0", "x-a1.png,b,x-a1,train,1", "y.png,a,y,train,2", "z.png,b;a,z,test,1"]
    (tmp_path / "in" / "rows.csv").write_text("\n".join(["image,topics,id,split,fold", *lines]) + "\n")
    columns = {"image": "image", "labels": "topics", "id": "id", "split": "split", "fold": "fold"}
    content = {"source": {"type": "table", "file": "rows.csv"}, "columns": columns, "label_delimiter": ";"}
    definition = build(content | {"ocr": {"engine": "none"}, "augment": {"copies": 1}}, "test")
    prepare(tmp_path / "in", tmp_path / "out", definition)
    altered = copies_of(tmp_path / "out")
    assert altered["id"].tolist() == ["x-a1-", "x-a1-a1", "y-a1"]
    assert altered["topics"].tolist() == ["a|b", "b", "a"]
    assert altered["fold"].tolist() == ["0", "1", "2"]
    assert read_prepared(tmp_path / "out").frame["image"].is_unique


def test_a_dry_run_counts_the_copies(archive: Path, tmp_path: Path) -> None:
    told = prepare(archive, tmp_path / "out", TWICE, dry_run=True)
    assert told["augmented"] == 2 * told["splits"]["train"] > 0
    assert told["kept"] == 16
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("in_one_process")
def test_force_removes_the_copies_too(archive: Path, tmp_path: Path) -> None:
    prepare(archive, tmp_path / "out", TWICE)
    shutil.rmtree(archive / "b")
    shutil.copytree(archive / "a", archive / "c")
    prepare(archive, tmp_path / "out", FOLDERS, force=True)
    assert len(pictures(tmp_path / "out")) == 16
    assert not [name for name in pictures(tmp_path / "out") if "-a" in name]


def test_what_a_copy_depends_on_is_the_order_of_no_table() -> None:
    frame = raw_frame({"id": name, "image": f"{name}.png", "split": split, "label": ("a",)} for name, split in PLACES)
    forth = altered_copies.with_copies(frame, Augment(copies=2))
    back = altered_copies.with_copies(frame.iloc[::-1].reset_index(drop=True), Augment(copies=2))
    assert sorted(forth["id"]) == sorted(back["id"])
    assert len(forth) == len(PLACES) + 2 * 2
    assert by_id(forth).equals(by_id(back))


PLACES = [("p", "train"), ("q", "validation"), ("r", "train"), ("s", "test")]


def by_id(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("id").reset_index(drop=True)
