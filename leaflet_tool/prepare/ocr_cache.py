"""Readings kept between runs: the same bytes, read in the same way, are read once."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from leaflet_tool.prepare.ocr import Page, Reading, read
from leaflet_tool.prepare.parallel import in_threads
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent

log = logging.getLogger(__name__)


def cache_path() -> Path:
    """Where readings are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leaflet-tool" / "ocr.sqlite"


def read_pages(pages: Sequence[Page], version: str, *, workers: int = 0, progress: Progress = silent) -> list[Reading]:
    """A reading for each page by Tesseract `version`; failures are told, and tried again next time."""
    if not pages:
        return []
    with Store(cache_path()) as cache:
        cached = {page: cache.get(_key(page, version)) for page in pages}
        readings = {page: Reading(**known) for page, known in cached.items() if known}
        unread = [page for page, known in cached.items() if not known]
        log.debug("%d of %d pages were read before", len(readings), len(cached))
        if unread:
            with in_threads(read, unread, workers) as results:
                found = progress(results, total=len(unread), title="reading text")
                for page, reading in zip(unread, found, strict=True):
                    readings[page] = reading
                    if reading.problem:
                        log.warning("the text of %s could not be read: %s", page.path.name, reading.problem)
                    else:
                        cache.put(_key(page, version), {"text": reading.text, "status": reading.status})
    return [readings[page] for page in pages]


def _key(page: Page, version: str) -> str:
    return f"{page.digest} {page.language} psm={page.psm} tesseract={version}"
