"""Who says what of a finding: decisions of this audit and of earlier ones, held against the findings that are there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaflet_tool.results.decisions import Entry, Subject, labels

KEEP, UNCLEAR = "keep", "unclear"
WRONG = ("change", "several")
"""Decisions that say that the given label is wrong."""
ABOUT_LABELS = ("label", "duplicate")
"""Kinds of findings whose decisions speak of the label; with others, to keep says that the page is all right."""


@dataclass(frozen=True)
class Verdict:
    """What a reviewer says of a finding, and the decision from which that follows."""

    decision: str
    label: str
    entry: Entry
    own: bool
    """Whether it was decided on these pages with this label; else it follows from other findings' decisions."""
    applied: bool = False
    """Whether the pages have by now the label that the reviewer changed them to."""

    def same_as(self, other: "Verdict") -> bool:
        """Whether two reviewers agree."""
        return (self.decision, labels(self.label)) == (other.decision, labels(other.label))


def disagree(verdicts: Iterable[Verdict]) -> bool:
    """Whether any two of the verdicts differ."""
    said = list(verdicts)
    return any(not said[0].same_as(other) for other in said[1:])


class Reviewer:
    """One reviewer's live decisions, the newest first, by the pages and by the label they were made on."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._exact: dict[tuple[frozenset[str], frozenset[str]], list[Entry]] = defaultdict(list)
        self._by_page: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda entry: -entry.number):
            self._exact[entry.subject.key].append(entry)
            for page in entry.subject.pages:
                self._by_page[page].append(entry)

    def verdict(self, subject: Subject) -> Verdict | None:
        """What the reviewer says: decided on the same pages with the same label, else on each page and all alike."""
        entry = next((entry for entry in self._exact.get(subject.key, ()) if _speaks(entry, subject)), None)
        if entry:
            return Verdict(entry.decision, entry.label, entry, own=True)
        found = [self._of_page(page, subject) for page in subject.pages]
        first = found[0] if found else None
        if first is None or any(other is None or not first.same_as(other) for other in found):
            return None
        return max((verdict for verdict in found if verdict), key=lambda verdict: verdict.entry.number)

    def _of_page(self, page: str, subject: Subject) -> Verdict | None:
        """The newest decision on a page with this label, or the one that gave it this label."""
        given = labels(subject.given)
        for entry in self._by_page.get(page, ()):
            if labels(entry.subject.given) == given and _speaks(entry, subject):
                return Verdict(entry.decision, entry.label, entry, own=False)
            if entry.decision in WRONG and labels(entry.label) == given:
                return Verdict(KEEP, subject.given, entry, own=False, applied=True)
        return None


def _speaks(entry: Entry, subject: Subject) -> bool:
    """Whether a decision says something of a finding: to keep a dark page does not say that its label is right."""
    return entry.decision in WRONG or entry.subject.kind in ABOUT_LABELS or subject.kind not in ABOUT_LABELS


def by_finding(subjects: Iterable[Subject], entries: Iterable[Entry]) -> dict[str, dict[str, Verdict]]:
    """Each finding's verdicts by reviewer, in the order in which they were decided."""
    logs: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        logs[entry.reviewer].append(entry)
    reviewers = {name: Reviewer(log) for name, log in logs.items()}
    return {subject.finding: _verdicts(subject, reviewers) for subject in subjects}


def _verdicts(subject: Subject, reviewers: Mapping[str, Reviewer]) -> dict[str, Verdict]:
    found = [(name, verdict) for name, log in reviewers.items() if (verdict := log.verdict(subject))]
    return dict(sorted(found, key=lambda each: each[1].entry.number))
