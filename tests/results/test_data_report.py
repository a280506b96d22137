"""The report of a prepared folder: what it says is what the folder holds, for any folder, and it stands alone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.manifest import Label, read_table, write_manifest, write_table
from leaflet_tool.results import data_cards, data_findings
from leaflet_tool.results.data_contents import read
from leaflet_tool.results.data_report import write_report
from leaflet_tool.storage import read_json, write_json
from tests.results.pages import Page, stands_alone, without_eyes

type Folder = Callable[..., Path]
HOSTILE = "<script>alert('x')</script> & \"quoted\" <img src=x onerror=alert(1)>"
COLUMNS = ("id", "source", "label", "split")


def pair(frame: pd.DataFrame, a: int, b: int, kind: str = "near", *, disagree: str = "no", crosses: str = "no") -> dict:
    """A row of duplicates.csv."""
    pages = {"a": frame.iloc[a].rename({"party": "label"}), "b": frame.iloc[b].rename({"party": "label"})}
    sides = {f"{name}_{side}": pages[side][name] for name in COLUMNS for side in "ab"}
    return {"kind": kind, "distance": "3", **sides, "labels_disagree": disagree, "crosses": crosses}


@pytest.fixture
def folder(tiny_prepared: Path, tmp_path: Path) -> Folder:
    """`folder(frame=…, label=…, skipped=…, duplicates=…, facts=…)` is the tiny prepared folder with that replaced."""

    def folder(
        frame: pd.DataFrame | None = None,
        label: Label = Label("party"),  # noqa: B008
        skipped: list[tuple[str, str, str]] | None = None,
        duplicates: list[dict[str, str]] | None = None,
        **facts: Any,
    ) -> Path:
        out = tmp_path / "prepared"
        out.mkdir()
        (out / "images").symlink_to(tiny_prepared / "images")
        frame = read_table(tiny_prepared / "manifest.csv") if frame is None else frame
        write_manifest(frame, out / "manifest.csv", label)
        told = read_json(tiny_prepared / "prepare.json")
        told |= {"label": {"name": label.name, "multiple": label.multiple}, **facts}
        write_json(out / "prepare.json", told)
        if skipped is not None:
            write_table(pd.DataFrame(skipped, columns=["source", "row", "reason"]), out / "skipped.csv")
        if duplicates is not None:
            write_table(pd.DataFrame(duplicates), out / "duplicates.csv")
        return out

    return folder


@pytest.fixture
def frame(tiny_prepared: Path) -> pd.DataFrame:
    """The tiny manifest with what newer ones say of each page."""
    frame = read_table(tiny_prepared / "manifest.csv")
    places = pd.Series(range(len(frame)))
    return frame.assign(
        width=(200 + places).astype(str),
        height="400",
        brightness=(50 + places).astype(str),
        sharpness=(1000 - places).astype(str),
        ocr_confidence=(30 + places).astype(str),
        ocr_words=(10 + places).astype(str),
        rotation=["0", "90", "180"] * 20,
    )


def report(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def words(page: Page) -> str:
    """The page's text with single spaces."""
    return " ".join(page.text.split())


def found(folder: Path) -> dict[str, str]:
    """What wants attention, and why."""
    return {finding.what: finding.why for finding in data_findings.found(read(folder))}


def test_the_page_stands_alone_and_can_be_read_without_eyes(folder: Folder, frame: pd.DataFrame) -> None:
    page = report(folder(frame, duplicates=[pair(frame, 0, 30, disagree="yes")], skipped=[("a", "", "no label")]))
    stands_alone(page)
    without_eyes(page)


def test_the_head_says_the_sum(folder: Folder) -> None:
    page = report(folder(skipped=[("a.txt", "", "not an image"), ("b.txt", "", "not an image")], found=62, kept=60))
    assert "62 found = 60 kept + 2 left out" in words(page)
    assert "Prepared 2026-01-01 00:00 UTC" in words(page)


def test_whatever_a_folder_holds_is_shown_as_text(folder: Folder, frame: pd.DataFrame) -> None:
    hostile = frame.assign(party=frame["party"].replace("Red", HOSTILE), source=HOSTILE + frame["source"], image="")
    hostile["text"] = HOSTILE
    out = folder(
        hostile,
        skipped=[(HOSTILE, "", f"unreadable image: {HOSTILE}"), ("", "7", HOSTILE)],
        duplicates=[pair(hostile, 0, 59, disagree="yes"), pair(hostile, 1, 2, "text")],
        archive=f"/archives/{HOSTILE}",
        tesseract=HOSTILE,
        labels={HOSTILE: {"found": 3, "kept": 0, "outcome": "dropped"}},
        created=HOSTILE,
        settings={"ocr": {"language": HOSTILE}},
    )
    page = report(out)
    assert not page.all("script")
    assert all((image["src"] or "").startswith("data:image/") for image in page.all("img"))
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) > 20
    stands_alone(page)


