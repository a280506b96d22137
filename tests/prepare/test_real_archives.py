"""Real archives: what is counted, kept and left out."""

from pathlib import Path

from leaflet_tool.manifest import read_prepared, read_table
from leaflet_tool.prepare import sources
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare

NO_TEXT = {"ocr.engine": "none", "images.max_side": 200}


def test_leaflets_keep_their_pages_together(shared_data: Path, tmp_path: Path) -> None:
    told = prepare(shared_data / "leaflets" / "leaflets.csv", tmp_path, overridden(load("leaflets"), NO_TEXT))
    frame = read_prepared(tmp_path).frame
    assert (told["found"], told["kept"], told["skipped"]) == (66, 63, {"rare class": 3})
    assert (frame["group"].nunique(), frame["party"].nunique()) == (33, 3)
    assert frame.groupby("group")["split"].nunique().max() == 1
    assert (tmp_path / frame["image"][0]).is_file()


def test_receipts_leave_the_transcripts_out(shared_data: Path, tmp_path: Path) -> None:
    told = prepare(shared_data / "receipts", tmp_path, overridden(load("receipts"), NO_TEXT), dry_run=True)
    assert (told["found"], told["kept"], told["skipped"]) == (408, 205, {"not an image": 203})
    assert len(told["classes"]) == 12


def test_leaflet_texts_keep_every_party(shared_data: Path, tmp_path: Path) -> None:
    told = prepare(shared_data / "leaflet_texts.jsonl.gz", tmp_path, load("leaflet_texts"), dry_run=True)
    assert (told["found"], told["kept"], told["skipped"]) == (5946, 5946, {})
    assert len(told["classes"]) == 8


def test_posters_have_several_labels(shared_data: Path, tmp_path: Path) -> None:
    archive = shared_data / "posters" / "posters.csv"
    definition = overridden(sources.definition(archive, None), {"columns.labels": "genres", "label_delimiter": "|"})
    told = prepare(archive, tmp_path, overridden(definition, NO_TEXT), dry_run=True)
    assert (told["kept"], len(told["classes"]), told["label"]) == (600, 23, {"name": "genres", "multiple": True})


def test_every_hostile_file_is_accounted_for(shared_data: Path, tmp_path: Path) -> None:
    archive = shared_data / "hostile"
    told = prepare(archive, tmp_path, overridden(load("class_folders"), NO_TEXT))
    frame, skipped = read_prepared(tmp_path).frame, read_table(tmp_path / "skipped.csv")
    assert told["found"] == told["kept"] + sum(told["skipped"].values()) == len(frame) + len(skipped)
    assert told["kept"] > 240
    there = {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
    named = {*frame["source"], *skipped["source"]}
    assert len(there) == 472
    assert named == there | {"generated/directory_named.jpg"}
    further = frame["source"].duplicated().sum() + skipped["source"].duplicated().sum()
    both = len(set(frame["source"]) & set(skipped["source"]))  # files of which some pages can be read
    assert told["found"] == 473 + further + both
    reasons = dict(zip(skipped["source"], skipped["reason"], strict=True))
    assert reasons["pillow/eps/1.eps"] == "format not read: PostScript, which would start an interpreter"
    assert reasons["pillow/five_channels.psd"] == "format not read: PSD"
    assert reasons["generated/bomb_400Mpx_bilevel.png"] == "unreadable image: more than 100,000,000 pixels"
    assert reasons["generated/zero_byte.jpg"] == "unreadable image: the file is empty"
    assert reasons["generated/directory_named.jpg"] == "a folder, not an image"
    assert "generated/png_as_jpg.jpg" in set(frame["source"])
    assert frame.loc[frame["source"] == "pillow/multipage.tiff", "page"].tolist() == ["1", "2", "3"]
    assert not list(tmp_path.rglob("*.part"))
