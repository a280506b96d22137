"""What a prepared folder holds, as its report counts it. Altered copies of pages are counted once and then left out."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    GROUP,
    ID,
    IMAGE,
    OCR_STATUS,
    OCR_WORDS,
    PAGE,
    ROW,
    SOURCE,
    SPLIT,
    SPLITS,
    TEXT,
    Prepared,
    read_prepared,
    read_table,
    split_labels,
)
from leaflet_tool.prepare.output import DUPLICATES, SKIPPED

REASON, DETAIL = "reason", "detail"
CLASS, PAGES, LEAFLETS = "class", "pages", "leaflets"
KIND, CROSSES, DISAGREE = "kind", "crosses", "labels_disagree"
YES, NO = "yes", "no"
SAME = {"exact": "the same bytes", "near": "pictures that look the same", "text": "the same text"}
"""Kinds of duplicates, the surest first, and what is the same."""


@dataclass(frozen=True)
class Contents:
    """A prepared folder as its report sees it."""

    prepared: Prepared
    frame: pd.DataFrame
    """The archive's own pages, text in every column."""
    augmented: int
    """Altered copies of training pages, which are not in `frame`."""
    skipped: pd.DataFrame
    """Source, row, reason and detail of what was left out."""
    duplicates: pd.DataFrame | None
    """Pairs of pages that are the same, disagreeing labels first; None where nobody looked for any."""

    @property
    def facts(self) -> dict[str, Any]:
        """prepare.json."""
        return self.prepared.facts

    def setting(self, section: str, key: str) -> Any:
        """A setting pages were prepared with, None where prepare.json has it not."""
        return self.facts.get("settings", {}).get(section, {}).get(key)

    @property
    def by_hand(self) -> bool:
        """Whether the archive itself gave the texts."""
        columns = self.facts.get("dataset", {}).get("columns") or {}
        return bool(columns.get("text"))

    @property
    def leaflets(self) -> int:
        """Groups of pages that stay together."""
        return self.frame[GROUP].nunique()

    @property
    def pictured(self) -> pd.DataFrame:
        """Pages with an image."""
        return self.frame[self.frame[IMAGE] != ""]

    def column(self, name: str) -> pd.Series:
        """A column of the manifest, empty where an older manifest lacks it."""
        return self.frame[name] if name in self.frame else pd.Series("", index=self.frame.index, dtype=str)

    def numbers(self, name: str) -> pd.Series:
        """The numbers in a column, by the pages that have one."""
        return pd.to_numeric(self.column(name), errors="coerce").dropna()

    @cached_property
    def words(self) -> pd.Series:
        """Words a page, as Tesseract counted them or as spaces tell; without the pages nobody could or did read."""
        counted = pd.to_numeric(self.column(OCR_WORDS), errors="coerce")
        told = self.frame[OCR_STATUS].isin(("read", "blank")) | (self.frame[TEXT] != "")
        missing = self.frame.loc[counted.isna(), TEXT]
        return counted.fillna(missing.str.split().str.len()).where(told).dropna()

    @cached_property
    def labels(self) -> list[list[str]]:
        """The labels of each page."""
        cells = self.frame[self.prepared.label.name]
        return [split_labels(cell) if self.prepared.label.multiple else [cell] for cell in cells]

    @cached_property
    def labelled(self) -> pd.DataFrame:
        """A row a page and label: ID, GROUP, SPLIT and CLASS."""
        frame = self.frame[[ID, GROUP, SPLIT]].assign(**{CLASS: pd.Series(self.labels, self.frame.index, dtype=object)})
        return frame.explode(CLASS).dropna(subset=CLASS)

    @cached_property
    def classes(self) -> pd.DataFrame:
        """Pages, leaflets and pages by split of each class, the commonest first."""
        rows = self.labelled
        counts = pd.crosstab(rows[CLASS], rows[SPLIT]).reindex(columns=list(SPLITS), fill_value=0)
        counts = counts.assign(**{PAGES: counts.sum(axis=1), LEAFLETS: rows.groupby(CLASS)[GROUP].nunique()})
        return counts.sort_values(PAGES, ascending=False, kind="stable")

    @cached_property
    def splits(self) -> dict[str, int]:
        """Pages by split."""
        return {split: int((self.frame[SPLIT] == split).sum()) for split in SPLITS}

    @cached_property
    def torn(self) -> int:
        """Leaflets with pages in more than one split."""
        return int((self.frame.groupby(GROUP)[SPLIT].nunique() > 1).sum())

    def pairs(self, column: str) -> int:
        """Pairs of duplicates of which `column` says yes."""
        return 0 if self.duplicates is None else int((self.duplicates[column] == YES).sum())

    @cached_property
    def names(self) -> dict[str, str]:
        """What a person finds each page by: its file, and where a file has several its page, or its row."""
        several = self.frame[SOURCE].duplicated(keep=False)
        rows = self.frame[[ID, SOURCE, ROW, PAGE]].assign(several=several)
        return {page: _name(page, *cells) for page, *cells in rows.itertuples(index=False)}


def _name(page: str, source: str, row: str, number: str, several: bool) -> str:
    if not source:
        return f"row {row}" if row else page
    return f"{source}, page {number}" if several and number else source


def read(folder: Path) -> Contents:
    """The contents of a prepared folder."""
    prepared = read_prepared(folder)
    altered = prepared.frame.get(AUGMENTED_FROM, pd.Series("", index=prepared.frame.index)) != ""
    frame = prepared.frame[~altered].reset_index(drop=True)
    return Contents(prepared, frame, int(altered.sum()), _skipped(folder / SKIPPED), _duplicates(folder / DUPLICATES))


def _skipped(path: Path) -> pd.DataFrame:
    frame = read_table(path) if path.is_file() else pd.DataFrame(columns=[SOURCE, ROW, REASON], dtype=str)
    parts = [reason.partition(":") for reason in frame[REASON]]
    return frame.assign(**{REASON: [part[0] for part in parts], DETAIL: [part[2].strip() for part in parts]})


def _duplicates(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    frame = read_table(path)
    order = pd.DataFrame(
        {"agree": frame[DISAGREE] != YES, "apart": frame[CROSSES] != YES, "kind": frame[KIND].map(list(SAME).index)}
    )
    return frame.loc[order.sort_values(["agree", "apart", "kind"], kind="stable").index].reset_index(drop=True)
