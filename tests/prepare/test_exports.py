"""What the prepared folder is to others: Hugging Face's ImageFolder and mlcroissant read it, without a network."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
from PIL import Image

from leaflet_tool.manifest import read_prepared
from leaflet_tool.prepare import output
from leaflet_tool.prepare.dataset import Dataset, build, load, overridden
from leaflet_tool.prepare.exports import metadata
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.storage import read_json, sha256

FOLDERS = overridden(load("class_folders"), {"ocr.engine": "none"})
HOSTILE = ['=HYPERLINK("http://x")', "+1", "-2", "@a", 'quote " and, comma', "new\nline", "carriage\rreturn", "plain"]


def plain(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV as any reader sees them."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(folder: Path, **changes: Any) -> Dataset:
    """Eight pages in `folder`/rows.csv, whose texts are hostile, and one without image; its definition."""
    lines = []
    for number, text in enumerate(HOSTILE):
        name = f"{'test-' if number == 3 else ''}{number}"
        Image.new("RGB", (200, 100), (20 * number, 90, 120)).save(folder / f"{name}.png")
        lines.append([f"{name}.png", text, "ab"[number % 2], "a;b" if number % 2 else "b", name])
    lines.append(["", "a text alone", "a", "", "alone"])
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "text", "label", "topics", "id"], *lines])
    columns = {"image": "image", "text": "text", "label": "label", "id": "id"}
    return build({"source": {"type": "table", "file": "rows.csv"}, "columns": columns} | changes, "test")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table prepared, with one altered copy of each training page, and the upper half of each."""
    folder = tmp_path_factory.mktemp("one")
    prepare(folder, folder / "out", table(folder, augment={"copies": 1}, regions=["top"], region_side=32))
    return folder / "out"


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table prepared with several labels a page."""
    folder = tmp_path_factory.mktemp("several")
    columns = {"image": "image", "text": "text", "labels": "topics", "id": "id"}
    prepare(folder, folder / "out", table(folder, columns=columns, label_delimiter=";"))
    return folder / "out"


def test_metadata_has_every_page_with_an_image_and_cells_as_they_are(prepared: Path) -> None:
    frame = read_prepared(prepared).frame
    rows = plain(prepared / "metadata.csv")
    assert list(rows[0]) == ["file_name", "label", "text", "split", "group", "id", "augmented"]
    assert [row["file_name"] for row in rows] == frame.loc[frame["image"] != "", "image"].tolist()
    assert [row["text"] for row in rows] == frame.loc[frame["image"] != "", "text"].tolist()
    assert [row["text"] for row in rows[:6]] == HOSTILE[:6]
    assert all((prepared / row["file_name"]).is_file() for row in rows)
    assert "alone" not in {row["id"] for row in rows}
    augmented = {row["id"] for row in rows if row["augmented"] == "true"}
    assert augmented == set(frame.loc[frame["augmented_from"] != "", "id"]) != set()


def test_several_labels_are_a_json_list(several: Path) -> None:
    rows = plain(several / "metadata.csv")
    assert {row["topics"] for row in rows} == {'["a", "b"]', '["b"]'}
    assert "augmented" not in rows[0]
    prepared = read_prepared(several)
    odd = prepared.frame.assign(topics='Grüne "x"|,')
    assert json.loads(metadata(odd, prepared.label)["topics"].iloc[0]) == ['Grüne "x"', ","]


READ = """
import json, sys
from datasets import load_dataset
found = load_dataset("imagefolder", data_dir=sys.argv[1], data_files="**")["train"]
rows = [{**row, "image": list(row["image"].size)} for row in found]
print(json.dumps(rows))
"""


def test_image_folder_finds_pictures_and_labels(prepared: Path, tmp_path: Path) -> None:
    """In a process of its own, whose caches are empty and which may not ask the network."""
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    command = [sys.executable, "-c", READ, str(prepared)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows, frame = json.loads(done.stdout), read_prepared(prepared).frame.set_index("id")
    assert len(rows) == (frame["image"] != "").sum()
    for row in rows:
        assert row["label"] == frame.at[row["id"], "label"]
        assert row["split"] == frame.at[row["id"], "split"]
        assert sorted(row["image"]) == [100, 200]
        assert row["augmented"] == (frame.at[row["id"], "augmented_from"] != "")


def test_croissant_is_valid_and_leads_to_every_page(prepared: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = mlcroissant.Dataset(str(prepared / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    records = {record["pages/id"].decode(): record for record in found.records("pages")}
    frame = read_prepared(prepared).frame
    assert list(records) == frame["id"].tolist()
    for row in frame.to_dict("records"):
        record = records[row["id"]]
        assert record["pages/label"].decode() == row["label"]
        assert record["pages/split"].decode() == row["split"]
        if row["image"]:
            assert sorted(record["pages/picture"].size) == [100, 200]
            assert record["pages/width"] == 200
        else:
            assert record["pages/picture"] is None
    assert "Could not match" not in caplog.text


def test_croissant_says_what_the_files_are(prepared: Path) -> None:
    told = read_json(prepared / "croissant.json")
    manifest, exported, images = told["distribution"]
    for file, name in ((manifest, "manifest.csv"), (exported, "metadata.csv")):
        assert (file["contentUrl"], file["sha256"]) == (name, sha256(prepared / name))
        assert file["contentSize"] == f"{(prepared / name).stat().st_size} B"
    assert images["includes"] == "images/*.jpg"
    types = {field["name"]: field["dataType"] for field in told["recordSet"][0]["field"]}
    assert list(types) == [*read_prepared(prepared).frame.columns, "picture"]
    assert (types["width"], types["sharpness"], types["text"]) == ("sc:Integer", "sc:Float", "sc:Text")
    assert types["label"] == ["sc:Text", "cr:Label"]
    assert not {"license", "version", "url", "citeAs"} & told.keys()
    assert told["name"] == read_json(prepared / "prepare.json")["archive"].rpartition("/")[2]


def test_several_labels_are_lists_to_mlcroissant(several: Path) -> None:
    records = list(mlcroissant.Dataset(str(several / "croissant.json")).records("pages"))
    assert {tuple(record["pages/label"]) for record in records if record["pages/id"] != b"alone"} == {
        (b"b",),
        (b"a", b"b"),
    }


def test_what_the_definition_says_of_the_archive_is_passed_on(class_folders: Path, tmp_path: Path) -> None:
    licence = "https://spdx.org/licenses/CC-BY-4.0.html"
    about = {
        "name": "Leaflets",
        "description": "Of 2019",
        "license": licence,
        "version": "1.2.0",
        "url": "https://a.org",
    }
    definition = build(FOLDERS.model_dump() | {"about": about}, "test")
    prepare(class_folders, tmp_path / "out", definition)
    found = mlcroissant.Dataset(str(tmp_path / "out" / "croissant.json")).metadata
    assert (found.name, found.description, found.version, found.url) == (
        "Leaflets",
        "Of 2019",
        "1.2.0",
        "https://a.org",
    )
    assert found.license == [licence]


def test_texts_alone_are_described_too(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,a label\nx,one\ny,two\n")
    columns = {"text": "text", "label": "a label"}
    prepare(tmp_path / "rows.csv", tmp_path / "out", build({"source": {"type": "table"}, "columns": columns}, "test"))
    assert plain(tmp_path / "out" / "metadata.csv") == []
    records = list(mlcroissant.Dataset(str(tmp_path / "out" / "croissant.json")).records("pages"))
    assert [record["pages/label"] for record in records] == [b"one", b"two"]


def test_both_files_repeat_and_go_with_the_rest(class_folders: Path, tmp_path: Path) -> None:
    out, names = tmp_path / "out", ("metadata.csv", "croissant.json")
    prepare(class_folders, out, FOLDERS)
    before = [(out / name).read_bytes() for name in names]
    prepare(class_folders, out, FOLDERS)
    assert [(out / name).read_bytes() for name in names] == before
    (class_folders / "red" / "0.png").rename(class_folders / "red" / "9.png")
    prepare(class_folders, out, FOLDERS, force=True)
    assert [(out / name).read_bytes() for name in names] != before
    output.clear(out)
    assert sorted(path.name for path in out.iterdir()) == [".lock", "images"]
