"""Work spread over processes or threads: results in order, little in flight, an early end when it is interrupted."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from leaflet_tool.prepare.workers import Lost, Workers

__all__ = ["Lost", "cores", "in_processes", "in_threads"]

AHEAD = 4
"""Tasks for each worker that may be begun before their turn, unless something else is said."""


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
    ahead: int = AHEAD,
) -> Iterator[Iterator[Result | Lost]]:
    """`function(task)` for every task, on `workers` processes (0: one a core); for work that computes.

    A task that takes more than `timeout` seconds or `memory` megabytes, or ends its process, is Lost and costs nothing
    else. For each worker, `ahead` tasks at most are begun before their turn. The processes live as long as the `with`
    block.
    """
    workers = min(workers or cores(), len(tasks))
    pool = Workers(function, workers, timeout, memory)
    try:
        yield pool.results(tasks, ahead=ahead * workers)
    finally:
        pool.end()


@contextmanager
def in_threads[Task, Result](
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int = 0
) -> Iterator[Iterator[Result]]:
    """`function(task)` for every task, on `workers` threads (0: one a core); for work that waits for other programs.

    The threads live as long as the `with` block.
    """
    workers = min(workers or cores(), len(tasks)) or 1
    pool = ThreadPoolExecutor(workers)
    try:
        yield _spread(pool, function, tasks, workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _spread(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], tasks: Sequence[Any], workers: int
) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for task in tasks:
        waiting.append(pool.submit(function, task))
        if len(waiting) >= AHEAD * workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
