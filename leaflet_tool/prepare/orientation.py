"""Finds how pages have to be turned: by what can be read, by Tesseract's osd, and by trying the four turns."""

from collections.abc import Callable
from pathlib import Path

from leaflet_tool.prepare.images import TURNS
from leaflet_tool.prepare.ocr import Osd
from leaflet_tool.prepare.rendition import laid
from leaflet_tool.prepare.tsv import Found

# The figures are of 61 photographed pages, each turned four ways: benchmarks/orientation.py.
PLAIN, PLAIN_SHARE = 10, 0.45
"""Certain words, and their share of all words, from which a page is taken as upright without asking osd.

Turned pages with 10 certain words had shares up to 0.22, one that is printed both ways 0.41; upright ones from 0.27.
"""
SURE = 2.0
"""osd's confidence from which its turn alone is tried: it was right in 184 of 184 cases, below that in 33 of 44."""
LEAST, LEAD = 3, 1.5
"""Certain words that a turn must show, and how many times as many as the best so far, where osd is unsure."""


def set_upright(
    image: Path, recognise: Callable[[Path], Found | str], osd: Callable[[Path], Osd | None]
) -> tuple[Found | str, int]:
    """What is found on a rendition set upright, or why nothing is, and by how many degrees clockwise it was turned."""
    best, turned = recognise(laid(image)), 0
    if isinstance(best, str) or _plain(best):
        return best, turned
    said = osd(image)
    for turn in _turns_to_try(said):
        found = recognise(laid(image, turn))
        if isinstance(found, Found) and _leads(found, best, 1.0 if _sure(said) else LEAD):
            best, turned = found, turn
    return best, turned


def _plain(found: Found) -> bool:
    """Whether so much can be read with certainty that the page must stand upright."""
    return found.certain >= PLAIN and found.certain >= PLAIN_SHARE * len(found.words)


def _turns_to_try(answer: Osd | None) -> tuple[int, ...]:
    """The turns that may set a page upright: osd's where it is sure, else all."""
    if answer is None or not _sure(answer):
        return tuple(TURNS)
    return (answer.turn,) if answer.turn else ()


def _sure(answer: Osd | None) -> bool:
    return answer is not None and answer.confidence >= SURE


def _leads(found: Found, so_far: Found, lead: float) -> bool:
    """Whether more is certain in this turn than `lead` times what is in the best one so far."""
    return found.certain >= LEAST and found.certain > lead * so_far.certain
