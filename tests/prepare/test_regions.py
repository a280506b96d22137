"""Regions: what they show of a page, made once, again where something changed, and gone when nobody wants them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import REGIONS, own, read_prepared, read_table
from leaflet_tool.prepare import pages, regions
from leaflet_tool.prepare.dataset import build, load, overridden
from leaflet_tool.prepare.estimate import estimated
from leaflet_tool.prepare.facts import summary
from leaflet_tool.prepare.intake import accepted
from leaflet_tool.prepare.new_pages import COLUMNS, read_new_pages
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.prepare.regions import Task, cut, region

Draw = Callable[..., Path]
Pixels = dict[str, tuple[int, bytes]]
FOLDERS = overridden(
    load("class_folders"),
    {"ocr.engine": "none", "images.max_side": 128, "duplicates.near": False, "duplicates.text": False},
)
ALL = overridden(FOLDERS, {"regions": "top,bottom,left,right", "region_side": 32})
QUARTERS = {(0, 0): (220, 30, 30), (1, 0): (30, 180, 30), (0, 1): (30, 30, 220), (1, 1): (220, 200, 30)}
"""Colours by column and row: red and green above, blue and yellow below."""
SEEN = {
    "top": [(0, 0), (1, 0)],
    "bottom": [(0, 1), (1, 1)],
    "left": [(0, 0), (0, 1)],
    "right": [(1, 0), (1, 1)],
}
"""The quarters that each region shows, the first at its top left, the second at its bottom right."""
SIZES = [(60, 100), (100, 60), (80, 80), (31, 127), (128, 9)]


def quartered(size: tuple[int, int]) -> Image.Image:
    """A page of four quarters, each of its own colour."""
    page = Image.new("RGB", size)
    width, height = size
    for (column, row), colour in QUARTERS.items():
        box = (column * width // 2, row * height // 2, (column + 1) * width // 2, (row + 1) * height // 2)
        page.paste(colour, box)
    return page


def shows(picture: Image.Image, name: str) -> bool:
    """Whether a region of a quartered page is what it must be, but for what JPEG does."""
    near, far = 5, picture.width - 6
    found = picture.getpixel((near, near)), picture.getpixel((far, far))
    return all(
        max(abs(a - b) for a, b in zip(colour, QUARTERS[quarter], strict=True)) < 25
        for colour, quarter in zip(found, SEEN[name], strict=True)
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two classes of eight quartered pages each, half of them upright, half of them wide, all of different size."""
    for number in range(16):
        path = tmp_path / "in" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        quartered((90 + number, 140) if number % 4 < 2 else (140, 90 + number)).save(path)
    return tmp_path / "in"


