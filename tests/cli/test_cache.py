"""`leaflet-tool cache`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.errors import ExitCode
from leaflet_tool.prepare import ocr_cache
from leaflet_tool.prepare.reading import Reading
from leaflet_tool.prepare.store import Store


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "leaflet-tool" / "readings.sqlite"


def fill() -> None:
    """Readings of three times by two versions of Tesseract."""
    with Store(ocr_cache.cache_path()) as cache:
        ocr_cache.keep(cache, {"a": Reading("x" * 50_000, "read"), "b": Reading("", "blank")}, "5.3.0")
        ocr_cache.keep(cache, {"c": Reading("text", "read"), "d": Reading("", "failed")}, "5.4.1")
        for key, written in (("a", "2020-01-01T00:00:00+00:00"), ("c", "2021-01-01T00:00:00+00:00")):
            cache.put(key, cache.get(key) | {"written": written})


def run(*flags: str) -> Result:
    return CliRunner().invoke(main, ["cache", *flags])


def told(*flags: str) -> dict:
    done = run("--json", *flags)
    assert done.exit_code == ExitCode.DONE, done.output
    return json.loads(done.stdout)


def test_no_cache_holds_nothing_and_is_not_made(path: Path) -> None:
    assert told()["entries"] == told("--clear")["entries"] == 0
    assert str(path) in run().stdout
    assert not path.exists()


def test_what_is_there_is_shown(path: Path) -> None:
    fill()
    found = told()
    assert (found["path"], found["entries"], found["removed"]) == (str(path), 3, 0)
    assert found["bytes"] > 50_000
    assert found["oldest"] == "2020-01-01T00:00:00+00:00"
    assert found["newest"] > "2026"
    assert found["tesseract"] == {"5.3.0": 2, "5.4.1": 1}
    shown = run().stdout
    for words in (str(path), "readings: 3", "Tesseract 5.3.0: 2", "from 2020-01-01"):
        assert words in shown


def test_old_readings_are_forgotten() -> None:
    fill()
    assert told("--older-than", "100000")["removed"] == 0
    found = told("--older-than", "30")
    assert (found["entries"], found["removed"], found["tesseract"]) == (1, 2, {"5.3.0": 1})


def test_clearing_gives_the_disk_back() -> None:
    fill()
    before = told()["bytes"]
    found = told("--clear")
    assert (found["entries"], found["removed"]) == (0, 3)
    assert found["bytes"] < before - 40_000
    assert "removed" not in run().stdout


def test_clear_and_older_than_exclude_each_other() -> None:
    fill()
    assert run("--clear", "--older-than", "3").exit_code == ExitCode.USAGE
    assert told()["entries"] == 3


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look like one" * 40])
def test_a_broken_cache_is_one_error(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    done = run()
    assert done.exit_code == ExitCode.INPUT
    assert f"{path} cannot be used" in done.stderr
    assert "may be deleted" in done.stderr
    assert "Traceback" not in done.stderr
