"""What a node of a cluster does with a batch of pages: checks that it is able to, then reads as a worker here would."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from leaflet_tool import __version__
from leaflet_tool.errors import InputError, MissingError
from leaflet_tool.prepare import ocr
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.reading import Page, Reader, Reading, failed
from leaflet_tool.prepare.readings import PAGE_TIMEOUT, scratch
from leaflet_tool.prepare.workers import Lost, Workers
from leaflet_tool.settings import PREPARE

_tesseract_version, _models = cache(ocr.tesseract_version), cache(ocr.models)


@dataclass(frozen=True)
class Unseen:
    """Left for a page whose file is not there for a node, or is another one there."""

    node: str


def read(pages: Sequence[Page], tesseract: str, version: str) -> list[Reading | Unseen]:
    """What this node finds on each page; an error where its programs would read otherwise than the driver's."""
    _check(pages[0], tesseract, version)
    seen = [number for number, page in enumerate(pages) if sees(page)]
    found: list[Reading | Unseen] = [Unseen(platform.node())] * len(pages)
    for number, reading in zip(seen, _readings([pages[number] for number in seen]), strict=True):
        found[number] = reading
    return found


def sees(page: Page) -> bool:
    """Whether the page's file is here, with the bytes it had when it was copied."""
    try:
        return page_digest(page.path, page.frame) == page.digest
    except OSError:
        return False


def _check(page: Page, tesseract: str, version: str) -> None:
    node = platform.node()
    try:
        here = _tesseract_version(page.language, page.orientation)
    except MissingError as error:
        raise MissingError(f"node {node}: {error.message}", hint=error.hint) from None
    for program, ours, theirs in (("Tesseract", here, tesseract), ("leaflet-tool", __version__, version)):
        if ours != theirs:
            raise InputError(
                f"node {node} has {program} {ours}, and where prepare was started it is {theirs}: they may read "
                "differently",
                hint="install the same version on all nodes",
            )
    packs = _models(page.language, page.orientation)
    other = [f"{pack!r}" for pack, digest in page.models if packs.get(pack, digest) != digest]
    if other:
        raise InputError(
            f"node {node} has another language pack {', '.join(other)} than there is where prepare was started: "
            "it may read differently",
            hint="copy the same .traineddata files to all nodes",
        )


def _readings(pages: Sequence[Page]) -> list[Reading]:
    """A reading for each page; one that is lost is failed."""
    with scratch() as folder:
        found = _worker().results([(page, folder) for page in pages], ahead=1)
        return [failed(result.reason) if isinstance(result, Lost) else result for result in found]


@cache
def _worker() -> Workers:
    """One process beside this one, with the limits of a local worker: it ends with this one."""
    return Workers(partial(_read, Reader()), 1, PAGE_TIMEOUT, PREPARE.worker_memory)


def _read(reader: Reader, task: tuple[Page, Path]) -> Reading:
    return reader(*task)
