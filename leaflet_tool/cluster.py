"""A Ray cluster for the length of some work: one that is joined, or one of our own of which nothing is left."""

import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.settings import RAY

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def check_answers(address: str | None) -> None:
    """An InputError where no cluster answers at `address`: Ray itself waits minutes for one that is not there."""
    host, colon, port = (address or "").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        hint = "start it, or leave --ray-address out to have one here"
        raise InputError(f"no Ray cluster answers at {address}: {error}", hint=hint) from error


@contextmanager
def cluster(address: str | None, cores: int) -> Iterator[None]:
    """Joins the Ray cluster at `address`, or runs one of that many cores here and leaves nothing of it behind."""
    os.environ.update(ENVIRONMENT)
    import ray

    logging.getLogger("ray").setLevel(logging.CRITICAL)  # what fails is said in our own words
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as scratch:
        local: dict[str, Any] = {
            "num_cpus": cores,
            "object_store_memory": RAY.object_store,
            "include_dashboard": False,
            "_temp_dir": scratch,
        }
        ray.shutdown()  # of an earlier training on Ray in this process, which keeps it
        try:
            _enter(address, {} if address else local)
            yield
        finally:
            ray.shutdown()


def _enter(address: str | None, local: dict[str, Any]) -> None:
    import ray

    try:
        ray.init(address=address or "local", configure_logging=False, log_to_driver=False, **local)
    except ConnectionError as error:
        hint = "is it up, and is RAY_AUTH_TOKEN the cluster's own?"
        raise InputError(f"no Ray cluster lets us in at {address}: {error}", hint=hint) from error
