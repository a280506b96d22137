"""A killed preparation, run again, ends as one that nobody disturbed."""

import shutil

import pytest

from benchmarks.interruptions import trials


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_kills_at_any_moment_leave_the_outcome_as_it_is() -> None:
    assert trials(kills=4, images=40, seed=7) == [True] * 4
