"""Pages as a report shows them: a thumbnail, or the beginning of the text where there is no image."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
from PIL import Image

from leaflet_tool.manifest import (
    BRIGHTNESS,
    GROUP,
    ID,
    IMAGE,
    IMAGE_REGIONS,
    LABEL_DELIMITER,
    OCR_CONFIDENCE,
    SHARPNESS,
    TEXT,
)
from leaflet_tool.results.data_contents import CLASS, CROSSES, DISAGREE, KIND, NO, PAGES, SAME, YES, Contents
from leaflet_tool.results.page import jpeg_uri
from leaflet_tool.results.words import counted, figure

SMALL, LARGE = 200, 300
"""Longest side of a thumbnail on a contact sheet, and of one that is looked at more closely; pixels."""
HEAVIEST = {SMALL: 12_000, LARGE: 22_000}
"""Bytes of a thumbnail at most, as far as a lower quality can bring it there."""
QUALITIES = (75, 60, 45, 30)
FORMATS = ("JPEG", "PNG", "WEBP")
SHEET, A_CLASS = 240, 7
"""Pages on all contact sheets together at most, and on the sheet of a class."""
EXTREMES = 8
DISAGREEING, AGREEING = 12, 6
"""Pairs of duplicates shown: of those whose labels disagree, and of the others by kind."""
EXCERPT = 220
"""Letters of a page's text that stand for its picture."""
LEGIBLE_WORDS = 5
"""With fewer words, Tesseract's confidence in them says little of a page."""


@dataclass(frozen=True)
class Card:
    """A page: its thumbnail or the beginning of its text, its name, and what is said of it."""

    name: str
    uri: str
    excerpt: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Cards:
    """Pages under one title."""

    title: str
    cards: list[Card]
    reading: str = ""


@dataclass(frozen=True)
class Pair:
    """Two pages that are the same, and how far they are."""

    words: str
    cards: tuple[Card, Card]


def thumbnail(path: Path, side: int) -> str:
    """The image as a small JPEG in a data URI; empty where it cannot be opened."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                image.draft("RGB", (side, side))
                small = image.convert("RGB")
    except Exception:  # a broken file makes Pillow's decoders raise nearly anything
        return ""
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    for quality in QUALITIES:
        with io.BytesIO() as file:
            small.save(file, "JPEG", quality=quality, optimize=True)
            content = file.getvalue()
        if len(content) <= HEAVIEST[side]:
            break
    return jpeg_uri(content)


def card(contents: Contents, page: pd.Series, side: int, *notes: str) -> Card:
    """The card of a row of the manifest."""
    return page_card(contents.names[page[ID]], _picture(contents, page[IMAGE]), page[TEXT], side, *notes)


def _picture(contents: Contents, cell: str) -> Path | None:
    """The file that a cell of the manifest names, if it lies in the prepared folder."""
    image = PurePosixPath(cell)
    inside = cell and not image.is_absolute() and ".." not in image.parts
    return contents.prepared.folder / image if inside else None


def page_card(name: str, image: Path | None, text: str, side: int, *notes: str) -> Card:
    """The card of a page: its thumbnail, or the beginning of its text where it has no image that opens."""
    uri = thumbnail(image, side) if image else ""
    words = " ".join(text[: 4 * EXCERPT].split())
    excerpt = "" if uri else words[:EXCERPT] + "…" * (len(words) > EXCERPT)
    return Card(name, uri, excerpt, tuple(filter(None, notes)))


def sheets(contents: Contents) -> list[Cards]:
    """A few pages of each class, of as many leaflets as can be: the same ones whenever the report is made."""
    shown, each = sheet_size(contents)
    chosen = _chosen(contents, each)
    rows = contents.frame.set_index(ID, drop=False)
    pages = contents.classes[PAGES]
    return [
        Cards(
            f"{name} ({counted(int(pages[name]), 'page')})",
            [card(contents, rows.loc[page], SMALL, _others(contents, rows.loc[page], name)) for page in chosen[name]],
        )
        for name in contents.classes.index[:shown]
    ]


def sheet_size(contents: Contents) -> tuple[int, int]:
    """How many classes have a contact sheet, the commonest ones, and how many pages are on each at most."""
    shown = min(SHEET, len(contents.classes))
    return shown, min(A_CLASS, SHEET // shown) if shown else 0


def regions(contents: Contents) -> Cards | None:
    """The first page with its regions; None where none were made."""
    made = [(region, column) for region, column in IMAGE_REGIONS.items() if contents.column(column).ne("").any()]
    if not made:
        return None
    page = contents.frame[contents.column(made[0][1]) != ""].iloc[0]
    name = contents.names[page[ID]]
    whole = page_card(name, _picture(contents, page[IMAGE]), "", SMALL, "the page")
    cut = [page_card(name, _picture(contents, page[column]), "", SMALL, region) for region, column in made]
    side = contents.facts.get("settings", {}).get("region_side")
    reading = "Halves of each page, resized to squares" + (f" of {side} pixels." if side else ".")
    return Cards("The regions of a page", [whole, *cut], reading)


def _chosen(contents: Contents, each: int) -> dict[str, list[str]]:
    """Ids by class: pages in an order that only their ids decide, first one of each leaflet, then the second ones."""
    rows = contents.labelled[[ID, GROUP, CLASS]]
    order = rows[ID].map(lambda page: hashlib.blake2b(page.encode(), digest_size=8).digest())
    rows = rows.assign(order=order).sort_values("order", kind="stable")
    rows = rows.assign(turn=rows.groupby([CLASS, GROUP]).cumcount()).sort_values("turn", kind="stable")
    return {str(name): list(pages) for name, pages in rows.groupby(CLASS).head(each).groupby(CLASS)[ID]}


def _others(contents: Contents, page: pd.Series, name: str) -> str:
    """The labels a page has besides `name`."""
    if not contents.prepared.label.multiple:
        return ""
    others = [label for label in page[contents.prepared.label.name].split(LABEL_DELIMITER) if label != name]
    return f"also {', '.join(others)}" if others else ""


def extremes(contents: Contents) -> Iterator[Cards]:
    """The pages at the ends of each scale."""
    scales = [
        ("The darkest pages", contents.numbers(BRIGHTNESS), True, "brightness {}"),
        ("The brightest pages", contents.numbers(BRIGHTNESS), False, "brightness {}"),
        ("The blurriest pages", contents.numbers(SHARPNESS), True, "sharpness {}"),
        ("The emptiest pages", contents.words, True, "{} words"),
        ("The pages Tesseract is least sure of", _confidence(contents), True, "confidence {}"),
    ]
    readings = {
        "The blurriest pages": "Blurred, or with so little on them that there is nothing to be sharp.",
        "The emptiest pages": "The fewest words: nothing to read, or nothing that could be read.",
        "The pages Tesseract is least sure of": f"Of those with at least {LEGIBLE_WORDS} words.",
    }
    for title, values, lowest, words in scales:
        if values.nunique() < 2:
            continue
        ends = values.sort_values(ascending=lowest, kind="stable").head(EXTREMES)
        shown = [
            card(contents, contents.frame.loc[index], LARGE, words.format(figure(value)), _label(contents, index))
            for index, value in ends.items()
        ]
        yield Cards(title, shown, readings.get(title, ""))


def _confidence(contents: Contents) -> pd.Series:
    """Tesseract's confidence in the pages on which it read some words."""
    values = contents.numbers(OCR_CONFIDENCE)
    return values[contents.words.reindex(values.index).fillna(0) >= LEGIBLE_WORDS]


