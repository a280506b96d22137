"""A review: an audit's findings in the order in which a reviewer should see them, and what was decided on them."""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, LABEL_DELIMITER, ROW, SOURCE, Prepared, own, read_prepared, split_labels
from leaflet_tool.measure.review_worth import Worth, worth
from leaflet_tool.results import findings as table
from leaflet_tool.results.decisions import FILE, Decisions, Entry, Subject, labels
from leaflet_tool.results.review_findings import Finding, Selection, fits, parsed
from leaflet_tool.results.verdicts import WRONG, Verdict, by_finding, disagree
from leaflet_tool.settings import REVIEW, Decision

log = logging.getLogger(__name__)


class Review:
    """The findings of the folder `audit`, the archive's pages and the log of decisions."""

    def __init__(self, audit: Path, data: Path | None = None) -> None:
        self.audit, self.prepared = audit, _prepared(audit, data)
        self.findings = [parsed(row) for row in table.read_findings(audit).to_dict("records")]
        self.by_name = {finding.name: finding for finding in self.findings}
        self.decisions = Decisions(audit / FILE)
        self._seen: dict[str, tuple[str, float]] = {}
        self._seeing = threading.RLock()
        self._held: tuple[list[Entry], Mapping[str, Mapping[str, Verdict]]] | None = None

    def close(self) -> None:
        """Lets go of the log."""
        self.decisions.close()

    @property
    def multiple(self) -> bool:
        """Whether a page may have several labels."""
        return self.prepared.label.multiple

    @cached_property
    def pages(self) -> pd.DataFrame:
        """The archive's own pages by id."""
        frame = own(self.prepared.frame)
        return frame.set_index(frame[ID], drop=False)

    @cached_property
    def known_classes(self) -> frozenset[str]:
        """The archive's own classes."""
        return frozenset((*self.prepared.classes, *self.prepared.taxonomy.parents))

    @property
    def classes(self) -> list[str]:
        """Every class that a page may be given: the archive's, and those that reviewers have added."""
        added = {label for entry in self.decisions.live() if entry.new_class for label in split_labels(entry.label)}
        return sorted(self.known_classes | added)

    def verdicts(self) -> Mapping[str, Mapping[str, Verdict]]:
        """What each reviewer says of each finding, by the finding's name."""
        entries, held = self.decisions.live(), self._held
        if held is None or held[0] is not entries:
            self._held = held = entries, by_finding((finding.subject for finding in self.findings), entries)
        return held[1]

    def subject(self, finding: Finding) -> Subject:
        """What a decision on a finding is about; files and rows as the manifest has them, where it has the page."""

        def beside(column: str, told: Sequence[str]) -> tuple[str, ...]:
            cells = zip_longest(finding.pages, told[: len(finding.pages)], fillvalue="")
            return tuple(str(self.pages.at[page, column]) if page in self.pages.index else cell for page, cell in cells)

        return replace(finding.subject, sources=beside(SOURCE, finding.sources), rows=beside(ROW, finding.rows))

    def reviewers(self) -> Counter[str]:
        """How many live decisions each reviewer has made."""
        return Counter(entry.reviewer for entry in self.decisions.live())

    def selected(self, selection: Selection, reviewer: str) -> list[Finding]:
        """The findings of a selection, worst first."""
        verdicts = self.verdicts()
        return [finding for finding in self.findings if fits(finding, selection, verdicts[finding.name], reviewer)]

    def queue(self, selection: Selection, reviewer: str) -> list[Finding]:
        """The selected findings that the reviewer has still to decide, in the order in which they are offered.

        Those nobody has decided come first, and of them those that nobody else is looking at; worst first.
        """
        verdicts = self.verdicts()
        open_ones = [one for one in self.selected(selection, reviewer) if reviewer not in verdicts[one.name]]
        return sorted(open_ones, key=lambda one: self._turn(one, verdicts[one.name], reviewer))

    def following(self, after: Finding | None, selection: Selection, reviewer: str) -> Finding | None:
        """The finding to show next: the first of the queue that comes after one just seen, else its first."""
        queue = [finding for finding in self.queue(selection, reviewer) if finding != after]
        if after is None or not queue:
            return queue[0] if queue else None
        verdicts = self.verdicts()
        turns = [self._turn(one, verdicts[one.name], reviewer) for one in queue]
        best = [one for one, turn in zip(queue, turns, strict=True) if turn == turns[0]]
        return next((finding for finding in best if finding.rank > after.rank), best[0])

    def _turn(self, finding: Finding, said: Mapping[str, Verdict], reviewer: str) -> tuple[bool, bool]:
        return bool(said), self._watched(finding.name, reviewer)

    def offered(self, after: Finding | None, selection: Selection, reviewer: str) -> Finding | None:
        """The finding to show next, noted as looked at: nobody else is sent to it at the same time."""
        with self._seeing:
            found = self.following(after, selection, reviewer)
            if found:
                self.watch(found, reviewer)
        return found

    def watch(self, finding: Finding, reviewer: str) -> None:
        """Notes that a reviewer looks at a finding now, and at no other one."""
        with self._seeing:
            others = {name: seen for name, seen in self._seen.items() if seen[0] != reviewer}
            self._seen = {**others, finding.name: (reviewer, time.monotonic())}

    def _watched(self, name: str, reviewer: str) -> bool:
        """Whether somebody else looks at the finding."""
        other, since = self._seen.get(name, (reviewer, -math.inf))
        return other != reviewer and time.monotonic() - since < REVIEW.presence

    def settled(self, decision: str, label: Iterable[str], finding: Finding) -> tuple[Decision, str]:
        """The decision that some labels amount to, and their cell: with several labels a page what they are decides."""
        chosen = list(dict.fromkeys(label))
        if decision in ("keep", "unclear"):
            return ("keep" if decision == "keep" else "unclear"), finding.given
        cell = LABEL_DELIMITER.join(chosen)
        if self.multiple or decision != "several":
            if labels(cell) == labels(finding.given):
                return "keep", finding.given
            return ("several" if len(chosen) > 1 else "change"), cell
        return "several", cell

    def base(self, finding: Finding, reviewer: str) -> int:
        """The number of the reviewer's live decision on this finding itself, 0 for none."""
        return self.decisions.latest(reviewer, finding.name)

    def last(self, reviewer: str) -> int:
        """The number of the reviewer's latest live decision on a finding of this audit, 0 for none."""
        mine = (entry for entry in self.decisions.live() if entry.reviewer == reviewer)
        return max((entry.number for entry in mine if entry.subject.finding in self.by_name), default=0)

    def worth(self) -> Worth:
        """How much was found so far; a decision counts once, and where reviewers disagree it counts neither way."""
        verdicts = self.verdicts()
        judged: dict[int, tuple[int, bool]] = {}
        for finding in self.findings:
            said = list(verdicts[finding.name].values())
            if said and not disagree(said) and not said[0].applied:
                judged.setdefault(said[0].entry.number, (finding.rank, said[0].decision in WRONG))
        remaining = sum(not said for said in verdicts.values())
        return worth([rank for rank, _ in judged.values()], [wrong for _, wrong in judged.values()], remaining)

    def suggestions(self, finding: Finding) -> list[str]:
        """Classes to choose at once, the likeliest first: suggested, the twins', chosen for such pages, frequent."""
        cells = self.pages[self.prepared.label.name]
        twins = [label for twin in finding.twins if twin in cells.index for label in split_labels(cells[twin])]
        chosen = Counter(
            label
            for entry in self.decisions.live()
            if entry.decision in WRONG and entry.subject.given == finding.given
            for label in split_labels(entry.label)
        )
        ranked = [
            *split_labels(finding.suggested),
            *twins,
            *(label for label, _ in chosen.most_common()),
            *self._frequent,
        ]
        shown = [label for label in dict.fromkeys(ranked) if self.multiple or label != finding.given]
        return shown[: REVIEW.quick]

    @cached_property
    def _frequent(self) -> list[str]:
        counts = Counter(label for cell in self.pages[self.prepared.label.name] for label in split_labels(cell))
        return [label for label, _ in counts.most_common()]


@contextmanager
def opened(audit: Path, data: Path | None = None) -> Iterator[Review]:
    """The review of an audit, for as long as something is done with it."""
    review = Review(audit, data)
    try:
        yield review
    finally:
        review.close()


def _prepared(audit: Path, data: Path | None) -> Prepared:
    """The prepared folder that was audited, a warning where it is not as it was."""
    told = table.read_facts(audit).get("data") or {}
    folder = data or Path(str(told.get("folder") or ""))
    if not (data or told.get("folder")):
        raise InputError(f"{audit / table.FACTS} does not say what was audited", hint="name the folder with --data")
    if not folder.is_absolute() and not folder.is_dir() and (audit / folder).is_dir():
        folder = audit / folder
    if not folder.is_dir():
        raise InputError(f"{folder}, which was audited, is not there", hint="say where it is now with --data FOLDER")
    prepared = read_prepared(folder)
    if told.get("manifest_sha256") not in (None, prepared.digest):
        log.warning(
            "%s was prepared anew since the audit: run leaflet-tool audit again for findings on its labels", folder
        )
    return prepared
