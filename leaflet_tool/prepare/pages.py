"""Pages: rows with their working copies made and their text read, for training and for prediction alike."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from leaflet_tool.manifest import (
    BRIGHTNESS,
    HEIGHT,
    ID,
    IMAGE,
    OCR_CONFIDENCE,
    OCR_STATUS,
    OCR_WORDS,
    ROTATION,
    SHARPNESS,
    TEXT,
    WIDTH,
)
from leaflet_tool.prepare import copies, output, regions
from leaflet_tool.prepare.dataset import Dataset, Images, Ocr
from leaflet_tool.prepare.images import Copy, Task
from leaflet_tool.prepare.sources.rows import DIGEST, FINE, FRAME, LAYER, ORIGINAL, PHASH, Rows
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE, Backend

UNREAD, NOT_RUN = "", "not_run"
"""OCR_STATUS of a page that is still to be read, and of one that is not going to be."""


def reader_version(ocr: Ocr) -> str | None:
    """Version of the Tesseract that `ocr` asks for, if it does; a MissingError when it cannot read the language."""
    if ocr.engine == "none":
        return None
    from leaflet_tool.prepare.ocr import tesseract_version

    return tesseract_version(ocr.language, ocr.orientation)


Wanted = Callable[[pd.DataFrame, Collection[int]], pd.Series]
"""Which rows need a working copy, given those that were found unreadable so far, by their index."""


def everything(frame: pd.DataFrame, _broken: Collection[int]) -> pd.Series:
    """Every row of `frame`."""
    return pd.Series(True, index=frame.index)


def copied(
    rows: Rows,
    out: Path,
    images: Images,
    store: Store,
    *,
    wanted: Wanted = everything,
    workers: int = 0,
    progress: Progress = silent,
) -> Rows:
    """Rows whose image became a working copy under `out`: IMAGE names it, ORIGINAL what it was made from.

    Rows that are not `wanted` in the end are as if nobody had looked at them: they only have the name of their copy.
    """
    names = [f"{output.IMAGES}/{output.copy_name(page)}" for page in rows.frame[ID]]
    pictured = rows.frame[IMAGE] != ""
    frame = rows.frame.assign(**{ORIGINAL: rows.frame[IMAGE], IMAGE: pd.Series(names, dtype=str).where(pictured, "")})
    made: dict[int, Copy] = {}
    while True:
        reach = wanted(frame, [number for number, copy in made.items() if copy.reason])
        new = frame[reach & pictured & ~frame.index.isin(made)]
        if new.empty:
            break
        made |= zip(new.index, _made(new, rows.root, out, images, store, workers, progress), strict=True)
    made = {number: copy for number, copy in made.items() if reach[number]}
    frame, reasons = _seen(frame, made), pd.Series("", index=frame.index, dtype=str)
    reasons[list(made)] = [copy.reason for copy in made.values()]
    return replace(rows, frame=frame).without(reasons)


def _made(
    frame: pd.DataFrame, root: Path, out: Path, images: Images, store: Store, workers: int, progress: Progress
) -> list[Copy]:
    """The working copy of each row, turned as ROTATION says where it says anything."""
    tasks = [
        Task(
            source=root / row[ORIGINAL],
            target=out / row[IMAGE],
            max_side=images.max_side,
            quality=images.jpeg_quality,
            max_pixels=images.max_pixels,
            frame=int(row[FRAME] or 0),
            turn=int(row[ROTATION]) if row[ROTATION] else None,
        )
        for row in frame[[ORIGINAL, IMAGE, FRAME, ROTATION]].to_dict("records")
    ]
    return copies.make(tasks, store, workers=workers, progress=progress)


def _seen(frame: pd.DataFrame, made: Mapping[int, Copy]) -> pd.DataFrame:
    """`frame` with what was seen of its images, by the index of their rows."""
    columns = {
        DIGEST: [copy.digest for copy in made.values()],
        PHASH: [copy.phash for copy in made.values()],
        FINE: [copy.fine for copy in made.values()],
        WIDTH: [str(copy.width) for copy in made.values()],
        HEIGHT: [str(copy.height) for copy in made.values()],
        BRIGHTNESS: [str(copy.brightness) for copy in made.values()],
        SHARPNESS: [str(copy.sharpness) for copy in made.values()],
        LAYER: [copy.layer for copy in made.values()],
    }
    frame = frame.copy()
    for name, cells in columns.items():
        frame.loc[list(made), name] = cells
    return frame


def read(
    frame: pd.DataFrame,
    root: Path,
    ocr: Ocr,
    version: str | None,
    *,
    workers: int = 0,
    backend: Backend = PREPARE.backend,
    ray_address: str | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """`frame` with TEXT, ROTATION and what OCR tells; pages that are UNREAD are read where `version` is Tesseract's."""
    frame = layered(frame) if ocr.pdf_text else frame
    unread = frame[OCR_STATUS] == UNREAD
    if not version or not unread.any():
        return frame.assign(**{OCR_STATUS: NOT_RUN})
    from leaflet_tool.prepare.ocr import models
    from leaflet_tool.prepare.reading import Page
    from leaflet_tool.prepare.readings import read_pages

    how = (ocr.language, ocr.psm, ocr.orientation, tuple(models(ocr.language, ocr.orientation).items()))
    wanted = [
        Page(root / row[ORIGINAL], int(row[FRAME] or 0), row[DIGEST], *how) for row in frame[unread].to_dict("records")
    ]
    readings = read_pages(wanted, version, workers=workers, backend=backend, ray_address=ray_address, progress=progress)
    columns = {
        TEXT: [reading.text for reading in readings],
        OCR_STATUS: [reading.status for reading in readings],
        OCR_CONFIDENCE: [reading.confidence for reading in readings],
        OCR_WORDS: [reading.words for reading in readings],
        ROTATION: [reading.rotation for reading in readings],
    }
    frame = frame.copy()
    for name, cells in columns.items():
        frame.loc[unread, name] = cells
    return frame


def layered(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the text that files hold themselves as the TEXT of pages that are UNREAD: nobody reads them."""
    given = (frame[OCR_STATUS] == UNREAD) & (frame[LAYER] != "")
    return frame.assign(
        **{TEXT: frame[TEXT].where(~given, frame[LAYER]), OCR_STATUS: frame[OCR_STATUS].where(~given, NOT_RUN)}
    )


def turned(
    frame: pd.DataFrame,
    root: Path,
    out: Path,
    images: Images,
    store: Store,
    *,
    workers: int = 0,
    progress: Progress = silent,
) -> pd.DataFrame:
    """`frame` with the working copies made anew that do not stand as ROTATION says."""
    pictured = frame[frame[IMAGE] != ""]
    turns = pictured[ROTATION].replace("", "0")
    made = _made(pictured.assign(**{ROTATION: turns}), root, out, images, store, workers, progress)
    return _seen(frame, dict(zip(pictured.index, made, strict=True)))


def with_regions(
    rows: Rows, out: Path, dataset: Dataset, store: Store, *, workers: int = 0, progress: Progress = silent
) -> Rows:
    """Rows with the regions of their working copies, which are upright; without those that have none."""
    every = pd.Series(True, index=rows.frame.index)
    frame, reasons = regions.made(rows.frame, every, out, dataset, store, workers=workers, progress=progress)
    return replace(rows, frame=frame).without(reasons)
