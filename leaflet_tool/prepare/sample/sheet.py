"""A sheet of paper: sets wrapped text in bundled fonts and keeps what was set, in reading order."""

import random
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

from leaflet_tool.errors import MissingError
from leaflet_tool.prepare.sample.settings import Party, World

WIDTH, HEIGHT, MARGIN = 700, 1000, 34
SMALLPRINT = 15
LINE = 1.28
"""Height of a line over the size of its font."""
FONTS = {
    "sans": ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", 1.0),
    "serif": ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", 1.0),
    "times": ("STIXGeneral.ttf", "STIXGeneralBol.ttf", 1.2),
}
"""Regular face, bold face and what makes them look as large as the others."""

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Style:
    """How a page is printed; a page without colour has greys in all its places."""

    paper: Colour
    ink: Colour
    main: Colour
    accent: Colour
    font: str
    body: int
    """Size of the body's font, pixels."""
    coloured: bool
    party_colour: bool


def print_style(world: World, party: Party, rng: random.Random) -> Style:
    """The leaflet's ink and type: usually the party's colours, else black or a colour that says nothing."""
    chance = rng.random()
    black = chance < world.odds.black_print
    foreign = not black and chance < world.odds.black_print + world.odds.foreign_colour
    main, accent = party.colour, party.accent
    if foreign:
        main, accent = rng.choice(world.foreign_colours), rng.choice(world.foreign_colours)
    style = Style(
        paper=rng.choice([(255, 255, 255), (252, 250, 244), (246, 246, 243)]),
        ink=rng.choice([(20, 20, 20), (45, 45, 50)]),
        main=_jitter(main, rng),
        accent=_jitter(accent, rng),
        font=party.font if rng.random() < world.odds.own_layout else rng.choice(list(FONTS)),
        body=rng.randint(21, 24),
        coloured=True,
        party_colour=not foreign,
    )
    return without_colour(style, rng) if black else style


def without_colour(style: Style, rng: random.Random) -> Style:
    """The same type in black print."""
    dark, light = rng.randint(25, 95), rng.randint(110, 165)
    return replace(style, main=(dark,) * 3, accent=(light,) * 3, coloured=False, party_colour=False)


def _jitter(colour: str, rng: random.Random, spread: int = 14) -> Colour:
    red, green, blue = (
        min(255, max(0, level + rng.randint(-spread, spread))) for level in ImageColor.getrgb(colour)[:3]
    )
    return red, green, blue


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with `share` (0 to 1) of it replaced by `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def readable_on(colour: Colour) -> Colour:
    """White, or black on light colours (luma after ITU-R BT.601)."""
    red, green, blue = colour
    return (20, 20, 20) if 0.299 * red + 0.587 * green + 0.114 * blue > 165 else (255, 255, 255)


@cache
def font_folder() -> Path:
    """Where matplotlib keeps its fonts, found without importing it."""
    found = find_spec("matplotlib")
    if not found or not found.submodule_search_locations:
        raise MissingError("matplotlib, whose fonts the sample set is printed in, is not installed")
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"


@cache
def font(family: str, size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """A face at `size` pixels; the basic layout engine, because the other one depends on the machine's libraries."""
    regular, strong, scale = FONTS[family]
    path = font_folder() / (strong if bold else regular)
    return ImageFont.truetype(path, round(size * scale), layout_engine=ImageFont.Layout.BASIC)


def wrap(text: str, face: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and face.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


class Sheet:
    """One page being printed; `said` is its text so far."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.image = Image.new("RGB", (WIDTH, HEIGHT), style.paper)
        self.draw = ImageDraw.Draw(self.image)
        self.said: list[str] = []

    def block(self, box: Box, colour: Colour, radius: int = 0) -> None:
        """A filled rectangle (left, top, right, bottom)."""
        self.draw.rounded_rectangle(box, radius, fill=colour)

    def height_of(self, text: str, width: int, size: int, bold: bool = False) -> int:
        """Pixels that `write` would take."""
        return round(len(wrap(text, font(self.style.font, size, bold), width)) * size * LINE)

    def write(
        self, text: str, at: tuple[int, int], width: int, size: int, *,
        bold: bool = False, colour: Colour | None = None, centred: bool = False,
    ) -> int:  # fmt: skip
        """Sets `text` from the top left corner `at`; the y below its last line."""
        face = font(self.style.font, size, bold)
        left, top = at
        for number, line in enumerate(wrap(text, face, width)):
            indent = (width - face.getlength(line)) / 2 if centred else 0
            place = (left + indent, top + number * size * LINE)
            self.draw.text(place, line, fill=colour or self.style.ink, font=face)
        self.said.append(text)
        return top + self.height_of(text, width, size, bold)

    def write_if_fits(self, text: str, box: Box, *, size: int = 0, bold: bool = False, bullet: bool = False) -> int:
        """As `write` within `box`, or the top unchanged where the text is too long for it."""
        left, top, right, bottom = box
        size, indent = size or self.style.body, 24 if bullet else 0
        if top + self.height_of(text, right - left - indent, size, bold) > bottom:
            return top
        if bullet:
            middle = top + round(size * 0.65)
            self.draw.ellipse((left + 2, middle - 6, left + 14, middle + 6), fill=self.style.main)
        return self.write(text, (left + indent, top), right - left - indent, size, bold=bold)

    def paste(self, picture: Image.Image, at: tuple[int, int]) -> None:
        """Puts a picture down, in greys where the page has no colour."""
        self.image.paste(picture if self.style.coloured else picture.convert("L"), at)
