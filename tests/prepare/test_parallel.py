"""Work spread over processes and threads."""

import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.prepare.parallel import in_processes, in_threads

Spread = Callable[..., AbstractContextManager[Iterator[Any]]]


@pytest.mark.parametrize("spread", [in_processes, in_threads])
def test_results_come_in_order_and_errors_arrive(spread: Spread) -> None:
    with spread(operator.neg, range(50), 2) as results:
        assert list(results) == [-number for number in range(50)]
    with spread(operator.neg, [], 2) as results:
        assert list(results) == []
    with pytest.raises(ZeroDivisionError), spread((1).__truediv__, [1, 0], 1) as results:
        list(results)


def test_a_dead_worker_is_said() -> None:
    with pytest.raises(InputError, match="a worker process died"), in_processes(os._exit, [3], 1) as results:
        list(results)


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
