"""Tokenizers for TF-IDF: words, and words with pairs of neighbours. Ludwig has neither.

Its `space_punct` goes through a text letter by letter and took most of a small model's training time.
"""

import re
from itertools import pairwise
from typing import Any

from ludwig.utils.tokenizers import BaseTokenizer, tokenizer_registry

WORDS, WORD_PAIRS = "words", "word_pairs"
WORD = re.compile(r"\w\w+")
"""Two letters, digits or underscores at least, as scikit-learn's vectorizers count words."""


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


tokenizer_registry[WORDS] = WordTokenizer
tokenizer_registry[WORD_PAIRS] = WordPairTokenizer
