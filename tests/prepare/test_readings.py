"""Many pages: the cache, pages that are lost, interruptions, and what killed runs leave."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.prepare import ocr_cache, rates, readings
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.ocr import tesseract_version
from leaflet_tool.prepare.parallel import Lost
from leaflet_tool.prepare.reading import Page, Reading
from leaflet_tool.prepare.readings import PREFIX, read_pages
from leaflet_tool.prepare.store import Store
from leaflet_tool.storage import locked

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")


def page(path: Path) -> Page:
    return Page(path, 0, page_digest(path, 0), "eng", 3, "none")


def numbered(count: int) -> list[Page]:
    return [Page(Path(f"{number}.jpg"), 0, f"digest{number}", "eng", 3, "none") for number in range(count)]


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pages are read in this process, and page 5 is lost. The digests of what was read."""
    seen: list[str] = []

    @contextmanager
    def in_processes(
        function: object, tasks: Sequence[Page], workers: int, **limits: object
    ) -> Iterator[Iterator[Reading | Lost]]:
        def results() -> Iterator[Reading | Lost]:
            for page in tasks:
                seen.append(page.digest)
                text = Reading(f"text of {page.digest}", "read", "90.0", "3", "0")
                yield Lost("crashed its reader") if page.digest == "digest5" else text

        yield results()

    monkeypatch.setattr(readings, "in_processes", in_processes)
    return seen


def kept() -> dict[str, Any]:
    with Store(ocr_cache.cache_path()) as cache:
        return dict(cache.items())


@needs_tesseract
def test_what_was_read_is_not_read_again(
    tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [page(draw(tmp_path / "a.png", "Vote Green")), page(draw(tmp_path / "b.png", "Vote Red"))]
    version = tesseract_version("eng")
    first = read_pages(pages, version, workers=2)
    assert [reading.text for reading in first] == ["Vote Green", "Vote Red"]
    monkeypatch.setenv("PATH", "")
    assert read_pages(pages[::-1], version) == first[::-1]
    assert len(kept()) == 2


@needs_tesseract
def test_failures_are_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    assert read_pages([page(broken)], "5")[0].status == "failed"
    assert kept() == {}
    assert "the text of broken.jpg could not be read" in caplog.text


def test_a_lost_page_is_failed_and_alone(spread: list[str]) -> None:
    found = read_pages(numbered(40), "5", workers=1)
    assert [reading.status for reading in found] == ["failed" if n == 5 else "read" for n in range(40)]
    assert [reading.text for reading in found[6:]] == [f"text of digest{n}" for n in range(6, 40)]
    assert found[5].problem == "crashed its reader"
    assert spread == [f"digest{n}" for n in range(40)]
    assert len(kept()) == 39


def test_progress_counts_pages(spread: list[str]) -> None:
    seen: list[tuple[int, int]] = []

    def progress[T](items: Iterable[T], *, total: int, title: str) -> Iterable[T]:
        listed = list(items)
        seen.append((len(listed), total))
        return listed

    read_pages(numbered(40), "5", workers=1, progress=progress)
    read_pages(numbered(50), "5", workers=1, progress=progress)
    assert seen == [(40, 40), (11, 11)]


def test_the_same_bytes_are_read_once(spread: list[str]) -> None:
    first, second = numbered(2)
    again = replace(first, path=Path("copy.jpg"))
    assert [found.text[-1] for found in read_pages([first, second, again], "5")] == ["0", "1", "0"]
    assert spread == ["digest0", "digest1"]


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "other"},
        {"language": "eng+cym"},
        {"psm": 6},
        {"orientation": "detect"},
        {"models": (("eng", "0123456789abcdef"),)},
        {},
    ],
)
def test_whatever_changes_the_text_is_in_the_key(spread: list[str], change: dict[str, Any]) -> None:
    (first,) = numbered(1)
    read_pages([first], "5.3.0")
    read_pages([replace(first, **change)], "5.3.0" if change else "5.4.0")
    assert len(spread) == len(kept()) == 2


def test_an_interruption_keeps_what_was_read(spread: list[str]) -> None:
    def interrupted[T](items: Iterable[T], *, total: int, title: str) -> Iterable[T]:
        for number, item in enumerate(items):
            if number == 20:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        read_pages([page for page in numbered(60) if page.digest != "digest5"], "5", workers=1, progress=interrupted)
    assert len(kept()) == 21


@needs_tesseract
def test_renditions_are_removed(tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    abandoned, held, young = (tmp_path / "temp" / f"{PREFIX}{name}" for name in ("abandoned", "held", "young"))
    for folder in (abandoned, held, young):
        (folder / "batch-x").mkdir(parents=True)
    for folder in (abandoned, held):
        os.utime(folder, (time.time() - 3600,) * 2)
    with locked(held):
        os.utime(held, (time.time() - 3600,) * 2)
        assert read_pages([page(draw(tmp_path / "a.png", "Vote Green"))], "5")[0].text == "Vote Green"
    assert sorted((tmp_path / "temp").iterdir()) == [held, young]


def test_two_processes_write_one_cache(tmp_path: Path) -> None:
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from leaflet_tool.prepare import ocr_cache\n"
        "from leaflet_tool.prepare.reading import Reading\n"
        "from leaflet_tool.prepare.store import Store\n"
        "for number in range(100):\n"
        "    with Store(ocr_cache.cache_path()) as cache:\n"
        "        ocr_cache.keep(cache, {f'{sys.argv[1]} {number}': Reading('text', 'read')}, '5')\n"
    )
    writers = [subprocess.Popen([sys.executable, script, str(number)]) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(kept()) == 400


def test_the_time_a_page_took_is_remembered(spread: list[str]) -> None:
    settings = numbered(1)[0].settings
    assert rates.seconds_a_page(settings) is None
    read_pages(numbered(4), "5")
    assert rates.seconds_a_page(settings) is None
    read_pages(numbered(30), "5")
    assert 0 < (rates.seconds_a_page(settings) or 0) < 60
