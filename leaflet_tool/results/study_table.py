"""A study's table: every row, in both views where pages have several labels, with its difference from the base."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from leaflet_tool.results import kinds, study_state
from leaflet_tool.results.comparison import ALPHA
from leaflet_tool.results.verdict import interval, p_value

LABELS = {
    "macro_precision": "P",
    "macro_recall": "R",
    "macro_precision_frequent": "P of the 5 commonest",
    "macro_recall_frequent": "R",
    "macro_precision_rest": "P of the rest",
    "macro_recall_rest": "R",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "labels_per_row": "labels a row",
}
"""Figures of predicted labels, and what a table's column is called."""
CLASSES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "log_loss": "log loss"}
"""The same of one label a row, where the first figure is the accuracy."""


@dataclass(frozen=True)
class Line:
    """One row of a study: its finished runs' mean figures and differences from the base, or why there are none."""

    row: str
    changes: str
    state: str
    figures: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    proof: list[str]
    problem: str = ""
    seeds: list[int] = field(default_factory=list)
    """The seeds at which the row was finished, of which its figures are the mean."""
    compared: list[int] = field(default_factory=list)
    """The seeds at which the base was finished as well, or of a baseline the base alone: the differences are theirs."""
    lacking: str = ""
    """The other seeds with their states, in words; empty where there are none."""

    @property
    def name(self) -> str:
        """The row, with what its figures lack."""
        return f"{self.row} ({self.lacking})" if self.lacking else self.row


@dataclass(frozen=True)
class StudyTable:
    """The whole, ready to be shown."""

    study: str
    description: str
    label: str
    multiple: bool
    plain: str
    seeds: list[int]
    rows: int
    groups: int
    labels_per_row: float | None
    lines: list[Line]
    rivals: list[Line]
    notes: list[str]
    """What else a reader must know."""

    @property
    def headline(self) -> str:
        """The figure by which rows are compared."""
        return kinds.of(self.multiple).headline

    @property
    def words(self) -> str:
        """The headline as people read it."""
        return kinds.of(self.multiple).words

    @property
    def title(self) -> str:
        """What was judged."""
        seeds = f"{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        seeds += " as far as finished" if any(line.figures and line.lacking for line in self.lines) else ""
        truth = f", {self.labels_per_row:.2f} labels a page in truth" if self.labels_per_row is not None else ""
        return f"{self.study}: {self.label}, {self.rows} test pages of {self.groups} groups, mean of {seeds}{truth}"

    @property
    def heads(self) -> list[str]:
        """Names of the table's columns."""
        return [
            "",
            f"{self.words} (95 %)",
            "against the base",
            "p",
            *(["decided"] * self.multiple),
            *self._columns().values(),
        ]

    def _columns(self) -> dict[str, str]:
        return LABELS if self.multiple else CLASSES

    def cells(self) -> list[list[str]]:
        """The table's rows as text: a line each, or with several labels a line for each view."""
        return [cells for line in [*self.lines, *self.rivals] for cells in self._cells(line)]

    def _cells(self, line: Line) -> list[list[str]]:
        if not line.figures:
            return [[line.row, line.state, *[""] * (len(self.heads) - 2)]]
        difference = line.differences.get(self.headline)
        against = _difference(difference) + (self.compared(line) if difference else "")
        first = [line.name, interval(line.figures[self.headline]), against, p_cell(difference)]
        if not self.multiple:
            return [[*first, *(_value(line.figures, name) for name in CLASSES)]]
        return [
            [*(first if view == "half" else [""] * 4), words, *(_value(line.figures, f"{view}.{n}") for n in LABELS)]
            for view, words in kinds.VIEWS.items()
        ]

    def compared(self, line: Line) -> str:
        """What follows a difference that is not one of all seeds: those it is of."""
        return "" if line.compared == self.seeds else f", {study_state.at(line.compared)}"

    @property
    def unfinished(self) -> list[str]:
        """The rows that were not finished at every seed."""
        return [line.row for line in self.lines if line.lacking]

    @property
    def sentences(self) -> list[str]:
        """What the table says: rows beyond chance, rows within it, failed ones, those not shown to be in force."""
        judged = [line for line in self.lines if line.differences]
        name = self.words
        better, worse = (self._beyond(judged, sign) for sign in (1, -1))
        found = []
        if better:
            found.append(f"Better than {self.plain} in {name}, beyond chance: {', '.join(better)}.")
        if worse:
            found.append(f"Worse than {self.plain} in {name}, beyond chance: {', '.join(worse)}.")
        within = [line.row for line in judged if not _beyond_chance(line.differences[self.headline])]
        if within:
            found.append(f"Not told apart from {self.plain}: {', '.join(within)}.")
        found += [f"{line.row} is not judged: {line.problem or line.state}." for line in self.lines if not line.figures]
        found += self._gaps()
        idle = [line.row for line in self.lines if any("NOTHING" in words for words in line.proof)]
        if idle:
            found.append(f"Nothing shows that these rows were in force: {', '.join(idle)}.")
        return [*found, *self.notes]

    def _gaps(self) -> Iterator[str]:
        """Which figures and which differences are not of every seed."""
        judged = [line for line in self.lines if line.figures]
        for line in judged:
            if line.lacking:
                yield f"The figures of {line.row} are of {study_state.at(line.seeds)} alone: {line.state}."
        others = [line for line in judged if line.row != self.plain]
        if len(others) == len(judged):
            yield f"No row is compared with {self.plain}, which was finished at no seed."
            return
        partly: dict[str, list[str]] = {}
        for line in others:
            if not line.compared:
                yield f"{line.row} is not compared with {self.plain}: no seed is finished in both."
            elif line.compared != self.seeds:
                partly.setdefault(study_state.at(line.compared), []).append(line.row)
        for seeds, rows in partly.items():
            yield f"Compared with {self.plain} at {seeds} alone, as finished in both: {', '.join(rows)}."

    def _beyond(self, lines: Sequence[Line], sign: int) -> list[str]:
        chosen = [line for line in lines if _beyond_chance(line.differences[self.headline])]
        gains = {line.row: float(line.differences[self.headline]["value"] or 0.0) for line in chosen}
        return [f"{row} ({gain:+.3f})" for row, gain in gains.items() if gain * sign > 0]

    def to_json(self) -> dict[str, Any]:
        """One object with everything."""
        return {**asdict(self), "unfinished": self.unfinished, "sentences": self.sentences}


def _beyond_chance(difference: Mapping[str, Any]) -> bool:
    return difference["p"] is not None and difference["p"] < ALPHA


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    bounds = "" if found["low"] is None else f" ({found['low']:+.3f} to {found['high']:+.3f})"
    return f"{found['value']:+.3f}{bounds}"


def p_cell(found: Mapping[str, Any] | None) -> str:
    """The p of a difference, without its name; empty where there is none."""
    return "" if found is None or found["p"] is None else p_value(found["p"]).removeprefix("p = ").removeprefix("p ")


def _value(figures: Mapping[str, Mapping[str, Any]], name: str) -> str:
    return f"{figures[name]['value']:.3f}" if name in figures else "–"
