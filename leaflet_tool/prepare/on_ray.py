"""Pages read on a Ray cluster: one pipeline of Ray Data, whose workers return readings and write nothing.

The driver alone knows the cache. A node that dies costs time: Ray gives its batches to the others.
"""

import logging
import os
import pickle
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow as pa

from leaflet_tool import __version__
from leaflet_tool.cluster import cluster
from leaflet_tool.errors import InputError, MissingError
from leaflet_tool.prepare.on_node import Unseen, sees
from leaflet_tool.prepare.parallel import cores
from leaflet_tool.prepare.reading import Page, Reading, failed
from leaflet_tool.prepare.readings import Batch

SIZE = 16
"""Pages of a batch at most: enough that what Ray takes for it hardly counts."""
SHARE = 0.8
"""Of what is left, the processors' next batches take so much: what remains evens out how long they take."""
RETRIES = 5
"""How often a batch is begun anew after its worker or its node died."""
OUT_OF_MEMORY = "RAY_task_oom_retries"
"""Environment variable for how often that is where a node killed its worker for memory; without it, for ever."""
BATCH, FOUND = "batch", "found"
"""Columns before and after the step: a row is a batch, pickled, since Arrow has no words for every path and text."""


def read(pages: Sequence[Page], tesseract: str, workers: int, *, address: str | None) -> Generator[Batch]:
    """Batches of pages with their readings, in the order in which nodes are done with them.

    The cluster at `address` is joined; without one, it is `workers` processes of this machine. Pages of a batch that
    ended its workers again and again are read each alone, and are failed if they end theirs too.
    """
    unread = {number: replace(page, path=page.path.absolute()) for number, page in enumerate(pages)}
    os.environ.setdefault(OUT_OF_MEMORY, str(RETRIES))
    with cluster(address, workers or cores()):
        for alone in (False, True):
            with closing(_found(unread, tesseract, alone=alone)) as batches_found:
                for found in batches_found:
                    batch = [unread.pop(number) for number in found]
                    yield batch, [_reading(page, result) for page, result in zip(batch, found.values(), strict=True)]
    if unread:
        yield list(unread.values()), [failed("ended its worker on every node")] * len(unread)


def _found(pages: Mapping[int, Page], tesseract: str, *, alone: bool) -> Generator[dict[int, Any]]:
    """What was found on each batch, by the numbers of its pages; batches that are lost are left out."""
    if not pages:
        return
    import ray

    processors = int(ray.cluster_resources().get("CPU", 0))
    if not processors:
        raise InputError("the Ray cluster has no processor", hint="start its nodes with --num-cpus")
    numbers = list(pages)
    parts = [[number] for number in numbers] if alone else batches(numbers, processors)
    rows = [{BATCH: pickle.dumps({number: pages[number] for number in part})} for part in parts]
    with ray.data.DataContext.current(_context()), warnings.catch_warnings(action="ignore"):
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _task(tesseract, __version__),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=1,
            max_retries=RETRIES,  # of which Ray warns that it will be given otherwise from 2.64 on
        )
    results: Any = iter(done.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
    with closing(results):
        for table in results:
            for found in map(pickle.loads, table[FOUND].to_pylist()):
                if isinstance(found, Exception):
                    raise _told(found)
                yield found


def batches[Item](pages: Sequence[Item], processors: int) -> list[Sequence[Item]]:
    """`pages` in their order, in batches that get smaller towards the end, so that all processors end together."""
    made: list[Sequence[Item]] = []
    start = 0
    while start < len(pages):
        size = min(SIZE, max(1, int(SHARE * (len(pages) - start) / processors)))
        made.append(pages[start : start + size])
        start += size
    return made


def _context() -> Any:
    """Ray Data's settings: no bars of its own, and a batch whose worker is lost for good ends nothing else."""
    from ray.data import DataContext

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # importing it has set another
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = -1
    return context


def _task(tesseract: str, version: str) -> Callable[[pa.Table], pa.Table]:
    """What a node does with a batch. It travels whole, so that a node without leaflet-tool is able to say so."""
    columns = BATCH, FOUND

    def task(table: pa.Table) -> pa.Table:
        import pickle
        import platform
        import traceback

        import pyarrow as pa

        given, found = columns
        (row,) = table[given].to_pylist()
        results: dict[int, Any] | Exception
        try:
            from leaflet_tool.prepare import on_node

            batch = pickle.loads(row)  # noqa: S301 - from the driver
            results = dict(zip(batch, on_node.read([*batch.values()], tesseract, version), strict=True))
        except Exception as error:
            error.add_note(f"on node {platform.node()}:\n{traceback.format_exc()}")
            results = error
        return pa.table({found: [pickle.dumps(results)]})

    return task


def _told(error: Exception) -> Exception:
    """What is said of the error of a node."""
    if isinstance(error, ImportError):
        where = error.__notes__[0].partition(":")[0]
        hint = "install this version of leaflet-tool on all nodes"
        return MissingError(f"leaflet-tool does not start {where}: {error}", hint=hint)
    return error


def _reading(page: Page, found: Reading | Unseen) -> Reading:
    """The reading of a page; an InputError where its file is here and not on the node."""
    if isinstance(found, Reading):
        return found
    if not sees(page):
        return failed("it is gone or was changed after it was copied")
    raise InputError(
        f"node {found.node} does not see {page.path}, or sees another file there",
        hint="put the archive on a disk that all nodes share, under the same path",
    )
