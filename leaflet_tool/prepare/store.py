"""A dictionary of JSON values in one SQLite file: survives kills, may be read and written by two processes at once."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError

SCHEMA = "CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
BROKEN = "check the disk and its rights; a broken file may be deleted"
PRIMARY = 0xFF
"""The part of SQLite's error codes that says which kind of error it is; the rest tells it more exactly."""
PATIENCE = 60.0
"""Seconds to wait for another process that writes."""


class Store:
    """Values by key; each `put` is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(SCHEMA)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def get(self, key: str) -> Any:
        """The value, or None."""
        with self._told():
            row = self._database.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, key: str, value: Any) -> None:
        """Sets or replaces a value."""
        with self._told():
            self._database.execute("INSERT OR REPLACE INTO entry VALUES (?, ?)", (key, json.dumps(value)))

    def keys(self) -> list[str]:
        """Every key, sorted."""
        with self._told():
            return [key for (key,) in self._database.execute("SELECT key FROM entry ORDER BY key")]

    def remove(self, keys: Iterable[str]) -> None:
        """Forgets the keys."""
        with self._told():
            self._database.executemany("DELETE FROM entry WHERE key = ?", ((key,) for key in keys))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            full = getattr(error, "sqlite_errorcode", 0) & PRIMARY in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
            hint = "free some space; what was finished is kept" if full else BROKEN
            raise InputError(f"{self.path} cannot be used: {error}", hint=hint) from error
