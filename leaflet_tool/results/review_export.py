"""corrections.csv: what a review decided, a row for each page, as `prepare --corrections` takes it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from leaflet_tool.manifest import ID, LABEL_BEFORE, LABEL_DELIMITER, ROW, SOURCE, write_table
from leaflet_tool.prepare.corrections import CONFLICT, DECIDED, DECISION, FINDING, MEANING, NEW_CLASS, REVIEWERS, YES
from leaflet_tool.prepare.sources.rows import LABEL
from leaflet_tool.results.decisions import Entry, labels
from leaflet_tool.results.review import Review
from leaflet_tool.results.verdicts import ABOUT_LABELS, KEEP, Verdict, disagree
from leaflet_tool.settings import REVIEW, Decision

FILE = "corrections.csv"


def export(review: Review, out: Path) -> dict[str, Any]:
    """Writes corrections.csv and returns the counts; a review need not be complete for that."""
    rows = corrections(review)
    write_table(pd.DataFrame(rows, columns=list(MEANING), dtype=str), out)
    changed = sum(row[DECISION] in ("change", "several") for row in rows)
    return {"corrections": str(out), "pages": len(rows), "changed_pages": changed, **counts(review)}


def counts(review: Review) -> dict[str, Any]:
    """How far the review is: findings by decision, conflicts spelt out, decisions by reviewer, and its worth."""
    verdicts = review.verdicts()
    decided = {name: said for name, said in verdicts.items() if said}
    conflicts = [
        {
            "finding": finding.name,
            "rank": finding.rank,
            "pages": list(finding.pages),
            "given": finding.given,
            "says": {name: says(verdict) for name, verdict in verdicts[finding.name].items()},
        }
        for finding in review.findings
        if disagree(verdicts[finding.name].values())
    ]
    agreed = Counter(next(iter(said.values())).decision for said in decided.values() if not disagree(said.values()))
    earlier = {entry.subject.finding for entry in review.decisions.live()} - verdicts.keys()
    return {
        "findings": len(verdicts),
        "decided": len(decided),
        "undecided": len(verdicts) - len(decided),
        "decisions": {**{name: agreed[name] for name in get_args(Decision)}, CONFLICT: len(conflicts)},
        "of_earlier_audits": len(earlier),
        "conflicts": conflicts,
        "reviewers": dict(review.reviewers()),
        "worth": review.worth(),
    }


def says(verdict: Verdict) -> str:
    """A verdict in a few words."""
    label = ", ".join(verdict.label.split(LABEL_DELIMITER)) or "no label"
    return {"change": f"change to {label}", "several": f"several: {label}"}.get(verdict.decision, verdict.decision)


def corrections(review: Review) -> list[dict[str, str]]:
    """The rows of corrections.csv: of this audit's findings worst first, then those of earlier audits.

    A page has a row for each label that it was reviewed with: what was changed in an earlier audit is told again, so
    that an archive that still has the old label is mended whenever it is prepared.
    """
    ranks = {finding.name: finding.rank for finding in review.findings}
    by_page: dict[tuple[str, frozenset[str]], list[Entry]] = defaultdict(list)
    for entry in review.decisions.live():
        for page in entry.subject.pages:
            by_page[page, labels(entry.subject.given)].append(entry)
    rows = [(_row(page, _standing(entries)), entries[-1]) for (page, _), entries in by_page.items()]
    last = len(ranks) + 1

    def turn(told: tuple[dict[str, str], Entry]) -> tuple[int, int, int]:
        row, entry = told
        place = entry.subject.pages.index(row[ID])
        return ranks.get(row[FINDING], last), entry.number, place

    return [row for row, _ in sorted(rows, key=turn)]


def _standing(entries: Iterable[Entry]) -> list[Entry]:
    """Each reviewer's decision that counts for a page: the newest, but to keep a page says nothing of its label."""
    newest: dict[str, Entry] = {}
    for entry in entries:
        other = newest.get(entry.reviewer)
        if not other or entry.subject.kind in ABOUT_LABELS or entry.decision != KEEP or other.decision == KEEP:
            newest[entry.reviewer] = entry
    return sorted(newest.values(), key=lambda entry: entry.number)


def _row(page: str, entries: Sequence[Entry]) -> dict[str, str]:
    """The row of one page, its reviewers agreeing or not."""
    last = entries[-1]
    verdicts = [Verdict(entry.decision, entry.label, entry, own=True) for entry in entries]
    conflict = disagree(verdicts)
    return {
        ID: page,
        SOURCE: _beside(page, last, last.subject.sources),
        ROW: _beside(page, last, last.subject.rows),
        LABEL_BEFORE: last.subject.given,
        LABEL: last.subject.given if conflict else last.label,
        DECISION: CONFLICT if conflict else last.decision,
        REVIEWERS: LABEL_DELIMITER.join(entry.reviewer for entry in entries),
        DECIDED: last.decided,
        FINDING: last.subject.finding,
        NEW_CLASS: YES if any(entry.new_class for entry in entries) and not conflict else "",
    }


def _beside(page: str, entry: Entry, cells: Sequence[str]) -> str:
    """What stands for a page among the cells of its finding's pages."""
    place = entry.subject.pages.index(page)
    return cells[place] if place < len(cells) else ""


def words(told: Mapping[str, Any]) -> str:
    """The counts for people."""
    by_decision = ", ".join(f"{name} {count}" for name, count in told["decisions"].items() if count) or "none"
    lines = [f"decided {told['decided']} of {told['findings']} findings: {by_decision}"]
    if told["of_earlier_audits"]:
        lines.append(f"decisions on findings of earlier audits, told again: {told['of_earlier_audits']}")
    for conflict in told["conflicts"]:
        said = ", ".join(f"{name} says {what}" for name, what in conflict["says"].items())
        lines.append(f"conflict, left out: finding {conflict['rank']} ({', '.join(conflict['pages'])}): {said}")
    return "\n".join([*lines, *worth_words(told["worth"])])


def worth_words(worth: Mapping[str, Any]) -> list[str]:
    """What a review has brought so far and what is to be expected, in sentences."""
    if not worth["reviewed"]:
        return ["nothing is decided yet, so nobody knows what the review is worth"]
    lines = [
        f"{worth['found']} wrong labels in {worth['reviewed']} findings reviewed: {_of_hundred(worth['per_hundred'])}",
    ]
    if worth["reviewed"] > worth["window"]:
        lines.append(f"of the last {worth['window']} by rank: {_of_hundred(worth['lately'])}")
    if worth["remaining"]:
        expected = worth["expected"]
        lines.append(
            f"expected in the next {worth['ahead']}: about {expected['value']:.1f} "
            f"({expected['low']:.1f} to {expected['high']:.1f}); {advice(worth)}"
        )
    return lines


def advice(worth: Mapping[str, Any]) -> str:
    """Whether to go on."""
    if not worth["remaining"]:
        return "every finding is decided"
    if worth["stop"]:
        return f"fewer than {worth['limit']:g} in a hundred: the review may stop here"
    if worth["window"] < REVIEW.window:
        return f"when to stop can be said after {REVIEW.window} findings"
    return "it pays to go on"


def _of_hundred(rate: Mapping[str, float]) -> str:
    return f"{rate['value']:.0f} in a hundred (95 % interval {rate['low']:.0f} to {rate['high']:.0f})"
