"""A study as one page that needs nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

from leaflet_tool import __version__
from leaflet_tool.measure import figures
from leaflet_tool.results.comparison import ALPHA
from leaflet_tool.results.kinds import VIEWS
from leaflet_tool.results.page import Cell, Picture, Table, render, svg_uri
from leaflet_tool.results.study_table import CLASSES, LABELS, Line, StudyTable, p_cell
from leaflet_tool.results.verdict import interval
from leaflet_tool.storage import write_text

PAGE = "study.html"
CHANGES = 100
"""Characters of what a row changes that stand beside its figures; the whole stands among the rows."""


def write(table: StudyTable, path: Path) -> None:
    """Writes the page whole or not at all."""
    write_text(path, render("study.html", **_context(table)))


def _context(table: StudyTable) -> dict[str, Any]:
    judged = [line for line in (*table.lines, *table.rivals) if line.figures]
    return {
        "title": table.study,
        "description": table.description,
        "label": table.label,
        "judged": table.title,
        "multiple": table.multiple,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "sentences": table.sentences,
        "figures": _figures(table, judged),
        "views": [_view(table, judged, view) for view in VIEWS] if table.multiple else [],
        "drawing": _drawing(table, judged),
        "proof": _proof(table),
        "plain": table.plain,
        "seeds": ", ".join(map(str, table.seeds)),
    }


def _figures(table: StudyTable, judged: Sequence[Line]) -> Table:
    """The headline of every row with its difference from the base."""
    others = {"micro_ap": "micro AP", "macro_pr_auc_trapezoid": "AUC(PR), trapezoids"} if table.multiple else CLASSES
    rows = [
        [
            Cell(line.name, shorten(line.changes, CHANGES, placeholder=" …")),
            _with_bounds(line.figures[table.headline]),
            Cell(_spread(line.figures[table.headline])),
            *_difference(line.differences.get(table.headline), table.compared(line)),
            *(_with_bounds(line.figures[name]) for name in others if name in line.figures),
        ]
        for line in judged
    ]
    heads = ["", table.words, "over seeds", f"against {table.plain}", "p", *others.values()]
    return Table("Every row on the same test pages", heads, rows)


def _view(table: StudyTable, judged: Sequence[Line], view: str) -> Table:
    """Figures of predicted labels in one view."""
    rows = [
        [Cell(line.name), *(_with_bounds(line.figures[f"{view}.{name}"]) for name in LABELS if _has(line, view, name))]
        for line in judged
    ]
    kept = [words for name, words in LABELS.items() if any(_has(line, view, name) for line in judged)]
    truth = f"; {table.labels_per_row:.2f} labels a page in truth" if table.labels_per_row is not None else ""
    return Table(f"Labels decided {VIEWS[view]}{truth}", ["", *kept], rows)


def _has(line: Line, view: str, name: str) -> bool:
    return f"{view}.{name}" in line.figures


def _with_bounds(figure: dict[str, Any]) -> Cell:
    bounds = "" if figure["low"] is None else f"{figure['low']:.3f} to {figure['high']:.3f}"
    return Cell(f"{figure['value']:.3f}", bounds)


def _spread(figure: dict[str, Any]) -> str:
    spread = figure.get("over_seeds")
    return "" if spread is None else f"± {spread:.3f}"


def _difference(found: dict[str, Any] | None, seeds: str) -> list[Cell]:
    if found is None or found["value"] is None:
        return [Cell(""), Cell("")]
    bounds = "" if found["low"] is None else f"{found['low']:+.3f} to {found['high']:+.3f}"
    strong = found["p"] is not None and found["p"] < ALPHA
    return [Cell(f"{found['value']:+.3f}", f"{bounds}{seeds}".removeprefix(", ")), Cell(p_cell(found), strong=strong)]


def _drawing(table: StudyTable, judged: Sequence[Line]) -> Picture:
    found: dict[str, Any] = {line.name: line.figures[table.headline] for line in judged}
    rivals = [line.row for line in table.rivals]
    return Picture(
        title=f"{table.words} of every row",
        uri=svg_uri(figures.svg(figures.intervals(found, metric=table.words, baselines=rivals))),
        alt="; ".join(f"{name}: {interval(figure)}" for name, figure in found.items()),
    )


def _proof(table: StudyTable) -> Table:
    """What each row changed, its state, and what shows that the change was in force."""
    rows = [[Cell(line.row), Cell(line.changes), Cell(line.state), Cell("; ".join(line.proof))] for line in table.lines]
    return Table("What each row changed", ["", "changed", "runs", "what shows it"], rows, words=(1, 2, 3))