def test_pictures_outside_the_folder_are_not_shown(folder: Folder, frame: pd.DataFrame, tmp_path: Path) -> None:
    Image.new("RGB", (30, 30), "red").save(tmp_path / "secret.png")
    contents = read(folder(frame))
    for path in ("../secret.png", "images/../../secret.png", str(tmp_path / "secret.png")):
        outside = frame.iloc[0].copy()
        outside["image"] = path
        assert data_cards.card(contents, outside, data_cards.SMALL).uri == ""
    assert data_cards.card(contents, frame.iloc[0], data_cards.SMALL).uri


def test_the_regions_of_one_page_are_shown(folder: Folder, frame: pd.DataFrame) -> None:
    shown = frame.assign(image_top=frame["image"].where(frame.index > 1, ""), image_left="../secret.png")
    out = folder(shown, settings={"region_side": 64})
    found = data_cards.regions(read(out))
    assert found is not None
    assert [card.notes for card in found.cards] == [("the page",), ("top",), ("left",)]
    assert {card.name for card in found.cards} == {frame["source"][2]}
    assert [bool(card.uri) for card in found.cards] == [True, True, False]
    page = report(out)
    assert "Halves of each page, resized to squares of 64 pixels." in words(page)
    stands_alone(page)
    write_manifest(frame, out / "manifest.csv", Label("party"))
    assert "The regions of a page" not in words(report(out))


def test_an_image_that_is_missing_or_broken_leaves_a_gap_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    assert data_cards.thumbnail(tmp_path / "broken.jpg", data_cards.SMALL) == ""
    assert data_cards.thumbnail(tmp_path / "missing.jpg", data_cards.SMALL) == ""


