"""Work spread over processes."""

import ctypes
import importlib
import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from leaflet_tool.prepare.parallel import Lost, in_processes


def test_results_come_in_order_and_errors_arrive() -> None:
    with in_processes(operator.neg, range(50), 2) as results:
        assert list(results) == [-number for number in range(50)]
    with in_processes(operator.neg, [], 2) as results:
        assert list(results) == []
    with pytest.raises(ZeroDivisionError), in_processes((1).__truediv__, [1, 0], 1) as results:
        list(results)


def patient(task: Path) -> str:
    """The first of forty waits for the last."""
    while task.name == "0" and not task.with_name("39").exists():
        time.sleep(0.01)
    task.touch()
    return task.name


def test_a_slow_task_keeps_no_other_worker_waiting(tmp_path: Path) -> None:
    names = [str(number) for number in range(40)]
    with in_processes(patient, [tmp_path / name for name in names], 2, timeout=60) as results:
        assert list(results) == names


def awkward(task: int) -> int:
    """Ends its process in one of several ways, takes too long, takes too much, fails, or gives the task back."""
    match task % 10:
        case 1:
            os._exit(3)
        case 2:
            os._exit(0)
        case 3:
            os.kill(os.getpid(), signal.SIGKILL)
        case 4:
            ctypes.string_at(0)
        case 5:
            sys.exit("enough")
        case 6:
            time.sleep(600)
        case 7:
            len(bytes(600 * 1000**2))
        case 8:
            np.ones(600 * 1000**2 // 8)
    return task


CRASHED, LATE, LARGE = Lost("crashed its reader"), Lost("took more than 1.5 s"), Lost("needs more than 400 MB")


def test_a_crash_or_a_hang_costs_its_task_only() -> None:
    with in_processes(awkward, range(20), 2, timeout=1.5, memory=400) as results:
        found = list(results)
    lost = [CRASHED] * 5 + [LATE, LARGE, LARGE]
    assert found == [0, *lost, 9, 10, *lost, 19]


def test_many_crashes_cost_no_other_task() -> None:
    with in_processes(awkward, [0, 1, 0, 3, 9] * 12, 3) as results:
        assert list(results) == [0, CRASHED, 0, CRASHED, 9] * 12


def pid(_: int) -> int:
    time.sleep(0.2)
    return os.getpid()


def test_an_idle_worker_that_is_killed_is_replaced() -> None:
    with in_processes(pid, range(12), 2) as results:
        first = next(results)
        os.kill(first, signal.SIGKILL)
        rest = list(results)
    assert len([found for found in rest if isinstance(found, int)]) >= 10
    assert rest[-1] != first


def test_what_cannot_be_loaded_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "passing.py").write_text("def work(task):\n    return task\n")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("passing").work
    (tmp_path / "passing.py").write_text("raise OSError('no such luck')\n")
    with pytest.raises(OSError, match="no such luck"), in_processes(work, [1], 1) as results:
        list(results)


def test_an_error_says_where_it_arose() -> None:
    with pytest.raises(ZeroDivisionError) as caught, in_processes((1).__truediv__, [0], 1) as results:
        list(results)
    assert "in a worker process" in caught.value.__notes__[0]


def test_an_early_end_stops_the_workers_at_once() -> None:
    with in_processes(awkward, [0, 6, 6], 2) as results:
        assert next(results) == 0
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert not multiprocessing.active_children()


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from leaflet_tool.prepare.parallel import in_processes\n"
        "def told(folder):\n"
        "    open(f'{folder}/{os.getpid()}', 'w').close()\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        f"    with in_processes(told, [{str(tmp_path)!r}], 1) as results:\n"
        "        list(results)\n"
    )
    parent = subprocess.Popen([sys.executable, script])
    while not (pids := [path.name for path in tmp_path.iterdir() if path.name.isdigit()]):
        assert parent.poll() is None
        time.sleep(0.02)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while Path("/proc", pids[0]).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path("/proc", pids[0]).exists()
