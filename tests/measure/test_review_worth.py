"""The worth of a review: rates with intervals, a yield that falls with the rank, and when to stop."""

import numpy as np
import pytest
from scipy.stats import binom

from leaflet_tool.measure.review_worth import falling, share, worth


def test_nothing_is_known_before_the_first_decision() -> None:
    told = worth([], [], 40)
    assert (told["reviewed"], told["per_hundred"], told["expected"], told["stop"]) == (0, None, None, False)
    assert told["curve"] == []


def test_the_rate_is_of_all_and_the_expectation_of_the_last_in_rank_order() -> None:
    # given in the order of decisions, not of ranks: the worst thirty are wrong, the rest are right
    ranks = [*range(61, 91), *range(1, 31), *range(31, 61)]
    wrong = [rank <= 30 for rank in ranks]
    told = worth(ranks, wrong, 500, window=30, ahead=100, limit=5)
    assert told["found"] == 30
    assert told["per_hundred"] is not None and told["expected"] is not None and told["lately"] is not None
    assert told["per_hundred"]["value"] == pytest.approx(100 / 3)
    assert told["lately"]["value"] == 0
    assert told["expected"]["value"] == pytest.approx(100 * 0.5 / 31)
    assert told["expected"]["high"] > told["expected"]["value"] > told["expected"]["low"] == 0
    assert told["stop"]
    assert told["curve"] == [(1, 100.0), (31, 0.0)]


@pytest.mark.parametrize(
    ("found", "reviewed", "remaining", "stop"),
    [(0, 49, 500, False), (0, 50, 500, True), (3, 50, 500, False), (2, 50, 500, True), (50, 50, 0, True)],
)
def test_a_review_may_stop_when_little_is_to_be_expected_by_a_whole_window(
    found: int, reviewed: int, remaining: int, stop: bool
) -> None:
    wrong = [place < found for place in range(reviewed)]
    assert worth(range(1, reviewed + 1), wrong, remaining, window=50, ahead=100, limit=5)["stop"] is stop


def test_the_limit_is_for_a_hundred_where_fewer_remain() -> None:
    wrong = [place < 5 for place in range(50)]
    told = worth(range(1, 51), wrong, 10, window=50, ahead=100, limit=5)
    assert told["ahead"] == 10
    assert not told["stop"]


def test_the_interval_holds_the_true_share_about_as_often_as_it_says() -> None:
    # the exact coverage over all outcomes, averaged over shares: Jeffreys' is near nominal (Brown et al. 2001)
    size, shares = 40, np.linspace(0.05, 0.95, 19)
    bounds = [share(found, size) for found in range(size + 1)]
    held = [
        sum(
            binom.pmf(found, size, p)
            for found, bound in enumerate(bounds)
            if bound and (bound["low"] or 0) <= p <= (bound["high"] or 1)
        )
        for p in shares
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)


def test_the_falling_yield_is_the_isotonic_fit() -> None:
    from sklearn.isotonic import IsotonicRegression

    chance = np.random.default_rng(5)
    ranks = np.sort(chance.choice(1000, 200, replace=False))
    wrong = chance.random(200) < np.linspace(0.9, 0.05, 200)
    steps = falling(ranks, wrong)
    starts, heights = zip(*steps, strict=True)
    fitted = IsotonicRegression(increasing=False).fit_transform(ranks, wrong.astype(float))
    ours = [heights[np.searchsorted(starts, rank, side="right") - 1] for rank in ranks]
    np.testing.assert_allclose(ours, fitted, atol=1e-9)
    assert list(heights) == sorted(heights, reverse=True)
