"""Working copies of a whole archive: made in parallel, and only where the source or the settings changed."""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    folders = {task.target.parent for task in wanted}
    with spread(working_copy, wanted, folders, workers, progress, title="copying images") as results:
        for task, result in results:
            outcomes[task] = Copy(reason=f"{UNREADABLE}: {result.reason}") if isinstance(result, Lost) else result
            remember(store, task.target, states[task], outcomes[task], turn=task.turn or 0)
    return [outcomes[task] for task in tasks]


@contextmanager
def spread[Item, Result](
    function: Callable[[Item], Result],
    tasks: Sequence[Item],
    folders: Iterable[Path],
    workers: int,
    progress: Progress,
    *,
    title: str,
) -> Iterator[Iterator[tuple[Item, Result | Lost]]]:
    """Each task with its outcome, on processes that write pictures in `folders`.

    What they had begun to write when they were ended is removed in the end.
    """
    if not tasks:
        yield iter(())
        return
    try:
        with in_processes(function, tasks, workers, timeout=SECONDS, memory=MEGABYTES) as results:
            yield zip(tasks, progress(results, total=len(tasks), title=title), strict=True)
    finally:
        for folder in folders:
            for path in folder.glob(".*.part"):
                path.unlink(missing_ok=True)


def remember(store: Store, target: Path, state: list[Any], copy: Copy, *, turn: int = 0) -> None:
    """Notes what the copy at `target` was made from, if there is one."""
    if not copy.reason:
        store.put(target.name, {"made_from": state, "turn": turn, "copy": dataclasses.asdict(copy)})


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
