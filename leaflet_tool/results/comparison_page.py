"""The comparison as one page that needs nothing else: for a colleague's mail, a printer or an appendix."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leaflet_tool import __version__
from leaflet_tool.measure.selective import ASSURANCE
from leaflet_tool.models import scoring
from leaflet_tool.models.ludwig_figures import LudwigFigure
from leaflet_tool.results import comparison_pictures as pictures
from leaflet_tool.results import comparison_tables as tables
from leaflet_tool.results import label_pictures, label_sheets, label_tables, sureness, verdict
from leaflet_tool.results.comparison import LEAFLET, PAGE, Comparison, Pair
from leaflet_tool.results.page import Table, render
from leaflet_tool.results.words import listed
from leaflet_tool.storage import write_text


def write_page(comparison: Comparison, path: Path, *, by_ludwig: Sequence[LudwigFigure] = ()) -> None:
    """Writes the page whole or not at all; `by_ludwig` are the figures of `ludwig_figures.drawn`."""
    write_text(path, render("comparison.html", **_context(comparison, by_ludwig)))


def _context(comparison: Comparison, by_ludwig: Sequence[LudwigFigure]) -> dict[str, Any]:
    """What the template shows, section by section."""
    units, first = comparison.units, next(iter(comparison.figures.values()))
    learning, not_learned = pictures.learning(comparison)
    drawn, not_drawn = pictures.by_ludwig(by_ludwig, comparison.kind.multiple)
    parts = _of_labels if comparison.kind.multiple else _of_classes
    return {
        "title": f"{listed(list(comparison.runs))} compared",
        "multiple": comparison.kind.multiple,
        "label": comparison.label,
        "judged": verdict.counted(comparison, PAGE),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "sentences": verdict.sentences(comparison),
        "several_units": LEAFLET in units,
        "runs": tables.runs(comparison),
        "versions": tables.versions(comparison),
        "metrics": [tables.metrics(comparison, unit) for unit in units],
        "headlines": [pictures.headlines(comparison, unit) for unit in units],
        "pairs": _tested(comparison, comparison.pairs),
        "against_baselines": _tested(comparison, comparison.against_baselines),
        "sureness_errors": [sureness.errors(comparison, unit) for unit in units],
        "reliabilities": sureness.reliabilities(comparison, PAGE),
        "sureness_decided": [sureness.decided(comparison, unit) for unit in units],
        "risk_coverage": [sureness.risk_coverage(comparison, unit) for unit in units],
        "assurance": ASSURANCE,
        "learning": learning,
        "not_learned": not_learned,
        "by_ludwig": drawn,
        "not_drawn": not_drawn,
        "intervals": first["intervals"],
        "mixed_groups": first["mixed_groups"],
        **parts(comparison),
    }


def _tested(comparison: Comparison, pairs: Sequence[Pair]) -> list[Table]:
    """The tables of some pairs, of each unit."""
    found = []
    for unit in comparison.units:
        found += [tables.pairs(comparison, pairs, unit), *tables.other_differences(comparison, pairs, unit)]
    return found


def _of_classes(comparison: Comparison) -> dict[str, Any]:
    """The parts of the page that only one label a page has."""
    return {
        "classes": tables.classes(comparison, PAGE),
        "confusions": pictures.confusions(comparison, PAGE),
    }


def _of_labels(comparison: Comparison) -> dict[str, Any]:
    """The parts of the page that only several labels a page have."""
    return {
        "views": [
            table(comparison, unit) for unit in comparison.units for table in (label_tables.views, label_tables.shares)
        ],
        "areas": label_tables.areas(comparison, PAGE),
        "decisions": label_tables.decisions(comparison, PAGE),
        "unfitted": any(scoring.unfitted_labels(run) for run in comparison.runs.values()),
        "left_out": listed(next(iter(comparison.figures.values()))[PAGE]["without_positives"]),
        "curves": label_pictures.curves(comparison),
        "frequencies": label_pictures.frequencies(comparison),
        "thresholds": label_pictures.thresholds(comparison),
        "limits": label_pictures.limits(comparison),
        "distributions": label_pictures.distributions(comparison),
        "together": label_pictures.together(comparison),
        "worst": label_sheets.worst(comparison),
        "sheets": label_sheets.of_labels(comparison),
    }
