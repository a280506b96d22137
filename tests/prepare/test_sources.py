"""Sources: what each kind of archive gives, and what is passed over or refused."""

import gzip
import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import IMAGE, ROW, SOURCE, SPLIT, TEXT
from leaflet_tool.prepare import sources
from leaflet_tool.prepare.dataset import build, load
from leaflet_tool.prepare.sources import folders, table
from leaflet_tool.prepare.sources.rows import LABEL, REASON, as_text, misplaced

TABLE = build({"source": {"type": "table"}, "columns": {"image": "file", "label": "party"}}, "x")


def test_class_folders_take_the_first_folder_and_count_every_file(class_folders: Path) -> None:
    (class_folders / "red" / "deeper").mkdir()
    (class_folders / "red" / "0.png").rename(class_folders / "red" / "deeper" / "0.png")
    rows = sources.read(class_folders, load("class_folders"))
    assert rows.frame[LABEL].value_counts().to_dict() == {"blue": 6, "red": 6}
    assert rows.skipped[[SOURCE, REASON]].values.tolist() == [["notes.txt", "not an image"]]
    assert rows.found == 13


def test_folders_called_after_splits_are_splits(tmp_path: Path, draw: Callable[..., Path]) -> None:
    for split in ("train", "val"):
        draw(tmp_path / split / "cat" / "1.png", size=(20, 20))
    rows = sources.read(tmp_path, load("class_folders"))
    assert rows.frame[[SPLIT, LABEL]].values.tolist() == [["train", "cat"], ["val", "cat"]]


def test_links_and_folders_with_image_names_are_accounted_for(class_folders: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"x")
    (class_folders / "red" / "away.png").symlink_to(outside)
    (class_folders / "red" / "within.png").symlink_to(class_folders / "red" / "0.png")
    (class_folders / "red" / "nowhere.png").symlink_to("missing")
    (class_folders / "red" / "round.png").symlink_to("round.png")
    (class_folders / "red" / "folder.jpg").mkdir()
    images, skipped = folders.files(class_folders)
    reasons = {name: reason for name, _, reason in skipped}
    assert "red/within.png" in images
    assert reasons["red/away.png"] == "link leaves the archive"
    assert reasons["red/nowhere.png"] == "missing file"
    assert reasons["red/folder.jpg"] == "a folder, not an image"
    assert "red/round.png" in reasons
    assert len(images) + len(skipped) == 13 + 5


def test_an_image_is_one_whatever_it_is_called(class_folders: Path) -> None:
    red = class_folders / "red"
    for name in ("scan", "scan.txt", "scan.jpg_original"):
        shutil.copy(red / "0.png", red / name)
    (red / "BMW.txt").write_text("BMW drivers")
    (red / "P5.txt").write_text("P5 1 1 255 looks like a picture")
    images, skipped = folders.files(class_folders)
    assert {"red/scan", "red/scan.txt", "red/scan.jpg_original"} < set(images)
    assert [name for name, _, _ in skipped] == ["notes.txt", "red/BMW.txt", "red/P5.txt"]


def test_fifos_and_sockets_are_never_opened(class_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(class_folders / "red" / "pipe.jpg")
    os.mkfifo(class_folders / "red" / "pipe")
    (class_folders / "red" / "null.png").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(class_folders)  # a socket's path has to be short
        server.bind("red/socket.jpg")
        images, skipped = folders.files(class_folders)
    reasons = {name: reason for name, _, reason in skipped}
    assert reasons == {
        "notes.txt": "not an image",
        "red/null.png": "link leaves the archive",
        "red/pipe": "not an image",
        "red/pipe.jpg": "neither a file nor a folder",
        "red/socket.jpg": "neither a file nor a folder",
    }
    assert len(images) == 12


def test_links_are_not_followed_out_of_the_archive_to_see_what_they_are(class_folders: Path, tmp_path: Path) -> None:
    shutil.copy(class_folders / "red" / "0.png", tmp_path / "outside")
    (class_folders / "red" / "link").symlink_to(tmp_path / "outside")
    (class_folders / "red" / "folder").symlink_to(tmp_path)
    _, skipped = folders.files(class_folders)
    assert [(name, reason) for name, _, reason in skipped[1:]] == [
        ("red/folder", "not an image"),
        ("red/link", "not an image"),
    ]


def test_names_that_are_not_utf8_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.close(os.open(os.fsencode(tmp_path / "a") + b"/caf\xe9.jpg", os.O_CREAT | os.O_WRONLY))
    assert folders.files(tmp_path) == ([], [("a/caf\\udce9.jpg", "", "name is not UTF-8")])


def test_a_csv_keeps_text_as_it_is_and_counts_rows_as_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes('\ufefffile,party,note\r\n./a.jpg,NA,"two\r\nlines"\r\n\r\nx/../b.jpg,no,\r\n,1,\r\n'.encode())
    rows = sources.read(path, TABLE)
    assert rows.frame[[IMAGE, LABEL, ROW]].values.tolist() == [
        ["a.jpg", "NA", "2"],
        ["b.jpg", "no", "4"],
        ["", "1", "5"],
    ]
    assert rows.root == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,party\na.jpg,x,y\n", "row 2: 3 cells, but the header has 2"),
        ("file,party\na.jpg\n", "row 2: 1 cells, but the header has 2"),
        ("file,party,party\na,b,c\n", "columns of the same name"),
        ('file,party\n"a.jpg,x\n', "line 2"),
        ("file,party\n", "has no rows"),
        ("", "has no rows"),
    ],
)
def test_a_broken_csv_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        sources.read(path, TABLE)


