"""Work spread over processes: results in order, an early end when it is interrupted."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from leaflet_tool.prepare.workers import Lost, Workers

__all__ = ["Lost", "cores", "in_processes"]

AHEAD = 64
"""Tasks for each worker that may be begun before their turn, so that a slow one keeps no other worker waiting."""


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def in_processes[Task, Result](
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int = 0,
    *,
    timeout: float | None = None,
    memory: int | None = None,
) -> Iterator[Iterator[Result | Lost]]:
    """`function(task)` for every task, on `workers` processes (0: one a core); for work that computes.

    A task that takes more than `timeout` seconds or `memory` megabytes, or ends its process, is Lost and costs nothing
    else. The processes live as long as the `with` block.
    """
    workers = min(workers or cores(), len(tasks))
    pool = Workers(function, workers, timeout, memory)
    try:
        yield pool.results(tasks, ahead=AHEAD * workers)
    finally:
        pool.end()
