"""How a page is laid out: five plans that place headline, picture, text, points and imprint."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from leaflet_tool.prepare.sample.pictures import bar_chart, portrait, sign, street
from leaflet_tool.prepare.sample.sheet import HEIGHT, MARGIN, SMALLPRINT, WIDTH, Box, Sheet, Style, mix, readable_on
from leaflet_tool.prepare.sample.words import Leaflet, Page

FLOOR = HEIGHT - 62
"""Where the imprint begins."""


class Printed(NamedTuple):
    """A printed page, its text (a line per block, in reading order) and whether that tells the party."""

    image: Image.Image
    text: str
    shows_name: bool


def print_page(page: Page, leaflet: Leaflet, layout: str, style: Style, rng: random.Random) -> Printed:
    """One of the leaflet's pages in one of `LAYOUTS`."""
    sheet = Sheet(style)
    LAYOUTS[layout](Job(sheet, page, leaflet, rng))
    sheet.write(page.imprint, (MARGIN, FLOOR + 8), WIDTH - 2 * MARGIN, SMALLPRINT)
    text = "\n".join(sheet.said)
    return Printed(sheet.image, text, leaflet.party.short in text)


@dataclass(frozen=True)
class Job:
    """A page at the printer's, with what every layout does to it."""

    sheet: Sheet
    page: Page
    leaflet: Leaflet
    rng: random.Random

    def picture(self, box: Box) -> None:
        """The candidate on the first page; later a street, or the last result where the page tells the party."""
        left, top, right, bottom = box
        size = (right - left, bottom - top)
        if self.page.number == 1:
            self.sheet.paste(portrait(*size, self.sheet.style.main, self.rng), (left, top))
        elif self.page.brand and self.rng.random() < 0.35:
            bar_chart(self.sheet, box, [self.leaflet.party, *self.leaflet.rivals], self.rng)
        else:
            self.sheet.paste(street(*size, self.rng), (left, top))

    def brand(self, at: tuple[int, int], width: int, size: int, on_main: bool) -> int:
        """The party's sign and name, where the page tells them; the y below."""
        if not self.page.brand:
            return at[1]
        style = self.sheet.style
        colour = readable_on(style.main) if on_main else style.main
        radius = round(size * 0.9)
        sign(self.sheet, self.leaflet.party.logo, (at[0] + radius, at[1] + radius), radius, colour)
        start = at[0] + 2 * radius + 14
        below = self.sheet.write(
            self.page.brand, (start, at[1] + radius // 4), width - 2 * radius - 14, size, bold=True, colour=colour
        )
        return max(below, at[1] + 2 * radius) + 10

    def headline(
        self, at: tuple[int, int], width: int, size: int, *, on_main: bool = False, centred: bool = False
    ) -> int:
        """The headline; the y below."""
        style = self.sheet.style
        colour = readable_on(style.main) if on_main else mix(style.main, (0, 0, 0), 0.25)
        return self.sheet.write(self.page.headline, at, width, size, bold=True, colour=colour, centred=centred) + 8

    def paragraphs(self, box: Box, texts: list[str]) -> int:
        """As many of `texts` as fit into `box`; the y below."""
        left, top, right, bottom = box
        for text in texts:
            top = self.sheet.write_if_fits(text, (left, top, right, bottom)) + 12
        return top

    def points(self, box: Box) -> int:
        """As many of the page's points as fit into `box`, with bullets; the y below."""
        left, top, right, bottom = box
        for text in self.page.points:
            top = self.sheet.write_if_fits(text, (left, top, right, bottom), bullet=True) + 6
        return top

    def band(self, text: str, top: int, bottom: int, size: int) -> None:
        """A strip of the main colour across the page with `text` in its middle."""
        style = self.sheet.style
        self.sheet.block((0, top, WIDTH, bottom), style.main)
        below = self.sheet.height_of(text, WIDTH - 2 * MARGIN, size, bold=True)
        self.sheet.write(
            text, (MARGIN, top + (bottom - top - below) // 2), WIDTH - 2 * MARGIN, size,
            bold=True, colour=readable_on(style.main), centred=True,
        )  # fmt: skip


def banner(job: Job) -> None:
    """A coloured head with the headline, picture and lead below it, a coloured foot."""
    height = 36 + job.sheet.height_of(job.page.headline, WIDTH - 2 * MARGIN, 38, bold=True)
    height += 60 if job.page.brand else 0
    job.sheet.block((0, 0, WIDTH, height), job.sheet.style.main)
    top = job.brand((MARGIN, 14), WIDTH - 2 * MARGIN, 28, on_main=True)
    job.headline((MARGIN, top + 4), WIDTH - 2 * MARGIN, 38, on_main=True)
    job.sheet.block((0, height, WIDTH, height + 10), job.sheet.style.accent)
    top, middle = height + 30, WIDTH // 2 - 40
    job.picture((MARGIN, top, middle, top + 270))
    lead = job.sheet.write(job.page.slogan, (middle + 20, top), WIDTH - MARGIN - middle - 20, 25, bold=True) + 8
    lead = job.paragraphs((middle + 20, lead, WIDTH - MARGIN, top + 420), job.page.paragraphs[:1])
    top = max(top + 286, lead)
    top = job.points((MARGIN, top, WIDTH - MARGIN, FLOOR - 70))
    job.paragraphs((MARGIN, top + 4, WIDTH - MARGIN, FLOOR - 66), job.page.paragraphs[1:])
    job.band(job.page.call, FLOOR - 62, FLOOR, 25)


def side(job: Job) -> None:
    """A coloured column with picture, slogan and call, the text on the right."""
    edge = 236
    column = job.sheet.style.main
    job.sheet.block((0, 0, edge, FLOOR), column)
    job.picture((18, 26, edge - 18, 276))
    top = job.sheet.write(job.page.slogan, (18, 296), edge - 30, 24, bold=True, colour=readable_on(column)) + 30
    job.sheet.block((18, top, edge - 18, top + 6), job.sheet.style.accent)
    job.sheet.write(job.page.call, (18, top + 30), edge - 30, 23, colour=readable_on(column))
    left, right = edge + 24, WIDTH - MARGIN + 8
    top = job.brand((left, 24), right - left, 26, on_main=False)
    top = job.headline((left, max(top, 30)), right - left, 34)
    top = job.paragraphs((left, top + 6, right, FLOOR - 180), job.page.paragraphs)
    job.points((left, top + 6, right, FLOOR - 10))


def centre(job: Job) -> None:
    """Everything on the middle line, the points in a tinted box."""
    style, wide = job.sheet.style, WIDTH - 2 * MARGIN
    job.sheet.block((0, 0, WIDTH, 28), style.main)
    top = job.headline((MARGIN, 40), wide, 40, centred=True)
    top = job.sheet.write(job.page.slogan, (MARGIN, top), wide, 26, colour=style.accent, bold=True, centred=True) + 14
    job.picture((WIDTH // 2 - 150, top, WIDTH // 2 + 150, top + 240))
    top = job.paragraphs((MARGIN, top + 258, WIDTH - MARGIN, top + 430), job.page.paragraphs[:1])
    job.sheet.block((MARGIN - 10, top, WIDTH - MARGIN + 10, FLOOR - 130), mix(style.main, (255, 255, 255), 0.82), 14)
    job.points((MARGIN + 8, top + 14, WIDTH - MARGIN - 8, FLOOR - 134))
    below = job.brand((MARGIN + 60, FLOOR - 122), wide, 28, on_main=False)
    job.sheet.write(job.page.call, (MARGIN, max(below, FLOOR - 60)), wide, 24, bold=True, centred=True)


def news(job: Job) -> None:
    """A local newspaper: a title, a wide picture and two columns."""
    style, wide = job.sheet.style, WIDTH - 2 * MARGIN
    job.band(job.page.slogan, 0, 88, 34)
    job.sheet.block((0, 88, WIDTH, 94), style.accent)
    top = job.headline((MARGIN, 110), wide, 36)
    job.picture((MARGIN, top + 4, WIDTH - MARGIN, top + 220))
    top, middle = top + 236, WIDTH // 2
    job.paragraphs((MARGIN, top, middle - 12, FLOOR - 80), job.page.paragraphs)
    job.sheet.block((middle - 1, top, middle + 1, FLOOR - 84), mix(style.accent, style.paper, 0.3))
    job.points((middle + 14, top, WIDTH - MARGIN, FLOOR - 84))
    job.sheet.block((0, FLOOR - 72, WIDTH, FLOOR - 68), style.accent)
    below = job.brand((MARGIN, FLOOR - 62), wide // 2, 22, on_main=False)
    if below == FLOOR - 62:
        job.sheet.write(job.page.call, (MARGIN, below + 14), wide, 24, bold=True)


def letter(job: Job) -> None:
    """A letter: the sign above, long paragraphs, a signature and little colour."""
    style, wide, texts = job.sheet.style, WIDTH - 2 * MARGIN, ["Dear friend,", *job.page.paragraphs]
    job.sheet.block((0, 0, 20, HEIGHT), style.main)
    top = job.brand((MARGIN, 26), wide, 28, on_main=False) + 12
    top = job.headline((MARGIN, top), wide, 30) + 6
    if job.page.number > 1 or job.rng.random() < 0.6:
        below = top + 200
        job.picture((WIDTH - MARGIN - 190, top, WIDTH - MARGIN, below))
        top = job.paragraphs((MARGIN, top, WIDTH - MARGIN - 206, top + 320), texts[:2])
        top, texts = max(top, below + 12), texts[2:]
    top = job.paragraphs((MARGIN, top, WIDTH - MARGIN, FLOOR - 110), texts)
    job.points((MARGIN, top, WIDTH - MARGIN, FLOOR - 110))
    job.sheet.write(job.page.slogan, (MARGIN, FLOOR - 104), wide, 23, bold=True, colour=style.accent)
    job.sheet.write(job.page.call, (MARGIN, FLOOR - 62), wide, 23, bold=True)


LAYOUTS: dict[str, Callable[[Job], None]] = {
    "banner": banner,
    "side": side,
    "centre": centre,
    "news": news,
    "letter": letter,
}
