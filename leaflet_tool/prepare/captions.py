"""Captions: the words of a file's name, and those of the archive's own caption.

Only the name counts, never the folders it lies in: those may be the classes.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePosixPath

import pandas as pd

from leaflet_tool.prepare.formats import SUFFIXES
from leaflet_tool.prepare.texts import clean

FILES = SUFFIXES | {".ogg", ".oga", ".ogv", ".webm", ".mp3", ".mp4", ".wav", ".flac", ".mid", ".stl"}
"""How a caption ends that is the name of a file."""
APOSTROPHES = "'\u2019"


def of(sources: pd.Series, given: pd.Series) -> pd.Series:
    """A caption for each row, of its file's path and the archive's own words; empty where there are neither."""
    cells = [
        " ".join(filter(None, dict.fromkeys((words(source), caption(text)))))
        for source, text in zip(sources, given, strict=True)
    ]
    return pd.Series(cells, index=sources.index, dtype=str)


def caption(text: str) -> str:
    """The archive's caption in one line; that of a file's name is its words."""
    text = " ".join(clean(text).split())
    return words(text) if PurePosixPath(text).suffix.lower() in FILES else text


def words(path: str) -> str:
    """The words of a file's name: `CPR-oxygen_kit2.jpg` has CPR, oxygen, kit and 2, `LocationPeru.png` two."""
    stem = clean(PurePosixPath(path).stem)
    runs = ((kind, "".join(characters)) for kind, characters in groupby(stem, _kind))
    found = [word for kind, run in runs if kind for word in (_parts(run) if kind == "L" else [run])]
    return " ".join(filter(None, (word.strip(APOSTROPHES) for word in found)))


def _kind(character: str) -> str:
    """L for a letter and what belongs to one, N for a digit, nothing for what parts words."""
    category = unicodedata.category(character)[0]
    return "L" if category in "LM" or character in APOSTROPHES else "N" if category == "N" else ""


def _parts(run: str) -> Iterator[str]:
    """A run of letters, parted where a capital begins another word, as in LocationPeru and in CPRKit."""
    start = 0
    for place in range(1, len(run)):
        before, here, after = run[place - 1], run[place], run[place + 1 : place + 2]
        if here.isupper() and (before.islower() or (before.isupper() and after.islower())):
            yield run[start:place]
            start = place
    yield run[start:]
