"""The drawings of a prepared folder's report, each with its content in words and in numbers."""

from collections.abc import Iterator

import pandas as pd

from leaflet_tool.manifest import BRIGHTNESS, HEIGHT, OCR_CONFIDENCE, SHARPNESS, SPLITS, WIDTH
from leaflet_tool.measure import data_figures, figures
from leaflet_tool.results import data_tables as tables
from leaflet_tool.results.data_contents import PAGES, Contents
from leaflet_tool.results.page import Cell, Picture, Table, svg_uri
from leaflet_tool.results.words import counted, figure, percent

BARS = 40
"""A drawing has a bar for so many classes at most."""
READINGS = {
    SHARPNESS: "The variance of the Laplacian of the page at 512 pixels: low for blurred pages and for empty ones.",
    BRIGHTNESS: "The mean grey level of the page: 0 is black, 255 is white.",
    OCR_CONFIDENCE: "The mean of Tesseract's confidence in the words of a page, 0 to 100; it is no promise that the "
    "words are right.",
    "words": "A logarithmic axis has no place for them, so they are not drawn.",
}


def classes(contents: Contents) -> list[Picture]:
    """Pages by class: a bar each, and the fall from the commonest to the rarest where there are many."""
    counts = contents.classes[PAGES]
    drawn = [_bars(contents, counts.head(BARS))] if len(counts) else []
    return [_tail(counts), *drawn] if len(counts) > BARS else drawn


def _bars(contents: Contents, counts: pd.Series) -> Picture:
    whole = len(counts) == len(contents.classes)
    wide = data_figures.is_wide(counts)
    return Picture(
        title="Pages by class" if whole else f"Pages of the {len(counts)} commonest classes",
        uri=svg_uri(figures.svg(data_figures.bars({str(name): int(n) for name, n in counts.items()}, unit="pages"))),
        alt="Pages by class: " + "; ".join(f"{name} {n:,}" for name, n in counts.items()),
        reading="Each step of a logarithmic axis multiplies: the rarest classes would not be seen otherwise." * wide,
        table=tables.classes(contents),
    )


def _tail(counts: pd.Series) -> Picture:
    tenth = max(1, round(len(counts) / 10))
    held = percent(counts.head(tenth).sum(), counts.sum())
    return Picture(
        title=f"The long tail: pages of all {len(counts):,} classes",
        uri=svg_uri(figures.svg(data_figures.ranks(counts.tolist(), unit="pages"))),
        alt=f"Pages by class, from {counts.iloc[0]:,} of the commonest to {counts.iloc[-1]:,} of the rarest; half of "
        f"the classes have {figure(counts.median())} pages or fewer.",
        reading=f"The commonest tenth of the classes ({tenth:,}) has {held} of the pages; half of the classes have "
        f"{figure(counts.median())} or fewer, the rarest {counts.iloc[-1]:,}.",
    )


def balance(contents: Contents) -> Picture | None:
    """How each class is divided among the splits."""
    rows = contents.classes.head(BARS)
    if rows.empty:
        return None
    shown = {str(name): [int(row[split]) for split in SPLITS] for name, row in rows.iterrows()}
    whole = len(rows) == len(contents.classes)
    return Picture(
        title="How each class is divided" if whole else f"How the {len(rows)} commonest classes are divided",
        uri=svg_uri(figures.svg(data_figures.shares(shown, SPLITS, unit="pages"))),
        alt=f"Share of {', '.join(SPLITS)} by class: "
        + "; ".join(f"{name} {', '.join(percent(n, sum(counts)) for n in counts)}" for name, counts in shown.items()),
        reading="The dashed lines are where all pages together are divided: the nearer the borders are to them, the "
        "better is the balance. Leaflets stay whole, so small classes cannot be divided evenly.",
        table=tables.balance(contents),
    )


def pages(contents: Contents) -> Iterator[Picture]:
    """Sizes, brightness and sharpness of the images."""
    for column, label in ((BRIGHTNESS, "brightness, grey level"), (SHARPNESS, "sharpness, variance")):
        if contents.numbers(column).nunique() > 1:
            yield _histogram(column.capitalize(), contents.numbers(column), label, READINGS[column])
    sizes = pd.DataFrame({name: contents.numbers(name) for name in (WIDTH, HEIGHT)}).dropna()
    if sizes.nunique().max() > 1:
        yield _sizes(sizes)


def one_size(contents: Contents) -> str:
    """The size of all images where they have but one."""
    found = [contents.numbers(name).unique() for name in (WIDTH, HEIGHT)]
    if any(len(values) != 1 for values in found):
        return ""
    return f"All images are {found[0][0]:,.0f} × {found[1][0]:,.0f} pixels."


def _sizes(sizes: pd.DataFrame) -> Picture:
    tall, broad = (sizes[HEIGHT] > sizes[WIDTH]).sum(), (sizes[HEIGHT] < sizes[WIDTH]).sum()
    shape = (
        f"{percent(tall, len(sizes))} are taller than wide, {percent(broad, len(sizes))} wider than tall, "
        f"{percent(len(sizes) - tall - broad, len(sizes))} square."
    )
    both = [tables.quantiles(name, sizes[name]).rows[0] for name in (WIDTH, HEIGHT)]
    rows = [[Cell(name), *row[1:]] for name, row in zip(("width", "height"), both, strict=True)]
    return Picture(
        title="Width and height",
        uri=svg_uri(figures.svg(data_figures.sizes(sizes[WIDTH], sizes[HEIGHT]))),
        alt=f"{len(sizes):,} images from {sizes[WIDTH].min():,.0f} × {sizes[HEIGHT].min():,.0f} pixels on; {shape}",
        reading=f"Of the originals, upright: {shape} Larger dots stand for more pages; square ones lie on the line.",
        table=Table(f"Pixels of {len(sizes):,} images", ["", *tables.QUANTILES], rows),
    )


def text(contents: Contents) -> Iterator[Picture]:
    """Words a page, and Tesseract's confidence in them."""
    words = contents.words
    if words.nunique() > 1:
        tail = data_figures.has_tail(words)
        empty = int((words == 0).sum())
        without = (
            f"{counted(empty, 'page')} of {len(words):,} without a word. " if empty else "No page is without a word."
        )
        reading = without + READINGS["words"] * (tail and empty > 0)
        yield _histogram("Words a page", words, "words", reading)
    confidence = contents.numbers(OCR_CONFIDENCE)
    if confidence.nunique() > 1:
        yield _histogram("Tesseract's confidence", confidence, "mean confidence", READINGS[OCR_CONFIDENCE])


def _histogram(title: str, values: pd.Series, label: str, reading: str) -> Picture:
    low, high = values.quantile(0.05), values.quantile(0.95)
    return Picture(
        title=title,
        uri=svg_uri(figures.svg(data_figures.histogram(values, label=label))),
        alt=f"{title} of {len(values):,} pages: from {figure(values.min())} to {figure(values.max())}, median "
        f"{figure(values.median())}; nine in ten lie between {figure(low)} and {figure(high)}.",
        reading=reading.strip(),
        table=tables.quantiles(title, values),
    )
