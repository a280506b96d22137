"""Pages: rows with their working copies made and their text read, for training and for prediction alike."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from leaflet_tool.manifest import ID, IMAGE, OCR_STATUS, TEXT
from leaflet_tool.prepare import copies, output
from leaflet_tool.prepare.dataset import Images, Ocr
from leaflet_tool.prepare.images import Task
from leaflet_tool.prepare.sources.rows import Rows
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent

UNREAD, NOT_RUN = "", "not_run"
"""OCR_STATUS of a page that is still to be read, and of one that is not going to be."""


def reader_version(ocr: Ocr) -> str | None:
    """Version of the Tesseract that `ocr` asks for, if it does; a MissingError when it cannot read the language."""
    if ocr.engine == "none":
        return None
    from leaflet_tool.prepare.ocr import tesseract_version

    return tesseract_version(ocr.language)


def copied(
    rows: Rows, out: Path, images: Images, store: Store, *, workers: int = 0, progress: Progress = silent
) -> tuple[Rows, dict[str, str]]:
    """Rows whose image became a working copy under `out` (IMAGE names it), and the SHA-256 of each copy by name."""
    pictured = rows.frame[rows.frame[IMAGE] != ""]
    names = [f"{output.IMAGES}/{output.copy_name(page)}" for page in pictured[ID]]
    tasks = [
        Task(rows.root / image, out / name, images.max_side, images.jpeg_quality)
        for image, name in zip(pictured[IMAGE], names, strict=True)
    ]
    made = copies.make(tasks, store, workers=workers, progress=progress)
    images_now = rows.frame[IMAGE].copy()
    images_now[pictured.index] = names
    reasons = pd.Series([copy.reason for copy in made], index=pictured.index, dtype=str)
    rows = replace(rows, frame=rows.frame.assign(**{IMAGE: images_now}))
    digests = {name: copy.digest for name, copy in zip(names, made, strict=True) if copy.digest}
    return rows.without(reasons.reindex(rows.frame.index, fill_value="")), digests


def read(
    frame: pd.DataFrame,
    out: Path,
    digests: Mapping[str, str],
    ocr: Ocr,
    version: str | None,
    *,
    workers: int = 0,
    progress: Progress = silent,
) -> pd.DataFrame:
    """`frame` with TEXT and OCR_STATUS filled; pages that are UNREAD are read where `version` names a Tesseract."""
    unread = frame[OCR_STATUS] == UNREAD
    if not version or not unread.any():
        return frame.assign(**{OCR_STATUS: NOT_RUN})
    from leaflet_tool.prepare.ocr import Page
    from leaflet_tool.prepare.ocr_cache import read_pages

    wanted = [Page(out / name, digests[name], ocr.language, ocr.psm) for name in frame.loc[unread, IMAGE]]
    readings = read_pages(wanted, version, workers=workers, progress=progress)
    texts, statuses = frame[TEXT].copy(), frame[OCR_STATUS].copy()
    texts[unread] = [reading.text for reading in readings]
    statuses[unread] = [reading.status for reading in readings]
    return frame.assign(**{TEXT: texts, OCR_STATUS: statuses})
