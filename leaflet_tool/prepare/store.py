"""A dictionary of JSON values in one SQLite file: survives kills, may be read and written by two processes at once."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
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
            share(self._database)
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
        self.put_all({key: value})

    def put_all(self, values: Mapping[str, Any]) -> None:
        """Sets or replaces several values, all or none of them."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self._told(), transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?)", rows)

    def keys(self) -> list[str]:
        """Every key, sorted."""
        with self._told():
            return [key for (key,) in self._database.execute("SELECT key FROM entry ORDER BY key")]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every key with its value, sorted; for reading only while it goes on."""
        with self._told():
            for key, value in self._database.execute("SELECT key, value FROM entry ORDER BY key"):
                yield key, json.loads(value)

    def remove(self, keys: Iterable[str]) -> None:
        """Forgets the keys."""
        with self._told(), transaction(self._database):
            self._database.executemany("DELETE FROM entry WHERE key = ?", ((key,) for key in keys))

    def shrink(self) -> None:
        """Gives the disk back what was removed."""
        with self._told():
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            full = getattr(error, "sqlite_errorcode", 0) & PRIMARY in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
            hint = "free some space; what was finished is kept" if full else BROKEN
            raise InputError(f"{self.path} cannot be used: {error}", hint=hint) from error


def share(database: sqlite3.Connection) -> None:
    """Lets others read while one writes; SQLite itself does not wait when two processes ask for that at once."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Writes all or nothing and sees what it decides on; waits for another process that writes."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:  # on a full disk SQLite has rolled back by itself
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
