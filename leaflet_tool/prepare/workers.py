"""Processes that may be lost: each works on one task at a time, so that a crash or a hang costs that task only.

Neither `concurrent.futures` nor Pebble serves here: in the former one dead worker ends the pool; the latter's workers
share one queue, and a worker that dies before its task was noted takes the others' tasks with it.
"""

import contextlib
import ctypes
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from multiprocessing import connection, resource_tracker
from typing import Any

from leaflet_tool.errors import InputError

# spawned, because forking a process that has threads (torch, Ray) may hang it
CONTEXT = multiprocessing.get_context("spawn")
STARTS = 3
"""Workers in a row that may die before they are ready."""
TOO_LITTLE_MEMORY = 77
"""Exit status of a worker that met its limit: what it holds by then is freed with it."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment in which numerical libraries start no threads: a worker has one core, and each thread takes memory."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of the GNU C library's settings in malloc.h."""
LARGE_BLOCK, KEPT = 32 * 1024**2, 128 * 1024**2
"""Bytes from which a block is given back as soon as it is freed, and what may be free at the end of the memory."""


@dataclass(frozen=True)
class Lost:
    """What a task leaves that has no result, and why: words that follow the name of the task."""

    reason: str


@dataclass(frozen=True)
class _Outcome:
    """What a worker sends: a result or an exception; None and no exception when it is ready."""

    result: Any = None
    error: BaseException | None = None


class Workers:
    """Processes that each call `function` on a task, within `timeout` seconds and `memory` megabytes."""

    def __init__(
        self, function: Callable[[Any], Any], number: int, timeout: float | None = None, memory: int | None = None
    ) -> None:
        self._given = (pickle.dumps(function), memory)
        self._timeout = timeout
        self._deaths = 0
        resource_tracker.ensure_running()  # or the first worker's start does, and unblocks SIGINT
        self._workers = [_Worker(*self._given) for _ in range(number)]

    def results(self, tasks: Sequence[Any], ahead: int) -> Iterator[Any]:
        """Results in the order of the tasks, of which at most `ahead` are begun before their turn; raises errors."""
        done: dict[int, _Outcome] = {}
        begun = 0
        for turn in range(len(tasks)):
            while True:
                for worker in [worker for worker in self._workers if worker.idle]:
                    if begun < min(len(tasks), turn + ahead):
                        if worker.begin(begun, tasks[begun], self._timeout):
                            begun += 1
                        else:
                            self._replace(worker)
                done |= self._collected(wait=turn not in done)
                if turn in done:
                    break
            outcome = done.pop(turn)
            if outcome.error:
                raise outcome.error
            yield outcome.result

    def _collected(self, wait: bool) -> dict[int, _Outcome]:
        """Outcomes that have come in, by the number of their task; dead and late workers are replaced."""
        busy = {worker.pipe: worker for worker in self._workers if not worker.idle}
        deadline = min((worker.deadline for worker in busy.values()), default=inf)
        seconds = max(deadline - time.monotonic(), 0) if wait else 0
        found = {}
        heard = connection.wait(list(busy), None if seconds == inf else seconds)
        for worker in [worker for pipe, worker in busy.items() if pipe in heard]:
            number, outcome = worker.heard()
            if number is not None:
                found[number] = outcome
            if not worker.idle:
                self._replace(worker)
        for worker in self._workers:
            if worker.number is not None and worker.deadline <= time.monotonic():
                found[worker.number] = _Outcome(Lost(f"took more than {self._timeout:g} s"))
                self._replace(worker)
        return found

    def _replace(self, worker: "_Worker") -> None:
        self._deaths = 0 if worker.ready else self._deaths + 1
        if self._deaths > STARTS:
            raise InputError(
                "the processes that read images die before they begin", hint="run again with fewer --workers"
            )
        worker.end()
        self._workers[self._workers.index(worker)] = _Worker(*self._given)

    def end(self) -> None:
        """Ends all processes at once, whatever they do."""
        for worker in self._workers:
            worker.end()


class _Worker:
    """One process, the pipe to it, and the number of the task it works on."""

    def __init__(self, function: bytes, memory: int | None) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(theirs, function, memory), daemon=True)
        self._memory = memory
        self.ready = False
        self.number: int | None = None
        self.deadline = inf
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: Ctrl-C is left to the parent
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    @property
    def idle(self) -> bool:
        """Whether it waits for a task."""
        return self.ready and self.number is None

    def begin(self, number: int, task: Any, timeout: float | None) -> bool:
        """Sends a task; False where the worker died while it was idle."""
        try:
            self.pipe.send(task)
        except BrokenPipeError:
            return False
        self.number, self.deadline = number, time.monotonic() + (timeout or inf)
        return True

    def heard(self) -> tuple[int | None, _Outcome]:
        """What it says, and of which task; it stays busy when it is dead."""
        number = self.number
        try:
            outcome = self.pipe.recv()
        except (EOFError, OSError):
            return number, _Outcome(Lost(self._death()))
        self.number, self.deadline = None, inf
        if not self.ready and outcome.error:
            raise outcome.error
        self.ready = True
        return number, outcome

    def _death(self) -> str:
        self._process.join()
        if self._process.exitcode == TOO_LITTLE_MEMORY:
            return f"needs more than {self._memory} MB"
        return "crashed its reader"

    def end(self) -> None:
        """Kills the process, if it lives."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(pipe: connection.Connection, function: bytes, memory: int | None) -> None:
    """A worker's life."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(ONE_THREAD)
    try:
        work = pickle.loads(function)  # noqa: S301 - from our own parent
    except Exception as error:
        return pipe.send(_Outcome(error=error))
    _limit(memory)
    _reuse_memory()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries say of broken files is not for the screen
    pipe.send(_Outcome())
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent has gone
        while True:
            try:
                pipe.send(_outcome(work, pipe.recv(), memory))
            except MemoryError:
                os._exit(TOO_LITTLE_MEMORY)


def _outcome(work: Callable[[Any], Any], task: Any, memory: int | None) -> _Outcome:
    try:
        return _Outcome(work(task))
    except Exception as error:
        if memory and isinstance(error, MemoryError):
            raise
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _Outcome(error=error)


def _limit(memory: int | None) -> None:
    """Bounds the memory in megabytes where the system can, and leaves no core file behind a crash."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        # not RLIMIT_AS, which counts the libraries and what is only reserved too; macOS may refuse either
        with contextlib.suppress(OSError, ValueError):
            _, most = resource.getrlimit(resource.RLIMIT_DATA)
            wanted = memory * 1000**2
            resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))


def _reuse_memory() -> None:
    """Keeps freed blocks for the next picture where the C library can: else each picture pays for its pages anew."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
