"""Pages that stand alone: one HTML file with its style and pictures inside, everything in it escaped."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


ARROW = "\u00a0→\u00a0"
"""Between two figures that stay on one line."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, a smaller second line, and whether it stands out."""

    text: str
    second: str = ""
    strong: bool = False


def measured(figure: Mapping[str, Any] | None, *, strong: bool = False) -> Cell:
    """A figure (`value`, `low`, `high`) and below it its interval, where it has one; a dash for none."""
    if figure is None:
        return Cell("–")
    bounds = "" if figure["low"] is None else f"{figure['low']:.3f} to {figure['high']:.3f}"
    return Cell(f"{figure['value']:.3f}", bounds, strong)


@dataclass(frozen=True)
class Table:
    """A table for a page: heads of the columns, and rows whose first cell is the row's head."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words: Collection[int] = ()
    """The columns that hold words, which are set to the left; numbers are set to the right."""


@dataclass(frozen=True)
class Picture:
    """A figure for a page: `uri` holds the picture itself, `alt` its content in words, `reading` how to read it."""

    title: str
    uri: str
    alt: str
    reading: str = ""
    table: Table | None = None
    """The same in numbers."""


def render(template: str, **context: Any) -> str:
    """The page as text; a name that `context` lacks is an error."""
    return templates(TEMPLATES).get_template(template).render(context)


def templates(folder: Path) -> Environment:
    """The templates of a folder: what they are given is escaped, and a name that they are not given is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def svg_uri(svg: str) -> str:
    """A drawing as a data URI: as a picture of its own, its ids can't meet another drawing's."""
    return _uri("image/svg+xml", svg.encode())


def png_uri(png: bytes) -> str:
    """A picture as a data URI."""
    return _uri("image/png", png)


def jpeg_uri(jpeg: bytes) -> str:
    """A photograph as a data URI."""
    return _uri("image/jpeg", jpeg)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
