"""Pages that lie on their side or head."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from leaflet_tool.prepare.images import TURNS, page_digest
from leaflet_tool.prepare.ocr import Osd
from leaflet_tool.prepare.orientation import set_upright
from leaflet_tool.prepare.reading import Page, Reader, Reading
from leaflet_tool.prepare.tsv import Found, Word

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")

SENTENCES = """Your local candidate asks for your vote
on Thursday. The council must mend the
roads, keep the library open and plant
trees in every street of this town.
Better buses, cleaner air, safer streets.
Together we can change our town hall."""


def drawn(path: Path, text: str, turn: int) -> Page:
    """A page of text, turned clockwise."""
    image = Image.new("L", (900, 600), 255)
    ImageDraw.Draw(image).multiline_text((40, 60), text, fill=0, font=ImageFont.load_default(size=40), spacing=20)
    (image.transpose(TURNS[turn]) if turn else image).save(path)
    return Page(path, 0, page_digest(path, 0), "eng", 3, "detect")


@needs_tesseract
def test_a_page_turned_four_ways_reads_the_same(tmp_path: Path, reader: Reader) -> None:
    pages = [drawn(tmp_path / f"{turn}.png", SENTENCES, turn) for turn in (0, *TURNS)]
    upright, *turned = map(reader, pages)
    assert upright.text.split() == SENTENCES.split()
    assert upright.rotation == "0"
    assert [reading.rotation for reading in turned] == ["270", "180", "90"]
    assert [(reading.text, reading.words) for reading in turned] == [(upright.text, upright.words)] * 3


@needs_tesseract
def test_a_page_with_too_little_text_for_osd_is_tried_in_four_turns(tmp_path: Path, reader: Reader) -> None:
    pages = [drawn(tmp_path / f"{turn}.png", "Vote Green today", turn) for turn in (0, *TURNS)]
    readings = [reader(page) for page in pages]
    assert [reading.text for reading in readings] == ["Vote Green today"] * 4
    assert [reading.rotation for reading in readings] == ["0", "270", "180", "90"]


@needs_tesseract
def test_without_orientation_pages_are_read_as_they_lie(tmp_path: Path, reader: Reader) -> None:
    page = drawn(tmp_path / "180.png", SENTENCES, 180)
    reading = reader(Page(page.path, 0, page.digest, "eng", 3, "none"))
    assert "candidate" not in reading.text
    assert reading.rotation == ""


@needs_tesseract
def test_pages_without_text_stay_as_they_lie(tmp_path: Path, reader: Reader) -> None:
    assert reader(drawn(tmp_path / "a.png", "", 0)) == Reading("", "blank", "", "0", "0")


def found(certain: int, others: int = 0) -> Found:
    sure, unsure = (Word("word", "1", "1", "1", 40, 10, confidence) for confidence in (90.0, 20.0))
    return Found([sure] * certain + [unsure] * others)


Turned = Callable[[dict[int, Found | str], Osd | None], tuple[Found | str, int, list[int]]]


@pytest.fixture
def turned(tmp_path: Path) -> Turned:
    """What comes of a page on which so much is found by turn, its turn, and the turns that were tried."""

    def outcome(by_turn: dict[int, Found | str], osd: Osd | None) -> tuple[Found | str, int, list[int]]:
        tried: list[int] = []

        def recognise(image: Path) -> Found | str:
            tried.append(int(image.stem.partition("-")[2]))
            return by_turn[tried[-1]]

        Image.new("L", (4, 3)).save(tmp_path / "0.pgm")
        best, turn = set_upright(tmp_path / "0.pgm", recognise, lambda _: osd)
        return best, turn, tried

    return outcome


def test_a_page_that_reads_well_is_not_tried(turned: Turned) -> None:
    assert turned({0: found(40, 10)}, Osd(180, 20.0)) == (found(40, 10), 0, [0])


def test_a_sure_osd_says_the_only_turn_that_is_tried(turned: Turned) -> None:
    assert turned({0: found(3, 40), 90: found(30)}, Osd(90, 12.0)) == (found(30), 90, [0, 90])
    assert turned({0: found(3, 40)}, Osd(0, 12.0)) == (found(3, 40), 0, [0])


def test_a_sure_osd_that_reads_worse_is_not_believed(turned: Turned) -> None:
    assert turned({0: found(6, 40), 90: found(5)}, Osd(90, 12.0)) == (found(6, 40), 0, [0, 90])


@pytest.mark.parametrize("osd", [None, Osd(90, 0.4)])
def test_an_unsure_osd_leaves_it_to_the_four_turns(turned: Turned, osd: Osd | None) -> None:
    by_turn: dict[int, Found | str] = {0: found(1, 5), 90: found(2), 180: found(6), 270: "crashed"}
    assert turned(by_turn, osd) == (found(6), 180, [0, 90, 180, 270])


def test_little_text_in_every_turn_turns_nothing(turned: Turned) -> None:
    assert turned({0: found(0), 90: found(2), 180: found(1), 270: found(0)}, None)[1] == 0
    assert turned({0: found(4), 90: found(5), 180: found(1), 270: found(0)}, None)[1] == 0


def test_a_page_that_fails_is_not_tried_again(turned: Turned) -> None:
    assert turned({0: "took too long"}, Osd(90, 12.0)) == ("took too long", 0, [0])
