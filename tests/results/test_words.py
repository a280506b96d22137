"""Counts and lists as people write them."""

import pytest

from leaflet_tool.results import words


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, "0 %"), (0, 5, "0 %"), (1, 5000, "under 0.1 %"), (1, 250, "0.4 %"), (1, 3, "33 %"), (5, 5, "100 %")],
)
def test_percent(part: int, whole: int, expected: str) -> None:
    assert words.percent(part, whole) == expected


def test_nearly_all_is_not_all() -> None:
    assert words.percent(204, 205) == "99.5 %"
    assert words.percent(19_999, 20_000) == "99.9 %"


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [(1, "page", "1 page"), (0, "page", "0 pages"), (2000, "page", "2,000 pages"), (2, "class", "2 classes")],
)
def test_counted(number: int, noun: str, expected: str) -> None:
    assert words.counted(number, noun) == expected


def test_of_many_names_the_first_are_spelt_out() -> None:
    assert words.some(list("ab")) == "a and b"
    assert words.some(list("abcdefg")) == "a, b, c, d, e, f and g"
    assert words.some(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"


def test_long_names_keep_both_ends_between_quotation_marks() -> None:
    (name,) = [words.quoted(["begin" + "x" * 300 + "end"])]
    assert name.startswith("“begin") and name.endswith("end”") and len(name) < 50


@pytest.mark.parametrize(("value", "expected"), [(12, "12"), (1234.5, "1,234"), (0.1234, "0.123"), (56.78, "56.8")])
def test_figure(value: float, expected: str) -> None:
    assert words.figure(value) == expected
