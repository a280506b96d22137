"""A killed preparation, run again, ends as one that nobody disturbed."""

import shutil

import pytest

from benchmarks.interruptions import trials, two_at_once

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed"),
]


def test_kills_at_any_moment_leave_the_outcome_as_it_is() -> None:
    assert trials(kills=4, images=40, seed=7) == [True] * 4


def test_the_second_of_two_at_once_stops() -> None:
    assert two_at_once(images=40)
