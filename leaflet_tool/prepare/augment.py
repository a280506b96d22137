"""Alterations of a page: how likely each is in a copy, how far it goes, and how it is drawn from given chance."""

import io
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image, ImageFilter
from pydantic import Field, model_validator

from leaflet_tool.prepare import camera
from leaflet_tool.prepare.images import TURNS, Copy, seen
from leaflet_tool.prepare.section import Percents, Range, Section, Share, Shares
from leaflet_tool.settings import AUGMENT
from leaflet_tool.storage import replacing

UNDOING = {"rotate_90", "rotate_270"}
"""Two that together leave a page as it was."""
WORDS = re.compile(r"\S+\s*")
"""A word with what parts it from the next."""


class Augment(Section):
    """Altered copies of training pages, as a definition declares them; the settings say what each number means."""

    copies: int = Field(default=AUGMENT.copies, ge=0)
    rotate_90: Share = AUGMENT.rotate_90
    rotate_270: Share = AUGMENT.rotate_270
    flip_left_right: Share = AUGMENT.flip_left_right
    flip_top_bottom: Share = AUGMENT.flip_top_bottom
    turn: Share = AUGMENT.turn
    perspective: Share = AUGMENT.perspective
    light: Share = AUGMENT.light
    blur: Share = AUGMENT.blur
    jpeg: Share = AUGMENT.jpeg
    words: Share = AUGMENT.words
    turn_degrees: Range = AUGMENT.turn_degrees
    slant: float = Field(default=AUGMENT.slant, ge=0, le=0.1)
    gain: Range = AUGMENT.gain
    tint: float = Field(default=AUGMENT.tint, ge=0, le=0.5)
    shadow: Shares = AUGMENT.shadow
    blur_radius: Range = AUGMENT.blur_radius
    quality: Percents = AUGMENT.quality

    @property
    def odds(self) -> dict[str, float]:
        """Each drawn alteration's odds, in the order in which they are drawn."""
        return {name: getattr(self, name) for name in DRAWN}

    @property
    def draws(self) -> bool:
        """Whether pictures are altered."""
        return any(self.odds.values())

    @model_validator(mode="after")
    def _alters_something(self) -> Self:
        if self.copies and not (self.draws or self.words):
            raise ValueError("copies are asked for, and no alteration has odds above 0")
        return self


Alteration = Callable[[Image.Image, Augment, random.Random], Image.Image]


@dataclass(frozen=True)
class Task:
    """One copy to be drawn from the working copy `parent`; its chance comes from `seed` alone."""

    parent: Path
    target: Path
    settings: Augment
    seed: str
    quality: int


def altered_copy(task: Task) -> Copy:
    """Writes the altered copy, whole or not at all; a working copy that cannot be read gives the reason instead."""
    try:
        with Image.open(task.parent, formats=("JPEG",)) as image:
            page = image.convert("RGB")
    except OSError as error:
        return Copy(reason=f"unreadable working copy: {error}")
    page = altered(page, task.settings, random.Random(task.seed))  # noqa: S311 - chance for pictures, not for secrets
    with replacing(task.target, "wb") as file:
        page.save(file, "JPEG", quality=task.quality)
    return seen(page, page.size, "")


def altered(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """The RGB page after one draw of alterations; it has the page's size, or lies on its side."""
    for name in chosen(settings, rng):
        page = DRAWN[name](page, settings, rng)
    return page


def chosen(settings: Augment, rng: random.Random) -> list[str]:
    """The alterations of one copy, each drawn with its own odds; never none, nor two that undo each other."""
    names = [name for name, odds in settings.odds.items() if rng.random() < odds]
    if set(names) >= UNDOING:
        names = [name for name in names if name not in UNDOING]
    return names or rng.choices(list(settings.odds), weights=list(settings.odds.values()))


def reworded(text: str, share: float, rng: random.Random) -> str:
    """The text with each word left out at odds `share`: at least one goes, one stays, and a lone one is left alone.

    Random deletion as in EDA (Wei & Zou 2019), whose other operations need a thesaurus or change the order.
    """
    words = WORDS.findall(text)
    if len(words) < 2:
        return text
    left = [word for word in words if rng.random() >= share]
    if len(left) == len(words):
        del left[rng.randrange(len(words))]
    return "".join(left or [rng.choice(words)]).strip()


def _transposed(how: Image.Transpose) -> Alteration:
    return lambda page, _settings, _rng: page.transpose(how)


def _turned(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """Turned a little to either side."""
    degrees = rng.choice((-1, 1)) * rng.uniform(*settings.turn_degrees)
    return _laid(page, math.radians(degrees), 0.0, rng)


def _slanted(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """Seen from a point that is not above its middle."""
    return _laid(page, 0.0, settings.slant, rng)


def _laid(page: Image.Image, turn: float, slant: float, rng: random.Random) -> Image.Image:
    """The page with its corners moved, in a frame of its size; what it leaves uncovered has the colour of its edge."""
    corners = camera.corners(page.size, (page.width / 2, page.height / 2), turn, slant, rng)
    return page.transform(
        page.size,
        Image.Transform.PERSPECTIVE,
        camera.perspective(page.size, corners),
        Image.Resampling.BICUBIC,
        fillcolor=_edge(page),
    )


def _edge(page: Image.Image) -> tuple[int, int, int]:
    """The median colour of the outermost pixels."""
    levels = np.asarray(page)
    outermost = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    red, green, blue = np.median(outermost, axis=0).astype(int).tolist()
    return red, green, blue


def _lit(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """In another light, with a shadow over it."""
    return camera.eight_bits(camera.lit(page, rng.uniform(*settings.gain), settings.tint, settings.shadow, rng))


def _blurred(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """Out of focus, as much whatever the page's size."""
    return page.filter(ImageFilter.GaussianBlur(rng.uniform(*settings.blur_radius) * max(page.size) / 1000))


def _compressed(page: Image.Image, settings: Augment, rng: random.Random) -> Image.Image:
    """As a messenger or an old archive would keep it."""
    file = io.BytesIO()
    page.save(file, "JPEG", quality=rng.randint(*settings.quality))
    return Image.open(file).convert("RGB")


DRAWN: dict[str, Alteration] = {
    "rotate_90": _transposed(TURNS[90]),
    "rotate_270": _transposed(TURNS[270]),
    "flip_left_right": _transposed(Image.Transpose.FLIP_LEFT_RIGHT),
    "flip_top_bottom": _transposed(Image.Transpose.FLIP_TOP_BOTTOM),
    "turn": _turned,
    "perspective": _slanted,
    "light": _lit,
    "blur": _blurred,
    "jpeg": _compressed,
}
"""How each alteration is drawn."""
