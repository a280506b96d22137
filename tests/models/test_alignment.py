"""Words and the tokens made from them."""

from collections.abc import Callable

import pytest

from leaflet_tool.models.alignment import aligned, words_of
from leaflet_tool.models.extensions.words import SubwordTokenizer, WordPairTokenizer, WordTokenizer, pieces

TEXT = "Vote, vote! For\nthe NHS - don't"
WORDS = ["Vote", ",", "vote", "!", "For", "the", "NHS", "-", "don", "'", "t"]


def framed(text: str) -> list[str]:
    """A tokenizer of word pieces, as pretrained models have them: what it puts around is no word's."""
    parts = [part for word in words_of(text) for part in (word[:3], *(f"##{rest}" for rest in [word[3:]] if rest))]
    return ["[CLS]", *parts, "[SEP]"]


def test_words_are_told_from_the_punctuation_beside_them() -> None:
    assert words_of(TEXT) == WORDS


def test_a_tokenizer_that_drops_what_is_no_word() -> None:
    tokenize = WordTokenizer()
    found = aligned(WORDS, tokenize(TEXT), tokenize)
    assert found is not None
    assert [WORDS[number] for (number,) in found.values()] == ["Vote", "vote", "For", "the", "NHS", "don"]


def test_pairs_belong_to_both_of_their_words() -> None:
    tokenize = WordPairTokenizer()
    tokens = tokenize(TEXT)
    found = aligned(WORDS, tokens, tokenize)
    assert found is not None
    pairs = {tokens[place]: [WORDS[each] for each in numbers] for place, numbers in found.items() if len(numbers) == 2}
    assert pairs["For the"] == ["For", "the"]
    assert pairs["NHS don"] == ["NHS", "don"]
    assert len(pairs) == 5


def test_every_piece_belongs_to_its_word() -> None:
    tokenize = SubwordTokenizer()
    tokens = tokenize("red reds")
    found = aligned(["red", "reds"], tokens, tokenize)
    assert found is not None
    assert list(found.values()).count((1,)) == len(pieces("<reds>"))
    assert len(found) == len(tokens)


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_pieces_between_symbols_and_a_text_that_is_cut_off(cut: int) -> None:
    tokens = framed("pension plans")
    tokens = [*tokens[: len(tokens) - 1 - cut], "[SEP]"]
    found = aligned(["pension", "plans"], tokens, framed)
    assert found is not None
    assert list(found.values()) == [(0,), (0,), (1,), (1,)][: 4 - cut]
    assert min(found) == 1


@pytest.mark.parametrize("tokenize", [lambda text: [text[::-1]], lambda text: [str(len(text))]])
def test_other_tokens_are_left_alone(tokenize: Callable[[str], list[str]]) -> None:
    assert aligned(words_of("the pension"), tokenize("the pension"), tokenize) is None


def test_nothing_comes_of_nothing() -> None:
    assert aligned([], [], WordTokenizer()) == {}
