"""Writes the sample set as a volunteers' project would keep it: photographs and a table.

The same seed gives the same bytes (with the same Pillow and numpy), and leaflet n of a seed is the same however many
are drawn.
"""

import csv
import io
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ExifTags, Image

from leaflet_tool.errors import InputError
from leaflet_tool.prepare.sample.defects import photograph
from leaflet_tool.prepare.sample.layouts import LAYOUTS, print_page
from leaflet_tool.prepare.sample.settings import Photo, read_world
from leaflet_tool.prepare.sample.sheet import print_style, without_colour
from leaflet_tool.prepare.sample.words import write_leaflet
from leaflet_tool.progress import Progress, silent
from leaflet_tool.storage import locked, read_json, replacing, write_json

GENERATOR = 1
"""Raised with every change that makes other leaflets out of the same seed."""
TABLE, PARTICULARS = "leaflets.csv", "sample.json"
IN_PROCESS = 8
"""Up to so many leaflets are drawn without starting processes."""
TURN_RIGHT = 6
"""The EXIF orientation of a picture that stands upright after 90 degrees clockwise."""


class Row(NamedTuple):
    """One line of the table, a page; yes or no where it shows its party's name and colour."""

    image: str
    leaflet_id: str
    page: int
    party: str
    true_text: str
    shows_name: str
    shows_colour: str


def generate(folder: Path, *, leaflets: int, seed: int, progress: Progress = silent) -> Path:
    """Writes `images/` and `leaflets.csv` into `folder`, which it returns; a set that is there is not drawn again.

    The table comes last: a folder without it is unfinished, and the next call finishes it.
    """
    if leaflets < 1:
        raise InputError(f"a sample set of {leaflets} leaflets cannot be drawn", hint="ask for 1 or more")
    particulars = {"generator": GENERATOR, "leaflets": leaflets, "seed": seed}
    _check_unused(folder, particulars)
    with locked(folder):
        if not (folder / TABLE).exists():
            write_json(folder / PARTICULARS, particulars)
            rows = _draw(folder, leaflets, seed, progress)
            with replacing(folder / TABLE) as file:
                csv.writer(file, lineterminator="\n").writerows([Row._fields, *rows])
    return folder


def _check_unused(folder: Path, particulars: dict[str, int]) -> None:
    """An InputError where `folder` holds anything but this very sample set, whole or in part."""
    hint = "choose an empty or a new folder"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; the sample set needs a folder", hint=hint)
    if (folder / PARTICULARS).exists():
        found: Any = read_json(folder / PARTICULARS)
        if found != particulars:
            raise InputError(f"{folder} holds another sample set: {found}, not {particulars}", hint=hint)
    elif folder.is_dir() and any(entry.name != ".lock" for entry in folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no sample set", hint=hint)


def _draw(folder: Path, leaflets: int, seed: int, progress: Progress) -> list[Row]:
    """Every leaflet's rows, in order; more than a few are drawn on all cores."""
    draw, numbers = partial(_draw_leaflet, folder, seed), range(1, leaflets + 1)
    title = "Drawing leaflets"
    if leaflets <= IN_PROCESS:
        return [row for rows in progress(map(draw, numbers), total=leaflets, title=title) for row in rows]
    # Not forked: the caller may have threads.
    workers = ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))
    with workers as pool:
        drawn = pool.map(draw, numbers, chunksize=4)
        return [row for rows in progress(drawn, total=leaflets, title=title) for row in rows]


def _draw_leaflet(folder: Path, seed: int, number: int) -> list[Row]:
    """Writes the photographs of one leaflet; its rows."""
    world = read_world()
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - chance for pictures, not for secrets
    leaflet = write_leaflet(world, rng)
    style, layout = print_style(world, leaflet.party, rng), leaflet.party.layout
    name, rows = f"L{number:04d}", []
    for page in leaflet.pages:
        own = rng.random() < world.odds.own_layout
        black = page.number > 1 and rng.random() < world.odds.black_page
        look = without_colour(style, rng) if black else style
        printed = print_page(page, leaflet, layout if own else rng.choice(list(LAYOUTS)), look, rng)
        image = f"images/{name}/{page.number}.jpg"
        _write_jpeg(photograph(printed.image, world.photo, rng), folder / image, world.photo, rng)
        shows = ["yes" if shown else "no" for shown in (printed.shows_name, look.party_colour)]
        rows.append(Row(image, name, page.number, leaflet.party.name, printed.text, *shows))
    return rows


def _write_jpeg(image: Image.Image, path: Path, photo: Photo, rng: random.Random) -> None:
    """Writes the photograph, now and then on its side with the EXIF orientation that says so."""
    exif = Image.Exif()
    if rng.random() < photo.sideways:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = TURN_RIGHT
    data = io.BytesIO()
    image.save(data, "JPEG", quality=rng.randint(*photo.quality), exif=exif)
    with replacing(path, "wb") as file:
        file.write(data.getvalue())
