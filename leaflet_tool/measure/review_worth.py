"""What a review is worth: wrong labels found for a hundred findings reviewed, and whether going on still pays.

Findings come worst first, so their yield falls with the rank. What is next is judged by the last findings that were
reviewed, in rank order: as the yield does not rise, that estimate is rather too high than too low for what follows.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from scipy.special import betaincinv

from leaflet_tool.measure.intervals import LEVEL, Interval
from leaflet_tool.settings import REVIEW

HUNDRED = 100


class Worth(TypedDict):
    """Figures of a review so far; rates are wrong labels for a hundred findings."""

    reviewed: int
    found: int
    per_hundred: Interval | None
    """All findings reviewed; None before the first."""
    lately: Interval | None
    """The last `window` of them in rank order."""
    window: int
    remaining: int
    """Findings nobody has decided."""
    ahead: int
    """Of those the next ones, which `expected` is about."""
    expected: Interval | None
    """Wrong labels among them."""
    limit: float
    stop: bool
    """Whether fewer than `limit` are to be expected, judged by a whole window at least, or nothing remains."""
    curve: list[tuple[int, float]]
    """Rank and yield for a hundred findings from there on, falling: where the yield changes."""


def worth(
    ranks: Sequence[int],
    wrong: Sequence[bool],
    remaining: int,
    *,
    window: int = REVIEW.window,
    ahead: int = REVIEW.ahead,
    limit: float = REVIEW.limit,
) -> Worth:
    """The worth of a review of findings with these `ranks`, of which `wrong` were wrong; `remaining` are undecided."""
    order = np.argsort(np.asarray(ranks, dtype=int), kind="stable")
    ordered, hits = np.asarray(ranks, dtype=int)[order], np.asarray(wrong, dtype=bool)[order]
    lately, following = hits[-window:], min(ahead, remaining)
    expected = _expected(int(lately.sum()), len(lately), following)
    enough = len(hits) >= window and expected is not None and expected["value"] < limit * following / ahead
    return {
        "reviewed": len(hits),
        "found": int(hits.sum()),
        "per_hundred": share(int(hits.sum()), len(hits), HUNDRED),
        "lately": share(int(lately.sum()), len(lately), HUNDRED),
        "window": len(lately),
        "remaining": remaining,
        "ahead": following,
        "expected": expected,
        "limit": limit,
        "stop": remaining == 0 or enough,
        "curve": [(rank, HUNDRED * height) for rank, height in falling(ordered, hits)],
    }


def share(found: int, of: int, times: float = 1.0) -> Interval | None:
    """The share found with its Jeffreys interval (Brown, Cai and DasGupta 2001, Statistical Science 16); None of none.

    All three are multiplied by `times`.
    """
    if not of:
        return None
    low, high = betaincinv(found + 0.5, of - found + 0.5, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    bounds = float(low) if found else 0.0, float(high) if found < of else 1.0
    return {"value": times * found / of, "low": times * bounds[0], "high": times * bounds[1]}


def _expected(found: int, of: int, ahead: int) -> Interval | None:
    """Wrong labels among the next `ahead` at the share of the last `of`, with the interval of that share.

    The value takes the mean of the posterior, (found + 1/2) / (of + 1): fifty findings without a wrong label do not
    make sure that there is none.
    """
    bounds = share(found, of, ahead)
    return None if bounds is None else {**bounds, "value": ahead * (found + 0.5) / (of + 1)}


def falling(ranks: Sequence[int] | np.ndarray, wrong: Sequence[bool] | np.ndarray) -> list[tuple[int, float]]:
    """The share that is wrong as a function that never rises with the rank: where each step begins, and its height.

    Pools adjacent violators (Barlow, Bartholomew, Bremner and Brunk 1972); `ranks` ascend.
    """
    blocks: list[tuple[int, float, int]] = []
    for rank, hit in zip(ranks, wrong, strict=True):
        start, total, count = int(rank), float(hit), 1
        while blocks and blocks[-1][1] / blocks[-1][2] <= total / count:
            start, before, number = blocks.pop()
            total, count = total + before, count + number
        blocks.append((start, total, count))
    return [(start, total / count) for start, total, count in blocks]
