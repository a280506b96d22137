"""Archives of label files as RVL-CDIP is one: numbers that stand for classes, and grey scans as TIFF."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared, read_table
from leaflet_tool.prepare.dataset import Dataset, load, overridden
from leaflet_tool.prepare.recipe import prepare

SMALL = {"ocr.engine": "none", "region_side": 32, "images.max_side": 128, "duplicates.near": False}
TYPES = (
    *("letter", "form", "email", "handwritten", "advertisement", "scientific report", "scientific publication"),
    *("specification", "file folder", "news article", "budget", "invoice", "presentation", "questionnaire", "resume"),
    "memo",
)
FILES = {"train": "labels/train.txt", "validation": "labels/val.txt", "test": "labels/test.txt"}


@pytest.fixture
def rvl_cdip() -> Dataset:
    return overridden(load("rvl_cdip"), SMALL)


def scan(number: int) -> Image.Image:
    """A grey page, each darker than the one before."""
    return Image.fromarray(np.full((100, 77), 250 - 3 * number, dtype=np.uint8))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """One grey scan of each type for each split; one more line for training names a file that is not there."""
    root = tmp_path / "rvl"
    (root / "labels").mkdir(parents=True)
    for shift, name in enumerate(FILES.values()):
        lines = [f"images{shift}/a/{number}.tif {number}" for number in range(16)]
        for number, line in enumerate(lines):
            path = root / "images" / line.rpartition(" ")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            scan(number + 16 * shift).save(path, compression="tiff_lzw")
        (root / name).write_text("\n".join(lines) + "\n")
    with (root / FILES["train"]).open("a") as file:
        file.write("images0/absent.tif 3\n")
    return root


def append(archive: Path, split: str, *lines: str) -> None:
    with (archive / FILES[split]).open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_numbers_are_the_names_of_the_types_and_the_files_the_splits(
    archive: Path, tmp_path: Path, rvl_cdip: Dataset
) -> None:
    told = prepare(archive, tmp_path / "out", rvl_cdip)
    assert (told["found"], told["kept"], told["splits"]) == (49, 48, dict.fromkeys(FILES, 16))
    assert told["classes"] == dict.fromkeys(sorted(TYPES), 3)
    frame = read_prepared(tmp_path / "out").frame.sort_values(["split", "row"], key=lambda cells: cells.map(natural))
    for split, name in FILES.items():
        rows = frame[frame["split"] == split]
        assert rows["document_type"].tolist() == list(TYPES)
        assert rows["row"].tolist() == [f"{name}:{number}" for number in range(1, 17)]
    skipped = read_table(tmp_path / "out" / "skipped.csv")
    assert skipped.values.tolist() == [["images0/absent.tif", "labels/train.txt:17", "missing file"]]
    assert {f"image_{name}" for name in ("top", "bottom", "left", "right")} <= set(frame.columns)


def natural(cell: str) -> tuple[str, int]:
    name, _, number = cell.partition(":")
    return name, int(number or 0)


def test_everything_wrong_is_told_together_with_file_and_line(archive: Path, tmp_path: Path, rvl_cdip: Dataset) -> None:
    append(archive, "validation", "images1/a/0.tif 16", "images1/a/1.tif memos")
    append(archive, "test", "images0/a/3.tif 3", "images0/a/4.tif 5")
    for number in range(2):
        scan(60 + number).save(archive / "images" / "images1" / "a" / f"x{number}.tif")
    append(archive, "train", "images1/a/x0.tif 01", "images1/a/x1.tif memo")
    with pytest.raises(InputError) as error:
        prepare(archive, tmp_path / "out", rvl_cdip)
    lines = error.value.message.splitlines()
    for told in (
        "row labels/val.txt:17: '16' is not among the declared classes",
        "row labels/val.txt:18: 'memos' is not among the declared classes, did you mean 'memo'?",
        "row labels/train.txt:18: '01' is not among the declared classes",
        "images0/a/4.tif is listed twice in different splits: row labels/train.txt:5 says 'train'; "
        "row labels/test.txt:18 says 'test'",
    ):
        assert any(line.endswith(told) for line in lines), told
    assert error.value.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_a_page_in_two_splits_is_refused_and_one_listed_twice_in_the_same_is_skipped(
    archive: Path, tmp_path: Path, rvl_cdip: Dataset
) -> None:
    append(archive, "train", "images0/a/3.tif 3")
    told = prepare(archive, tmp_path / "out", rvl_cdip)
    assert told["skipped"] == {"missing file": 1, "listed twice": 1}
    append(archive, "validation", "./images0/a/3.tif 3")
    with pytest.raises(InputError) as error:
        prepare(archive, tmp_path / "out", rvl_cdip)
    assert "images0/a/3.tif is listed twice in different splits" in error.value.message
    assert "labels/val.txt:17 says 'validation'" in error.value.message


def test_the_same_scan_under_two_names_in_two_splits_is_told(
    archive: Path, tmp_path: Path, rvl_cdip: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    scan(3).save(archive / "images" / "images0" / "again.tif", compression="tiff_lzw")
    append(archive, "test", "images0/again.tif 3")
    with caplog.at_level(logging.WARNING):
        told = prepare(archive, tmp_path / "out", rvl_cdip)
    assert told["duplicates"]["crossing"] == 1
    assert "pairs of duplicates in different splits: 1" in caplog.text


def test_missing_label_files_are_told_together(archive: Path, tmp_path: Path, rvl_cdip: Dataset) -> None:
    for split in ("validation", "test"):
        (archive / FILES[split]).unlink()
    with pytest.raises(InputError) as error:
        prepare(archive, tmp_path / "out", rvl_cdip)
    assert error.value.message.splitlines()[1:] == ["  - labels/val.txt", "  - labels/test.txt"]


def test_a_cap_leaves_so_many_of_a_type(archive: Path, tmp_path: Path, rvl_cdip: Dataset) -> None:
    assert rvl_cdip.max_per_class == 10_000
    told = prepare(archive, tmp_path / "out", overridden(rvl_cdip, {"max_per_class": 2}), dry_run=True)
    assert told["classes"] == dict.fromkeys(sorted(TYPES), 2)
    assert told["labels"]["memo"] == {"found": 3, "kept": 2, "outcome": "capped"}


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("compression", ["group4", "tiff_ccitt", "packbits"])
def test_scans_of_one_bit_and_several_pages_are_what_a_person_sees(
    archive: Path, tmp_path: Path, rvl_cdip: Dataset, compression: str, white_is_zero: bool
) -> None:
    pages = []
    for number in range(3):
        levels = np.full((200, 150), 255, dtype=np.uint8)
        levels[: 100 if number == 1 else 0] = 0  # the second page has a black upper half
        levels[:, : 75 if number == 2 else 0] = 0  # the third a black left one
        pages.append(Image.fromarray(levels).convert("1"))
    path = archive / "images" / "images0" / "several.tif"
    how = {"tiffinfo": {262: 0}} if white_is_zero else {}
    pages[0].save(path, save_all=True, append_images=pages[1:], compression=compression, **how)
    with Image.open(path) as written:
        assert (written.n_frames, written.tag_v2[262]) == (3, 0 if white_is_zero else 1)
    append(archive, "train", "images0/several.tif 15")
    prepare(archive, tmp_path / "out", rvl_cdip)
    rows = read_prepared(tmp_path / "out").frame.query("source == 'images0/several.tif'")
    assert rows["page"].tolist() == ["1", "2", "3"]
    assert rows["group"].nunique() == 1
    assert set(rows["document_type"]) == {"memo"}

    def shown(column: str) -> list[int]:
        """The mean grey of a column's three pictures."""
        found = [Image.open(tmp_path / "out" / cell) for cell in rows[column]]
        assert {picture.mode for picture in found} == {"RGB"}
        return [round(float(np.asarray(picture.convert("L")).mean()) / 255, 1) for picture in found]

    assert shown("image") == [1.0, 0.5, 0.5]
    assert shown("image_top") == [1.0, 0.0, 0.5]
    assert shown("image_bottom") == [1.0, 1.0, 0.5]
    assert shown("image_left") == [1.0, 0.5, 0.0]
    assert shown("image_right") == [1.0, 0.5, 1.0]


def test_grey_scans_keep_their_levels(archive: Path, tmp_path: Path, rvl_cdip: Dataset) -> None:
    levels = np.linspace(0, 255, 100).astype(np.uint8)[:, None].repeat(77, axis=1)
    first, second = Image.fromarray(levels), Image.fromarray(np.uint16(levels) * 257)
    first.save(archive / "images" / "images0" / "eight.tif")
    second.save(archive / "images" / "images0" / "sixteen.tif")
    append(archive, "train", "images0/eight.tif 0", "images0/sixteen.tif 0")
    prepare(archive, tmp_path / "out", rvl_cdip)
    frame = read_prepared(tmp_path / "out").frame
    for name in ("eight", "sixteen"):
        row = frame.query(f"source == 'images0/{name}.tif'").iloc[0]
        with Image.open(tmp_path / "out" / row["image"]) as picture:
            found = np.asarray(picture.convert("L"), dtype=int)
        assert np.abs(found - levels.astype(int)).max() < 6
