"""Reading with Tesseract: what is read, what a failure costs, and what has to be installed."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytesseract
import pytest

from leaflet_tool.errors import ExitCode, InputError, MissingError
from leaflet_tool.prepare import ocr, tesseract
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.ocr import Recogniser, tesseract_version
from leaflet_tool.prepare.reading import Page, Reader
from leaflet_tool.prepare.store import Store
from leaflet_tool.prepare.texts import clean
from tests.prepare import fake_tesseract

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")

FAKE = """
def note(line):
    with open(os.environ["CALLS"], "a") as calls:
        print(line, file=calls)

def read(image):
    note("image")
    dark = image.read_bytes().endswith(b"\\0")
    if dark and os.environ["POISON"] == "hang":
        time.sleep(60)
    if dark and os.environ["POISON"] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if dark and os.environ["POISON"] == "quit":
        sys.exit("what it says\\nof that")
    if dark and os.environ["POISON"] == "silence":
        return None
    return ("garbage" if dark else "90") + "\\tread"

note(f"start limit={os.environ['OMP_THREAD_LIMIT']}")
"""
"""A Tesseract that reads the word "read" on light pages, and does on dark ones what POISON says."""
START = "start limit=1"


def page(path: Path, language: str = "eng", psm: int = 3) -> Page:
    return Page(path, 0, page_digest(path, 0), language, psm, "none")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake is the Tesseract that is found; the file where it notes each call."""
    program = fake_tesseract.write(tmp_path / "bin", FAKE)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("POISON", "crash")
    return tmp_path / "calls"


@needs_tesseract
def test_a_page_is_read_and_an_empty_one_is_blank(tmp_path: Path, draw: Callable[..., Path], reader: Reader) -> None:
    read, blank = map(reader, [page(draw(tmp_path / "a.png", "Vote Green")), page(draw(tmp_path / "b.png"))])
    assert (read.text, read.status, read.words, read.rotation) == ("Vote Green", "read", "2", "")
    assert float(read.confidence) > 50
    assert (blank.text, blank.status, blank.words, blank.confidence) == ("", "blank", "0", "")


@needs_tesseract
def test_a_page_reads_the_same_after_others_and_alone(
    tmp_path: Path, draw: Callable[..., Path], reader: Reader
) -> None:
    pages = [page(draw(tmp_path / f"{n}.png", text)) for n, text in enumerate(["Vote Green", "", "Vote Red", "Blue"])]
    alone = []
    for each in pages:
        with closing(Reader()) as another:
            alone.append(another(each))
    assert [reader(each) for each in pages] == alone
    assert [reader(each) for each in reversed(pages)] == alone[::-1]


@needs_tesseract
def test_settings_are_read_by_a_tesseract_of_their_own(
    tmp_path: Path, draw: Callable[..., Path], reader: Reader
) -> None:
    picture = draw(tmp_path / "a.png", "Vote Green")
    assert [reader(page(picture, psm=psm)).text for psm in (3, 7, 12, 3)] == ["Vote Green"] * 4


def test_one_tesseract_reads_all_pages_on_one_thread(
    tmp_path: Path, draw: Callable[..., Path], fake: Path, reader: Reader
) -> None:
    assert [reader(page(draw(tmp_path / f"{number}.png"))).text for number in range(5)] == ["read"] * 5
    assert fake.read_text().splitlines() == [START] + ["image"] * 5
    assert "OMP_THREAD_LIMIT" not in os.environ


def test_after_many_images_another_tesseract_goes_on(
    tmp_path: Path, draw: Callable[..., Path], fake: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader
) -> None:
    monkeypatch.setattr(tesseract, "IMAGES", 4)  # a page is two: itself and the blank one behind it
    for number in range(5):
        assert reader(page(draw(tmp_path / f"{number}.png"))).text == "read"
    assert fake.read_text().splitlines() == [START, "image", "image"] * 2 + [START, "image"]


def test_a_tesseract_that_died_between_two_pages_is_started_again(
    tmp_path: Path, draw: Callable[..., Path], fake: Path, reader: Reader
) -> None:
    first = page(draw(tmp_path / "a.png"))
    before = set(psutil.Process().children())
    assert reader(first).text == "read"
    (child,) = set(psutil.Process().children()) - before
    child.kill()
    while child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert reader(first).text == "read"
    assert fake.read_text().splitlines() == [START, "image"] * 2


