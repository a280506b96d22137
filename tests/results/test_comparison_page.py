"""The comparison's page: it stands alone, escapes what it is given, and can be read without eyes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from leaflet_tool.models.ludwig_figures import PERFORMANCE, LudwigFigure
from leaflet_tool.models.runs import Run
from leaflet_tool.results.comparison import Comparison, compare
from leaflet_tool.results.comparison_page import write_page
from tests.results.pages import Page, stands_alone, without_eyes

type Scripted = Callable[..., Run]
HOSTILE = "<script>alert('x')</script> & \"quoted\""
FOREIGN = LudwigFigure(PERFORMANCE, png=b"\x89PNG of Ludwig")
MISSING = LudwigFigure("learning_curves", problem=f"Ludwig gave up: {HOSTILE}")


@pytest.fixture
def comparison(scripted: Scripted) -> Comparison:
    a, b = scripted("a"), scripted("b", wrong=["red8p1", "blue9p2"])
    definition = {**a.facts["definition"], "description": HOSTILE}
    return compare([a.noting(definition=definition, overrides=[HOSTILE]), b], resamples=20)


@pytest.fixture
def page(comparison: Comparison, tmp_path: Path) -> Page:
    path = tmp_path / "comparison.html"
    write_page(comparison, path, by_ludwig=[FOREIGN, MISSING])
    return Page(path.read_text(encoding="utf-8"))


def test_everything_that_is_given_is_escaped(page: Page) -> None:
    assert not page.all("script")
    assert page.text.count(HOSTILE) == 3  # definition, override, Ludwig's reason


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    stands_alone(page)


def test_the_page_can_be_read_without_eyes(page: Page) -> None:
    without_eyes(page)


def test_the_page_holds_what_was_asked_for(page: Page) -> None:
    for words in (
        "Per leaflet: 6 leaflets",
        "what Ludwig calls accuracy is balanced accuracy",
        "McNemar",
        "beats the baselines?",
        "a – TF-IDF + logistic regression",
        "Class by class",
        "Loss by epoch",
        "20 resamples, seed 42",
        "Risk by coverage per leaflet",
        "precision asked for",
        "Not shown:",
    ):
        assert words in page.text
    pictures = [image["src"] or "" for image in page.all("img")]
    # accuracy by unit, confusion, reliability, risk by unit, two curves; Ludwig's
    drawn, foreign = 2 + 2 + 2 + 2 + 2, 1
    assert sum(uri.startswith("data:image/svg+xml;base64,") for uri in pictures) == drawn
    assert sum(uri.startswith("data:image/png;base64,") for uri in pictures) == foreign


def test_without_ludwigs_figures_there_is_no_word_of_them(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "comparison.html"
    write_page(comparison, path)
    assert "Ludwig's own figures" not in path.read_text(encoding="utf-8")


def test_a_page_that_is_there_is_replaced_whole_or_not_at_all(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "comparison.html"
    write_page(comparison, path)
    first = path.read_text(encoding="utf-8")
    unknown = LudwigFigure("a figure that nobody has words for", png=b"x")
    with pytest.raises(KeyError):
        write_page(comparison, path, by_ludwig=[unknown])
    assert path.read_text(encoding="utf-8") == first
    write_page(comparison, path, by_ludwig=[FOREIGN])
    assert "Ludwig's own figures" in path.read_text(encoding="utf-8")
    assert [entry.name for entry in path.parent.iterdir()] == ["comparison.html"]


def test_runs_without_curves_are_named_and_the_rest_is_drawn(scripted: Scripted, tmp_path: Path) -> None:
    a, b = scripted("a"), scripted("b")
    (b.folder / "training_statistics.json").write_text('{"evaluation_frequency": {"frequency": 50, "period": "step"}}')
    path = tmp_path / "comparison.html"
    write_page(compare([a, b], resamples=10), path)
    page = Page(path.read_text(encoding="utf-8"))
    assert "b is not shown:" in page.text and "judged every 50 steps, not every epoch" in page.text
    assert "Loss by epoch" in page.text
    assert "? of 3" in page.text and "3 of 3" in page.text
