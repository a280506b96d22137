"""Bad input: one message, what to do about it, an exit code, and earlier results left as they were."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from leaflet_tool.cli.main import main

Arguments = list[object]
ROWS = ["text,label,group,split", "t1,a,g1,train", "t2,b,g2,train", "t3,a,g3,test", "t4,b,g4,validation"]


def table(folder: Path, *rows: str, extra: str = "") -> Arguments:
    """`prepare` of a table with these rows in place of the last ones of ROWS."""
    lines = [*ROWS[: len(ROWS) - len(rows)], *rows]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    named = ["--label", "label", "--text-column", "text", "--group", "group", "--split-column", "split"]
    return ["prepare", folder / "rows.csv", "--out", folder / "out", *named, *extra.split()]


def dataset(folder: Path, content: str) -> Arguments:
    """`prepare` with this dataset definition."""
    (folder / "own.yaml").write_text(content)
    return [*table(folder)[:4], "--dataset", folder / "own.yaml"]


def topics(folder: Path, *rows: str, tree: str = "STEM:\nPlants: STEM\n") -> Arguments:
    """`prepare` of a table with several labels a row and their taxonomy."""
    lines = ["text,topics", "t1,STEM", "t2,Plants", *(rows or ("t3,Plants;STEM",))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "tree.yaml").write_text(tree)
    named = ["--labels", "topics", "--label-delimiter", ";", "--taxonomy", folder / "tree.yaml"]
    return ["prepare", folder / "rows.csv", "--out", folder / "out", *named]


def images(folder: Path, *rows: str) -> Arguments:
    """`prepare` of a table of images, all of them there."""
    for name in ("a", "b"):
        Image.new("RGB", (30, 20)).save(folder / f"{name}.png")
    (folder / "rows.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    return ["prepare", folder / "rows.csv", "--out", folder / "out", "--label", "label"]


def training(folder: Path, *settings: str, config: object = "text", **files: str) -> Arguments:
    """`train` on a copy of the prepared folder in which these files have another content."""
    for name, content in files.items():
        (folder / "prepared" / name.replace("_", ".")).write_text(content)
    words = [word for each in settings for word in ("--set", each)]
    return [
        "train",
        "--config",
        config,
        "--data",
        folder / "prepared",
        "--name",
        "x",
        "--runs",
        folder / "runs",
        *words,
    ]


def changed(folder: Path, **replaced: str) -> str:
    """The manifest with texts replaced throughout."""
    text = (folder / "prepared" / "manifest.csv").read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def written(folder: Path, content: str) -> Path:
    (folder / "mine.yaml").write_text(content)
    return folder / "mine.yaml"


CASES: dict[str, tuple[Callable[[Path], Arguments], str, str, int]] = {
    "unknown column": (
        lambda folder: [*table(folder), "--label", "lable"],
        "label: there is no column 'lable', did you mean 'label'?",
        "its columns are: text, label, group, split",
        3,
    ),
    "wrong cell count": (
        lambda folder: table(folder, "t4,b,g4"),
        "rows.csv, row 5: 3 cells, but the header has 4",
        "in quotes",
        3,
    ),
    "a folder where a file was meant": (
        lambda folder: ["prepare", folder, "--dataset", "table", "--out", folder / "out"],
        "is a folder; a table was expected",
        "give the table itself",
        3,
    ),
    "no label in any row": (
        lambda folder: table(folder, "t1,,g1,train", "t2,,g2,test", "t3,,g3,test", "t4,,g4,test"),
        "none of the 4 usable rows",
        "--label",
        3,
    ),
    "one class only": (
        lambda folder: table(folder, "t1,a,g1,train", "t2,a,g2,test", "t3,a,g3,test", "t4,a,g4,test"),
        "every row has the label 'a'",
        "choose other columns: --label",
        3,
    ),
    "one class left": (
        lambda folder: table(folder, "t3,a,g3,test", "t4,a,g4,test", extra="--rare drop"),
        "too little is left after unreadable images and rare classes",
        "--rare keep",
        3,
    ),
    "an image listed twice": (
        lambda folder: [*images(folder, "a.png,x", "b.png,y", "a.png,y"), "--ocr", "none"],
        "a.png is listed twice with different labels: row 2 says 'x'; row 4 says 'y'",
        "mend these rows",
        3,
    ),
    "split words": (
        lambda folder: table(folder, "t4,b,g4,tset"),
        "split: the word 'tset' in row 5 is none of train, validation, test",
        "mend these rows",
        3,
    ),
    "a leaking group": (
        lambda folder: table(folder, "t4,b,g1,test"),
        "the group 'g1' lies in split test, train at once (row 2, row 5)",
        "--group",
        3,
    ),
    "an invalid dataset definition": (
        lambda folder: dataset(folder, "source: {type: table}\ncolums: {}\n"),
        "unknown key colums, did you mean 'columns'?",
        "the shipped definitions show what there is",
        3,
    ),
    "a dataset definition that is no YAML": (
        lambda folder: dataset(folder, "source: {type: table\n"),
        "own.yaml is not readable as YAML",
        "mend the place it names",
        3,
    ),
    "a label outside the taxonomy": (
        lambda folder: topics(folder, "t3,Zoo;STEM", "t4,Plant", tree="STEM:\nPlants: STEM\n"),
        "'Plant' is not in the taxonomy, did you mean 'Plants'? (row 5)",
        "mend these rows",
        3,
    ),
    "labels without a taxonomy that orders them": (
        lambda folder: [*topics(folder)[:-2], "--label-form", "flat"],
        "labels: flat follows a taxonomy, and none is given",
        "override it with flags",
        3,
    ),
    "a taxonomy with a cycle": (
        lambda folder: topics(folder, tree="STEM: Plants\nPlants: STEM\n"),
        "tree.yaml: the taxonomy is no hierarchy:\n  - a cycle: STEM -> Plants -> STEM",
        "none is above itself",
        3,
    ),
    "a taxonomy with an unknown parent": (
        lambda folder: topics(folder, tree="STEM:\nPlants: Nature\n"),
        "'Plants': its parent 'Nature' is not in the taxonomy",
        "every parent is a label with a line of its own",
        3,
    ),
    "a taxonomy of what YAML takes for no text": (
        lambda folder: topics(folder, tree="no:\nPlants: no\n"),
        "YAML reads a label as False; put it in quotes",
        "mend the file",
        3,
    ),
    "a taxonomy that is not there": (
        lambda folder: [*topics(folder)[:-1], folder / "nowhere.yaml"],
        "nowhere.yaml: there is no such taxonomy",
        "--taxonomy FILE",
        3,
    ),
    "a taxonomy of one label a row": (
        lambda folder: [*table(folder), "--taxonomy", written(folder, "a:\nb:\n")],
        "a taxonomy is for rows with several labels, and label is declared as one a row",
        "override it with flags",
        3,
    ),
    "rows to keep without their one label": (
        lambda folder: table(folder, extra="--unlabelled keep"),
        "unlabelled: keep is for rows with several labels",
        "override it with flags",
        3,
    ),
    "a label that holds the manifest's delimiter": (
        lambda folder: topics(folder, "t3,Plants|STEM", "t4,STEM"),
        "row 4: 'Plants|STEM' holds '|'",
        "mend these rows",
        3,
    ),
    "under-sampling with folds": (
        lambda folder: table(folder, extra="--undersample 0.5 --folds 2"),
        "resample.undersample takes rows out of train, and folds test on each row",
        "the shipped definitions",
        3,
    ),
    "over-sampling of what nothing alters": (
        lambda folder: table(folder, extra="--oversample 0.5"),
        "no training page has an image, so there is nothing to over-sample with",
        "augment: {words: 0.1}",
        3,
    ),
    "no Tesseract": (
        lambda folder: images(folder, "a.png,x", "b.png,y"),
        "Tesseract is not installed",
        "apt-get install tesseract-ocr",
        4,
    ),
    "no prepared folder": (
        lambda folder: [*training(folder), "--data", folder / "nowhere"],
        "has no manifest.csv",
        "make it with: leaflet-tool prepare ARCHIVE",
        3,
    ),
    "an unreadable manifest": (
        lambda folder: training(folder, manifest_csv='id,"image\n'),
        "manifest.csv is not readable as CSV",
        "prepare writes a prepared folder's files",
        3,
    ),
    "an invalid manifest": (
        lambda folder: training(folder, manifest_csv=changed(folder, train="dev")),
        "column 'split' must be one of train, validation, test, but has 'dev' (rows 2, 3,",
        "run prepare again",
        3,
    ),
    "a broken prepare.json": (
        lambda folder: training(folder, prepare_json="{"),
        "prepare.json is not readable as JSON",
        "prepare writes a prepared folder's files",
        3,
    ),
    "a prepare.json without a label": (
        lambda folder: training(folder, prepare_json="{}"),
        "prepare.json does not say what the label is",
        "run prepare again",
        3,
    ),
    "one class in training": (
        lambda folder: training(folder, manifest_csv=changed(folder, Blue="Red", Green="Red")),
        "there is only one class, ['Red']",
        "mend these",
        3,
    ),
    "a class without a training row": (
        lambda folder: training(folder, manifest_csv=changed(folder, **{"Red,red0,1,train": "Purple,red0,1,test"})),
        "class 'Purple' has no row in the training split; prepare with --rare drop",
        "mend these",
        3,
    ),
    "a misspelt key": (
        lambda folder: training(folder, "trainer.epoch=3"),
        "trainer.epoch: Ludwig knows no such key; did you mean epochs?",
        "mend these",
        3,
    ),
    "a definition that is no YAML": (
        lambda folder: training(folder, config=written(folder, "input_features: [\n")),
        "mine.yaml is not readable as YAML",
        "mend the place it names",
        3,
    ),
    "no definition": (
        lambda folder: training(folder, config=written(folder, "a: 1\n")),
        "mine.yaml is no model definition",
        "configs show text",
        3,
    ),
    "--set without =": (
        lambda folder: training(folder, "trainer.epochs"),
        "--set trainer.epochs: must be path=value",
        "mend these",
        3,
    ),
    "--set on a path that is not there": (
        lambda folder: training(folder, "trainr.epochs=3"),
        "the definition has no trainr; did you mean trainer?",
        "mend these",
        3,
    ),
    "--set of the backend": (
        lambda folder: training(folder, "backend.type=ray"),
        "backend is no part of the definition; choose where a model is trained with train --backend",
        "mend these",
        3,
    ),
}


def tree(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file with its time and bytes."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_with_a_hint_and_changes_nothing(name: str, tiny_prepared: Path, tmp_path: Path) -> None:
    make, message, hint, code = CASES[name]
    shutil.copytree(tiny_prepared, tmp_path / "prepared")
    arguments = [str(argument) for argument in make(tmp_path)]
    before = tree(tmp_path)
    env = {"PATH": ""} if name == "no Tesseract" else {}
    found = CliRunner(env=env).invoke(main, ["--json", *arguments])
    assert found.exit_code == code, found.output
    told = json.loads(found.stdout)
    assert message in told["error"]
    assert hint in told["hint"]
    assert told["exit_code"] == code
    after = tree(tmp_path)
    assert {path: after.get(path) for path in before} == before
    assert {path.name for path in after.keys() - before} <= {".lock", ".copies.sqlite", ".pages.sqlite"}
