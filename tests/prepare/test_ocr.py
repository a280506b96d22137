"""Reading with Tesseract: what is read, what a failure costs, and what is not read twice."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leaflet_tool.errors import ExitCode, InputError, MissingError
from leaflet_tool.prepare.ocr import Page, read, tesseract_version
from leaflet_tool.prepare.ocr_cache import cache_path, read_pages
from leaflet_tool.prepare.store import Store
from leaflet_tool.prepare.texts import clean
from leaflet_tool.storage import sha256

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")


def page(path: Path, language: str = "eng", psm: int = 3) -> Page:
    return Page(path, sha256(path), language, psm)


@needs_tesseract
def test_a_page_is_read_and_an_empty_one_is_blank(tmp_path: Path, draw: Callable[..., Path]) -> None:
    reading = read(page(draw(tmp_path / "a.png", "Vote Green")))
    assert (reading.text, reading.status) == ("Vote Green", "read")
    assert read(page(draw(tmp_path / "b.png"))).status == "blank"


@needs_tesseract
def test_a_failure_and_a_timeout_cost_the_pages_text_only(tmp_path: Path, draw: Callable[..., Path]) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    assert read(page(broken)).status == "failed"
    late = read(page(draw(tmp_path / "a.png", "Vote Green")), timeout=0.001)
    assert (late.text, late.status) == ("", "failed")
    assert "timeout" in late.problem


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
    with Store(cache_path()) as cache:
        assert len(cache.keys()) == 2


@needs_tesseract
def test_failures_are_tried_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    assert read_pages([page(broken)], "5")[0].status == "failed"
    with Store(cache_path()) as cache:
        assert cache.keys() == []


def test_whatever_changes_the_text_is_in_the_key(tmp_path: Path, draw: Callable[..., Path]) -> None:
    path = draw(tmp_path / "a.png", "Vote Green")
    with Store(cache_path()) as cache:
        cache.put(f"{sha256(path)} eng psm=3 tesseract=5", {"text": "known", "status": "read"})
    assert read_pages([page(path)], "5")[0].text == "known"
    if shutil.which("tesseract"):
        assert read_pages([page(path, psm=6)], "5")[0].text == "Vote Green"


@needs_tesseract
def test_a_missing_language_pack_says_what_to_install() -> None:
    with pytest.raises(MissingError) as error:
        tesseract_version("eng+tlh_frak")
    assert "'tlh_frak'" in error.value.message
    assert "tesseract-ocr-tlh-frak" in error.value.hint
    assert error.value.exit_code == ExitCode.MISSING


def test_tesseract_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError) as error:
        tesseract_version("eng")
    assert "apt-get install tesseract-ocr" in error.value.hint
    assert "brew install tesseract" in error.value.hint


def test_each_tesseract_computes_on_one_thread(
    tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "limit $OMP_THREAD_LIMIT" > "$2.txt"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert read(page(draw(tmp_path / "a.png"))).text == "limit 1"
    assert "OMP_THREAD_LIMIT" not in os.environ


def test_clean_text() -> None:
    assert clean("cafe\u0301\r\nline\x0c\x00\rlast\ttab\x1b \ud800\n") == "café\nline\nlast\ttab"


def test_a_broken_cache_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ocr.sqlite"
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(InputError, match=r"ocr\.sqlite cannot be used"):
        Store(path)


def test_two_stores_on_one_file(tmp_path: Path) -> None:
    with Store(tmp_path / "a.sqlite") as one, Store(tmp_path / "a.sqlite") as other:
        one.put("x", {"n": 1})
        other.put("y", [2])
        assert one.keys() == other.keys() == ["x", "y"]
        other.remove(["x"])
        assert (one.get("x"), one.get("y")) == (None, [2])