def test_even_a_thumbnail_of_noise_stays_light(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    for side, heaviest in data_cards.HEAVIEST.items():
        uri = data_cards.thumbnail(tmp_path / "noise.png", side)
        assert 0 < len(uri) <= heaviest * 4 / 3 + 30


def test_duplicates_with_different_labels_come_first(folder: Folder, frame: pd.DataFrame) -> None:
    pairs = [pair(frame, 0, 1, "exact"), pair(frame, 2, 3, "text"), pair(frame, 0, 59, disagree="yes", crosses="yes")]
    out = folder(frame, duplicates=pairs)
    assert list(found(out))[:2] == [
        "1 pair of duplicates has different labels",
        "1 pair of duplicates crosses from one split to another",
    ]
    text = words(report(out))
    first = text.index("Duplicates with different labels")
    assert first < text.index("Pages by class") < text.index("The same bytes, and the same label")
    assert "pictures that look the same, 3 of 64 bits apart, in two splits" in text
    shown = text[first : text.index("Pages by class")]
    assert all(words in shown for words in ("Blue", "Red", frame["source"][0], frame["source"][59]))


def test_of_many_pairs_the_first_ones_are_shown_and_it_says_so(folder: Folder, frame: pd.DataFrame) -> None:
    pairs = [pair(frame, 0, 59, disagree="yes")] * 20 + [pair(frame, 0, 1, "exact")] * 9
    text = words(report(folder(frame, duplicates=pairs)))
    assert f"The first {data_cards.DISAGREEING} of 20; duplicates.csv has all." in text
    assert f"The same bytes, and the same label: the first {data_cards.AGREEING} of 9" in text


def test_a_duplicate_that_the_manifest_lacks_is_named_all_the_same(folder: Folder, frame: pd.DataFrame) -> None:
    gone = {**pair(frame, 0, 59, disagree="yes"), "id_b": "gone", "source_b": "gone.jpg", "label_b": "Mauve"}
    text = words(report(folder(frame, duplicates=[gone])))
    assert "gone.jpg" in text and "Mauve" in text and "no picture" in text


def test_that_nobody_looked_for_duplicates_is_said_and_so_is_that_there_are_none(
    folder: Folder, frame: pd.DataFrame
) -> None:
    out = folder(frame)
    assert "Duplicates were not looked for" in words(report(out))
    write_table(pd.DataFrame(columns=list(pair(frame, 0, 1))), out / "duplicates.csv")
    text = words(report(out))
    assert "None were found." in text
    assert "No leaflet lies in two splits. No pair of duplicates lies in two splits." in text


def test_a_leaflet_in_two_splits_is_said(folder: Folder, frame: pd.DataFrame) -> None:
    frame.loc[0, "split"] = "test"
    out = folder(frame)
    assert "1 leaflet lies in more than one split" in found(out)
    assert "1 leaflet lies in two splits." in words(report(out))


def test_rare_classes_empty_splits_and_unread_pages_want_attention(folder: Folder, frame: pd.DataFrame) -> None:
    frame.loc[frame["split"] == "test", "split"] = "validation"
    frame.loc[0, "party"] = "Mauve"
    frame.loc[1:2, "ocr_status"] = "failed"
    frame.loc[3, "ocr_status"] = "blank"
    every = found(folder(frame, skipped=[("a", "", "unreadable image: odd"), ("b", "", "not an image")], removed=4))
    assert list(every) == [
        "The test split is empty",
        "1 class without a page to validate or to test on",
        "1 class with fewer than 5 leaflets",
        "The classes are of very different size",
        "2 pages could not be read (3 %)",
        "1 page without text (2 %)",
        "30 pages that Tesseract is unsure of (50 % of those read)",
        "40 pages lay on the side or stood on the head (67 %)",
        "1 input could not be used",
        "The archive is not what it was at the last run",
    ]
    assert "“Mauve”" in every["1 class with fewer than 5 leaflets"]
    assert every["1 input could not be used"] == "unreadable image (1)."


def test_where_nothing_stands_out_it_says_so(folder: Folder) -> None:
    out = folder(duplicates=[], skipped=[])
    write_table(pd.DataFrame(columns=["kind", "labels_disagree", "crosses"]), out / "duplicates.csv")
    assert found(out) == {}
    assert "Nothing stands out" in words(report(out))


def test_the_ends_of_each_scale_are_shown_with_their_value(folder: Folder, frame: pd.DataFrame) -> None:
    ends = {cards.title: cards.cards for cards in data_cards.extremes(read(folder(frame)))}
    first = {title: (cards[0].name, cards[0].notes[0]) for title, cards in ends.items()}
    lowest, highest = frame["source"].iloc[0], frame["source"].iloc[-1]
    assert first == {
        "The darkest pages": (lowest, "brightness 50"),
        "The brightest pages": (highest, "brightness 109"),
        "The blurriest pages": (highest, "sharpness 941"),
        "The emptiest pages": (lowest, "10 words"),
        "The pages Tesseract is least sure of": (lowest, "confidence 30"),
    }
    assert all(len(cards) == data_cards.EXTREMES and cards[0].uri for cards in ends.values())


def test_contact_sheets_are_the_same_every_time_and_show_as_many_leaflets_as_can_be(folder: Folder) -> None:
    out = folder()
    first, again = data_cards.sheets(read(out)), data_cards.sheets(read(out))
    assert first == again
    assert [cards.title for cards in first] == ["Blue (20 pages)", "Green (20 pages)", "Red (20 pages)"]
    for cards in first:
        names = [card.name for card in cards.cards]
        assert len(names) == data_cards.A_CLASS == len({name.partition("_")[0] for name in names})


def test_what_became_of_each_class_is_told(folder: Folder) -> None:
    fates = {
        "Blue": {"found": 20, "kept": 20, "outcome": "kept"},
        "Mauve": {"found": 2, "kept": 0, "outcome": "dropped"},
        "Grey": {"found": 3, "kept": 0, "outcome": "other"},
        "Red": {"found": 90, "kept": 20, "outcome": "capped"},
    }
    text = words(report(folder(labels=fates)))
    assert "Mauve 2 0 left out as too rare" in text
    assert "Grey 3 0 put into the class for rare ones" in text
    assert "Red 90 20 cut to the largest number allowed" in text
    assert "Blue 20 20" not in text


def test_several_labels_a_page_are_counted(folder: Folder, frame: pd.DataFrame) -> None:
    several = frame.assign(party=["a|b", "a", ""] * 20)
    out = folder(several, label=Label("party", multiple=True))
    text = words(report(out))
    assert "A page has 1.00 labels on average (cardinality), which is 0.500 of the 2 there are (density)." in text
    for row in ("0 labels 20 33 %", "1 label 20 33 %", "2 labels 20 33 %", "a 40 67 %", "b 20 33 %"):
        assert row in text
    assert "20 pages without any label" in found(out)
    assert "also b" in text


def test_altered_copies_are_counted_and_left_out_of_everything_else(folder: Folder, frame: pd.DataFrame) -> None:
    copies = frame[frame["split"] == "train"].assign(augmented_from=lambda rows: rows["id"])
    copies["id"] += "-altered"
    everything = pd.concat([frame.assign(augmented_from=""), copies], ignore_index=True)
    out = folder(everything)
    contents = read(out)
    assert (len(contents.frame), contents.augmented) == (60, 36)
    text = words(report(out))
    assert "The train split has 36 altered copies of its pages besides" in text
    assert "train 36 60 % 18" in text


def test_older_folders_and_texts_alone_have_a_report_too(folder: Folder, tiny_prepared: Path) -> None:
    texts = read_table(tiny_prepared / "manifest.csv").assign(image="", ocr_status="not_run")
    texts.loc[0, "text"] += " and two more"
    page = report(folder(texts, dataset={"source": {"type": "table"}, "columns": {"text": "words"}}))
    text = words(page)
    assert "The texts are the archive's own." in text
    assert "Words a page" in text and any(words in text for words in texts["text"])
    assert "Width and height" not in text and "The darkest pages" not in text
    assert all("svg" in (image["src"] or "")[:30] for image in page.all("img"))
    without_eyes(page)


def test_images_alone_have_a_report_too(folder: Folder, frame: pd.DataFrame) -> None:
    images = frame.assign(text="", ocr_status="not_run", ocr_confidence="", ocr_words="", rotation="")
    text = words(report(folder(images)))
    assert "No text was read." in text
    assert "Words a page" not in text and "How pages stood" not in text
    assert "Width and height" in text


@pytest.mark.parametrize(("rows", "classes"), [(2, 1), (2, 2), (200, 1), (200, 200), (200, 45)])
def test_any_number_of_pages_and_classes_has_a_report(folder: Folder, rows: int, classes: int) -> None:
    frame = pd.DataFrame({"id": [f"p{row}" for row in range(rows)]})
    frame = frame.assign(
        image="", text="one word", ocr_status="not_run", group=frame["id"], page="", split="train", source="", row=""
    )
    frame["party"] = [f"class {row % classes}" for row in range(rows)]
    page = report(folder(frame))
    stands_alone(page)
    without_eyes(page)
    assert ("The long tail" in page.text) == (classes > 40)


def test_a_long_table_of_classes_is_cut_and_says_so(folder: Folder, tiny_prepared: Path) -> None:
    first = read_table(tiny_prepared / "manifest.csv").iloc[[0]].assign(image="")
    frame = pd.concat([first] * 400, ignore_index=True)
    frame = frame.assign(id=[f"p{row}" for row in range(400)], party=[f"class {row}" for row in range(400)])
    text = words(report(folder(frame)))
    assert "the first 300 of 400; prepare.json and manifest.csv have all" in text
    assert f"the {data_cards.SHEET} commonest of 400 classes" in text


def test_skipped_inputs_are_grouped_by_reason_with_examples(folder: Folder) -> None:
    skipped = [(f"{n}.jpg", "", f"unreadable image: broken {n % 2}") for n in range(5)] + [("", "9", "no label")]
    text = words(report(folder(skipped=skipped, found=66)))
    assert "unreadable image 5 0.jpg, 1.jpg and 2.jpgbroken 0; broken 1" in text
    assert "no label 1 row 9" in text
    assert "skipped.csv names every one of them" in text


def test_scripts_are_told_as_unicode_names_them(folder: Folder, frame: pd.DataFrame) -> None:
    text = words(report(folder(frame.assign(text=["abc", "где", "abc"] * 20))))
    assert "Letters by script, as Unicode names them: Latin 67 %, Cyrillic 33 %." in text


def test_a_report_that_is_there_is_replaced_whole(folder: Folder) -> None:
    out = folder()
    (out / "report.html").write_text("old")
    assert report(out).all("main")
    assert not list(out.glob(".*.part"))


def test_twenty_thousand_pages_make_a_small_report_in_time(folder: Folder) -> None:
    chance, rows = np.random.default_rng(3), 20_000
    numbers = np.arange(rows)
    frame = pd.DataFrame({"id": [f"p{n}" for n in numbers], "image": [f"images/blue{n % 10}p1.png" for n in numbers]})
    frame = frame.assign(
        text=["some words of a leaflet " * (1 + n % 40) for n in numbers],
        ocr_status="read",
        party=[f"class {n}" for n in chance.zipf(1.5, rows).clip(max=300)],
        group=[f"g{n // 3}" for n in numbers],
        page="",
        split=[("train", "train", "validation", "test")[n // 3 % 4] for n in numbers],
        source=[f"{n}.jpg" for n in numbers],
        row="",
        width=chance.integers(100, 9000, rows).astype(str),
        height=chance.integers(100, 9000, rows).astype(str),
        brightness=chance.normal(150, 30, rows).round(1).astype(str),
        sharpness=chance.lognormal(6, 1, rows).round(1).astype(str),
    )
    out = folder(frame)
    before = time.process_time()
    path = write_report(out)
    assert time.process_time() - before < 15
    assert path.stat().st_size < 10_000_000
