"""Work spread over processes or threads: results in order, little in flight, an early end when it is interrupted."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from leaflet_tool.errors import InputError

AHEAD = 4
"""Tasks in flight for each worker."""


@dataclass(frozen=True)
class Lost:
    """What a task leaves that has no result, and why."""

    reason: str


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
) -> Iterator[Iterator[Result]]:
    """`function(task)` for every task, on `workers` processes (0: one a core); for work that computes.

    The processes live as long as the `with` block.
    """
    workers = min(workers or cores(), len(tasks)) or 1
    pool = _Processes(workers)
    try:
        yield _spread(pool, function, tasks, workers)
    except BrokenProcessPool:
        raise InputError(
            "a worker process died: out of memory, or an image that crashes its decoder",
            hint="run again with fewer --workers; what was finished is kept",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _spread[Task, Result](
    pool: Executor, function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(pool.submit(function, task))
        if len(waiting) >= AHEAD * workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Processes(ProcessPoolExecutor):
    """Workers that leave Ctrl-C to their parent and do not outlive it."""

    def __init__(self, workers: int) -> None:
        # spawned, because forking a process that has threads (torch, Ray) may hang it
        super().__init__(workers, multiprocessing.get_context("spawn"), initializer=_watch_parent)

    def submit[Result](self, function: Callable[..., Result], /, *args: Any, **named: Any) -> Future[Result]:
        """Starts workers when they are needed: with SIGINT blocked, which they inherit."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(function, *args, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch_parent() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
