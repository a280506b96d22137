"""The tables of a prepared folder's report."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd

from leaflet_tool.manifest import FOLD, GROUP, OCR_STATUS, OCR_STATUSES, ROTATION, ROW, SOURCE, SPLIT, SPLITS, TEXT
from leaflet_tool.results.data_contents import (
    CROSSES,
    DETAIL,
    DISAGREE,
    KIND,
    LEAFLETS,
    PAGES,
    REASON,
    SAME,
    YES,
    Contents,
)
from leaflet_tool.results.page import Cell, Table
from leaflet_tool.results.words import clipped, figure, listed, percent

ROWS = 300
"""A table of classes has so many rows at most."""
EXAMPLES = 3
LETTERS = 1000
"""So many letters of each page tell which scripts its text is in."""
QUANTILES = {"lowest": 0.0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "highest": 1.0}
STATUSES = {
    "read": "Tesseract found words",
    "blank": "Tesseract found nothing",
    "failed": "Tesseract gave up",
    "not_run": "text was given, or reading is off",
}
TURNS = {
    "0": "upright as it was",
    "90": "lay on its left side: turned by 90° clockwise",
    "180": "stood on its head: turned by 180°",
    "270": "lay on its right side: turned by 270° clockwise",
    "": "nobody looked",
}
OUTCOMES = {
    "dropped": "left out as too rare",
    "other": "put into the class for rare ones",
    "capped": "cut to the largest number allowed",
}


def classes(contents: Contents) -> Table:
    """Pages and leaflets of each class."""
    total = len(contents.frame)
    rows = [
        [Cell(str(name)), *numbers(row[PAGES]), Cell(percent(row[PAGES], total)), *numbers(row[LEAFLETS])]
        for name, row in contents.classes.head(ROWS).iterrows()
    ]
    return cut(
        Table("Pages and leaflets by class", ["", "pages", "share of pages", "leaflets"], rows), len(contents.classes)
    )


def outcomes(contents: Contents) -> Table | None:
    """Classes that were not simply kept, and what became of them; None where prepare.json tells of none."""
    told: dict[str, dict[str, Any]] = contents.facts.get("labels", {})
    changed = {name: fate for name, fate in told.items() if fate["outcome"] != "kept"}
    if not changed:
        return None
    order = sorted(changed, key=lambda name: (changed[name]["outcome"], -changed[name]["found"], name))
    rows = [
        [
            Cell(name),
            *numbers(changed[name]["found"], changed[name]["kept"]),
            Cell(OUTCOMES.get(changed[name]["outcome"], changed[name]["outcome"])),
        ]
        for name in order[:ROWS]
    ]
    table = Table("Classes that were not simply kept", ["", "found", "kept", "what became of it"], rows, words=[3])
    return cut(table, len(order))


def splits(contents: Contents) -> Table:
    """Pages and leaflets by split."""
    leaflets = contents.frame.groupby(SPLIT)[GROUP].nunique()
    total = sum(contents.splits.values())
    rows = [
        [Cell(split), *numbers(pages), Cell(percent(pages, total)), *numbers(leaflets.get(split, 0))]
        for split, pages in contents.splits.items()
    ]
    return Table("Pages and leaflets by split", ["", "pages", "share", "leaflets"], rows)


def balance(contents: Contents) -> Table:
    """Pages of each class by split; cells without any stand out."""
    rows = [
        [Cell(str(name)), *(_some(row[split]) for split in SPLITS)]
        for name, row in contents.classes.head(ROWS).iterrows()
    ]
    return cut(Table("Pages of each class by split", ["", *SPLITS], rows), len(contents.classes))


def folds(contents: Contents) -> Table | None:
    """Pages and leaflets of each fold, where there are folds."""
    column = contents.column(FOLD)
    if column.eq("").all():
        return None
    found = contents.frame.groupby(column)[GROUP].agg(["size", "nunique"])
    rows = [
        [Cell(f"fold {fold}"), *numbers(*found.loc[fold])] for fold in sorted(found.index, key=lambda f: int(f or 0))
    ]
    return Table("Folds: each is held out once", ["", "pages", "leaflets"], rows)


def quantiles(caption: str, values: pd.Series) -> Table:
    """A series in seven numbers."""
    row = [Cell(f"{len(values):,} pages"), *(Cell(figure(values.quantile(q))) for q in QUANTILES.values())]
    return Table(caption, ["", *QUANTILES], [row])


def statuses(contents: Contents) -> Table:
    """Pages by what became of their reading."""
    counts = contents.frame[OCR_STATUS].value_counts()
    rows = [
        [Cell(status, STATUSES[status]), *numbers(counts[status]), Cell(percent(counts[status], counts.sum()))]
        for status in OCR_STATUSES
        if status in counts
    ]
    return Table("How pages were read", ["", "pages", "share"], rows)


def turns(contents: Contents) -> Table | None:
    """Pages by the turn that set them upright, where anybody looked."""
    counts = contents.column(ROTATION).value_counts()
    if set(counts.index) <= {""}:
        return None
    known = [turn for turn in TURNS if turn in counts]
    rows = [[Cell(TURNS[turn]), *numbers(counts[turn]), Cell(percent(counts[turn], counts.sum()))] for turn in known]
    return Table("How pages stood", ["", "pages", "share"], rows)


def scripts(contents: Contents) -> list[str]:
    """The scripts that the letters of the texts belong to, such as `Latin 99 %`; Unicode names them."""
    letters: Counter[str] = Counter()
    for text in contents.frame[TEXT]:
        letters.update(text[:LETTERS])
    found: Counter[str] = Counter()
    for letter, count in letters.items():
        if letter.isalpha():
            found[unicodedata.name(letter, "other").partition(" ")[0].partition("-")[0].capitalize()] += count
    total = sum(found.values())
    return [f"{script} {percent(count, total)}" for script, count in found.most_common(5) if count >= total / 1000]


def duplicates(contents: Contents) -> Table | None:
    """Pairs by kind; None where there are none."""
    frame = contents.duplicates
    if frame is None or frame.empty:
        return None
    rows = [
        [
            Cell(words),
            *numbers(len(pairs)),
            _marked((pairs[DISAGREE] == YES).sum()),
            _marked((pairs[CROSSES] == YES).sum()),
        ]
        for words, pairs in ((words, frame[frame[KIND] == kind]) for kind, words in SAME.items())
        if len(pairs)
    ]
    return Table("Pairs of duplicates", ["", "pairs", "with different labels", "in two splits"], rows)


def skipped(contents: Contents) -> Table | None:
    """What was left out, by reason; None where nothing was."""
    if contents.skipped.empty:
        return None
    groups = sorted(contents.skipped.groupby(REASON, sort=False), key=lambda group: -len(group[1]))
    rows = [[Cell(str(reason)), *numbers(len(rows)), Cell(*_examples(rows))] for reason, rows in groups[:ROWS]]
    return Table("Left out, by reason", ["", "inputs", "such as"], rows, words=[2])


def _examples(rows: pd.DataFrame) -> tuple[str, str]:
    """The first inputs by name, and in smaller letters what was the matter with them where more is known."""
    shown = rows.head(EXAMPLES)
    names = [source or f"row {row}" for source, row in zip(shown[SOURCE], shown[ROW], strict=True)]
    details = list(dict.fromkeys(filter(None, shown[DETAIL])))
    return listed([clipped(name) for name in names]), "; ".join(clipped(detail, 160) for detail in details)


def settings(contents: Contents) -> Table:
    """Every setting the pages were prepared with."""
    told = {"read as": contents.facts.get("dataset", {}), **contents.facts.get("settings", {})}
    rows = [[Cell(name), Cell(value)] for name, value in _flat(told) if value]
    return Table("Settings", ["", "value"], rows, words=[1])


def _flat(told: dict[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{within}{key}: ")
        else:
            yield f"{within}{key}", _plain(value)


def _plain(value: Any) -> str:
    """A setting as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return clipped(", ".join(map(str, value)), 300)
    return "" if value is None else clipped(str(value), 300)


def numbers(*values: float) -> list[Cell]:
    """Counts, a cell each."""
    return [Cell(f"{int(value):,}") for value in values]


def _some(value: float) -> Cell:
    """A count in which it is zero that stands out."""
    return Cell(f"{int(value):,}", strong=not value)


def _marked(value: float) -> Cell:
    """A count that stands out unless it is zero."""
    return Cell(f"{int(value):,}", strong=bool(value))


def cut(table: Table, total: int) -> Table:
    """The table, its caption saying so where it has not all rows."""
    if total <= len(table.rows):
        return table
    caption = f"{table.caption}: the first {len(table.rows)} of {total:,}; prepare.json and manifest.csv have all"
    return Table(caption, table.heads, table.rows, table.words)
