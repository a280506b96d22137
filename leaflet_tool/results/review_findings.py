"""Findings as a review works with them: rows of audit.csv, and which of them a reviewer wants to see."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from leaflet_tool.manifest import split_labels
from leaflet_tool.results import findings as table
from leaflet_tool.results.decisions import Subject
from leaflet_tool.results.verdicts import Verdict, disagree

State = Literal["open", "undecided", "decided", "conflict", "all"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Finding:
    """A row of audit.csv; cells of several are tuples, a number that is not there is None."""

    name: str
    rank: int
    kind: str
    score: float
    group: str
    pages: tuple[str, ...]
    sources: tuple[str, ...]
    rows: tuple[str, ...]
    given: str
    given_probability: float | None
    suggested: str
    suggested_probability: float | None
    agreement: str
    words: tuple[str, ...]
    twins: tuple[str, ...]
    text_quality: str
    reason: str

    @cached_property
    def subject(self) -> Subject:
        """What a decision on it is about."""
        return Subject(self.name, self.kind, self.given, self.pages, self.sources, self.rows)


@dataclass(frozen=True)
class Selection:
    """Which findings a reviewer wants to see; empty cells select all."""

    kind: str = ""
    label: str = ""
    """A class, given or suggested."""
    score: float = 0.0
    """The least."""
    state: State = "open"
    """open: not yet decided by the reviewer; undecided: by nobody."""


def parsed(row: Mapping[str, Any]) -> Finding:
    """The finding of a row that `read_findings` has read."""

    def number(name: str) -> float | None:
        return None if math.isnan(row[name]) else float(row[name])

    def several(name: str) -> tuple[str, ...]:
        return tuple(split_labels(row[name]))

    return Finding(
        name=row[table.FINDING],
        rank=int(row[table.RANK]),
        kind=row[table.KIND],
        score=number(table.SCORE) or 0.0,
        group=row[table.GROUP],
        pages=several(table.PAGES),
        sources=several(table.SOURCES),
        rows=several(table.ROWS),
        given=row[table.GIVEN],
        given_probability=number(table.GIVEN_PROBABILITY),
        suggested=row[table.SUGGESTED],
        suggested_probability=number(table.SUGGESTED_PROBABILITY),
        agreement=row[table.AGREEMENT],
        words=several(table.WORDS),
        twins=several(table.TWINS),
        text_quality=row[table.TEXT_QUALITY],
        reason=row[table.REASON],
    )


def fits(finding: Finding, selection: Selection, verdicts: Mapping[str, Verdict], reviewer: str) -> bool:
    """Whether a finding with these verdicts is in a reviewer's selection."""
    return (
        selection.kind in ("", finding.kind)
        and finding.score >= selection.score
        and (not selection.label or selection.label in (*split_labels(finding.given), *split_labels(finding.suggested)))
        and _in_state(selection.state, verdicts, reviewer)
    )


def _in_state(state: State, verdicts: Mapping[str, Verdict], reviewer: str) -> bool:
    match state:
        case "open":
            return reviewer not in verdicts
        case "undecided":
            return not verdicts
        case "decided":
            return bool(verdicts)
        case "conflict":
            return disagree(verdicts.values())
        case "all":
            return True


def neighbours(finding: Finding, among: list[Finding]) -> Iterator[Finding | None]:
    """The finding before and the one after, by rank, among others; None at an end."""
    yield next((other for other in reversed(among) if other.rank < finding.rank), None)
    yield next((other for other in among if other.rank > finding.rank), None)
