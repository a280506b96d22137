"""Corrections of labels: what a review decided, read from its corrections.csv and applied to an archive's pages."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FIRST_ROW, GROUP, ID, LABEL_BEFORE, ROW, SOURCE, read_table, split_labels
from leaflet_tool.prepare import hierarchy, labels, long_tail
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.labels import Labels
from leaflet_tool.prepare.section import nearest
from leaflet_tool.prepare.sources.rows import LABEL
from leaflet_tool.settings import Decision
from leaflet_tool.storage import sha256
from leaflet_tool.taxonomy import Taxonomy

DECISION, REVIEWERS, DECIDED, FINDING, NEW_CLASS = "decision", "reviewers", "decided", "finding", "new_class"
CONFLICT, YES = "conflict", "yes"
MEANING = {
    ID: "the page, as the manifest calls it",
    SOURCE: "the archive's own file; may be empty",
    ROW: "the archive's own row; may be empty",
    LABEL_BEFORE: "the label it was reviewed with; several are joined by |",
    LABEL: "the label it should have: the same where nothing changes; several are joined by |",
    DECISION: "keep, change, several (it shows more than one class), unclear, or conflict where reviewers disagree",
    REVIEWERS: "who decided, joined by |",
    DECIDED: "when the last of them did, ISO 8601 in UTC",
    FINDING: "the finding it was decided on",
    NEW_CLASS: "yes where the label holds a class that the archive did not have, on purpose",
}
"""Columns of corrections.csv."""
NEEDED = (ID, LABEL_BEFORE, LABEL, DECISION)
CHANGING = ("change", "several")
LABEL_NOW, REASON = "label_now", "reason"
LABELS_BEFORE = "labels_before"
"""Not in the manifest: the labels of LABEL_BEFORE as such, None where no correction was made."""
LEFT_COLUMNS = [ID, SOURCE, ROW, LABEL_BEFORE, LABEL, DECISION, LABEL_NOW, REASON]
"""Columns of uncorrected.csv."""
NO_PAGE, OTHER_LABEL = "no such page", "its label is now another"
ONE_LABEL = "shows several classes, and the archive has one label a page"


@dataclass(frozen=True)
class Correction:
    """What should become of one page, and the row of the file that says so."""

    number: int
    page: str
    before: Labels
    after: Labels
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Corrections:
    """The file, its decisions counted, and those that change a label, the earliest first."""

    path: Path
    digest: str
    decisions: dict[str, int]
    changing: list[Correction]
    left: list[dict[str, str]]
    """Rows that cannot change a label here, for uncorrected.csv."""


@dataclass(frozen=True)
class Applied:
    """What prepare.json says of corrections, and the rows of uncorrected.csv."""

    facts: dict[str, Any]
    left: pd.DataFrame


def checked(path: Path, frame: pd.DataFrame, dataset: Dataset, taxonomy: Taxonomy) -> Corrections:
    """The corrections in `path` for the rows of `frame`; an InputError lists every cell that cannot be one."""
    table = read_table(path)
    missing = [name for name in NEEDED if name not in table]
    if missing:
        hint = "leaflet-tool review export writes such a file"
        raise InputError.listing(
            f"{path} is no file of corrections", [f"column {n!r} is missing" for n in missing], hint=hint
        )
    table = table.assign(**{name: "" for name in MEANING if name not in table})
    rows = [(number, row) for number, row in enumerate(table.to_dict("records"), FIRST_ROW)]
    several = dataset.label.multiple
    changing = [_correction(number, row, several) for number, row in rows if row[DECISION] in CHANGING]
    problems = [*_cells(rows), *_contradictions(changing), *_classes(changing, frame, dataset, taxonomy)]
    if problems:
        hint = f"mend these cells; a class that is meant to be new has {YES} in the column {NEW_CLASS}"
        raise InputError.listing(f"{path} cannot be applied", problems, hint=hint)
    counts = table[DECISION].value_counts()
    fitting = [row for row in changing if _fits(row, dataset)]
    return Corrections(
        path,
        sha256(path),
        {str(name): int(count) for name, count in counts.items()},
        sorted(fitting, key=lambda row: row.cells[DECIDED]),
        [{**row.cells, LABEL_NOW: "", REASON: ONE_LABEL} for row in changing if not _fits(row, dataset)],
    )


def _fits(row: Correction, dataset: Dataset) -> bool:
    """Whether the archive can show what the row says: one of one label a page cannot show several."""
    return dataset.label.multiple or row.cells[DECISION] != "several"


def _correction(number: int, row: Mapping[str, str], several: bool) -> Correction:
    def cell(text: str) -> Labels:
        text = text.strip()
        listed = several or row[DECISION] == "several"
        return labels.distinct(split_labels(text)) if listed else (text,) * bool(text)

    return Correction(number, row[ID], cell(row[LABEL_BEFORE]), cell(row[LABEL]), row)


def _cells(rows: Iterable[tuple[int, Mapping[str, str]]]) -> Iterator[str]:
    """Cells without which a row says nothing."""
    known = (*get_args(Decision), CONFLICT)
    for number, row in rows:
        if not row[ID]:
            yield f"row {number}, column {ID!r}: empty"
        if row[DECISION] not in known:
            near = nearest(row[DECISION], known)
            hint = f", did you mean {near!r}?" if near else f" (there are: {', '.join(known)})"
            yield f"row {number}, column {DECISION!r}: {row[DECISION]!r} is no decision{hint}"


def _contradictions(rows: Iterable[Correction]) -> Iterator[str]:
    """Rows that change the same label of the same page to different ones."""
    first: dict[tuple[str, frozenset[str]], Correction] = {}
    for row in rows:
        other = first.setdefault((row.page, frozenset(row.before)), row)
        if frozenset(other.after) != frozenset(row.after):
            says = [labels.joined(each.after) for each in (row, other)]
            yield f"row {row.number}, column {LABEL!r}: {says[0]!r}, and row {other.number} says {says[1]!r}"


def _classes(rows: Iterable[Correction], frame: pd.DataFrame, dataset: Dataset, taxonomy: Taxonomy) -> Iterator[str]:
    """Labels that cannot be, by the rules of the archive's own, and classes that nobody said are new."""
    rows = [row for row in rows if _fits(row, dataset)]
    known = {*labels.classes(frame[LABEL]), *taxonomy.parents, *dataset.classes, *dataset.source.categories}
    known |= {long_tail.OTHER} if dataset.rare.policy == "other" else set()
    known |= {label for row in rows if row.cells[NEW_CLASS] == YES for label in row.after}
    allowed = set(dataset.classes or dataset.source.categories)
    for row in rows:
        where = f"row {row.number}, column {LABEL!r}"
        if not (row.after or dataset.label.multiple):
            yield f"{where}: empty, and every page has a label"
        try:
            labels.fit(row.after, allowed)
        except ValueError as error:
            yield f"{where}: {error}"
            continue
        for label in row.after:
            if taxonomy and label not in taxonomy:
                lacks = "is not in the taxonomy"
            elif label not in known:
                lacks = "is no class of the archive"
            else:
                continue
            near = nearest(label, known)
            yield f"{where}: {label!r} {lacks}" + (f", did you mean {near!r}?" if near else "")