def pictures(out: Path) -> Pixels:
    """Every image with its time and bytes."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (out / "images").iterdir()}


def cut_of(found: Pixels) -> Pixels:
    """The regions among them."""
    return {name: file for name, file in found.items() if name.count(".") == 2}


def columns(out: Path) -> list[str]:
    return [name for name in read_prepared(out).frame if name.startswith("image_")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", REGIONS)
def test_a_region_shows_each_place_of_its_half_where_it_must(name: str, size: tuple[int, int]) -> None:
    """Of a page that grows redder to the right and greener to the bottom."""
    width, height, side = *size, 32
    levels = np.zeros((height, width, 3), dtype=np.uint8)
    levels[..., 0] = (np.arange(width) + 0.5) / width * 255
    levels[..., 1] = ((np.arange(height) + 0.5) / height * 255)[:, None]
    found = np.asarray(region(Image.fromarray(levels), name, side), dtype=float)
    assert found.shape == (side, side, 3)
    across = (np.arange(side) + 0.5) / side * 255
    halves = {"top": (0, 1), "left": (0, 0), "bottom": (127.5, 1), "right": (127.5, 0)}
    start, axis = halves[name]
    red, green = (start + across / 2 if axis == which else across for which in (0, 1))
    inner = slice(2, -2)  # a level is the mean around its place, which the page's edge cuts off
    assert np.abs(found[inner, inner, 0] - red[None, inner]).max() < 255 / min(width, side) + 2
    assert np.abs(found[inner, inner, 1] - green[inner, None]).max() < 255 / min(height, side) + 2


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("name", REGIONS)
def test_a_region_shows_its_half(name: str, size: tuple[int, int]) -> None:
    assert shows(region(quartered(size), name, 48), name)
    others = {other for other in REGIONS if other != name}
    assert not any(shows(region(quartered(size), other, 48), name) for other in others)


def test_pages_have_a_file_and_a_column_for_each_region(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = prepare(archive, out, ALL)
    frame = read_prepared(out).frame
    assert list(frame.columns[:7]) == ["id", "image", "image_top", "image_bottom", "image_left", "image_right", "text"]
    assert "regions of each page: top, bottom, left, right (32 x 32 pixels)" in summary(told)
    for name in REGIONS:
        assert frame[f"image_{name}"].is_unique
        for cell in frame[f"image_{name}"]:
            with Image.open(out / cell) as picture:
                assert picture.size == (32, 32)
                assert shows(picture, name), cell
    assert len(pictures(out)) == 5 * 16
    plain = tmp_path / "plain"
    prepare(archive, plain, FOLDERS)
    assert read_prepared(plain).frame.equals(frame.drop(columns=columns(out)))
    assert "regions" not in summary(prepare(archive, plain, FOLDERS))


@pytest.mark.usefixtures("in_one_process")
def test_only_what_changed_is_cut_again(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(archive, out, overridden(ALL, {"regions": "left,top"}))
    first, manifest = pictures(out), (out / "manifest.csv").read_bytes()
    assert columns(out) == ["image_top", "image_left"]
    assert len(first) == 3 * 16
    prepare(archive, out, overridden(ALL, {"regions": "top,left"}))
    assert pictures(out) == first
    assert (out / "manifest.csv").read_bytes() == manifest

    prepare(archive, out, ALL)
    second = pictures(out)
    assert {name: second[name] for name in first} == first
    assert len(second) == 5 * 16

    quartered((100, 150)).save(archive / "a" / "16.png")
    changed = read_prepared(out).frame.iloc[0]
    quartered((50, 120)).save(archive / changed["source"])
    prepare(archive, out, ALL)
    third = pictures(out)
    assert {name for name in second if second[name] != third[name]} == {
        Path(changed[name]).name for name in ("image", *columns(out))
    }
    assert len(third) == 5 * 17

    prepare(archive, out, overridden(ALL, {"region_side": 16}))
    fourth = pictures(out)
    assert {name for name in third if third[name] != fourth[name]} == cut_of(third).keys()

    (archive / "a" / "16.png").unlink()
    prepare(archive, out, overridden(ALL, {"region_side": 16}))
    assert len(pictures(out)) == 5 * 16
    prepare(archive, out, FOLDERS)
    assert pictures(out) == {name: second[name] for name in second if name not in cut_of(second)} | {
        Path(changed["image"]).name: fourth[Path(changed["image"]).name]
    }
    assert columns(out) == []


@pytest.mark.usefixtures("in_one_process")
def test_half_done_regions_are_gone_on_with(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(archive, out, ALL)
    before = pictures(out)
    lost = [name for name in before if name.endswith(".left.jpg")]
    for name in lost:
        (out / "images" / name).unlink()
    (out / "images" / ".left.part").write_bytes(b"half")
    prepare(archive, out, ALL)
    after = pictures(out)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name][0] != before[name][0]} == set(lost)
    assert all(after[name][1] == before[name][1] for name in after)


@pytest.mark.usefixtures("in_one_process")
def test_a_page_that_is_turned_later_has_its_regions_from_the_upright_copy(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in archive.glob("*/*.png"):
        Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)  # they lie on their left side
    out, unread = tmp_path / "out", pages.read
    prepare(archive, out, ALL)
    frame = read_prepared(out).frame
    assert not any(shows(Image.open(out / cell), "top") for cell in frame["image_top"])

    def read(*args: Any, **how: Any) -> pd.DataFrame:
        return unread(*args, **how).assign(rotation="90")

    monkeypatch.setattr(pages, "read", read)
    prepare(archive, out, ALL)
    frame = read_prepared(out).frame
    for name in REGIONS:
        assert all(shows(Image.open(out / cell), name) for cell in frame[f"image_{name}"]), name


@pytest.mark.usefixtures("in_one_process")
def test_altered_copies_have_regions_of_their_own(archive: Path, tmp_path: Path) -> None:
    odds = dict.fromkeys(("rotate_90", "rotate_270", "turn", "perspective", "light", "blur", "jpeg"), 0.0)
    mirrored = {"augment": {"copies": 1, **odds, "flip_left_right": 1.0}}
    prepare(archive, tmp_path / "out", build(ALL.model_dump() | mirrored, "test"))
    frame = read_prepared(tmp_path / "out").frame
    altered = frame[frame["augmented_from"] != ""]
    assert len(altered) == (own(frame)["split"] == "train").sum()
    for row in altered.to_dict("records"):
        assert shows(Image.open(tmp_path / "out" / row["image_left"]), "right")
        assert row["image_left"] == row["image"].replace(".jpg", ".left.jpg")
    before = pictures(tmp_path / "out")
    prepare(archive, tmp_path / "out", build(ALL.model_dump() | mirrored, "test"))
    assert pictures(tmp_path / "out") == before
    prepare(archive, tmp_path / "out", ALL)
    assert len(pictures(tmp_path / "out")) == 5 * 16


@pytest.mark.usefixtures("in_one_process")
def test_copies_of_texts_alone_share_the_regions_of_their_page(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / "in").mkdir(exist_ok=True)
        quartered((100 + number, 140)).save(tmp_path / "in" / f"{number}.png")
    lines = [f"{n}.png,some words of page {n},{'ab'[n % 2]}" for n in range(8)]
    (tmp_path / "in" / "rows.csv").write_text("\n".join(["image,text,label", *lines]) + "\n")
    odds = dict.fromkeys(("rotate_90", "rotate_270", "turn", "perspective", "light", "blur", "jpeg"), 0.0)
    content = {"source": {"type": "table", "file": "rows.csv"}, "augment": {"copies": 1, "words": 0.5, **odds}}
    columns = {"image": "image", "text": "text", "label": "label"}
    definition = build(content | {"columns": columns, "regions": ["top"], "duplicates": {"near": False}}, "test")
    prepare(tmp_path / "in", tmp_path / "out", definition)
    frame = read_prepared(tmp_path / "out").frame
    altered = frame[frame["augmented_from"] != ""]
    parents = frame.set_index("id").loc[altered["augmented_from"]]
    assert len(altered) > 3
    assert altered["image_top"].tolist() == parents["image_top"].tolist()
    assert len(pictures(tmp_path / "out")) == 2 * 8


@pytest.mark.usefixtures("in_one_process")
def test_a_page_whose_regions_cannot_be_cut_is_left_out_with_the_reason(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    out, twice = tmp_path / "out", overridden(ALL, {"augment.copies": 2})
    prepare(archive, out, overridden(FOLDERS, {"augment.copies": 2}))
    frame = read_prepared(out).frame
    page = own(frame[frame["split"] == "train"]).iloc[0]
    (out / page["image"]).write_bytes(b"not a picture")
    told = prepare(archive, out, twice)
    assert (told["found"], told["kept"]) == (16, 15)
    skipped = read_table(out / "skipped.csv")
    assert skipped["source"].tolist() == [page["source"]]
    assert skipped["reason"].str.startswith("unreadable working copy: ").all()
    assert not [name for name in pictures(out) if Path(page["image"]).stem in name]

    def failing(task: Task) -> str:
        return "too slow" if task.page.stem.endswith("-a2") else cut(task)

    monkeypatch.setattr(regions, "cut", failing)
    told = prepare(archive, tmp_path / "other", twice)
    assert told["kept"] == 16
    assert told["augmented"] == told["splits"]["train"]
    assert "altered copies could not be drawn and are left out" in caplog.text
    assert "-a2: too slow" in caplog.text


@pytest.mark.usefixtures("in_one_process")
def test_dry_runs_write_nothing_and_force_starts_anew(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = prepare(archive, out, ALL, dry_run=True)
    assert not out.exists()
    assert told["settings"]["regions"] == list(REGIONS)
    prepare(archive, out, ALL)
    shutil.rmtree(archive / "b")
    shutil.copytree(archive / "a", archive / "c")
    prepare(archive, out, overridden(ALL, {"regions": "right"}), force=True)
    assert len(pictures(out)) == 2 * 16
    assert {name.split(".")[1] for name in cut_of(pictures(out))} == {"right"}


def test_rows_of_text_have_no_region_and_archives_of_text_no_column(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    quartered((100, 140)).save(tmp_path / "in" / "0.png")
    (tmp_path / "in" / "rows.csv").write_text("image,text,label\n0.png,one,a\n,two,b\n,three,a\n")
    columns = {"image": "image", "text": "text", "label": "label"}
    content = {"source": {"type": "table", "file": "rows.csv"}, "columns": columns, "regions": ["top"]}
    prepare(tmp_path / "in", tmp_path / "out", build(content, "test"))
    assert read_prepared(tmp_path / "out").frame["image_top"].ne("").tolist() == [True, False, False]
    with pytest.raises(InputError, match="regions are cut from images, and this archive has texts alone"):
        prepare(tmp_path / "in", tmp_path / "t", build(content | {"columns": columns | {"image": ""}}, "test"))


def test_ids_that_look_like_regions_share_no_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = ["x", "x-top", "x.top", "x.top.jpg"]
    for number in range(4):
        quartered((100 + number, 140)).save(tmp_path / "in" / f"{number}.png")
    lines = [f"{number}.png,{name},{'ab'[number % 2]}" for number, name in enumerate(names)]
    (tmp_path / "in" / "rows.csv").write_text("\n".join(["image,id,label", *lines]) + "\n")
    columns = {"image": "image", "id": "id", "label": "label"}
    content = {"source": {"type": "table", "file": "rows.csv"}, "columns": columns, "ocr": {"engine": "none"}}
    definition = build(content | {"regions": ["top", "left"], "duplicates": {"near": False}}, "test")
    prepare(tmp_path / "in", tmp_path / "out", definition)
    frame = read_prepared(tmp_path / "out").frame
    assert len(frame) == 4
    assert len({*frame["image"], *frame["image_top"], *frame["image_left"]}) == 3 * 4 == len(pictures(tmp_path / "out"))


def test_the_estimate_counts_regions_that_are_not_there(archive: Path, tmp_path: Path) -> None:
    rows, out = accepted(archive, ALL), tmp_path / "out"
    new = estimated(rows, out, ALL, None, workers=1, force=False)
    plain = estimated(rows, out, FOLDERS, None, workers=1, force=False)
    assert new.bytes - plain.bytes == round(4 * 16 * 32 * 32 * 0.4)
    assert new.seconds > plain.seconds
    prepare(archive, out, overridden(ALL, {"regions": "top"}))
    assert estimated(rows, out, ALL, None, workers=1, force=False).bytes == round(3 * 16 * 32 * 32 * 0.4)
    assert estimated(rows, out, ALL, None, workers=1, force=True).bytes == new.bytes


def test_new_pages_have_the_regions_that_are_wanted(archive: Path, tmp_path: Path) -> None:
    facts = prepare(archive, tmp_path / "out", ALL)
    quartered((150, 90)).save(tmp_path / "one.png")
    (tmp_path / "two.png").write_bytes(b"no picture")
    given = [tmp_path / "one.png", tmp_path / "two.png"]
    frame, skipped = read_new_pages(given, facts, tmp_path / "new", regions=["left", "bottom"])
    assert list(frame.columns) == [*COLUMNS, "image_left", "image_bottom"]
    for name in ("left", "bottom"):
        with Image.open(tmp_path / "new" / frame[f"image_{name}"].item()) as picture:
            assert picture.size == (32, 32)
            assert shows(picture, name)
    assert len(skipped) == 1
    plain, _ = read_new_pages(given, facts, tmp_path / "plain")
    assert list(plain.columns) == COLUMNS
    assert len(pictures(tmp_path / "plain")) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": ["top", "middle"]}, "regions.1: Input should be 'top', 'bottom', 'left' or 'right'"),
        ({"regions": "tob"}, "regions"),
        ({"regions": [["top"]]}, "regions.0"),
        (
            {"regions": ["top"], "images": {"max_side": 500}},
            "a region of 256 pixels is half of 512, and images.max_side",
        ),
        ({"region_side": 4}, "region_side"),
    ],
)
def test_what_is_wrong_with_regions_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        build({"source": {"type": "folders"}} | changes, "x")
    assert message in error.value.message


def test_regions_may_come_as_text_in_any_order_and_twice() -> None:
    assert overridden(FOLDERS, {"regions": "right, top,top", "region_side": 8}).regions == ("top", "right")
    assert overridden(ALL, {"regions": ""}).regions == ()
    assert overridden(ALL, {"regions": None}).regions == REGIONS
    assert build({"source": {"type": "folders"}, "images": {"max_side": 500}}, "x").regions == ()
