"""A text in columns with its telling words marked, for `explanation_figures`; lengths are inches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from leaflet_tool.measure.figures import COLOURS, INK, PALE, short

FOR, AGAINST = COLOURS[0], COLOURS[1]
FONT, LINE = 7.5, 0.152
"""Points, and the height of a line."""
LETTER = 0.602 * FONT / 72
"""Width of a letter: DejaVu Sans Mono's are all 0.602 of the font's size."""
COLUMN, COLUMNS = 66, 3
"""Letters in a line, and columns."""
BETWEEN = 3
"""Letters between columns."""
LEAST, MOST = 8, 42
"""Lines of a column: a short text stands in one, of a very long one the lines that weigh most are shown."""
WORD = 40
STRONGEST, FAINTEST = 0.62, 0.04
"""Opacity of the heaviest word's mark, and the share of its weight below which a word has none."""


@dataclass(frozen=True)
class Word:
    """A word as it stands in a text.

    `read` is false where a model's longest text was full before it, `blank` where the next one is joined to it.
    """

    text: str
    weight: float
    read: bool = True
    blank: bool = True

    @property
    def letters(self) -> int:
        """How many letters it takes, with the blank after it."""
        return len(self.text) + self.blank


GAP = Word("…", 0.0, read=False)


def colour(weight: float) -> str:
    """Blue for what speaks for the class, vermilion for what speaks against it."""
    return FOR if weight >= 0 else AGAINST


def laid(lines: Sequence[Sequence[Word]]) -> list[list[Word]]:
    """The lines broken to a column's width; where they are too many, those that weigh most, gaps marked."""
    broken = [part for line in lines for part in _broken(line)]
    room = COLUMNS * MOST
    if len(broken) <= room:
        return broken
    heaviest = np.argsort([-sum(abs(word.weight) for word in line) for line in broken], kind="stable")
    for count in range(room, 0, -1):
        chosen = sorted(heaviest[:count].tolist())
        kept = [line for place in chosen for line in (*_gap(place, chosen), broken[place])]
        if len(kept) <= room:
            return kept
    return []


def _gap(place: int, chosen: Sequence[int]) -> list[list[Word]]:
    return [] if place == 0 or place - 1 in chosen else [[GAP]]


def _broken(line: Sequence[Word]) -> Iterator[list[Word]]:
    """A line in parts that fit into a column, long words cut."""
    part: list[Word] = []
    for word in line:
        cut = replace(word, text=short(word.text, WORD))
        if part and sum(each.letters for each in part) + len(cut.text) > COLUMN:
            yield part
            part = []
        part.append(cut)
    if part:
        yield part


def rows(lines: Sequence[Sequence[Word]]) -> int:
    """Lines in each column."""
    return min(MOST, max(-(-len(lines) // COLUMNS), min(len(lines), LEAST)))


def height(lines: Sequence[Sequence[Word]]) -> float:
    """Of the columns."""
    return LINE * max(1, rows(lines))


def draw(axes: Axes, lines: Sequence[Sequence[Word]]) -> None:
    """The lines of `laid` in columns; the axes' units are inches from the top left."""
    most = max((abs(word.weight) for line in lines for word in line), default=0.0)
    for number, line in enumerate(lines):
        column, row = divmod(number, rows(lines))
        _draw_line(axes, line, column * (COLUMN + BETWEEN) * LETTER, row * LINE, most)


def _draw_line(axes: Axes, line: Sequence[Word], left: float, top: float, most: float) -> None:
    for word in line:
        width = len(word.text) * LETTER
        strength = abs(word.weight) / most if most else 0
        if strength > FAINTEST:
            shade, size = colour(word.weight), (width, LINE * 0.92)
            axes.add_patch(Rectangle((left, top), *size, color=shade, alpha=STRONGEST * strength, linewidth=0))
        ink, middle = INK if word.read else PALE, top + LINE * 0.46
        axes.text(left, middle, word.text, family="DejaVu Sans Mono", fontsize=FONT, va="center", color=ink)
        left += word.letters * LETTER
