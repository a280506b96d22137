"""New pages: prepared as the training pages were, without labels."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_table
from leaflet_tool.prepare.dataset import build, load, overridden
from leaflet_tool.prepare.new_pages import COLUMNS, read_new_pages
from leaflet_tool.prepare.recipe import prepare

Draw = Callable[..., Path]


@pytest.fixture
def facts(class_folders: Path, tmp_path: Path) -> dict[str, Any]:
    """prepare.json of images without text, 64 pixels at most."""
    definition = overridden(load("class_folders"), {"ocr.engine": "none", "images.max_side": 64})
    return prepare(class_folders, tmp_path / "training", definition)


def text_facts(folder: Path) -> dict[str, Any]:
    """prepare.json of a table of texts."""
    folder.mkdir()
    (folder / "rows.csv").write_text("body,label,group\none,a,1\ntwo,b,2\n")
    columns = {"text": "body", "label": "label", "group": "group"}
    return prepare(
        folder / "rows.csv", folder / "out", build({"source": {"type": "table"}, "columns": columns}, "test")
    )


def test_files_and_folders(facts: dict[str, Any], tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw(Path("one/scan.png"), colour="navy", size=(200, 100))
    draw(Path("two/deep/scan.png"), colour="red", size=(200, 100))
    Path("two/notes.txt").write_text("x")
    frame, skipped = read_new_pages([Path("one/scan.png"), Path("two"), Path("two/deep/scan.png")], facts, Path("new"))
    assert list(frame.columns) == COLUMNS
    assert frame["source"].tolist() == ["one/scan.png", "two/deep/scan.png"]
    assert frame["id"].is_unique and frame["group"].equals(frame["id"])
    assert {Image.open(Path("new", image)).size for image in frame["image"]} == {(64, 32)}
    assert set(frame["ocr_status"]) == {"not_run"}
    assert skipped.values.tolist() == [
        ["two/notes.txt", "", "not an image"],
        ["two/deep/scan.png", "", "listed twice"],
    ]
    again, _ = read_new_pages([Path("two")], facts, Path("newer"))
    assert again["id"].tolist() == frame["id"].tolist()[1:]


def test_an_unreadable_page_costs_itself_only(facts: dict[str, Any], tmp_path: Path, draw: Draw) -> None:
    good, bad = draw(tmp_path / "good.png", size=(20, 20)), tmp_path / "bad.png"
    bad.write_bytes(b"x")
    frame, skipped = read_new_pages([bad, good], facts, tmp_path / "new")
    assert frame["source"].tolist() == [str(good)]
    assert skipped["reason"].str.startswith("unreadable image").tolist() == [True]


def test_what_is_not_there_is_said_at_once(facts: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)there is nothing at.*a\.png.*b\.png"):
        read_new_pages([tmp_path / "a.png", tmp_path / "b.png"], facts, tmp_path / "new")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"nothing of .*empty can be used"):
        read_new_pages([tmp_path / "empty"], facts, tmp_path / "new")


def test_a_table_of_texts_needs_neither_label_nor_group(tmp_path: Path) -> None:
    facts = text_facts(tmp_path / "in")
    (tmp_path / "new.jsonl").write_text('{"body": "three"}\n{"body": "three"}\n{"body": null}\n')
    frame, skipped = read_new_pages([tmp_path / "new.jsonl"], facts, tmp_path / "new")
    assert frame["text"].tolist() == ["three", "three"]
    assert frame["row"].tolist() == ["1", "2"]
    assert frame["id"].is_unique
    assert skipped[["row", "reason"]].values.tolist() == [["3", "neither image nor text"]]


def test_a_table_that_lacks_the_trainings_text_names_the_column(tmp_path: Path) -> None:
    facts = text_facts(tmp_path / "in")
    (tmp_path / "new.csv").write_text("boddy\nthree\n")
    with pytest.raises(InputError, match="no column 'body', did you mean 'boddy'"):
        read_new_pages([tmp_path / "new.csv"], facts, tmp_path / "new")


def test_a_table_of_images(facts: dict[str, Any], tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b"):
        draw(tmp_path / "in" / f"{name}.png", size=(20, 20))
    (tmp_path / "in" / "new.csv").write_text("file_name,group,page\na.png,g,1\nb.png,g,2\n../x.png,g,3\n")
    frame, skipped = read_new_pages([tmp_path / "in" / "new.csv"], facts, tmp_path / "new")
    assert frame[["group", "page", "row"]].values.tolist() == [["g", "1", "2"], ["g", "2", "3"]]
    assert skipped["reason"].tolist() == ["path leaves the archive"]


def test_captions_are_those_that_training_pages_would_have(facts: dict[str, Any], tmp_path: Path, draw: Draw) -> None:
    path = draw(tmp_path / "in" / "RedBus-1.png", size=(20, 20))
    frame, _ = read_new_pages([path, path.parent], facts, tmp_path / "new")
    assert frame["caption"].tolist() == ["Red Bus 1"]
    (tmp_path / "rows.csv").write_text("body,label,what\none,a,Old_map.png\ntwo,b,x y\n")
    columns = {"text": "body", "label": "label", "caption": "what"}
    definition = build({"source": {"type": "table"}, "columns": columns}, "test")
    captioned = prepare(tmp_path / "rows.csv", tmp_path / "out", definition)
    assert read_table(tmp_path / "out" / "manifest.csv")["caption"].tolist() == ["Old map", "x y"]
    (tmp_path / "with.csv").write_text("body,what\nthree,NewMap.png\n")
    (tmp_path / "without.csv").write_text("body\nfour\n")
    frame, _ = read_new_pages([tmp_path / "with.csv", tmp_path / "without.csv"], captioned, tmp_path / "newer")
    assert frame["caption"].tolist() == ["New Map", ""]


def test_pages_of_a_file_are_rows(facts: dict[str, Any], tmp_path: Path, pdf: Callable[..., Path]) -> None:
    path = pdf(tmp_path / "new.pdf", "one", "two")
    frame, _ = read_new_pages([path], facts, tmp_path / "new")
    assert frame[["source", "page"]].values.tolist() == [[str(path), "1"], [str(path), "2"]]
    assert frame["group"].nunique() == 1
    assert frame["id"].is_unique and frame["image"].is_unique


def test_facts_of_another_tool_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say how the data was prepared"):
        read_new_pages([tmp_path], {"label": {}}, tmp_path / "new")


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_photographs_for_a_model_of_given_texts_are_read(
    tmp_path: Path, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    facts = text_facts(tmp_path / "in")
    path = draw(tmp_path / "photo.png", "Vote Green")
    frame, _ = read_new_pages([path], facts, tmp_path / "new")
    assert frame[["text", "ocr_status"]].values.tolist() == [["Vote Green", "read"]]
    assert "are read by Tesseract" in caplog.text
    unread, _ = read_new_pages([path], facts, tmp_path / "new", text=False)
    assert unread[["text", "ocr_status"]].values.tolist() == [["", "not_run"]]
