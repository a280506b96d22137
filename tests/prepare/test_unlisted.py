"""Photographs that lie beside those of a table or of label files, and that no row names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.manifest import read_table
from leaflet_tool.prepare import sources
from leaflet_tool.prepare.dataset import Dataset, build, load, overridden
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.prepare.sources import unlisted
from leaflet_tool.prepare.sources.rows import NO_ROW, REASON, SOURCE

Draw = Callable[..., Path]
TABLE = overridden(
    build({"source": {"type": "table"}, "columns": {"image": "image", "label": "label"}}, "x"), {"ocr.engine": "none"}
)


@pytest.fixture
def archive(tmp_path: Path, draw: Draw) -> Path:
    """Four photographs of two classes that the table names, one that it does not, and a note."""
    root = tmp_path / "in"
    names = [f"photos/{name}.png" for name in "abcd"]
    for number, name in enumerate([*names, "photos/forgotten.png"]):
        draw(root / name, size=(30 + number, 20))
    (root / "notes.txt").write_text("scanned in May")
    write(root, *names)
    return root


def write(root: Path, *names: str) -> Path:
    rows = [f"{name},{'xy'[number % 2]}" for number, name in enumerate(names)]
    (root / "rows.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    return root / "rows.csv"


def reasons(archive: Path, dataset: Dataset = TABLE) -> dict[str, str]:
    skipped = sources.read(archive, dataset).skipped
    return dict(zip(skipped[SOURCE], skipped[REASON], strict=True))


def test_what_lies_beside_a_table_and_stands_in_no_row_is_skipped(archive: Path, tmp_path: Path) -> None:
    told = prepare(archive / "rows.csv", tmp_path / "out", TABLE)
    assert (told["found"], told["kept"], told["skipped"]) == (5, 4, {"no row names it": 1})
    assert read_table(tmp_path / "out" / "skipped.csv").values.tolist() == [["photos/forgotten.png", "", NO_ROW]]
    assert "found 5 = kept 4 + skipped 1\nskipped: no row names it 1\n" in summary(told)


def test_links_and_folders_are_accounted_for_and_other_files_are_not(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.png").write_bytes(b"x")
    (archive / "away.png").symlink_to(tmp_path / "outside.png")
    (archive / "nowhere.TIF").symlink_to("missing")
    (archive / "link").symlink_to(tmp_path / "elsewhere")
    (archive / "folder.jpg").mkdir()
    (archive / "folder.jpg" / "paper.pdf").write_bytes(b"x")
    os.mkfifo(archive / "pipe.jpg")
    shutil.copy(archive / "photos" / "a.png", archive / "scan")
    os.close(os.open(os.fsencode(archive) + b"/caf\xe9.jpg", os.O_CREAT | os.O_WRONLY))
    assert reasons(archive / "rows.csv") == {
        "away.png": NO_ROW,
        "caf\\udce9.jpg": "name is not UTF-8",
        "folder.jpg": "a folder, not an image",
        "folder.jpg/paper.pdf": NO_ROW,
        "nowhere.TIF": NO_ROW,
        "photos/forgotten.png": NO_ROW,
        "pipe.jpg": NO_ROW,
    }


def test_a_row_names_its_file_whatever_way_it_takes(archive: Path) -> None:
    (archive / "link").symlink_to("photos")
    (archive / "folder.jpg").mkdir()
    ways = ["link/a.png", "./photos/../photos/b.png", str(archive / "photos" / "c.png"), "../in/photos/d.png"]
    assert reasons(write(archive, *ways, "folder.jpg", "absent.png", "nul\0.png")) == {"photos/forgotten.png": NO_ROW}


def test_every_row_and_every_photograph_counts_once(archive: Path, tmp_path: Path) -> None:
    rows = ["photos/a.png", "photos/b.png", "photos/c.png", "photos/d.png", "photos/a.png", "absent.png"]
    path = write(archive, *rows)
    told = prepare(path, tmp_path / "out", TABLE, dry_run=True)
    assert told["skipped"] == {"no row names it": 1, "missing file": 1, "listed twice": 1}
    assert (told["found"], told["kept"]) == (7, 4)


def test_a_table_whose_rows_have_no_images_is_not_looked_around(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlisted, "unlisted", lambda root, named: pytest.fail("the folder was walked"))
    (archive / "texts.csv").write_text("image,text,label\n,vote green,x\n,vote red,y\n")
    definition = overridden(TABLE, {"columns.text": "text"})
    assert reasons(archive / "texts.csv", definition) == {}
    assert reasons(archive / "texts.csv", build({"source": {"type": "table"}, "columns": {"text": "text"}}, "x")) == {}


def test_prepared_folders_beside_a_table_are_not_looked_into(archive: Path) -> None:
    first = prepare(archive / "rows.csv", archive / "prepared", TABLE)
    again = prepare(archive / "rows.csv", archive / "prepared", TABLE)
    anew = prepare(archive / "rows.csv", archive / "prepared", TABLE, force=True)
    other = prepare(archive / "rows.csv", archive / "other", TABLE)
    assert [told["found"] for told in (first, again, anew, other)] == [5] * 4
    # unless it is itself the archive
    path = archive / "prepared" / "metadata.csv"
    definition = overridden(TABLE, {"columns.image": "file_name"})
    assert prepare(path, archive / "more", definition)["found"] == 4


def test_a_page_that_lost_its_row_is_gone_and_one_that_got_one_is_new(archive: Path, tmp_path: Path) -> None:
    names = [f"photos/{name}.png" for name in "abcd"]
    prepare(archive / "rows.csv", tmp_path / "out", TABLE)
    write(archive, *names[:3], "photos/forgotten.png")
    for dry_run in (True, False):
        told = prepare(archive / "rows.csv", tmp_path / "out", TABLE, dry_run=dry_run)
        assert (told["added"], told["removed"], told["skipped"]) == (1, 1, {"no row names it": 1})


def test_hugging_face_metadata_has_photographs_beside_it(archive: Path) -> None:
    (archive / "metadata.csv").write_text("file_name,label\nphotos/a.png,x\nphotos/b.png,y\n")
    definition = sources.definition(archive, None)
    assert reasons(archive, definition) == {f"photos/{name}.png": NO_ROW for name in ("c", "d", "forgotten")}


def test_what_lies_beside_label_files_and_stands_in_no_line_is_skipped(archive: Path, tmp_path: Path) -> None:
    files = {"train": "a.png x\nb.png y\n", "val": "c.png x\n", "test": "d.png y\n"}
    for name, lines in files.items():
        (archive / f"{name}.txt").write_text(lines)
    shutil.copy(archive / "photos" / "a.png", archive / "beside the root.png")
    content: dict[str, Any] = load("label_files").model_dump(exclude_none=True)
    content["source"]["root"] = "photos"
    definition = overridden(build(content, "x"), {"ocr.engine": "none"})
    told = prepare(archive, tmp_path / "out", definition, dry_run=True)
    assert (told["found"], told["kept"], told["skipped"]) == (5, 4, {"no row names it": 1})


def test_an_absent_root_is_no_photograph(archive: Path) -> None:
    for name in ("train", "val", "test"):
        (archive / f"{name}.txt").write_text("a.png x\n")
    content: dict[str, Any] = load("label_files").model_dump(exclude_none=True)
    content["source"]["root"] = "absent"
    assert reasons(archive, build(content, "x")) == {}
