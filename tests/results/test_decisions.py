"""The log of a review where several have it open at once, and where its disk is full."""

import sqlite3
import threading
from pathlib import Path

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.results.decisions import Decisions, Subject


def subject(number: int) -> Subject:
    return Subject(f"f{number}", "label", "Green", (f"p{number}",))


def test_a_full_disk_is_told_as_such_and_nothing_is_half_recorded(tmp_path: Path) -> None:
    log = Decisions(tmp_path / "log.sqlite")
    log._database.execute("PRAGMA max_page_count = 4")
    with pytest.raises(InputError, match=r"log\.sqlite: database or disk is full"):
        for number in range(1000):
            log.record("anna", "change", "Red" * 200, subject(number), once=f"once{number}", base=0)
    told = log.live()
    assert [entry.number for entry in told] == list(range(1, len(told) + 1))
    log._database.execute("PRAGMA max_page_count = 1000")
    assert log.record("anna", "keep", "Green", subject(1000), once="once-more", base=0).number == len(told) + 1
    log.close()


def test_a_log_that_another_process_makes_at_the_same_time_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    ending.start()
    log = Decisions(tmp_path / "log.sqlite")
    ending.join()
    assert log._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    log.close()
    other.close()


def test_what_another_process_records_while_the_log_is_read_comes_with_the_next_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, other = Decisions(tmp_path / "log.sqlite"), Decisions(tmp_path / "log.sqlite")
    first = log.record("anna", "keep", "Green", subject(1), once="once1", base=0)
    read_new = Decisions._read_new

    def with_another(self: Decisions) -> None:
        read_new(self)
        other.record("bert", "keep", "Green", subject(2), once="once2", base=0)

    monkeypatch.setattr(Decisions, "_read_new", with_another)
    assert log.live() == [first]
    monkeypatch.undo()
    assert [entry.reviewer for entry in log.live()] == ["anna", "bert"]
    log.close()
    other.close()
