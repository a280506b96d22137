"""The wheel: built, unpacked elsewhere, and used from there."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from leaflet_tool import __version__, resources
from leaflet_tool.models import definitions

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("leaflet_tool", "ludwig_configs", "datasets", "setup.cfg", "pyproject.toml", "README.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clean copy of the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel and nothing else."""
    target, uv = tmp_path_factory.mktemp("installed"), ROOT / ".uv" / "bin" / "uv"
    installer = (
        [uv, "pip", "install", "--python", sys.executable] if uv.is_file() else [sys.executable, "-m", "pip", "install"]
    )
    subprocess.run([*installer, "--no-deps", "--target", target, wheel], capture_output=True, check=True)
    return target


def run_in(folder: Path, *command: str | Path, **env: str) -> str:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_every_module_and_every_definition(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "leaflet_tool").rglob("*.py")}
    templates = {
        path.relative_to(ROOT).as_posix()
        for folder in ("templates", "static")
        for path in (ROOT / "leaflet_tool").rglob(f"{folder}/*")
    }
    data = {
        f"leaflet_tool/{path.relative_to(ROOT).as_posix()}"
        for folder in ("ludwig_configs", "datasets")
        for path in (ROOT / folder).rglob("*.yaml")
    }
    assert len(data) > 10
    assert (modules | templates | data) - names == set()
    assert {name.split("/")[0] for name in names} == {"leaflet_tool", f"leaflet_tool-{__version__}.dist-info"}


def test_the_metadata_is_that_of_the_project(installed: Path) -> None:
    (found,) = distributions(path=[str(installed)])
    assert (found.name, found.version) == ("leaflet-tool", __version__)
    assert found.metadata["Requires-Python"] == "<3.13,>=3.12"
    assert found.metadata["License"] == "Apache-2.0"
    assert (found.metadata.get("Description") or found.metadata.get_payload()).startswith("# leaflet-tool")
    assert [(each.name, each.value) for each in found.entry_points] == [("leaflet-tool", "leaflet_tool.cli.main:main")]


def test_installed_elsewhere_it_finds_its_own_definitions(installed: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "leaflet_tool.cli.main", "configs")
    listed = run_in(tmp_path, *command, PYTHONPATH=str(installed))
    assert [line.split()[0] for line in listed.splitlines()[1:]] == definitions.names()
    where = "import leaflet_tool.resources as r; print(r.shipped('ludwig_configs'), r.shipped('datasets'))"
    folders = run_in(tmp_path, sys.executable, "-c", where, PYTHONPATH=str(installed)).split()
    assert folders == [str(installed / "leaflet_tool" / name) for name in ("ludwig_configs", "datasets")]


def test_the_checkout_finds_its_definitions_from_anywhere(tmp_path: Path) -> None:
    assert resources.shipped("ludwig_configs") == ROOT / "ludwig_configs"
    command = Path(sys.executable).with_name("leaflet-tool")
    listed = run_in(tmp_path, command, "configs")
    assert [line.split()[0] for line in listed.splitlines()[1:]] == definitions.names()


def test_the_installed_project_is_this_one() -> None:
    assert Distribution.from_name("leaflet-tool").version == __version__
