"""From raw rows to accepted ones: labels parsed, ids and groups given, everything wrong reported at once."""

import hashlib
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import CAPTION, GROUP, ID, IMAGE, OCR_STATUS, SOURCE, SPLIT, TEXT
from leaflet_tool.prepare import captions, checks, hierarchy, labels, sources
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.pages import NOT_RUN, UNREAD
from leaflet_tool.prepare.sources.rows import LABEL, REASON, Rows, misplaced
from leaflet_tool.prepare.texts import clean
from leaflet_tool.taxonomy import Taxonomy

log = logging.getLogger(__name__)
NO_LABEL = "no label"
NO_TAXONOMY = Taxonomy({})


def accepted(archive: Path, dataset: Dataset, taxonomy: Taxonomy = NO_TAXONOMY) -> Rows:
    """The archive's usable rows, LABEL holding tuples; an InputError lists everything that has to be mended first."""
    rows = sources.read(archive, dataset)
    if rows.columns and not (dataset.named_columns.label or dataset.named_columns.labels):
        hint = f"name one with --label; there are: {', '.join(rows.columns)}"
        raise InputError(f"nothing says which column of {archive} is the label", hint=hint)
    rows = not_empty(usable(rows, dataset), str(archive))
    cells, problems = labels.parsed(rows.frame, dataset)
    cells = labels.unlabelled(cells, dataset.unlabelled)
    _tell_unlabelled(rows.frame[cells.isna()], len(rows.frame), archive)
    rows = replace(rows, frame=rows.frame.assign(**{LABEL: cells})).without(reason(cells.isna(), NO_LABEL))
    problems += hierarchy.outside(rows.frame, taxonomy)
    cells = hierarchy.shaped(rows.frame[LABEL], taxonomy, dataset.label_form)
    rows = replace(rows, frame=rows.frame.assign(**{LABEL: cells}))
    repeats, conflicts = checks.listed_twice(rows.frame, dataset.splits())
    rows = rows.without(reason(repeats, "listed twice"))
    problems += [*conflicts, *checks.problems(rows.frame, dataset)]
    problems = problems or checks.one_class(labels.classes(rows.frame[LABEL]), dataset.label.name)
    if problems:
        hint = "mend these rows in the archive, or choose other columns: --label, --group, --split-column, --id-column"
        raise InputError.listing(f"{archive} cannot be prepared as it is", problems, hint=hint)
    return replace(rows, frame=named(rows.frame, dataset))


def usable(rows: Rows, dataset: Dataset) -> Rows:
    """Rows with an image that lies in the archive, or with a text where the archive gives texts; CAPTION is filled."""
    gives_text = bool(dataset.named_columns.text)
    nothing = "neither image nor text" if gives_text else "no image"
    frame = rows.frame.assign(
        **{
            TEXT: rows.frame[TEXT].map(clean),
            CAPTION: captions.of(rows.frame[SOURCE], rows.frame[CAPTION]),
            OCR_STATUS: NOT_RUN if gives_text else UNREAD,
        }
    )
    reasons = [
        misplaced(rows.root, image) if image else "" if text else nothing
        for image, text in zip(frame[IMAGE], frame[TEXT], strict=True)
    ]
    return replace(rows, frame=frame).without(pd.Series(reasons, index=frame.index, dtype=str))


def not_empty(rows: Rows, name: str) -> Rows:
    """`rows`, or an InputError that counts why none is left."""
    if rows.frame.empty:
        counts = Counter(rows.skipped[REASON]).most_common()
        problems = [f"{reason}: {count} of {rows.found}" for reason, count in counts]
        hint = "check the paths, and the columns that name images and texts"
        raise InputError.listing(f"nothing of {name} can be used", problems or ["it is empty"], hint=hint)
    return rows


def named(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """`frame` with ids and groups filled and the archive's words for splits replaced by the manifest's."""
    frame = frame.assign(**{ID: frame[ID].where(frame[ID] != "", page_ids(frame))})
    groups = frame[GROUP].where(frame[GROUP] != "", frame[ID])
    return frame.assign(**{GROUP: groups, SPLIT: frame[SPLIT].map({"": ""} | dataset.splits())})


def page_ids(frame: pd.DataFrame) -> pd.Series:
    """Ids that depend on a page's path alone, or on its text and how often that came before."""
    before: Counter[bytes] = Counter()
    ids = []
    for image, text in zip(frame[IMAGE], frame[TEXT], strict=True):
        key = image
        if not image:
            words = hashlib.blake2b(text.encode()).digest()
            key = f"text\0{before[words]}\0{text}"
            before[words] += 1
        ids.append(f"p{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}")
    return pd.Series(ids, index=frame.index, dtype=str)


def reason(concerned: pd.Series, words: str) -> pd.Series:
    """`words` where a row is concerned, nothing elsewhere."""
    return concerned.map({True: words, False: ""}).astype(str)


def _tell_unlabelled(frame: pd.DataFrame, total: int, archive: Path) -> None:
    if len(frame) == total:
        raise InputError(
            f"none of the {total} usable rows of {archive} has a label", hint="name its column with --label"
        )
    if len(frame):
        log.warning("%d rows have no label and are left out: %s", len(frame), checks.places(frame))
