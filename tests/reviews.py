"""Audits as `leaflet-tool audit` leaves them, made of findings on the tiny prepared folders."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.manifest import GROUP, ID, ROW, SOURCE, read_prepared
from leaflet_tool.results import findings as table
from leaflet_tool.storage import write_json


def finding(frame: pd.DataFrame, label: str, group: str, **cells: Any) -> dict[str, Any]:
    """A finding on all pages of a leaflet, with their own label as the given one."""
    pages = frame[frame[GROUP] == group]
    row: dict[str, Any] = {
        **dict.fromkeys(table.MEANING, ""),
        table.KIND: "label",
        table.SCORE: 0.9,
        table.GROUP: group,
        table.PAGES: table.joined(list(pages[ID])),
        table.SOURCES: table.joined(list(pages[SOURCE])),
        table.ROWS: table.joined(list(pages[ROW])) if pages[ROW].ne("").any() else "",
        table.GIVEN: pages[label].iloc[0],
        table.GIVEN_PROBABILITY: 0.04,
        table.SUGGESTED_PROBABILITY: 0.91,
        table.AGREEMENT: "2/2",
        table.TEXT_QUALITY: "read",
        table.REASON: "two runs are sure of another label",
        **cells,
    }
    row[table.FINDING] = table.name_of(row[table.KIND], row[table.PAGES].split("|"), row[table.GIVEN])
    return row


def write_audit(folder: Path, prepared: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """An audit's folder with these findings, worst first as they come."""
    found = read_prepared(prepared)
    folder.mkdir(exist_ok=True, parents=True)
    ranked = [{**row, table.RANK: rank} for rank, row in enumerate(rows, start=1)]
    frame = pd.DataFrame(ranked, columns=list(table.MEANING))
    frame = frame.assign(**{name: pd.to_numeric(frame[name]).astype(float) for name in table.NUMERIC})
    table.write_findings(frame, folder)
    label = {"name": found.label.name, "multiple": found.label.multiple}
    data = {"folder": str(prepared), "manifest_sha256": found.digest}
    write_json(folder / table.FACTS, {"data": data, "label": label, "classes": found.classes, "runs": ["text"]})
    return folder


def party_audit(folder: Path, prepared: Path) -> Path:
    """Eight findings on leaflets by party: six on labels, one on twins, one on a dark page."""
    frame = read_prepared(prepared).frame
    told = [
        ("red0", {table.SUGGESTED: "Green", table.WORDS: "climate|wages|street vote", table.SCORE: 0.99}),
        ("red1", {table.SUGGESTED: "Blue", table.WORDS: "hospitals|schools", table.SCORE: 0.95}),
        ("blue2", {table.SUGGESTED: "Red", table.WORDS: "taxes|people", table.TEXT_QUALITY: "poor"}),
        ("green3", {table.KIND: "duplicate", table.SUGGESTED: "Blue", table.TWINS: "blue3p1|blue3p2"}),
        ("green4", {table.SUGGESTED: "Red", table.SCORE: 0.7}),
        ("green5", {table.SUGGESTED: "Red", table.SCORE: 0.6}),
        ("blue6", {table.SUGGESTED: "Green", table.SCORE: 0.5}),
        ("red7", {table.KIND: "dark", table.SCORE: 0.8, table.GIVEN_PROBABILITY: float("nan")}),
    ]
    return write_audit(folder, prepared, [finding(frame, "party", group, **cells) for group, cells in told])


def subject_audit(folder: Path, prepared: Path) -> Path:
    """Three findings on leaflets with several labels a page."""
    frame = read_prepared(prepared).frame
    told = [
        ("leaflet01", {table.SUGGESTED: "Society|Sports"}),
        ("leaflet02", {table.SUGGESTED: "Nature|Plants"}),
        ("leaflet09", {table.SUGGESTED: "Nature|Plants"}),
    ]
    return write_audit(folder, prepared, [finding(frame, "subjects", group, **cells) for group, cells in told])
