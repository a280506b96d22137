"""Regions of pages: halves that models look at beside the whole, made in parallel and only where something changed.

They are cut from the working copy, not from the original: it stands upright, an altered copy is nothing else, and what
a model sees of a region is then what the whole page shows there. It has the pixels, since a definition must leave it
twice a region's side (`Dataset`); a page of A4 at the default 1,600 pixels is made smaller more than twice either way.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from leaflet_tool.manifest import IMAGE, IMAGE_REGIONS
from leaflet_tool.prepare.copies import spread
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.images import UNREADABLE
from leaflet_tool.prepare.parallel import Lost
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.storage import replacing

log = logging.getLogger(__name__)
CUTS = {"top": ((1, 2), (0, 0)), "bottom": ((1, 2), (0, 1)), "left": ((2, 1), (0, 0)), "right": ((2, 1), (1, 0))}
"""Width and height of the page of which a region is half, and where its top left corner lies; in sides of a region."""


@dataclass(frozen=True)
class Task:
    """The regions of one working copy: their names, their files, and their side in pixels."""

    page: Path
    names: tuple[str, ...]
    targets: tuple[Path, ...]
    side: int
    quality: int


def cut(task: Task) -> str:
    """Writes the regions, each whole or not at all; the reason where there are none."""
    try:
        with Image.open(task.page, formats=("JPEG",)) as image:
            page = image.convert("RGB")
    except OSError as error:
        return f"unreadable working copy: {error}"
    for name, target in zip(task.names, task.targets, strict=True):
        with replacing(target, "wb") as file:
            region(page, name, task.side).save(file, "JPEG", quality=task.quality)
    return ""


def region(page: Image.Image, name: str, side: int) -> Image.Image:
    """The page resized so that the axis that is cut is twice the side and the other one the side; of that the half."""
    (width, height), (left, top) = CUTS[name]
    whole = page.resize((width * side, height * side), Image.Resampling.LANCZOS)
    return whole.crop((left * side, top * side, (left + 1) * side, (top + 1) * side))


def file_name(image: str, name: str) -> str:
    """The file of a region, beside the working copy `image`, whose own name has no dot but that of its suffix."""
    return f"{image.removesuffix('.jpg')}.{name}.jpg"


def files(page: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The files of the regions of a working copy."""
    return tuple(page.with_name(file_name(page.name, name)) for name in names)


def made(
    frame: pd.DataFrame,
    pages: pd.Series,
    out: Path,
    dataset: Dataset,
    store: Store,
    *,
    workers: int = 0,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.Series]:
    """`frame` with the regions of those of its rows that are `pages`, and the reasons why rows have none.

    `store` knows the working copies under `out` by file name, and remembers what each region was cut from.
    """
    images = frame.loc[pages & frame[IMAGE].ne(""), IMAGE]
    frame, reasons = frame.copy(), pd.Series("", index=frame.index, dtype=str)
    for name in dataset.regions:
        column = IMAGE_REGIONS[name]
        frame[column] = frame.get(column, "")
        frame.loc[images.index, column] = [file_name(image, name) for image in images]
    if dataset.regions:
        lost = _cut([_task(out, image, dataset) for image in images.unique()], store, workers, progress)
        reasons[images.index] = [lost.get(out / image, "") for image in images]
    return frame, reasons


def _task(out: Path, image: str, dataset: Dataset) -> Task:
    page, names = out / image, dataset.regions
    return Task(page, names, files(page, names), dataset.region_side, dataset.images.jpeg_quality)


def _cut(tasks: Sequence[Task], store: Store, workers: int, progress: Progress) -> dict[Path, str]:
    """Cuts what an earlier run did not cut from the same; the reason for each working copy that has no regions."""
    states = {task.page: _state(task, store) for task in tasks}
    wanted = [left for task in tasks if (left := _left(task, states[task.page], store)).names]
    log.debug("the regions of %d of %d working copies are as they should be", len(tasks) - len(wanted), len(tasks))
    lost: dict[Path, str] = {}
    folders = {task.page.parent for task in wanted}
    with spread(cut, wanted, folders, workers, progress, title="cutting regions") as results:
        for task, result in results:
            if reason := f"{UNREADABLE}: {result.reason}" if isinstance(result, Lost) else result:
                lost[task.page] = reason
            else:
                store.put_all({target.name: {"made_from": states[task.page]} for target in task.targets})
    return lost


def _state(task: Task, store: Store) -> list[Any]:
    """What regions depend on: the working copy as `store` knows it, and the settings."""
    page = store.get(task.page.name) or {}
    return [page.get("made_from"), page.get("turn"), task.side, task.quality]


def _left(task: Task, state: list[Any], store: Store) -> Task:
    """The task without the regions that an earlier run cut from this state."""
    left = [
        (name, target)
        for name, target in zip(task.names, task.targets, strict=True)
        if (store.get(target.name) or {}).get("made_from") != state or not target.is_file()
    ]
    return replace(task, names=tuple(name for name, _ in left), targets=tuple(target for _, target in left))
