"""How long work tells how far it is: library code takes a `Progress`, the command line gives one that draws."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

EVERY = 60.0
"""Seconds between two lines, where progress is told in lines."""


class Progress(Protocol):
    """Passes `items` on and shows how many of `total` have gone by under `title`."""

    def __call__[T](self, items: Iterable[T], *, total: int, title: str) -> Iterable[T]: ...


def silent[T](items: Iterable[T], *, total: int, title: str) -> Iterable[T]:
    """Shows nothing."""
    return items


def in_lines[T](
    items: Iterable[T],
    *,
    total: int,
    title: str,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Says what is to be done, and every EVERY seconds at most how much is, how fast, and the time left."""
    say(f"{title}: {total}")
    started = told = clock()
    for done, item in enumerate(items, start=1):
        now = clock()
        if now - told >= EVERY and done < total:
            told, elapsed = now, now - started
            left = duration((total - done) * elapsed / done)
            say(f"{title}: {done} of {total}, {_speed(done / elapsed)}, about {left} left")
        yield item


def duration(seconds: float) -> str:
    """Seconds in a unit that leaves a small number."""
    unit, name = next(((unit, name) for unit, name in ((3600, "h"), (60, "min")) if seconds >= 2 * unit), (1, "s"))
    return f"{seconds / unit:.0f} {name}"


def _speed(a_second: float) -> str:
    unit, name = next(((unit, name) for unit, name in ((1, "s"), (60, "min")) if a_second * unit >= 0.1), (3600, "h"))
    return f"{a_second * unit:.1f}/{name}"
