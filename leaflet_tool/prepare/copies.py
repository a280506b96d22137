"""Working copies of a whole archive: made in parallel, and only where the source or the settings changed."""

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from leaflet_tool.prepare.images import UNREADABLE, Copy, Task, working_copy
from leaflet_tool.prepare.parallel import Lost, in_processes
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE

log = logging.getLogger(__name__)
SECONDS, MEGABYTES = PREPARE.image_timeout, PREPARE.worker_memory


def make(tasks: Sequence[Task], store: Store, *, workers: int = 0, progress: Progress = silent) -> list[Copy]:
    """Each task's outcome; `store` remembers, by the copy's file name, what it was made from."""
    states = {task: _state(task) for task in tasks}
    outcomes = {task: copy for task, state in states.items() if (copy := _kept(task, state, store))}
    wanted = [task for task in tasks if task not in outcomes]
    log.debug("%d of %d working copies are as they should be", len(outcomes), len(tasks))
    if wanted:
        folders = {task.target.parent for task in wanted}
        with tidied(folders), in_processes(working_copy, wanted, workers, timeout=SECONDS, memory=MEGABYTES) as results:
            copies = progress(results, total=len(wanted), title="copying images")
            for task, result in zip(wanted, copies, strict=True):
                copy = Copy(reason=f"{UNREADABLE}: {result.reason}") if isinstance(result, Lost) else result
                outcomes[task] = copy
                if not copy.reason:
                    made = {"made_from": states[task], "turn": task.turn or 0, "copy": dataclasses.asdict(copy)}
                    store.put(task.target.name, made)
    return [outcomes[task] for task in tasks]


@contextmanager
def tidied(folders: Iterable[Path]) -> Iterator[None]:
    """Removes, in the end, what workers had begun to write in `folders` when they were ended."""
    try:
        yield
    finally:
        for folder in folders:
            for path in folder.glob(".*.part"):
                path.unlink(missing_ok=True)


def _state(task: Task) -> list[int]:
    """What a copy depends on; empty when the source has gone."""
    try:
        status = task.source.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns, task.max_side, task.quality, task.frame]


def _kept(task: Task, state: list[int], store: Store) -> Copy | None:
    """The copy that an earlier run left, if it was made from this state of the source in this way."""
    known = store.get(task.target.name)
    if not known or task.turn not in (None, known["turn"]):
        return None
    copy = Copy(**known["copy"])
    small = copy.width * copy.height <= task.max_pixels
    return copy if known["made_from"] == state and small and task.target.is_file() else None
