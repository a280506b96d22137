"""Files of several pages: their rows become one row a page."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, IMAGE, PAGE
from leaflet_tool.prepare import formats
from leaflet_tool.prepare.images import UNREADABLE
from leaflet_tool.prepare.parallel import Lost, in_processes
from leaflet_tool.prepare.sources.rows import FRAME, Rows
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE

SINGLE = [0]


class Memory(Protocol):
    """What remembers by path how many pages a file had."""

    def get(self, key: str, /) -> Any: ...

    def put(self, key: str, value: Any, /) -> None: ...


class Counts(dict[str, Any]):
    """A memory that is on no disk yet."""

    put = dict.__setitem__


def counts_in(path: Path) -> Counts:
    """What the store at `path` remembers; one that is not there is not made."""
    if not path.is_file():
        return Counts()
    with Store(path) as store:
        return Counts(store.items())


def expanded(rows: Rows, memory: Memory | None = None, *, workers: int = 0, progress: Progress = silent) -> Rows:
    """Rows, of which those of a file of several pages come once a page, each with its FRAME and PAGE.

    The first page keeps the file's id, the others add their number to it; all are of one group.
    """
    sources = {image: rows.root / image for image in rows.frame[IMAGE] if image}
    counted = _counted(list(sources.values()), memory, workers, progress)
    pages = [counted[sources[image]] if image else SINGLE for image in rows.frame[IMAGE]]
    rows = rows.without(pd.Series([_reason(found) for found in pages], index=rows.frame.index, dtype=str))
    kept = [found for found in pages if not isinstance(found, Lost) and not _reason(found)]
    return replace(rows, frame=_by_page(rows.frame, kept))


def _reason(pages: list[int] | Lost) -> str:
    """Why a file is left out, or an empty string."""
    if isinstance(pages, Lost):
        return f"{UNREADABLE}: {pages.reason}"
    return f"more than {formats.MOST_PAGES} pages" if len(pages) > formats.MOST_PAGES else ""


def _by_page(frame: pd.DataFrame, pages: list[list[int]]) -> pd.DataFrame:
    if all(frames == SINGLE for frames in pages):
        return frame
    counts = [len(frames) for frames in pages]
    spread = frame.loc[frame.index.repeat(counts)].reset_index(drop=True)
    frames = ["" if found == SINGLE else str(number) for found in pages for number in found]
    numbers = [number if count > 1 else 0 for count in counts for number in range(1, count + 1)]
    spread[FRAME] = pd.Series(frames, dtype=str)
    spread[ID] = [f"{name}-{number}" if number > 1 else name for name, number in zip(spread[ID], numbers, strict=True)]
    spread[PAGE] = [page or str(number or "") for page, number in zip(spread[PAGE], numbers, strict=True)]
    twice = sorted(set(spread.loc[spread.duplicated(ID), ID]))
    if twice:
        raise InputError.listing("ids of pages of a file are those of other rows", [repr(name) for name in twice])
    return spread


def _counted(
    sources: list[Path], memory: Memory | None, workers: int, progress: Progress
) -> dict[Path, list[int] | Lost]:
    """Where the pages of each file are in it; a file that cannot be counted has one, whose copy will say why."""
    states = {source: _state(source) for source in sources}
    known = {source: memory.get(str(source)) for source in sources} if memory is not None else {}
    found = {source: entry["frames"] for source, entry in known.items() if entry and entry["of"] == states[source]}
    unknown = [source for source in sources if source not in found]
    several = [source for source in unknown if _may_hold_several(source)]
    counts: dict[Path, list[int] | Lost] = dict.fromkeys(unknown, SINGLE)
    if several:
        seconds, megabytes = PREPARE.image_timeout, PREPARE.worker_memory
        with in_processes(_frames, several, workers, timeout=seconds, memory=megabytes) as results:
            counts |= zip(several, progress(results, total=len(several), title="counting pages"), strict=True)
    for source, frames in counts.items():
        if memory is not None and not isinstance(frames, Lost):
            memory.put(str(source), {"of": states[source], "frames": frames})
    return found | counts


def _state(source: Path) -> list[int]:
    """What tells whether a file is still the one that was counted."""
    try:
        status = source.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _may_hold_several(source: Path) -> bool:
    try:
        return formats.kind(formats.head(source)) in ("TIFF", formats.PDF)
    except OSError:
        return False


def _frames(source: Path) -> list[int]:
    """The pages of a file, in a process that may be lost."""
    try:
        return formats.frames(source)
    except MemoryError:
        raise
    except Exception:  # a broken file makes a parser raise nearly anything
        return SINGLE
