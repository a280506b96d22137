"""A page's own address on 127.0.0.1: a port, a secret, and a server that ends cleanly."""

import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from leaflet_tool.errors import InputError

LOCAL = "127.0.0.1"
NAMES = (LOCAL, "localhost")
REMEMBERED = ".review.json"
"""The token and the last port, for the owner's eyes alone: pages that are open find a server again that was ended."""


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the secret without which it answers nothing."""

    port: int
    token: str

    @property
    def origin(self) -> str:
        """What a page of ours calls the server."""
        return f"http://{LOCAL}:{self.port}"

    @property
    def url(self) -> str:
        """Of the first page."""
        return f"{self.origin}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host header may say."""
        return tuple(f"{name}:{self.port}" for name in NAMES)


def listen(folder: Path, port: int) -> tuple[socket.socket, Address]:
    """A socket on `port`, or for 0 on the folder's last one or any free one; the token is the folder's own."""
    told = _remembered(folder)
    token = told.get("token") or secrets.token_urlsafe(24)
    last = told.get("port")
    if port:
        found = _bound(port)
        if found is None:
            raise InputError(f"port {port} is taken", hint="choose another --port, or 0 for any free one")
    else:
        found = (_bound(last) if isinstance(last, int) else None) or _bound(0)
        assert found is not None  # noqa: S101 - the system has a free port
    address = Address(found.getsockname()[1], token)
    _remember(folder / REMEMBERED, address)
    return found, address


def _remember(path: Path, address: Address) -> None:
    """Writes what the next server of this folder goes on with; never is it there for others to read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump({"token": address.token, "port": address.port}, file)


def _remembered(folder: Path) -> dict[str, Any]:
    """What the last server of this folder left; nothing where that cannot be read."""
    try:
        told = json.loads((folder / REMEMBERED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("token"), str) else {}


def _bound(port: int) -> socket.socket | None:
    """A listening socket, or None where the port is taken or not to be had."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOCAL, port))
        found.listen(128)
    except (OSError, OverflowError):
        found.close()
        return None
    return found


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answers until Ctrl-C, which ends it as it should."""
    config = uvicorn.Config(
        app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1, lifespan="off"
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        return
