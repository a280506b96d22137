"""The manifest's schema, and the one way in and out."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaflet_tool import manifest
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label
from leaflet_tool.storage import write_json

LABEL = Label("party")


@pytest.fixture
def frame(tiny_prepared: Path) -> pd.DataFrame:
    return manifest.read_prepared(tiny_prepared).frame


def complaints(frame: pd.DataFrame, label: Label = LABEL) -> list[str]:
    with pytest.raises(InputError) as caught:
        manifest.validate(frame, label, "manifest.csv")
    first, *rest = caught.value.message.splitlines()
    assert first == "manifest.csv is not a valid manifest:"
    return [line.removeprefix("  - ") for line in rest]


def test_every_column_has_a_type_and_a_meaning() -> None:
    for name, column in manifest.schema(LABEL).columns.items():
        assert column.description, name
        assert str(column.dtype) in {"str", "string[pyarrow]"}


def test_a_prepared_folder_is_read_as_text(tiny_prepared: Path) -> None:
    prepared = manifest.read_prepared(tiny_prepared)
    assert len(prepared.frame) == 60
    assert {type(cell) for column in prepared.frame for cell in prepared.frame[column]} == {str}
    assert (prepared.label, prepared.classes) == (LABEL, ["Blue", "Green", "Red"])


def test_cells_are_written_and_read_as_they_stand(tmp_path: Path, frame: pd.DataFrame) -> None:
    labels = ["NA", "no", "1", "01", "null", "1e5", "yes", 'a,"b"', "Grüne", " x "]
    texts = ["", "a\nb", "a\r\nb", "c\rd", "|", "\t", '"', "'", "NaN", "\ufeff"]
    frame = frame.head(10).assign(party=labels, text=texts)
    manifest.write_manifest(frame, tmp_path / "manifest.csv", LABEL)
    pd.testing.assert_frame_equal(manifest.read_table(tmp_path / "manifest.csv"), frame, check_dtype=False)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, tiny_prepared: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (tiny_prepared / "manifest.csv").read_bytes())
    assert manifest.read_table(path).columns[0] == "id"


def test_all_failures_are_reported_together_by_column_and_row(frame: pd.DataFrame) -> None:
    frame.loc[3, "split"], frame.loc[4, "split"] = "dev", "Train"
    frame.loc[[5, 6], "id"] = "same"
    frame.loc[7, "party"] = ""
    frame.loc[8, ["image", "text", "ocr_status"]] = ["", "", "not_run"]
    frame.loc[9, "ocr_status"] = "maybe"
    frame.loc[10, "group"] = ""
    assert sorted(complaints(frame)) == [
        "a page must have an image or a text (row 10)",
        "column 'group' must not be empty, but has '' (row 12)",
        "column 'id' must not repeat a value, but has 'same' (rows 7, 8)",
        "column 'ocr_status' must be one of read, blank, failed, not_run, but has 'maybe' (row 11)",
        "column 'party' must not be empty, but has '' (row 9)",
        "column 'split' must be one of train, validation, test, but has 'dev' (rows 5, 6)",
    ]


def test_every_missing_column_is_named(frame: pd.DataFrame) -> None:
    assert sorted(complaints(frame.drop(columns=["group", "party"]))) == [
        "column 'group' is missing",
        "column 'party' is missing",
    ]


def test_folds_are_numbers_where_there_are_any(frame: pd.DataFrame) -> None:
    manifest.validate(frame.assign(fold="0"), LABEL, "manifest.csv")
    (found,) = complaints(frame.assign(fold="first"))
    assert found == "column 'fold' must be a number from 0, but has 'first' (rows 2, 3, 4, 5, 6 …)"


def test_cells_that_are_no_text_are_refused(frame: pd.DataFrame) -> None:
    assert complaints(frame.assign(page=1))[0].startswith("column 'page' must be text, but has '1'")
    assert complaints(frame.assign(row=None))[0].startswith("column 'row' must be text, but has 'None'")


def test_several_labels_may_be_none(frame: pd.DataFrame) -> None:
    frame["topics"] = ["tax|health", "", *["tax"] * 58]
    manifest.validate(frame, Label("topics", multiple=True), "manifest.csv")
    assert manifest.classes_of(frame["topics"], multiple=True) == ["health", "tax"]
    assert complaints(frame, Label("topics")) == ["column 'topics' must not be empty, but has '' (row 3)"]


@pytest.mark.parametrize("name", ["", "text", "split", "id", "party.name", "party/side", "party:1", "two\nlines"])
def test_a_label_needs_a_name_of_its_own(name: str) -> None:
    with pytest.raises(InputError, match="the label cannot be called") as caught:
        Label(name)
    assert "label_name" in caught.value.hint


def test_a_folder_that_was_not_prepared_is_told_how(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"has no manifest\.csv") as caught:
            manifest.read_prepared(folder)
        assert caught.value.hint == f"make it with: leaflet-tool prepare ARCHIVE --out {folder}"


@pytest.mark.parametrize("facts", [{}, {"label": "party"}, {"label": {"name": "party"}}, []])
def test_prepare_json_must_say_what_the_label_is(tmp_path: Path, frame: pd.DataFrame, facts: object) -> None:
    manifest.write_manifest(frame, tmp_path / "manifest.csv", LABEL)
    write_json(tmp_path / "prepare.json", facts)
    with pytest.raises(InputError, match=r"prepare\.json does not say what the label is"):
        manifest.read_prepared(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"x,1\n', b"a,b\n1\n2,3,4\n"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.csv is not readable as CSV: \S") as caught:
        manifest.read_table(path)
    assert "\n" not in caught.value.message


def test_nothing_is_written_that_is_not_valid(tmp_path: Path, frame: pd.DataFrame) -> None:
    path = tmp_path / "manifest.csv"
    manifest.write_manifest(frame, path, LABEL)
    before = path.read_bytes()
    with pytest.raises(InputError):
        manifest.write_manifest(frame.assign(split="dev"), path, LABEL)
    assert path.read_bytes() == before


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
FORMULAS = st.builds("".join, st.tuples(st.sampled_from(["", "'", "''"]), st.sampled_from(list("=+-@\t\r\n'")), CELLS))


@given(st.lists(st.tuples(CELLS | FORMULAS, CELLS | FORMULAS), min_size=1, max_size=5), FORMULAS | st.just("text"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_comes_back_and_none_is_a_formula(tmp_path: Path, rows: list[tuple[str, str]], name: str) -> None:
    path = tmp_path / "table.csv"
    frame = pd.DataFrame(rows, columns=["id", name])
    manifest.write_table(frame, path)
    pd.testing.assert_frame_equal(manifest.read_table(path), frame, check_dtype=False)
    with path.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))]
    assert not [cell for cell in cells if cell.startswith(("+", "-")) and math.isnan(number(cell))]


def number(cell: str) -> float:
    """The number that a cell is, or nan."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    frame = pd.DataFrame({"share": [-0.5, 1e-9, -2e30], "text": ["-1.5", "+44 20 7946", "-1+2"], "count": [-1, 2, 3]})
    manifest.write_table(frame, path)
    raw = pd.read_csv(path)
    assert raw["share"].tolist() == frame["share"].tolist()
    assert raw["count"].tolist() == [-1, 2, 3]
    assert raw["text"].tolist() == ["-1.5", "'+44 20 7946", "'-1+2"]
    assert manifest.read_table(path)["text"].tolist() == frame["text"].tolist()


def test_the_taxonomy_is_that_of_prepare_json(tiny_prepared: Path) -> None:
    prepared = manifest.read_prepared(tiny_prepared)
    assert not prepared.taxonomy
    parents = {"STEM": [], "Nature": ["STEM"], "Fossils": ["Nature", "STEM"]}
    told = replace(prepared, facts=prepared.facts | {"taxonomy": parents}).taxonomy
    assert told.closed(["Fossils"]) == ("Fossils", "Nature", "STEM")
    assert replace(prepared, facts={"taxonomy": None}).taxonomy.parents == {}