def test_nothing_is_left_of_a_reader_that_is_closed(tmp_path: Path, draw: Callable[..., Path], fake: Path) -> None:
    before, files = set(psutil.Process().children()), psutil.Process().num_fds()
    with closing(Reader()) as reader:
        reader(page(draw(tmp_path / "a.png")))
        (child,) = set(psutil.Process().children()) - before
    assert not child.is_running()
    assert psutil.Process().num_fds() <= files


def test_a_system_without_terminals_is_said(
    tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, reader: Reader
) -> None:
    def openpty() -> None:
        raise OSError("out of pty devices")

    monkeypatch.setattr(os, "openpty", openpty)
    with pytest.raises(MissingError, match="no terminal into which Tesseract could write: out of pty devices") as error:
        reader(page(draw(tmp_path / "a.png")))
    assert "/dev/pts" in error.value.hint


@pytest.mark.parametrize(
    ("poison", "problem", "starts"),
    [
        ("crash", "Tesseract ended with -11: ", 2),
        ("quit", "Tesseract ended with 1: what it says of that", 2),
        ("hang", "Tesseract took longer than 3 s: timeout", 2),
        ("silence", "Tesseract took longer than 3 s: timeout", 2),
        ("garbage", "Tesseract wrote something else than words: could not convert string to float: 'garbage'", 1),
    ],
)
def test_a_poisoned_page_costs_that_page_only(
    tmp_path: Path,
    draw: Callable[..., Path],
    fake: Path,
    monkeypatch: pytest.MonkeyPatch,
    poison: str,
    problem: str,
    starts: int,
) -> None:
    monkeypatch.setenv("POISON", poison)
    pages = [page(draw(tmp_path / f"{n}.png", colour="black" if n == 1 else "white")) for n in range(4)]
    started = time.monotonic()
    with closing(Reader(timeout=3)) as reader:
        readings = [reader(each, tmp_path) for each in pages]
    assert [reading.status for reading in readings] == ["read", "failed", "read", "read"]
    assert (readings[1].text, readings[1].problem) == ("", problem)
    assert Counter(fake.read_text().splitlines()) == {START: starts, "image": 4}
    assert time.monotonic() - started < 30
    assert not list(tmp_path.glob("page-*"))


def test_an_unreadable_image_costs_that_page_only(
    tmp_path: Path, draw: Callable[..., Path], fake: Path, reader: Reader
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    gone = page(draw(tmp_path / "gone.png"))
    gone.path.unlink()
    readings = [reader(each) for each in (page(broken), page(draw(tmp_path / "a.png")), gone)]
    assert [reading.status for reading in readings] == ["failed", "read", "failed"]
    assert "cannot identify image" in readings[0].problem
    assert "No such file" in readings[2].problem


@needs_tesseract
def test_a_timeout_is_said(tmp_path: Path, draw: Callable[..., Path]) -> None:
    with closing(Reader(timeout=0.001)) as reader:
        late = reader(page(draw(tmp_path / "a.png", "Vote Green")))
    assert (late.text, late.status) == ("", "failed")
    assert "timeout" in late.problem


@needs_tesseract
def test_osd_goes_on_after_a_page_with_too_little_text(tmp_path: Path, draw: Callable[..., Path]) -> None:
    text = "the council must keep\nthe library open and mend\nevery road in this town"
    pages = [draw(tmp_path / f"{n}.png", text if n % 2 else "", size=(900, 400)) for n in range(4)]
    with closing(Recogniser("eng", 3)) as engine:
        blank, first, again, second = (engine.turn(image, timeout=60) for image in pages)
    assert blank is again is None
    assert first and second
    assert (first.turn, second.turn) == (0, 0)


def test_osd_that_crashes_says_nothing(tmp_path: Path, draw: Callable[..., Path], fake: Path) -> None:
    with closing(Recogniser("eng", 3)) as engine:
        said = [engine.turn(draw(tmp_path / f"{n}.pgm", colour="black"), timeout=60) for n in range(3)]
    assert said == [None] * 3
    assert fake.read_text().splitlines() == [START, "image"] * 3


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