def applied(
    frame: pd.DataFrame, corrections: Corrections | None, dataset: Dataset, taxonomy: Taxonomy
) -> tuple[pd.DataFrame, Applied | None]:
    """`frame` with LABEL corrected and LABEL_BEFORE kept beside it, and what became of each correction.

    A page takes a correction when its label is the one it was reviewed with: as the archive has it, or as the policy
    for rare classes had made it. Later corrections of a page go on from what earlier ones made of it.
    """
    if corrections is None:
        return frame, None
    before = _as_shown(frame, dataset)
    shown = dict(before)
    now: dict[str, Labels] = dict(zip(frame[ID], frame[LABEL], strict=True))
    settled: set[str] = set()
    for row in corrections.changing:
        if row.page in now and {*row.before} in ({*now[row.page]}, {*shown[row.page]}):
            now[row.page] = shown[row.page] = _shaped(row.after, dataset, taxonomy)
            settled.add(row.page)
    cells = [now[page] for page in frame[ID]]
    kept = [
        before[page] if {*now[page]} != {*label} else None for page, label in zip(frame[ID], frame[LABEL], strict=True)
    ]
    columns = {
        LABEL: pd.Series(cells, index=frame.index, dtype=object),
        LABEL_BEFORE: pd.Series([labels.joined(row or ()) for row in kept], frame.index, dtype=str),
        LABELS_BEFORE: pd.Series(kept, index=frame.index, dtype=object),
    }
    changed = sum(row is not None for row in kept)
    left, already = _left(corrections, now, settled, dataset, taxonomy)
    return frame.assign(**columns), _account(corrections, changed, already, left)


