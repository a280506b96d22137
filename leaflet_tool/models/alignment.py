"""Which words of a text a tokenizer's tokens were made from, so that what a token weighs can be shown on the page."""

import re
from collections.abc import Callable, Sequence
from typing import Any

WORD = re.compile(r"\w+|[^\w\s]+")
"""A word as a reader sees it, or the punctuation beside one."""

type Tokenize = Callable[[str], Sequence[Any]]


def words_of(text: str) -> list[str]:
    """The words of a text in their order."""
    return WORD.findall(text)


def aligned(words: Sequence[str], tokens: Sequence[Any], tokenize: Tokenize) -> dict[int, tuple[int, ...]] | None:
    """The numbers of the words that each token was made from, by the token's place; None where that can't be told.

    `tokens` are those of the words joined by blanks: each word's own one after the other, then perhaps the pairs of
    neighbours among these. What a tokenizer puts around every text is no word's.
    """
    lead, tail = _around(tokens, tokenize)
    body, found = list(tokens[lead : len(tokens) - tail]), dict[int, tuple[int, ...]]()
    place = 0
    for number, word in enumerate(words):
        if place == len(body):
            break
        own = _own(word, number, body[place:], tokenize)
        if own is None:
            return None
        found |= {lead + each: (number,) for each in range(place, min(place + own, len(body)))}
        place = min(place + own, len(body))
    for pair, first in enumerate(range(place, len(body))):
        parts = body[pair : pair + 2]
        if pair + 1 >= place or body[first] != " ".join(map(str, parts)):
            return None
        found[lead + first] = found[lead + pair] + found[lead + pair + 1]
    return found


def _around(tokens: Sequence[Any], tokenize: Tokenize) -> tuple[int, int]:
    """How many of the tokens stand before and after every text."""
    frame = [token for token in tokenize("") if token != ""]
    for lead in range(len(frame), -1, -1):
        tail = len(frame) - lead
        if len(tokens) >= len(frame) and list(tokens[:lead]) + list(tokens[len(tokens) - tail :][:tail]) == frame:
            return lead, tail
    return 0, 0


def _own(word: str, number: int, ahead: Sequence[Any], tokenize: Tokenize) -> int | None:
    """How many of the tokens ahead are the word's, the last of which may be cut off; None where they are others."""
    for text in (word, f" {word}") if number else (word,):
        pieces = list(tokenize(text))
        lead, tail = _around(pieces, tokenize)
        pieces = [piece for piece in pieces[lead : len(pieces) - tail] if piece != ""]
        if list(ahead[: len(pieces)]) == pieces[: len(ahead)]:
            return len(pieces)
    return None
