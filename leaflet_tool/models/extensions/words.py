"""Tokenizers for TF-IDF: words, words with pairs of neighbours, and words with the pieces they are made of.

Ludwig has none of them; its `space_punct` goes through a text letter by letter and took most of a small model's
training time.
"""

import re
from itertools import pairwise
from typing import Any

from ludwig.utils.tokenizers import BaseTokenizer, tokenizer_registry

WORDS, WORD_PAIRS, SUBWORDS = "words", "word_pairs", "subwords"
WORD = re.compile(r"\w\w+")
"""Two letters, digits or underscores at least, as scikit-learn's vectorizers count words."""
PIECES = range(3, 6)
"""Lengths of a word's pieces."""


class WordTokenizer(BaseTokenizer):
    """The words of a text in their order, without punctuation."""

    def __init__(self, **_: Any) -> None:
        """Takes and ignores the settings that Ludwig gives every tokenizer."""

    def __call__(self, text: str) -> list[str]:
        return WORD.findall(text)


class WordPairTokenizer(WordTokenizer):
    """The words of a text, then each two that stand side by side, joined by a blank."""

    def __call__(self, text: str) -> list[str]:
        words = super().__call__(text)
        return words + [f"{first} {second}" for first, second in pairwise(words)]


class SubwordTokenizer(WordTokenizer):
    """Each word as `<word>`, then every piece of 3 to 5 characters of that (Bojanowski et al. 2017, fastText).

    Where texts are a few words long, most words are rare: their pieces are what they share with others.
    """

    def __call__(self, text: str) -> list[str]:
        return [piece for word in super().__call__(text) for piece in pieces(f"<{word}>")]


def pieces(word: str) -> list[str]:
    """The word, and its shorter runs of characters."""
    runs = [word[start : start + size] for size in PIECES if size < len(word) for start in range(len(word) - size + 1)]
    return [word, *runs]


tokenizer_registry[WORDS] = WordTokenizer
tokenizer_registry[WORD_PAIRS] = WordPairTokenizer
tokenizer_registry[SUBWORDS] = SubwordTokenizer