def _as_shown(frame: pd.DataFrame, dataset: Dataset) -> dict[str, Labels]:
    """Each page's labels as a manifest without corrections has them, or as they are where it leaves the page out."""
    rare = long_tail.rare_classes(frame[LABEL], frame[GROUP], dataset.rare)
    cells = long_tail.without_rare(frame[LABEL], rare, dataset.rare)
    return {
        page: own if other is None else other for page, own, other in zip(frame[ID], frame[LABEL], cells, strict=True)
    }


def _shaped(row: Labels, dataset: Dataset, taxonomy: Taxonomy) -> Labels:
    found: Labels = hierarchy.shaped(pd.Series([row], dtype=object), taxonomy, dataset.label_form)[0]
    return found


def _left(
    corrections: Corrections, now: Mapping[str, Labels], settled: set[str], dataset: Dataset, taxonomy: Taxonomy
) -> tuple[list[dict[str, str]], int]:
    """The rows for uncorrected.csv, one a page, and how many pages had the corrected label already."""
    open_rows = {row.page: row for row in corrections.changing if row.page not in settled}
    left, already = list(corrections.left), 0
    for page, row in open_rows.items():
        if page not in now:
            left.append({**row.cells, LABEL_NOW: "", REASON: NO_PAGE})
        elif {*now[page]} == {*_shaped(row.after, dataset, taxonomy)}:
            already += 1
        else:
            left.append({**row.cells, LABEL_NOW: labels.joined(now[page]), REASON: OTHER_LABEL})
    return left, already


def _account(corrections: Corrections, changed: int, already: int, left: list[dict[str, str]]) -> Applied:
    reasons = Counter(row[REASON] for row in left)
    facts = {
        "file": str(corrections.path.resolve()),
        "sha256": corrections.digest,
        "decisions": corrections.decisions,
        "changed": changed,
        "already": already,
        "left": {reason: reasons[reason] for reason in (NO_PAGE, OTHER_LABEL, ONE_LABEL) if reason in reasons},
    }
    return Applied(facts, pd.DataFrame(left, columns=LEFT_COLUMNS, dtype=str))


def uncorrected(frame: pd.DataFrame) -> pd.Series:
    """LABEL as it was before corrections: by these a page is placed, so that corrections move none."""
    if LABELS_BEFORE not in frame:
        return frame[LABEL]
    cells = [now if before is None else before for before, now in zip(frame[LABELS_BEFORE], frame[LABEL], strict=True)]
    return pd.Series(cells, index=frame.index, dtype=object)


def check_given(told: Mapping[str, Any], given: Path | None, out: Path) -> None:
    """Refuses to go on without corrections in a folder that was prepared with some: its labels would go back unseen."""
    before = told.get("corrections")
    if before and given is None:
        raise InputError(
            f"{out} was prepared with the corrections of {before.get('file')}, and none are given now",
            hint=f"give them again with --corrections {before.get('file')}, or start anew without them with --force",
        )
