"""The files at which audit, review and corrections meet: audit.csv and audit.json in an audit's folder.

A finding is about one leaflet: its pages give one row, whatever they show.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FIRST_ROW, LABEL_DELIMITER, read_table, write_table
from leaflet_tool.storage import read_json

TABLE, FACTS = "audit.csv", "audit.json"
ANEW = "make it anew with: leaflet-tool audit"

FINDING, RANK, KIND, SCORE = "finding", "rank", "kind", "score"
GROUP, PAGES, SOURCES, ROWS = "group", "pages", "sources", "rows"
GIVEN, GIVEN_PROBABILITY = "given", "given_probability"
SUGGESTED, SUGGESTED_PROBABILITY = "suggested", "suggested_probability"
AGREEMENT, WORDS, TWINS, TEXT_QUALITY, REASON = "agreement", "words", "twins", "text_quality", "reason"

KINDS = ("label", "duplicate", "outlier", "sideways", "blank", "dark", "blurred")
"""What a finding may be about: the label, duplicates whose labels disagree, or the page itself."""

MEANING = {
    FINDING: "name of the finding: the same kind, pages and given label have it again in the next audit",
    RANK: "from 1, worst first",
    KIND: "label, duplicate (twins with another label), outlier, sideways, blank, dark or blurred",
    SCORE: "how probably something is wrong, 0 to 1, comparable within a kind",
    GROUP: "the leaflet",
    PAGES: "ids of its pages, joined by |, the most telling first",
    SOURCES: "the archive's own file of each page, in that order, joined by |; empty without files",
    ROWS: "the archive's own row of each page, in that order, joined by |; empty without a table",
    GIVEN: "the label in the archive; several are joined by |",
    GIVEN_PROBABILITY: "probability of the given label, 0 to 1, all runs together; empty where no run judges it",
    SUGGESTED: "what the runs would say instead; several labels are joined by |; empty where they have no better one",
    SUGGESTED_PROBABILITY: "probability of the suggested label, 0 to 1, all runs together; may be empty",
    AGREEMENT: "how many of the runs say what is suggested, as 2/3; may be empty",
    WORDS: "words of the pages that speak for the suggested label and against the given one, the strongest first",
    TWINS: "ids of duplicates with another label, joined by |; may be empty",
    TEXT_QUALITY: "read, poor (too little or too uncertain to judge by) or none",
    REASON: "why it is listed, a sentence",
}
NUMERIC = (SCORE, GIVEN_PROBABILITY, SUGGESTED_PROBABILITY)


def name_of(kind: str, pages: Sequence[str], given: str) -> str:
    """The finding's name, 12 hex digits of a digest of what it is about."""
    told = "\0".join([kind, given, *sorted(pages)])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def joined(cells: Sequence[str]) -> str:
    """Several ids, files or labels as one cell."""
    return LABEL_DELIMITER.join(cells)


def write_findings(findings: pd.DataFrame, folder: Path) -> None:
    """Writes audit.csv; the frame has every column of MEANING, numbers as floats with NaN for none, RANK as int."""
    numbers = {name: findings[name].map("{:.6g}".format).where(findings[name].notna(), "") for name in NUMERIC}
    write_table(findings.assign(**numbers)[list(MEANING)], folder / TABLE)


def read_findings(folder: Path) -> pd.DataFrame:
    """The audit's findings, worst first: text but for RANK and numbers; an InputError where there are none to read."""
    table = read_table(folder / TABLE)
    missing = [name for name in MEANING if name not in table]
    if missing:
        raise InputError(f"{folder / TABLE} lacks the column {missing[0]!r}", hint=ANEW)
    odd = [
        f"row {number}, column {RANK!r}: {rank!r} is no whole number"
        for number, rank in enumerate(table[RANK], FIRST_ROW)
        if not (rank.isascii() and rank.isdigit())
    ]
    if odd:
        raise InputError.listing(f"{folder / TABLE} is no table of findings", odd, hint=ANEW)
    numbers = {name: pd.to_numeric(table[name], errors="coerce") for name in NUMERIC}
    return table.assign(**numbers, **{RANK: table[RANK].astype(int)})[list(MEANING)]


def read_facts(folder: Path) -> dict[str, Any]:
    """What audit.json says: data (folder, manifest_sha256), label (name, multiple), classes, runs, counts and more.

    An InputError where it is of something else.
    """
    facts = read_json(folder / FACTS)
    if not (isinstance(facts, dict) and isinstance(facts.get("data") or {}, dict)):
        raise InputError(f"{folder / FACTS} does not say what was audited", hint=ANEW)
    return facts
