"""Tesseract's TSV: words with their places and confidences, put together to lines and paragraphs again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from leaflet_tool.prepare.texts import clean

COLUMNS = 12
PAGE, WORD = "1", "5"
"""Levels of a TSV's rows that matter; those between, blocks to lines, can be told from the words' numbers."""
CERTAIN = 60.0
"""Confidence, 0 to 100, from which a word counts as certain."""


@dataclass(frozen=True)
class Word:
    """A word, the numbers of its block, paragraph and line, its size in pixels, how sure Tesseract is, 0 to 100."""

    text: str
    block: str
    paragraph: str
    line: str
    width: int
    height: int
    confidence: float


@dataclass(frozen=True)
class Found:
    """What was recognised on one image, in reading order."""

    words: list[Word] = field(default_factory=list)

    @property
    def text(self) -> str:
        """A line a line, and an empty one between paragraphs."""
        paragraphs = [list(each) for _, each in groupby(self.words, lambda word: (word.block, word.paragraph))]
        return clean("\n\n".join(_lines(words) for words in paragraphs))

    @property
    def confidence(self) -> float:
        """The words' mean; 0 where there is none."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 0.0

    @property
    def certain(self) -> int:
        """Level words of three letters and more that Tesseract is sure of: what noise and turned text rarely make.

        Tesseract also reads lines that run downwards; their words are higher than wide.
        """
        return sum(
            word.confidence >= CERTAIN and word.width > word.height and sum(map(str.isalpha, word.text)) >= 3
            for word in self.words
        )


def _lines(words: Iterable[Word]) -> str:
    return "\n".join(" ".join(word.text for word in line) for _, line in groupby(words, lambda word: word.line))


def pages(tsv: str) -> list[Found]:
    """What a TSV says, by image, or a ValueError; nothing is quoted in it, and only line feeds end its rows."""
    found: list[Found] = []
    for row in tsv.split("\n"):
        cells = row.split("\t", COLUMNS - 1)
        if cells[0] == PAGE:
            found.append(Found())
        elif cells[0] == WORD and len(cells) == COLUMNS and found and cells[-1].strip():
            block, paragraph, line = cells[2:5]
            width, height, confidence = int(cells[8]), int(cells[9]), float(cells[10])
            found[-1].words.append(Word(cells[11].strip(), block, paragraph, line, width, height, confidence))
    return found
