"""What may import what: the arrows of the design, read from the import statements."""

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "leaflet_tool"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = ["cli", "web", "results", "models", "prepare", "measure", "manifest"]
"""From top to bottom; everything else in the package lies below them all."""
LIGHT = {
    "click",
    "rich",
    "leaflet_tool.__version__",
    "leaflet_tool.cli",
    "leaflet_tool.errors",
    "leaflet_tool.settings",
}
"""What a module of the command line may import before a command runs, beside the standard library."""
HOMES = {
    "ludwig": ("models/",),
    "torch": ("models/",),
    "timm": ("models/",),
    "ray": ("models/", "prepare/on_ray.py", "cluster.py"),
    "pytesseract": ("prepare/ocr.py",),
    "matplotlib": (
        *("measure/figures.py", "measure/data_figures.py", "measure/label_figures.py"),
        "measure/label_panels.py",
        *("measure/confidence_figures.py", "measure/explanation_figures.py", "measure/marked_text_figures.py"),
    ),
    "captum": ("models/",),
    "xgboost": ("measure/label_trees.py",),
    "click": ("cli/",),
    "rich": ("cli/",),
}
"""The only places that know a library."""


def imported(path: Path, *, top: bool = False) -> Iterator[str]:
    """Full names of what a module imports, inside functions too unless only the `top` of the module counts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def layer(name: str) -> int:
    """How high a module of ours stands; 0 is the ground."""
    part = name.split(".")[1] if "." in name else ""
    return len(LAYERS) - LAYERS.index(part) if part in LAYERS else 0


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def below(name: str, modules: set[str]) -> bool:
    """Whether `name` is one of the modules or in one of them."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_layers_are_those_of_the_design() -> None:
    there = {path.stem if path.suffix else path.name for path in PACKAGE.iterdir() if not path.name.startswith("__")}
    ground = {"errors", "storage", "settings", "progress", "resources", "cluster", "taxonomy"}
    assert there - ground - set(LAYERS) == set()
    assert ground <= there


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_go_one_way(path: Path) -> None:
    own = layer(dotted(path))
    ours = [name for name in imported(path) if name.startswith("leaflet_tool")]
    assert [name for name in ours if layer(name) > own] == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_known_in_its_home_alone(library: str) -> None:
    users = [
        path.relative_to(PACKAGE).as_posix() for path in MODULES if any(below(n, {library}) for n in imported(path))
    ]
    assert users
    assert [user for user in users if not user.startswith(HOMES[library])] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=dotted)
def test_the_command_line_imports_nothing_heavy_at_the_top(path: Path) -> None:
    names = [name for name in imported(path, top=True) if name.split(".")[0] not in sys.stdlib_module_names]
    assert [name for name in names if not below(name, LIGHT)] == []


def test_everything_imported_is_declared() -> None:
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    lines = declared["options"]["install_requires"].split()
    known = {re.split(r"[\[<>=]", line)[0].lower().replace("_", "-") for line in lines}
    packages = {name.split(".")[0] for path in MODULES for name in imported(path)} - {"leaflet_tool"}
    foreign = sorted(packages - set(sys.stdlib_module_names))
    origin = packages_distributions()
    undeclared = [
        name for name in foreign if not {each.lower().replace("_", "-") for each in origin.get(name, [name])} & known
    ]
    assert undeclared == []


@pytest.mark.parametrize("folder", ["datasets", "ludwig_configs"])
def test_definitions_are_data(folder: str) -> None:
    kinds = {path.suffix for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert kinds == {".yaml"}


def test_the_library_called_datasets_is_not_shadowed() -> None:
    script = "import datasets; print(datasets.Dataset.__module__, datasets.__file__)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    module, file = done.stdout.split()
    assert module == "datasets.arrow_dataset"
    assert not Path(file).is_relative_to(ROOT / "datasets")