def _label(contents: Contents, index: int) -> str:
    return ", ".join(contents.labels[index]) or "no label"


def disagreeing(contents: Contents) -> list[Pair]:
    """Pairs of duplicates whose labels differ."""
    return list(_pairs(contents, YES, DISAGREEING))


def agreeing(contents: Contents) -> Iterator[tuple[str, list[Pair], int]]:
    """Pairs of duplicates whose labels are the same: what is the same, the first pairs, and how many there are."""
    if contents.duplicates is None:
        return
    counts = contents.duplicates.loc[contents.duplicates[DISAGREE] != YES, KIND].value_counts()
    for kind, words in SAME.items():
        if kind in counts:
            title = f"{words[0].upper()}{words[1:]}, and the same label"
            yield title, list(_pairs(contents, NO, AGREEING, kind)), int(counts[kind])


def _pairs(contents: Contents, disagree: str, most: int, kind: str = "") -> Iterator[Pair]:
    if contents.duplicates is None:
        return
    rows = contents.duplicates[contents.duplicates[DISAGREE] == disagree]
    rows = rows[rows[KIND] == kind] if kind else rows
    pages = contents.frame.set_index(ID, drop=False)
    for row in rows.head(most).to_dict("records"):
        yield Pair(_sameness(row), (_side(contents, pages, row, "a"), _side(contents, pages, row, "b")))


def _sameness(row: dict[str, str]) -> str:
    apart = f", {row['distance']} of 64 bits apart" if row[KIND] == "near" else ""
    return SAME[row[KIND]] + apart + (", in two splits" if row[CROSSES] == YES else "")


def _side(contents: Contents, pages: pd.DataFrame, row: dict[str, str], side: str) -> Card:
    """One page of a pair; what duplicates.csv says of it where the manifest has it not."""
    label = ", ".join(row[f"label_{side}"].split(LABEL_DELIMITER)) if contents.prepared.label.multiple else ""
    notes = (label or row[f"label_{side}"] or "no label", row[f"split_{side}"])
    page = row[f"id_{side}"]
    if page in pages.index:
        return card(contents, pages.loc[page], LARGE, *notes)
    return Card(row[f"source_{side}"] or page, "", "", notes)
