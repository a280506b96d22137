"""How long work tells how far it is: library code takes a `Progress`, the command line gives one that draws."""

from collections.abc import Iterable
from typing import Protocol


class Progress(Protocol):
    """Passes `items` on and shows how many of `total` have gone by under `title`."""

    def __call__[T](self, items: Iterable[T], *, total: int, title: str) -> Iterable[T]: ...


def silent[T](items: Iterable[T], *, total: int, title: str) -> Iterable[T]:
    """Shows nothing."""
    return items
