"""What preparing an archive will take: pages, disk and time, estimated before anything is written."""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, IMAGE, OCR_STATUS
from leaflet_tool.prepare import long_tail, output, regions
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.pages import UNREAD
from leaflet_tool.prepare.parallel import cores
from leaflet_tool.prepare.sources.rows import FRAME, Rows
from leaflet_tool.progress import duration

log = logging.getLogger(__name__)

COPY_SECONDS, REGION_SECONDS, READ_SECONDS = 0.15, 0.02, 0.7
"""What one worker takes where nothing was measured on this machine: for a working copy, a region, and a reading."""
COPY_BYTES, REGION_BYTES = 0.25, 0.4
"""Size of a working copy, bytes a pixel, where its original is not smaller; and of a region, which is denser."""
SAMPLE = 200
"""Originals that are looked at to estimate how many readings are in the cache."""


@dataclass(frozen=True)
class Estimate:
    """Images, those to copy and to read, those whose readings are kept, bytes of what is written, seconds for all."""

    images: int
    to_copy: int
    to_read: int
    kept: int
    bytes: int
    seconds: float
    measured: bool
    """Whether the time comes from earlier readings on this machine."""
    workers: int

    def __str__(self) -> str:
        read = f"{self.to_read} to read (about {self.kept} known from the cache)" if self.to_read else "none to read"
        source = "as earlier readings took on this machine" if self.measured else "a guess, until some were read here"
        return (
            f"{self.images} images: {self.to_copy} to copy (about {_size(self.bytes)}), {read}; "
            f"about {duration(self.seconds)} with {self.workers} workers ({source})"
        )


def announce(rows: Rows, out: Path, dataset: Dataset, tesseract: str | None, *, workers: int, force: bool) -> Estimate:
    """Says the estimate once; an InputError where the disk plainly cannot hold the copies."""
    estimate = estimated(rows, out, dataset, tesseract, workers=workers, force=force)
    log.info(str(estimate))
    place = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if estimate.bytes / 2 > free:
        raise InputError(
            f"the working copies need about {_size(estimate.bytes)}, and {place} has {_size(free)} left",
            hint="choose another disk, or smaller copies with --max-side",
        )
    return estimate


def estimated(rows: Rows, out: Path, dataset: Dataset, tesseract: str | None, *, workers: int, force: bool) -> Estimate:
    """The estimate for `rows`, of which `out` may hold copies from an earlier run."""
    frame = rows.frame[(rows.frame[IMAGE] != "") & long_tail.within_reach(rows.frame, dataset, set())]
    copies = [out / output.IMAGES / output.copy_name(page) for page in frame[ID]]
    new = [force or not copy.is_file() for copy in copies]
    uncut = sum(force or not path.is_file() for copy in copies for path in regions.files(copy, dataset.regions))
    unread = frame[frame[OCR_STATUS] == UNREAD] if tesseract else frame[:0]
    kept, rate = _kept(unread, rows.root, dataset, tesseract or "")
    workers = workers or cores()
    seconds = sum(new) * COPY_SECONDS + uncut * REGION_SECONDS + (len(unread) - kept) * (rate or READ_SECONDS)
    return Estimate(
        images=len(frame),
        to_copy=sum(new),
        to_read=len(unread),
        kept=kept,
        bytes=sum(_copy_bytes(rows.root / image, dataset.images.max_side) for image in frame.loc[new, IMAGE])
        + round(uncut * dataset.region_side**2 * REGION_BYTES),
        seconds=seconds / workers,
        measured=rate is not None,
        workers=workers,
    )


def _copy_bytes(original: Path, max_side: int) -> int:
    """About what the copy of one page takes: no more than its original, and than a page of that size usually does."""
    try:
        return min(original.stat().st_size, round(max_side * max_side * 0.75 * COPY_BYTES))
    except OSError:
        return 0


def _kept(frame: pd.DataFrame, root: Path, dataset: Dataset, tesseract: str) -> tuple[int, float | None]:
    """How many readings are in the cache, judged by up to SAMPLE of the pages, and seconds a page if they are known."""
    from leaflet_tool.prepare import ocr_cache, rates
    from leaflet_tool.prepare.ocr import models
    from leaflet_tool.prepare.reading import Page

    if frame.empty:
        return 0, None
    ocr, rows = dataset.ocr, frame.iloc[:: -(-len(frame) // SAMPLE)].to_dict("records")
    how = (ocr.language, ocr.psm, ocr.orientation, tuple(models(ocr.language, ocr.orientation).items()))
    pages = [
        Page(path, number, _digest(path, number), *how)
        for path, number in ((root / row[IMAGE], int(row[FRAME] or 0)) for row in rows)
    ]
    known = ocr_cache.count(ocr_cache.key(page, tesseract) for page in pages)
    return round(len(frame) * known / len(pages)), rates.seconds_a_page(pages[0].settings)


def _digest(path: Path, number: int) -> str:
    """The page's digest; empty where the original cannot be read, which its copying will say."""
    try:
        return page_digest(path, number)
    except OSError:
        return ""


def _size(number: float) -> str:
    unit, name = next(((unit, name) for unit, name in ((1e9, "GB"), (1e6, "MB")) if number >= unit), (1e3, "kB"))
    return f"{number / unit:.1f} {name}"
