"""Duplicates: which pages are found, which are not, and what is written of them."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from leaflet_tool.manifest import ID, SHARPNESS, SOURCE, SPLIT, TEXT
from leaflet_tool.prepare.dataset import Duplicates
from leaflet_tool.prepare.duplicates import (
    CROWD,
    DISTANCE,
    KIND,
    ONE,
    OTHER,
    REACH,
    close,
    components,
    counts,
    pairs,
    table,
)
from leaflet_tool.prepare.images import Task, working_copy
from leaflet_tool.prepare.sources.rows import DIGEST, FINE, LABEL, PHASH, raw_frame
from leaflet_tool.settings import PREPARE

LONG = "Vote for more trees, cleaner rivers and warm homes in our town"
ALL = Duplicates()
FAR = 2**64 - 2


def page(**cells: Any) -> dict[str, Any]:
    """A raw row of a page with something on it."""
    return {SHARPNESS: "500", LABEL: ("a",)} | cells


def rows(*pages: dict[str, Any]) -> pd.DataFrame:
    """Such rows with ids 0, 1, 2 …"""
    return raw_frame({ID: str(number)} | cells for number, cells in enumerate(pages))


def found(frame: pd.DataFrame, how: Duplicates = ALL) -> list[tuple[str, int, int, int]]:
    """Kind, distance and positions of the pairs."""
    return list(pairs(frame, how)[[KIND, DISTANCE, ONE, OTHER]].itertuples(index=False, name=None))


def of_hash(bits: int, **cells: Any) -> dict[str, Any]:
    """A page by its coarse hash alone."""
    return page(**{PHASH: f"{bits:016x}"} | cells)


def test_the_same_bytes_are_duplicates() -> None:
    frame = rows(page(digest="x"), page(digest="y"), page(digest="x"), page(digest=""), page(digest=""))
    assert found(frame) == [("exact", 0, 0, 2)]
    assert found(frame, Duplicates(near=False, text=False)) == [("exact", 0, 0, 2)]


def test_an_empty_page_in_many_leaflets_ties_none_of_them() -> None:
    many = [page(digest="white", sharpness="0.0") for _ in range(CROWD + 1)]
    assert found(rows(*many)) == []
    assert len(found(rows(*many[:CROWD]))) == CROWD - 1
    assert len(found(rows(*(page(digest="leaflet") for _ in many)))) == CROWD


def test_texts_are_compared_by_their_words() -> None:
    other = LONG.upper().replace(" ", "\n").replace("rivers", "riv-\ners") + "!"
    frame = rows(page(text=LONG), page(text=other), page(text=LONG + " now"), page(text="Vote"), page(text="vote"))
    assert found(frame) == [("text", 0, 0, 1)]
    assert found(frame, Duplicates(text=False)) == []


def test_hashes_within_the_distance_are_near() -> None:
    frame = rows(of_hash(0xF0F0), of_hash(0xF0F0), of_hash(0xF0F3), of_hash(0xF00F0000), of_hash(0, phash=""))
    assert found(frame, Duplicates(distance=2)) == [("near", 0, 0, 1), ("near", 2, 0, 2)]
    assert found(frame, Duplicates(distance=0)) == [("near", 0, 0, 1)]
    assert found(frame, Duplicates(near=False)) == []


def test_pages_of_one_layout_differ_in_the_fine_hash() -> None:
    one, other = f"{0:064x}", f"{2**60 - 1:064x}"
    assert found(rows(of_hash(1, fine=one), of_hash(3, fine=one))) == [("near", 1, 0, 1)]
    assert found(rows(of_hash(1, fine=one), of_hash(3, fine=other))) == []
    assert found(rows(of_hash(1, fine=one), of_hash(1, fine=other))) == []


def test_pages_with_nothing_on_them_are_not_near() -> None:
    assert found(rows(of_hash(1, sharpness="2.0"), of_hash(1, sharpness="19.9"))) == []
    assert found(rows(of_hash(1, sharpness="40"), of_hash(1, sharpness="41"))) == [("near", 0, 0, 1)]


def test_a_pair_is_named_once_by_its_closest_kind() -> None:
    same = {TEXT: LONG, PHASH: "1" * 16, DIGEST: "x"}
    frame = rows(page(**same), page(**same), page(**same | {DIGEST: "y"}), page(**same | {DIGEST: "z", PHASH: ""}))
    assert found(frame) == [("exact", 0, 0, 1), ("near", 0, 0, 2), ("text", 0, 0, 3)]


def test_a_crowd_of_forms_is_compared_more_strictly() -> None:
    forms = [of_hash(0b11 << 2 * number) for number in range(CROWD + 1)]
    frame = rows(*forms, *(of_hash(bits) for bits in (FAR, FAR, FAR + 1)))
    assert found(frame, Duplicates(distance=4)) == [
        ("near", 0, CROWD + 1, CROWD + 2),
        ("near", 1, CROWD + 1, CROWD + 3),
    ]
    fewer = rows(*forms[: CROWD - 3])
    assert len(found(fewer, Duplicates(distance=4))) == CROWD - 4


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4, unique=True),
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=9)), max_size=12),
    st.integers(0, 16),
)
def test_no_close_pair_is_missed(roots: list[int], altered: list[tuple[int, set[int]]], distance: int) -> None:
    copies = [roots[root % len(roots)] ^ sum(1 << bit for bit in bits) for root, bits in altered]
    hashes = np.array(sorted({*roots, *copies}), dtype=np.uint64)
    assert len(hashes) <= REACH
    ours = {
        frozenset((int(a), int(b))) for one, other in close(hashes, distance) for a, b in zip(one, other, strict=True)
    }
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    theirs = {frozenset((int(a), int(b))) for a, b in np.argwhere(apart <= distance) if a != b}
    assert ours == theirs


pages = st.lists(
    st.fixed_dictionaries(
        {
            DIGEST: st.sampled_from(["", "x", "y", "z"]),
            PHASH: st.sampled_from(["", *(f"{bits:016x}" for bits in (0, 1, 3, 7, 2**40, 2**40 + 2**41))]),
            TEXT: st.sampled_from(["", "vote", LONG, LONG + " today"]),
        }
    ),
    min_size=1,
    max_size=25,
)


@given(pages)
def test_pairs_tie_all_that_are_the_same_and_no_more_are_needed(cells: list[dict[str, str]]) -> None:
    frame = rows(*(page(**cell) for cell in cells))
    tied = pairs(frame, Duplicates(distance=1))
    part = components(tied, len(frame))
    assert len(tied) == len(frame) - len(set(part))
    for one, this in enumerate(cells):
        for other, that in enumerate(cells[:one]):
            same = bool(this[DIGEST]) and this[DIGEST] == that[DIGEST]
            near = this[PHASH] and that[PHASH] and (int(this[PHASH], 16) ^ int(that[PHASH], 16)).bit_count() <= 1
            text = this[TEXT] == that[TEXT] and len(this[TEXT]) > 10
            if same or near or text:
                assert part[one] == part[other]
    for edge in tied.to_dict("records"):
        assert edge[KIND] != "near" or 0 <= edge[DISTANCE] <= 1


def test_the_table_lists_disagreeing_pairs_first() -> None:
    frame = rows(
        page(digest="x", source="1.jpg", split="train"),
        page(digest="x", source="2.jpg", split="test"),
        page(text=LONG, source="3.jpg", split="train", label=("a", "b")),
        page(text=LONG, source="4.jpg", split="train", label=("b", "c")),
        page(digest="y", split="train", label=("b", "a")),
        page(digest="y", split="train", label=("a", "b")),
    )
    tied = pairs(frame, ALL)
    listed = table(frame, tied)
    assert list(listed.columns) == [
        *("kind", "distance", "id_a", "id_b", "source_a", "source_b", "label_a", "label_b"),
        *("split_a", "split_b", "labels_disagree", "crosses"),
    ]
    assert listed.values.tolist() == [
        ["text", "", "2", "3", "3.jpg", "4.jpg", "a|b", "b|c", "train", "train", "yes", "no"],
        ["exact", "0", "0", "1", "1.jpg", "2.jpg", "a", "a", "train", "test", "no", "yes"],
        ["exact", "0", "4", "5", "", "", "b|a", "a|b", "train", "train", "no", "no"],
    ]
    assert counts(frame, tied) == {
        **{"exact": 2, "near": 0, "text": 1, "pages": 6, "disagreeing": 1, "crossing": 1, "crossing_folds": 0}
    }
    assert table(frame, tied[:0]).columns.tolist() == list(listed.columns)


def test_what_was_not_looked_at_is_not_counted() -> None:
    frame = rows(page(image="1.jpg", text=LONG), page(image="2.jpg", text=LONG))
    assert counts(frame, pairs(frame, ALL)) | {"pages": 0} == {
        **{"exact": None, "near": None, "text": 1, "pages": 0, "disagreeing": 0, "crossing": 0, "crossing_folds": 0}
    }


def seen(folder: Path, *images: Image.Image) -> pd.DataFrame:
    """Rows of images as prepare sees them."""
    frame = []
    for number, image in enumerate(images):
        image.save(folder / f"{number}.png")
        task = Task(folder / f"{number}.png", folder / f"{number}.jpg", PREPARE.max_side, 90, PREPARE.max_pixels)
        copy = working_copy(task)
        frame.append(page(digest=copy.digest, phash=copy.phash, fine=copy.fine, sharpness=str(copy.sharpness)))
    return rows(*frame)


def blank(chance: np.random.Generator, shade: float, noise: float) -> Image.Image:
    """White paper under uneven light."""
    y, x = np.mgrid[0:600, 0:420] / 600
    levels = 235 + shade * (x - y) + chance.normal(0, noise, (600, 420))
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def test_blank_pages_are_not_each_others_copies(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    images = [blank(chance, shade, noise) for noise in (0.5, 1.5) for shade in (0, 10, 10, 10, 30)]
    numbered = [image.copy() for image in images]
    for number, image in enumerate(numbered):
        ImageDraw.Draw(image).text((210, 570), str(number), fill=120)
    assert found(seen(tmp_path, *images, *numbered)) == []


def test_copies_of_real_leaflets_are_found_and_nothing_else(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "leaflets" / "images").rglob("*.jpg"))[::6]
    originals = [Image.open(path).convert("RGB") for path in paths]
    copies = []
    for image in originals:
        width, height = image.size
        copies += [
            image.resize((width // 2, height // 2)),
            image.crop((width // 100, height // 100, width - width // 100, height - height // 100)),
            ImageEnhance.Brightness(image).enhance(0.8),
            image.filter(ImageFilter.GaussianBlur(1)),
        ]
    frame = seen(tmp_path, *originals, *copies)
    part = components(pairs(frame, ALL), len(frame))
    expected = [*range(len(originals)), *(number for number in range(len(originals)) for _ in range(4))]
    assert len(set(part)) == len(originals)
    assert [part[number] for number in expected] == part.tolist()


def test_time_grows_with_the_number_of_pages() -> None:
    chance = np.random.default_rng(1)

    def seconds(count: int) -> float:
        hashes = chance.integers(0, 2**64, size=count, dtype=np.uint64)
        columns = {PHASH: [f"{int(bits):016x}" for bits in hashes]}
        frame = pd.DataFrame(columns, dtype=str).assign(**dict.fromkeys((DIGEST, FINE, TEXT, SHARPNESS), ""))
        started = time.perf_counter()
        assert len(pairs(frame, ALL)) < count / 100
        return time.perf_counter() - started

    seconds(1000)
    assert seconds(50_000) < 30 * seconds(5_000)


@pytest.mark.parametrize("column", [SOURCE, SPLIT])
def test_no_pages_no_pairs(column: str) -> None:
    frame = rows()
    assert pairs(frame, ALL).empty
    assert column + "_a" in table(frame, pairs(frame, ALL))
