"""Dataset definitions: what is accepted, and what the errors say."""

from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.prepare import dataset
from leaflet_tool.prepare.dataset import build, description, find, load, names, overridden
from leaflet_tool.resources import shipped


@pytest.mark.parametrize("name", sorted(names()))
def test_every_shipped_definition_loads_and_has_a_description(name: str) -> None:
    assert load(name).label.name
    assert len(names()[name]) > 20
    assert description(find(name)) == names()[name]


def test_datasets_hold_data_only() -> None:
    assert {path.suffix for path in shipped("datasets").iterdir()} == {".yaml"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"source": {"type": "table"}, "colums": {}}, "unknown key colums, did you mean 'columns'?"),
        ({"source": {"type": "table"}, "columns": {"lable": "x"}}, "unknown key columns.lable, did you mean 'label'?"),
        ({"source": {"type": "table", "fil": "x"}}, "unknown key source.fil, did you mean 'file'?"),
        ({"source": {"type": "tabel"}}, "source.type"),
        ({"source": {"type": "table"}, "ocr": {"psm": 2}}, "ocr.psm: Tesseract's page segmentation mode 2 finds where"),
        ({}, "source is missing"),
        ([], "the whole"),
        (
            {"source": {"type": "table"}, "classes": ["yes", False]},
            "classes.1: YAML reads this as False; put it in quotes",
        ),
        ({"source": {"type": "table"}, "classes": ["1", 2]}, "classes.1: YAML reads this as 2; put it in quotes"),
        ({"source": {"type": "table"}, "columns": {"label": "a", "labels": "b"}}, "exclude each other"),
        ({"source": {"type": "table"}, "split": {"fractions": [0.5, 0.5, 0.5]}}, "split: fractions are three shares"),
        ({"source": {"type": "table"}, "split": {"fractions": "0.5;0.5"}}, "is not three numbers"),
        ({"source": {"type": "table"}, "split_words": {"dev": "valid"}}, "split_words.dev"),
        ({"source": {"type": "folders"}, "columns": {"label": "party"}}, "has no columns to name"),
    ],
)
def test_what_is_wrong_is_named(content: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        build(content, "some.yaml")
    assert "some.yaml is not a valid dataset definition" in error.value.message
    assert message in error.value.message


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(InputError) as error:
        build({"source": {"type": "table"}, "sed": 1, "ocr": {"langauge": "eng"}, "rare": {"policy": "cut"}}, "x")
    assert error.value.message.count("\n  - ") == 3


def test_unquoted_no_in_a_yaml_list_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("# Mine\nsource: {type: table}\nclasses: [no, 'yes']\n")
    with pytest.raises(InputError, match="quotes"):
        load(str(path))


def test_quoted_classes_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("source: {type: table}\nclasses: ['no', '1', 'NA', NA]\n")
    assert load(str(path)).classes == ("no", "1", "NA", "NA")


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(InputError) as error:
        load("leaflet")
    assert "did you mean 'leaflets'?" in error.value.message
    assert "class_folders" in error.value.hint


def test_broken_yaml_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("source: {type: table\n")
    with pytest.raises(InputError, match=r"own\.yaml is not readable as YAML"):
        load(str(path))


def test_overrides_replace_single_values() -> None:
    changed = overridden(load("leaflets"), {"columns.label": "election", "ocr.language": None, "split.seed": 7})
    assert changed.columns is not None
    assert (changed.columns.label, changed.columns.group, changed.split.seed) == ("election", "leaflet_id", 7)
    assert changed.ocr == load("leaflets").ocr


def test_overriding_with_labels_takes_the_place_of_label() -> None:
    changed = overridden(load("leaflets"), {"columns.labels": "issues", "label_delimiter": ";"})
    assert (changed.label.name, changed.label.multiple) == ("issues", True)


def test_a_flag_for_the_label_renames_it() -> None:
    renamed = build({"source": {"type": "table"}, "columns": {"label": "a"}, "label_name": "party"}, "x")
    assert overridden(renamed, {"columns.label": "b"}).label.name == "b"


def test_fractions_may_come_as_text() -> None:
    assert overridden(load("leaflets"), {"split.fractions": "0.8,0.1,0.1"}).split.fractions == (0.8, 0.1, 0.1)


def test_the_manifests_own_names_are_no_label() -> None:
    with pytest.raises(InputError, match="cannot be called 'split'"):
        _ = build({"source": {"type": "table"}, "columns": {"label": "split"}}, "x").label


def test_nearest_is_empty_when_nothing_is_near() -> None:
    assert dataset.nearest("zzz", ["party", "image"]) == ""