def test_unknown_columns_bring_the_nearest_all_together(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text("files\tpartei\na.jpg\tx\n")
    with pytest.raises(InputError) as error:
        sources.read(path, TABLE)
    assert "no column 'file', did you mean 'files'?" in error.value.message
    assert "no column 'party', did you mean 'partei'?" in error.value.message
    assert error.value.hint == "its columns are: files, partei"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("damaged.csv.gz", gzip.compress(b"")[:10] + b"\xff" * 40),
        ("big.jsonl", b'{"text": ' + b"9" * 5000 + b"}"),
        ("deep.jsonl", b"[" * 99_999),
    ],
    ids=["damaged", "big", "deep"],
)
def test_a_broken_table_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=re.escape(name)):
        list(table.load(tmp_path / name))


def test_latin_1_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("file,party\na.jpg,Grüne\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"rows\.csv cannot be read"):
        sources.read(path, TABLE)


def test_json_lines_and_parquet_give_numbers_as_text(tmp_path: Path) -> None:
    records = [
        {"file": "a.jpg", "party": 1, "page": 1.0},
        {"file": "b.jpg", "party": None, "page": 2.5},
        {"file": "c.jpg", "party": 12345678901234567, "page": None},
    ]
    lines = tmp_path / "rows.jsonl.gz"
    lines.write_bytes(gzip.compress("\n".join(json.dumps(record) for record in records).encode()))
    parquet = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(records), parquet)
    definition = build(
        {"source": {"type": "table"}, "columns": {"image": "file", "text": "party", "page": "page"}}, "x"
    )
    for path in (lines, parquet):
        frame = sources.read(path, definition).frame
        assert frame[TEXT].tolist() == ["1", "", "12345678901234567"]
        assert frame["page"].tolist() == ["1", "2.5", ""]


def test_json_lines_that_are_not_json_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"file": "a.jpg", "party": "x"}\n{"file": \n')
    with pytest.raises(InputError, match="line 2"):
        sources.read(path, TABLE)


def test_cells_that_are_no_text_are_listed_with_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"file": {"bytes": "x"}, "party": "x"}\n{"file": "\\ud800.jpg", "party": "x"}\n')
    with pytest.raises(InputError) as error:
        sources.read(path, TABLE)
    assert "row 1, column 'file' holds a dict" in error.value.message
    assert "row 2, column 'file' holds half a character" in error.value.message


def test_label_files_give_splits_and_paths_with_spaces(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a/one two.jpg 3\n\nb.jpg\tlong name\n")
    (tmp_path / "val.txt").write_text("c.jpg 4\n")
    (tmp_path / "test.txt").write_text("d.jpg 3\n")
    rows = sources.read(tmp_path, load("label_files"))
    assert rows.frame[[IMAGE, LABEL, SPLIT, ROW]].values.tolist() == [
        ["a/one two.jpg", "3", "train", "train.txt:1"],
        ["b.jpg", "long name", "train", "train.txt:3"],
        ["c.jpg", "4", "validation", "val.txt:1"],
        ["d.jpg", "3", "test", "test.txt:1"],
    ]


def test_label_files_name_missing_files_and_lines_without_a_category(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("lonely.jpg\n")
    with pytest.raises(InputError, match=r"(?s)missing.*val\.txt.*test\.txt"):
        sources.read(tmp_path, load("label_files"))
    (tmp_path / "val.txt").write_text("c.jpg 4\n")
    (tmp_path / "test.txt").write_text("c.jpg 4\n")
    with pytest.raises(InputError, match=r"train\.txt, line 1"):
        sources.read(tmp_path, load("label_files"))


def test_guessing(tmp_path: Path, class_folders: Path) -> None:
    assert sources.guessed(class_folders) == "class_folders"
    (class_folders / "metadata.csv").write_text("file_name,label\nred/0.png,r\n")
    assert sources.guessed(class_folders) == "metadata_csv"
    assert sources.guessed(class_folders / "metadata.csv") == "table"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither"):
        sources.guessed(tmp_path / "empty")
    with pytest.raises(InputError, match="does not exist"):
        sources.guessed(tmp_path / "absent")


def test_columns_are_taken_by_their_usual_names(class_folders: Path) -> None:
    (class_folders / "metadata.csv").write_text("file_name,label,group,text_of\nred/0.png,r,1,x\n")
    columns = sources.definition(class_folders, None).columns
    assert columns is not None
    assert columns.named() == {"image": "file_name", "label": "label", "group": "group"}


def test_wrong_kinds_of_archives(tmp_path: Path, class_folders: Path) -> None:
    with pytest.raises(InputError, match="is a folder; a table was expected"):
        sources.read(class_folders, TABLE)
    with pytest.raises(InputError, match="is a file; class folders were expected"):
        sources.read(class_folders / "notes.txt", load("class_folders"))
    with pytest.raises(InputError, match="not a table that can be read"):
        sources.read(class_folders / "red" / "0.png", TABLE)


def test_paths_that_leave_the_archive(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    root.mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (root / "inside").symlink_to(tmp_path)
    assert misplaced(root, "../secret.jpg") == "path leaves the archive"
    assert misplaced(root, str(tmp_path / "secret.jpg")) == "path leaves the archive"
    assert misplaced(root, "inside/secret.jpg") == "path leaves the archive"
    assert misplaced(root, "absent.jpg") == "missing file"
    assert misplaced(root, "a" * 300 + ".jpg").startswith("cannot be opened")
    assert misplaced(root, "nul\0.jpg").startswith("cannot be opened")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (3.0, "3"), (0.5, "0.5"), (True, "true"), (7, "7"), ("NA", "NA"), (" x ", " x ")],
)
def test_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_a_table_is_known_by_its_name() -> None:
    assert table.is_table(Path("a.CSV")) and table.is_table(Path("a.jsonl.gz"))
    assert not table.is_table(Path("csv")) and not table.is_table(Path("a.png"))
