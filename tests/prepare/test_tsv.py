"""Tesseract's TSV and what is made of it."""

import pytest

from leaflet_tool.prepare.tsv import pages

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


def page(number: int) -> str:
    return f"1\t{number}\t0\t0\t0\t0\t0\t0\t800\t600\t-1\t\n"


def word(text: str, place: str = "1 1 1", confidence: float = 90.0, size: str = "80 20") -> str:
    cells = ["5", "1", *place.split(), "1", "10", "10", *size.split(), str(confidence), text]
    return "\t".join(cells) + "\n"


def test_lines_and_paragraphs_are_rebuilt() -> None:
    rows = [word("Vote"), word("Green"), word("today", "1 1 2"), word("Thanks", "1 2 1"), word("Imprint", "2 1 1")]
    (found,) = pages(HEAD + page(1) + "".join(rows))
    assert found.text == "Vote Green\ntoday\n\nThanks\n\nImprint"
    assert len(found.words) == 5


def test_pages_without_words_keep_their_place() -> None:
    found = pages(HEAD + page(1) + page(2) + word("Vote") + page(3) + word(" ") + page(4))
    assert [each.text for each in found] == ["", "Vote", "", ""]
    assert [each.confidence for each in found] == [0, 90, 0, 0]
    assert pages("") == pages(HEAD) == []


@pytest.mark.parametrize("text", ['"', '"Vote', "'", "a,b", "£5–10", "ŵ‘y’", "=1+1", "\\t", "x\ty", "\u2028", "\x85x"])
def test_odd_characters_are_text(text: str) -> None:
    (found,) = pages(HEAD + page(1) + word("before") + word(text) + word("after"))
    assert [each.text for each in found.words] == ["before", *([text.strip()] if text.strip() else []), "after"]


def test_confidence_is_the_mean_of_the_words() -> None:
    (found,) = pages(HEAD + page(1) + word("one", confidence=90.5) + word("two", confidence=30.5))
    assert found.confidence == 60.5


def test_certain_words_are_level_long_and_sure() -> None:
    rows = [
        word("Green"),
        word("Vote", confidence=59.9),
        word("downwards", size="20 80"),
        word("to"),
        word("1234"),
        word("a1b2c3"),
    ]
    (found,) = pages(HEAD + page(1) + "".join(rows))
    assert found.certain == 2


@pytest.mark.parametrize("row", ["5\t1\t1\n", "5\n", word("x").replace("90.0", "high"), word("x").replace("80", "")])
def test_garbage_is_an_error_or_nothing(row: str) -> None:
    try:
        assert [found.text for found in pages(HEAD + page(1) + row)] == [""]
    except ValueError as error:
        assert "high" in str(error) or "''" in str(error)
