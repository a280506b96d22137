"""Readings of many pages: those that are kept, and those that workers read now."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from leaflet_tool.errors import InputError
from leaflet_tool.prepare import ocr_cache, rates
from leaflet_tool.prepare.parallel import Lost, cores, in_processes
from leaflet_tool.prepare.reading import Page, Reader, Reading, failed
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE, Backend
from leaflet_tool.storage import locked

log = logging.getLogger(__name__)
Batch = tuple[Sequence[Page], list[Reading]]

PREFIX = "leaflet-tool-ocr-"
"""How the names of folders of renditions start."""
ABANDONED = 60.0
"""Seconds after which such a folder that nobody holds was left by a killed run."""
PAGE_TIMEOUT = PREPARE.image_timeout + 6 * PREPARE.ocr_timeout
"""Seconds for a page; Tesseract is stopped before, in each of the page's turns: what hangs then is something else."""


def read_pages(
    pages: Sequence[Page],
    tesseract: str,
    *,
    workers: int = 0,
    backend: Backend = PREPARE.backend,
    ray_address: str | None = None,
    progress: Progress = silent,
) -> list[Reading]:
    """A reading for each page by the version `tesseract`; failures are told, and tried again next time.

    On Ray they are read by the nodes of the cluster at `ray_address`, or of one of `workers` processes started here.
    """
    if not pages:
        return []
    keys = [ocr_cache.key(page, tesseract) for page in pages]
    with Store(ocr_cache.cache_path()) as cache:
        readings = ocr_cache.known(cache, keys)
        unread = {key: page for key, page in zip(keys, pages, strict=True) if key not in readings}
        log.debug("%d of %d pages were read before", len(pages) - len(unread), len(pages))
        if unread:
            started = time.monotonic()
            read = _reader(backend, ray_address)(list(unread.values()), tesseract, workers)
            with closing(read), closing(_kept(cache, read, tesseract)) as found:
                for page, reading in progress(found, total=len(unread), title="reading text"):
                    readings[ocr_cache.key(page, tesseract)] = reading
                    if reading.problem:
                        log.warning("the text of %s could not be read: %s", page.path.name, reading.problem)
            if backend == "local":  # what a cluster takes says nothing of this machine
                rates.remember(pages[0].settings, len(unread), (time.monotonic() - started) * (workers or cores()))
    return [readings[key] for key in keys]


def _reader(backend: Backend, ray_address: str | None) -> Callable[[Sequence[Page], str, int], Generator[Batch]]:
    """What reads pages by a version of Tesseract on so many workers."""
    if backend == "local":
        return _read
    from leaflet_tool.prepare import on_ray

    return partial(on_ray.read, address=ray_address)


def _kept(cache: Store, read: Iterable[Batch], tesseract: str) -> Generator[tuple[Page, Reading]]:
    """Each page with its reading, batch by batch, once the batch is in the cache."""
    for batch, readings in read:
        found = list(zip(batch, readings, strict=True))
        ocr_cache.keep(cache, {ocr_cache.key(page, tesseract): reading for page, reading in found}, tesseract)
        yield from found


def _read(pages: Sequence[Page], tesseract: str, workers: int) -> Generator[Batch]:
    """Each page, alone, with its reading; one whose worker is lost is failed."""
    with (
        scratch() as folder,
        in_processes(
            partial(Reader(), scratch=folder),
            pages,
            workers,
            timeout=PAGE_TIMEOUT,
            memory=PREPARE.worker_memory,
        ) as results,
    ):
        for page, result in zip(pages, results, strict=True):
            yield [page], [failed(result.reason) if isinstance(result, Lost) else result]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for renditions that is removed in the end, also after workers were killed in it."""
    _sweep()
    with TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder, locked(Path(folder)):
        yield Path(folder)


def _sweep() -> None:
    """Removes the folders that killed runs left."""
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        try:
            status = folder.stat(follow_symlinks=False)
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > ABANDONED:
                with locked(folder):
                    shutil.rmtree(folder)
        except (InputError, OSError) as error:
            log.debug("%s stays: %s", folder, error)
