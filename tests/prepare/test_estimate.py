"""What is said before the slow steps."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from leaflet_tool.errors import ExitCode, InputError
from leaflet_tool.prepare import estimate, intake, ocr_cache, rates
from leaflet_tool.prepare.dataset import Dataset, load, overridden
from leaflet_tool.prepare.estimate import Estimate, estimated
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.prepare.store import Store

needs_tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")


@pytest.fixture
def dataset() -> Dataset:
    return overridden(load("class_folders"), {"ocr.orientation": "none"})


def told(archive: Path, out: Path, dataset: Dataset, tesseract: str | None = "5", force: bool = False) -> Estimate:
    return estimated(intake.accepted(archive, dataset), out, dataset, tesseract, workers=2, force=force)


def test_a_new_archive_is_copied_and_read(class_folders: Path, tmp_path: Path, dataset: Dataset) -> None:
    found = told(class_folders, tmp_path / "out", dataset)
    assert (found.images, found.to_copy, found.to_read, found.kept, found.measured) == (12, 12, 12, 0, False)
    assert found.bytes == sum(path.stat().st_size for path in class_folders.glob("*/*.png"))
    assert found.seconds == pytest.approx(12 * (estimate.COPY_SECONDS + estimate.READ_SECONDS) / 2)
    assert not ocr_cache.cache_path().exists()
    assert told(class_folders, tmp_path / "out", dataset, tesseract=None).to_read == 0


@needs_tesseract
def test_what_an_earlier_run_did_is_not_counted_again(class_folders: Path, tmp_path: Path, dataset: Dataset) -> None:
    version = prepare(class_folders, tmp_path / "out", dataset)["tesseract"]
    again = told(class_folders, tmp_path / "out", dataset, version)
    assert (again.to_copy, again.to_read, again.kept, again.bytes) == (0, 12, 12, 0)
    anew = told(class_folders, tmp_path / "out", dataset, version, force=True)
    assert (anew.to_copy, anew.kept) == (12, 12)


def test_the_time_is_that_of_earlier_readings(class_folders: Path, tmp_path: Path, dataset: Dataset) -> None:
    rates.remember("eng psm=3 orientation=none", 20, 100.0)
    found = told(class_folders, tmp_path / "out", dataset)
    assert found.measured
    assert found.seconds == pytest.approx(12 * (estimate.COPY_SECONDS + 5) / 2)


def test_many_pages_are_judged_by_some(
    class_folders: Path, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "SAMPLE", 4)
    monkeypatch.setattr(ocr_cache, "count", lambda keys: len(list(keys)) // 2)
    assert told(class_folders, tmp_path / "out", dataset).kept == 6


def test_the_estimate_is_said_once_also_by_a_dry_run(
    class_folders: Path, tmp_path: Path, dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "leaflet_tool")
    for dry_run in (True, False):
        caplog.clear()
        prepare(class_folders, tmp_path / "out", overridden(dataset, {"ocr.engine": "none"}), dry_run=dry_run)
        assert caplog.text.count("12 images: 12 to copy") == 1
        assert (tmp_path / "out").exists() != dry_run


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Four TIFFs of ten pages each, all different."""
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 255, (10, 32, 24), dtype=np.uint8)
        first, *more = (Image.fromarray(page) for page in noise)
        path = tmp_path / "scans" / "ab"[number % 2] / f"{number}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        first.save(path, save_all=True, append_images=more)
    return tmp_path / "scans"


def test_pages_are_counted_not_files(
    scans: Path, tmp_path: Path, dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "leaflet_tool")
    dataset = overridden(dataset, {"ocr.engine": "none"})
    for dry_run, to_copy in ((True, 40), (False, 40), (False, 0)):
        caplog.clear()
        told = prepare(scans, tmp_path / "out", dataset, dry_run=dry_run)
        assert caplog.text.count(f"40 images: {to_copy} to copy") == 1
        assert (told["kept"], told["added"], told["removed"]) == (40, 0, 0)


def test_the_disk_has_to_hold_every_page(
    scans: Path, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sum(path.stat().st_size for path in scans.glob("*/*"))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=2 * files))
    with pytest.raises(InputError, match="working copies need about"):
        prepare(scans, tmp_path / "out", overridden(dataset, {"ocr.engine": "none"}))
    assert not (tmp_path / "out").exists()


def test_a_disk_that_cannot_hold_the_copies_is_an_error_before_anything_is_written(
    class_folders: Path, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=300))
    with pytest.raises(InputError, match=r"need about [0-9.]+ kB") as error:
        prepare(class_folders, tmp_path / "out" / "deep", overridden(dataset, {"ocr.engine": "none"}))
    assert error.value.exit_code == ExitCode.INPUT
    assert "--max-side" in error.value.hint
    assert not (tmp_path / "out").exists()


def test_the_words_hold_every_number() -> None:
    found = Estimate(1000, 900, 800, 190, bytes=2_100_000_000, seconds=400, measured=True, workers=2)
    assert str(found) == (
        "1000 images: 900 to copy (about 2.1 GB), 800 to read (about 190 known from the cache); "
        "about 7 min with 2 workers (as earlier readings took on this machine)"
    )


def test_a_broken_cache_does_not_wait_until_pages_were_copied(
    class_folders: Path, tmp_path: Path, dataset: Dataset
) -> None:
    ocr_cache.cache_path().parent.mkdir(parents=True)
    ocr_cache.cache_path().write_bytes(b"no database at all" * 200)
    with pytest.raises(InputError, match="cannot be used"):
        told(class_folders, tmp_path / "out", dataset)
    with pytest.raises(InputError, match="cannot be used"):
        Store(ocr_cache.cache_path())
