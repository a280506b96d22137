"""Progress in lines, where no terminal draws a bar."""

import io
from collections.abc import Iterator

import pytest

from leaflet_tool import progress
from leaflet_tool.cli.console import Console
from leaflet_tool.progress import duration, in_lines


class Clock:
    """A time that only goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def over(self, count: int, seconds: float) -> Iterator[int]:
        """Numbers, each of which takes so long."""
        for number in range(count):
            self.now += seconds
            yield number


def lines(count: int, seconds: float) -> list[str]:
    """What is said while so many things are done, each in so many seconds."""
    clock, said = Clock(), list[str]()
    passed = in_lines(clock.over(count, seconds), total=count, title="reading text", say=said.append, clock=clock)
    assert list(passed) == list(range(count))
    return said


def test_a_line_a_minute_says_how_much_is_done_how_fast_and_what_is_left() -> None:
    assert lines(200, 1.0) == [
        "reading text: 200",
        "reading text: 60 of 200, 1.0/s, about 2 min left",
        "reading text: 120 of 200, 1.0/s, about 80 s left",
        "reading text: 180 of 200, 1.0/s, about 20 s left",
    ]
    assert len(lines(100_000, 0.25)) == 1 + 100_000 // 240


def test_short_work_has_one_line() -> None:
    assert lines(10, 5.0) == ["reading text: 10"]
    assert lines(0, 0.0) == ["reading text: 0"]


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (0.125, "480 of 1000, 8.0/s, about 65 s left"),
        (30.0, "2 of 1000, 2.0/min, about 8 h left"),
        (1200.0, "1 of 1000, 3.0/h, about 333 h left"),
    ],
)
def test_slow_work_is_told_in_larger_units(seconds: float, line: str) -> None:
    assert lines(1000, seconds)[1] == f"reading text: {line}"


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_the_command_line_says_it_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    console = Console()
    console.err.file = stderr = io.StringIO()
    console.speak(-1 if quiet else 0)
    assert list(console.progress("abc", total=3, title="copying images")) == ["a", "b", "c"]
    said = stderr.getvalue().splitlines()
    assert [line.partition(",")[0] for line in said] == (
        [] if quiet else ["copying images: 3", "copying images: 1 of 3", "copying images: 2 of 3"]
    )
    assert capsys.readouterr().out == ""
