"""Reading with Tesseract: what is read, what a failure costs, and what has to be installed."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytesseract
import pytest

from leaflet_tool.errors import ExitCode, InputError, MissingError
from leaflet_tool.prepare import ocr
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.ocr import tesseract_version
from leaflet_tool.prepare.reading import Page, read_batch
from leaflet_tool.prepare.store import Store
from leaflet_tool.prepare.texts import clean

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")

FAKE = """#!{python}
import os, pathlib, signal, sys, time
images, out = [name for name in open(sys.argv[1]).read().split("\\n") if name], pathlib.Path(sys.argv[2] + ".tsv")
rows = ["level"]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(f"{{len(images)}} limit={{os.environ['OMP_THREAD_LIMIT']}}\\n")
for number, image in enumerate(images, 1):
    dark = pathlib.Path(image).read_bytes().endswith(b"\\0")
    if dark and os.environ["POISON"] == "hang":
        time.sleep(60)
    if dark and os.environ["POISON"] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if dark and os.environ["POISON"] == "silence":
        continue
    confidence = "garbage" if dark else "90"
    rows += ["1" + "\\t0" * 11, f"5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t5\\t{{confidence}}\\tread"]
out.write_text("\\n".join(rows))
"""
"""A Tesseract that reads the word "read" on light pages, and does on dark ones what POISON says."""


def page(path: Path, language: str = "eng", psm: int = 3) -> Page:
    return Page(path, 0, page_digest(path, 0), language, psm, "none")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake is the Tesseract that is found; the file where it notes each call."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("POISON", "crash")
    return tmp_path / "calls"


@needs_tesseract
def test_a_page_is_read_and_an_empty_one_is_blank(tmp_path: Path, draw: Callable[..., Path]) -> None:
    read, blank = read_batch([page(draw(tmp_path / "a.png", "Vote Green")), page(draw(tmp_path / "b.png"))])
    assert (read.text, read.status, read.words, read.rotation) == ("Vote Green", "read", "2", "")
    assert float(read.confidence) > 50
    assert (blank.text, blank.status, blank.words, blank.confidence) == ("", "blank", "0", "")


@needs_tesseract
def test_a_page_reads_the_same_in_a_batch_and_alone(tmp_path: Path, draw: Callable[..., Path]) -> None:
    pages = [page(draw(tmp_path / f"{n}.png", text)) for n, text in enumerate(["Vote Green", "", "Vote Red", "Blue"])]
    assert read_batch(pages) == [reading for each in pages for reading in read_batch([each])]


def test_one_tesseract_reads_several_pages_on_one_thread(tmp_path: Path, draw: Callable[..., Path], fake: Path) -> None:
    readings = read_batch([page(draw(tmp_path / f"{number}.png")) for number in range(5)])
    assert [reading.text for reading in readings] == ["read"] * 5
    assert fake.read_text() == "5 limit=1\n"
    assert "OMP_THREAD_LIMIT" not in os.environ


@pytest.mark.parametrize("poison", ["crash", "hang", "silence", "garbage"])
def test_a_poisoned_page_costs_that_page_only(
    tmp_path: Path, draw: Callable[..., Path], fake: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    monkeypatch.setenv("POISON", poison)
    pages = [page(draw(tmp_path / f"{n}.png", colour="black" if n == 1 else "white")) for n in range(4)]
    started = time.monotonic()
    readings = read_batch(pages, timeout=3, scratch=tmp_path)
    assert [reading.status for reading in readings] == ["read", "failed", "read", "read"]
    assert readings[1].text == "" and readings[1].problem
    assert len(fake.read_text().splitlines()) == 5
    assert time.monotonic() - started < 30
    assert not list(tmp_path.glob("batch-*"))


def test_an_unreadable_image_costs_that_page_only(tmp_path: Path, draw: Callable[..., Path], fake: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    gone = page(draw(tmp_path / "gone.png"))
    gone.path.unlink()
    readings = read_batch([page(broken), page(draw(tmp_path / "a.png")), gone])
    assert [reading.status for reading in readings] == ["failed", "read", "failed"]
    assert "cannot identify image" in readings[0].problem
    assert "No such file" in readings[2].problem


@needs_tesseract
def test_a_timeout_is_said(tmp_path: Path, draw: Callable[..., Path]) -> None:
    (late,) = read_batch([page(draw(tmp_path / "a.png", "Vote Green"))], timeout=0.001)
    assert (late.text, late.status) == ("", "failed")
    assert "timeout" in late.problem


@needs_tesseract
def test_osd_goes_on_after_a_page_with_too_little_text(tmp_path: Path, draw: Callable[..., Path]) -> None:
    text = "the council must keep\nthe library open and mend\nevery road in this town"
    pages = [draw(tmp_path / f"{n}.png", text if n % 2 else "", size=(900, 400)) for n in range(4)]
    blank, first, again, second = ocr.turns(pages, timeout=60)
    assert blank is again is None
    assert first and second
    assert (first.turn, second.turn) == (0, 0)


def test_osd_that_crashes_says_nothing(tmp_path: Path, draw: Callable[..., Path], fake: Path) -> None:
    assert ocr.turns([draw(tmp_path / f"{n}.pgm", colour="black") for n in range(3)], timeout=60) == [None] * 3
    assert len(fake.read_text().splitlines()) == 1


@needs_tesseract
def test_a_missing_language_pack_says_what_to_install() -> None:
    with pytest.raises(MissingError) as error:
        tesseract_version("eng+tlh_frak")
    assert "'tlh_frak'" in error.value.message
    assert "tesseract-ocr-tlh-frak" in error.value.hint
    assert error.value.exit_code == ExitCode.MISSING


def test_a_missing_osd_pack_is_only_missed_where_pages_are_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytesseract, "get_tesseract_version", lambda: "5.3.0")
    monkeypatch.setattr(ocr, "_packs", lambda: ["eng"])
    assert tesseract_version("eng", "none") == "5.3.0"
    with pytest.raises(MissingError, match="no language pack 'osd'") as error:
        tesseract_version("eng", "detect")
    assert "tesseract-ocr-osd" in error.value.hint
    assert "--orientation none" in error.value.hint


def test_tesseract_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError) as error:
        tesseract_version("eng")
    assert "apt-get install tesseract-ocr" in error.value.hint
    assert "brew install tesseract" in error.value.hint


def test_clean_text() -> None:
    assert clean("cafe\u0301\r\nline\x0c\x00\rlast\ttab\x1b \ud800\n") == "café\nline\nlast\ttab"


def test_a_broken_cache_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(InputError, match=r"readings\.sqlite cannot be used"):
        Store(path)


def test_two_stores_on_one_file(tmp_path: Path) -> None:
    with Store(tmp_path / "a.sqlite") as one, Store(tmp_path / "a.sqlite") as other:
        one.put("x", {"n": 1})
        other.put("y", [2])
        assert one.keys() == other.keys() == ["x", "y"]
        other.remove(["x"])
        assert (one.get("x"), one.get("y")) == (None, [2])
