"""The log of a review: every decision with what it was about, in AUDIT/review.sqlite; nothing in it is ever erased.

A decision is on disk when `record` returns: WAL with synchronous=FULL. It tells its pages and the label they were
shown with, so that it counts for the findings of later audits too.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import split_labels
from leaflet_tool.prepare.store import PATIENCE, share, transaction

FILE = "review.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    once TEXT NOT NULL UNIQUE,
    reviewer TEXT NOT NULL,
    decision TEXT NOT NULL,
    label TEXT NOT NULL,
    new_class INTEGER NOT NULL,
    finding TEXT NOT NULL,
    kind TEXT NOT NULL,
    given TEXT NOT NULL,
    pages TEXT NOT NULL,
    sources TEXT NOT NULL,
    rows TEXT NOT NULL,
    decided TEXT NOT NULL,
    withdrawn TEXT NOT NULL DEFAULT ''
)
"""
LISTS = ("pages", "sources", "rows")


def labels(cell: str) -> frozenset[str]:
    """Labels as a set: their order says nothing."""
    return frozenset(split_labels(cell))


@dataclass(frozen=True)
class Subject:
    """What is decided on: a finding's name and kind, its pages, and the label that they were shown with."""

    finding: str
    kind: str
    given: str
    pages: tuple[str, ...]
    sources: tuple[str, ...] = ()
    """The archive's own file of each page; empty without files."""
    rows: tuple[str, ...] = ()

    @cached_property
    def key(self) -> tuple[frozenset[str], frozenset[str]]:
        """The pages and the labels, in whatever order: two subjects with the same are decided alike."""
        return frozenset(self.pages), labels(self.given)


@dataclass(frozen=True)
class Entry:
    """One reviewer's decision; `number` grows with time."""

    number: int
    reviewer: str
    decision: str
    label: str
    """What the pages should be labelled with; several labels are joined by |."""
    new_class: bool
    subject: Subject
    decided: str
    """ISO 8601 in UTC."""


class OvertakenError(Exception):
    """The reviewer has decided the finding in another window since this one was shown."""


class Decisions:
    """The log, for one process's threads; several processes may have it open."""

    def __init__(self, path: Path) -> None:
        self._lock, self._path = threading.RLock(), path
        self._known: tuple[tuple[int, int], list[Entry]] | None = None
        self._parsed: dict[int, Entry] = {}
        with self._naming():
            self._database = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
            share(self._database)
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute(SCHEMA)

    def close(self) -> None:
        """Ends the connection once no thread uses it; what was recorded stays."""
        with self._lock:
            self._database.close()

    def live(self) -> list[Entry]:
        """Every decision that was not withdrawn, the earliest first."""
        with self._lock, self._naming():
            version = self._version()
            if self._known is None or self._known[0] != version:
                found = self._database.execute("SELECT number FROM decisions WHERE withdrawn = '' ORDER BY number")
                numbers = [number for (number,) in found]
                self._read_new()  # after the numbers: what another process adds in between has to be known by then
                self._known = version, [self._parsed[number] for number in numbers]
            return self._known[1]

    def _read_new(self) -> None:
        """Rows never change but for WITHDRAWN: each is read once."""
        last = max(self._parsed, default=0)
        found = self._database.execute("SELECT * FROM decisions WHERE number > ? ORDER BY number", (last,))
        names = [column[0] for column in found.description]
        entries = [_entry(dict(zip(names, row, strict=True))) for row in found]
        self._parsed |= {entry.number: entry for entry in entries}

    def _version(self) -> tuple[int, int]:
        """Differs when anything was written, here or by another process."""
        (others,) = self._database.execute("PRAGMA data_version").fetchone()
        return int(others), self._database.total_changes

    def record(
        self, reviewer: str, decision: str, label: str, subject: Subject, *, once: str, base: int, new: bool = False
    ) -> Entry:
        """Writes a decision durably. The same `once` again writes nothing and returns what was written.

        `base` is the number of the reviewer's own live decision on the finding as the page showed it, 0 for none;
        OvertakenError when there is another one by now.
        """
        with self._lock, self._naming(), transaction(self._database):
            if (same := self._with(once)) is not None:
                return same
            if self.latest(reviewer, subject.finding) != base:
                raise OvertakenError
            told = {
                "once": once,
                "reviewer": reviewer,
                "decision": decision,
                "label": label,
                "new_class": int(new),
                **{name: json.dumps(value) if name in LISTS else value for name, value in asdict(subject).items()},
                "decided": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            places = ", ".join(f":{name}" for name in told)
            self._database.execute(f"INSERT INTO decisions ({', '.join(told)}) VALUES ({places})", told)  # noqa: S608
            written = self._with(once)
            assert written is not None  # noqa: S101 - it was just written
            return written

    def withdraw(self, number: int, reviewer: str) -> Entry | None:
        """Takes a reviewer's own decision back, so that the one before it counts again; None where there is none."""
        with self._lock, self._naming(), transaction(self._database):
            mine = "number = ? AND reviewer = ?"
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._database.execute(
                f"UPDATE decisions SET withdrawn = ? WHERE {mine} AND withdrawn = ''",  # noqa: S608 - no user's text
                (now, number, reviewer),
            )
            return self._one(mine, number, reviewer)

    def latest(self, reviewer: str, finding: str) -> int:
        """The number of the reviewer's own live decision on the finding, 0 for none."""
        asked = "SELECT max(number) FROM decisions WHERE reviewer = ? AND finding = ? AND withdrawn = ''"
        with self._lock, self._naming():
            (number,) = self._database.execute(asked, (reviewer, finding)).fetchone()
        return number or 0

    def _with(self, once: str) -> Entry | None:
        return self._one("once = ?", once)

    def _one(self, where: str, *values: Any) -> Entry | None:
        found = self._database.execute(f"SELECT * FROM decisions WHERE {where}", values)  # noqa: S608 - no user's text
        names, row = [column[0] for column in found.description], found.fetchone()
        return None if row is None else _entry(dict(zip(names, row, strict=True)))

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            hint = "a full disk or a foreign file? no decision was lost that a page had said was recorded"
            raise InputError(f"{self._path}: {error}", hint=hint) from error


def _entry(row: dict[str, Any]) -> Entry:
    lists = {name: tuple(json.loads(row[name])) for name in LISTS}
    return Entry(
        row["number"],
        row["reviewer"],
        row["decision"],
        row["label"],
        bool(row["new_class"]),
        Subject(row["finding"], row["kind"], row["given"], **lists),
        row["decided"],
    )
