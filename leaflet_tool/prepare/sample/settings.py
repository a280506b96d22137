"""What the generator's YAML declares: parties, words, odds and the photographs' defects."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from leaflet_tool.errors import InputError
from leaflet_tool.resources import shipped

Range = tuple[float, float]


@dataclass(frozen=True)
class Party:
    """An invented party; `share` is its part of all leaflets, colours are `#rrggbb`."""

    name: str
    short: str
    share: float
    colour: str
    accent: str
    logo: str
    layout: str
    font: str
    themes: list[str]
    people: list[str]
    slogans: list[str]


@dataclass(frozen=True)
class Odds:
    """How often a leaflet, page or sentence is one way or the other, 0 to 1; `pages` are weights."""

    pages: list[float]
    unnamed_leaflet: float
    unnamed_page: float
    black_print: float
    foreign_colour: float
    black_page: float
    own_slogan: float
    rival_named: float
    rival_named_alone: float
    own_people_word: float
    own_theme: float
    own_layout: float


@dataclass(frozen=True)
class Photo:
    """What a hand-held camera does to a page; the YAML says the units."""

    sideways: float
    turn: float
    perspective: float
    crease: float
    shadow: Range
    light: Range
    tint: float
    fade: Range
    blur: Range
    bad: float
    bad_blur: Range
    noise: Range
    quality: tuple[int, int]
    surfaces: list[str]


@dataclass(frozen=True)
class Words:
    """Word lists and sentences with slots, shared by all parties."""

    towns: list[str]
    first_names: list[str]
    last_names: list[str]
    roads: list[str]
    days: list[str]
    people: list[str]
    headlines: list[str]
    named_headlines: list[str]
    slogans: list[str]
    calls: list[str]
    named_calls: list[str]
    rivals: list[str]
    openings: list[str]
    closings: list[str]
    imprint: str
    themes: dict[str, list[str]]


@dataclass(frozen=True)
class World:
    """Everything the generator draws from."""

    odds: Odds
    photo: Photo
    foreign_colours: list[str]
    parties: list[Party]
    words: Words


@cache
def read_world() -> World:
    """The settings that ship with the tool, `datasets/sample_generator.yaml`."""
    path = shipped("datasets") / "sample_generator.yaml"
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return World(
            odds=Odds(**data.pop("odds")),
            photo=Photo(**data.pop("photo")),
            foreign_colours=data.pop("foreign_colours"),
            parties=[Party(**party) for party in data.pop("parties")],
            words=Words(**data),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not declare what the generator needs: {error}") from error
