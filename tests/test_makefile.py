"""The Makefile on machines that lack something."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKE = shutil.which("make")


def bare_machine(folder: Path, **programs: str) -> dict[str, str]:
    """An environment whose only programs are these scripts, beside those the shell cannot do without."""
    folder.mkdir()
    (folder / "grep").symlink_to(str(shutil.which("grep")))
    for name, script in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
@pytest.mark.parametrize(
    "programs",
    [
        {"id": "echo 0", "apt_get": "exit 100"},
        {"id": "echo 0", "apt_get": "test $1 = update"},
        {"id": "echo 0", "apt_get": "exit 0"},
        {"id": "echo 0", "dnf": "exit 1"},
        {"id": "echo 0"},
        {"id": "echo 1000", "apt_get": "exit 0"},
        {"id": "echo 1000", "tesseract": "echo eng"},
    ],
    ids=" ".join,
)
def test_a_tesseract_that_cannot_be_had_ends_in_one_clear_line(tmp_path: Path, programs: dict[str, str]) -> None:
    command = [str(MAKE), "--no-print-directory", "-C", str(ROOT), "tesseract"]
    environment = bare_machine(tmp_path / "bin", **programs)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    assert line.startswith("Tesseract with the languages eng and osd is missing: install tesseract-ocr")


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
def test_a_tesseract_that_is_there_is_left_alone(tmp_path: Path) -> None:
    environment = bare_machine(tmp_path / "bin", id="echo 0", tesseract="echo eng; echo osd", apt_get="exit 100")
    done = subprocess.run([str(MAKE), "-C", str(ROOT), "tesseract"], env=environment, check=False)
    assert done.returncode == 0
