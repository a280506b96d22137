"""Labels: cells, classes, and what groups show."""

from typing import Any

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.prepare.dataset import Dataset, build
from leaflet_tool.prepare.labels import ROWS, by_group, classes, parsed, rows_by_class, rows_by_group, unlabelled
from leaflet_tool.prepare.sources.rows import LABEL, raw_frame
from leaflet_tool.settings import UnlabelledPolicy

ONE = build({"source": {"type": "table"}, "columns": {"label": "party"}}, "x")
SEVERAL = build({"source": {"type": "table"}, "columns": {"labels": "issues"}, "label_delimiter": ";"}, "x")


def cells(values: list[Any], dataset: Dataset) -> tuple[list[Any], list[str]]:
    """Parsed labels and problems of raw cells."""
    frame = raw_frame({LABEL: value, "row": str(number)} for number, value in enumerate(values, start=2))
    found, problems = parsed(frame, dataset)
    return found.tolist(), problems


def test_one_label_stays_the_text_it_is() -> None:
    found, problems = cells(["no", "NA", "1", " Green ", "", None, 2.0, "a;b"], ONE)
    assert found == [("no",), ("NA",), ("1",), ("Green",), None, None, ("2",), ("a;b",)]
    assert problems == []


def test_several_labels_come_from_text_and_lists() -> None:
    found, problems = cells(["a; b;a;", ["x", "y", "x"], [], "", None, [1, 2.0]], SEVERAL)
    assert found == [("a", "b"), ("x", "y"), (), None, None, ("1", "2")]
    assert problems == []


def test_what_cannot_be_a_label_is_listed_with_its_row() -> None:
    closed = ONE.model_copy(update={"classes": ("Green", "Labour")})
    _, problems = cells(["Green", "Gren", "a|b", ["Green"], "\ud800"], closed)
    assert problems[0] == "row 3: 'Gren' is not among the declared classes, did you mean 'Green'?"
    assert problems[1].startswith("row 4: 'a|b' holds '|'")
    assert problems[2].startswith("row 5: the label holds a list")
    assert problems[3].startswith("row 6: holds half a character")


def test_texts_of_several_labels_need_a_delimiter() -> None:
    with pytest.raises(InputError, match="nothing says what separates them"):
        cells(["a;b"], SEVERAL.model_copy(update={"label_delimiter": ""}))


def test_a_list_needs_no_delimiter_in_json_or_as_text() -> None:
    undelimited = SEVERAL.model_copy(update={"label_delimiter": ""})
    values = [["a", "b;c"], '["a", " b;c ", "a"]', "[]", [], "", ["", " "], None]
    found, problems = cells(values, undelimited)
    assert found == [("a", "b;c"), ("a", "b;c"), (), (), None, (), None]
    assert problems == []
    assert cells(['["a"]'], SEVERAL)[0] == [('["a"]',)]
    _, problems = cells(['["a", ["b"]]', [{"a": 1}], "[null, 1]"], undelimited)
    assert problems == ["row 2: holds a list, not a text", "row 3: holds a dict, not a text"]
    for text in ("a", '{"a": 1}', '["a"', "3"):
        with pytest.raises(InputError, match="nothing says what separates them"):
            cells([text], undelimited)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("stated", [("a",), (), None]), ("keep", [("a",), (), ()]), ("drop", [("a",), None, None])],
)
def test_rows_without_labels_are_kept_or_unknown(policy: UnlabelledPolicy, expected: list[Any]) -> None:
    given = pd.Series([("a",), (), None], index=[5, 2, 9], dtype=object)
    settled = unlabelled(given, policy)
    assert settled.tolist() == expected
    assert settled.index.tolist() == [5, 2, 9]


def test_a_groups_classes_are_those_of_its_pages() -> None:
    labels = pd.Series([("b",), ("a",), (), ("c",)])
    assert by_group(labels, pd.Series(["1", "1", "2", "3"])) == {"1": ("a", "b"), "2": (), "3": ("c",)}
    assert classes(labels) == ["a", "b", "c"]


def test_rows_are_counted_by_group_and_class() -> None:
    labels = pd.Series([("b",), ("a", "b"), (), ("c",)])
    counts = rows_by_group(labels, pd.Series(["1", "1", "2", "3"]))
    assert counts == {"1": {ROWS: 2, "a": 1, "b": 2}, "2": {ROWS: 1}, "3": {ROWS: 1, "c": 1}}
    assert rows_by_class(labels) == {"a": 1, "b": 2, "c": 1}
