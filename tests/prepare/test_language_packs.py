"""What is read depends on the language packs: a reading by others is not taken from the cache, nor from a node."""

import hashlib
import platform
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leaflet_tool import __version__
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared
from leaflet_tool.prepare import intake, ocr, on_node
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.estimate import estimated
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.reading import Page
from leaflet_tool.prepare.recipe import prepare
from tests.prepare import fake_tesseract

FAKE = """
def read(image):
    return "90\\t" + pathlib.Path("{folder}", "eng.traineddata").read_text()
"""
"""A Tesseract that reads on every page what its language pack holds."""
FOLDERS = overridden(load("class_folders"), {"ocr.orientation": "none"})


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the language packs of a fake that is the Tesseract which is found."""
    folder = tmp_path / "my packs"
    folder.mkdir()
    for name in ("eng", "osd"):
        (folder / f"{name}.traineddata").write_text(f"fast{name}")
    fake(tmp_path, folder, monkeypatch, f' in "{folder}/"')
    return folder


def fake(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    packs = f"List of available languages{where} (2):\neng\nosd"
    program = fake_tesseract.write(tmp_path / "bin", FAKE.format(folder=folder), packs)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_exchanged_language_pack_reads_anew(class_folders: Path, tmp_path: Path, packs: Path) -> None:
    def kept() -> int:
        rows = intake.accepted(class_folders, FOLDERS)
        return estimated(rows, tmp_path / "out", FOLDERS, "5.9.9", workers=1, force=False).kept

    def texts() -> set[str]:
        prepare(class_folders, tmp_path / "out", FOLDERS)
        return set(read_prepared(tmp_path / "out").frame["text"])

    assert (kept(), texts(), kept()) == (0, {"fasteng"}, 12)
    (packs / "eng.traineddata").write_text("best")
    assert (kept(), texts(), kept()) == (0, {"best"}, 12)
    (packs / "osd.traineddata").write_text("best, which is not asked here")
    assert kept() == 12


def test_every_pack_that_is_used_counts(packs: Path) -> None:
    assert ocr.models("eng") == {"eng": sha256("fasteng")}
    assert ocr.models("eng+osd+cym", "detect") == {"eng": sha256("fasteng"), "osd": sha256("fastosd")}
    (packs / "osd.traineddata").write_text("best")
    assert ocr.models("eng", "detect") == {"eng": sha256("fasteng"), "osd": sha256("best")}


def test_a_pack_is_hashed_once(packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ocr.models("eng")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was hashed again"))
    assert ocr.models("eng") == first


def test_where_tesseract_does_not_say_its_variable_does(
    tmp_path: Path, packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, packs, monkeypatch, "")
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    assert ocr.models("eng") == {}
    monkeypatch.setenv("TESSDATA_PREFIX", str(packs))
    assert ocr.models("eng") == {"eng": sha256("fasteng")}
    monkeypatch.setenv("PATH", "")
    assert ocr.models("eng") == {}


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_the_packs_of_the_real_tesseract_are_found() -> None:
    assert set(ocr.models("eng", "detect")) == {"eng", "osd"}


def test_a_node_with_other_packs_is_refused(
    tmp_path: Path, packs: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_models", "_tesseract_version"):
        getattr(on_node, name).cache_clear()
    picture = draw(tmp_path / "a.png")
    here = tuple(ocr.models("eng", "detect").items())
    page = Page(picture, 0, page_digest(picture, 0), "eng", 3, "detect", here)
    on_node._check(page, "5.9.9", __version__)
    on_node._check(replace(page, models=()), "5.9.9", __version__)
    other = replace(page, models=(here[0], ("osd", sha256("best"))))
    with pytest.raises(InputError) as error:
        on_node._check(other, "5.9.9", __version__)
    assert error.value.message.startswith(f"node {platform.node()} has another language pack 'osd' than there is")
    assert ".traineddata" in error.value.hint
    for name in ("_models", "_tesseract_version"):
        getattr(on_node, name).cache_clear()
