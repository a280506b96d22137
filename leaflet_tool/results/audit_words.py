"""An audit as a terminal shows it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from leaflet_tool.manifest import LABEL_DELIMITER
from leaflet_tool.results import findings
from leaflet_tool.results.audit_findings import FEW_OTHERS, FEW_WORDS, NO_WORDS
from leaflet_tool.results.words import clipped, counted, listed, some
from leaflet_tool.settings import AUDIT

HEADS = ("", "kind", "leaflet", "given", "suggested", "score", "runs", "words")
KINDS = {
    "label": "label that is probably wrong",
    "duplicate": "duplicate with another label",
    "outlier": "outlier",
    "sideways": "page that may lie on its side",
    "blank": "blank page",
    "dark": "dark page",
    "blurred": "blurred page",
}
PLURALS = {"label": "labels that are probably wrong", "duplicate": "duplicates with another label"}
PLURALS |= {"outlier": "outliers", "sideways": "pages that may lie on their side", "blank": "blank pages"}
PLURALS |= {"dark": "dark pages", "blurred": "blurred pages"}
CUES = 5
UNJUDGED = {
    NO_WORDS: "without words",
    FEW_WORDS: f"of fewer than {AUDIT.poor_words} words",
    FEW_OTHERS: "with too few others to compare",
}


def cells(table: pd.DataFrame) -> list[list[str]]:
    """The rows of the table that HEADS heads."""
    return [
        [
            str(row[findings.RANK]),
            row[findings.KIND],
            clipped(row[findings.GROUP], 30),
            clipped(row[findings.GIVEN], 40),
            clipped(row[findings.SUGGESTED], 40),
            f"{row[findings.SCORE]:.3f}",
            row[findings.AGREEMENT],
            " ".join(row[findings.WORDS].split(LABEL_DELIMITER)[:5]) or clipped(row[findings.REASON], 60),
        ]
        for row in table.to_dict("records")
    ]


def as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The findings as objects, numbers that are not there as null."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return found


def sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    """What was judged and found, what could not be judged, and which properties of files predict the label."""
    counts = {kind: count for kind, count in facts["counts"].items() if count}
    told = [f"{count:,} {(KINDS if count == 1 else PLURALS)[kind]}" for kind, count in counts.items()]
    judged = facts["judged"]
    size = f"{counted(judged['pages'], 'page')} of {counted(judged['leaflets'], 'leaflet')}"
    yield f"{size}: {listed(told) or 'no finding'}"
    yield f"estimated to be wrong by confident learning: {facts['estimated_wrong']:,} of {judged['leaflets']:,} labels"
    if rare := facts["too_few"]:
        named = some([f"{name} ({count})" for name, count in rare.items()])
        yield f"too few leaflets to judge, so these labels were not: {named}"
    if unlike := [
        f"{counted(len(facts['outliers'][why]), 'leaflet')} {words}"
        for why, words in UNJUDGED.items()
        if facts["outliers"][why]
    ]:
        yield f"outliers are told by words, so these were not judged as such: {listed(unlike)}; audit.json names them"
    for cue in facts["cues"][:CUES]:
        about = f"whether a page has {cue['label']}" if cue["label"] else "the label"
        lead = f"lead {cue['value']:.3f}, {cue['low']:.3f} to {cue['high']:.3f}"
        figures = f"accuracy {cue['accuracy']:.3f} against {cue['majority']:.3f} of the majority ({lead})"
        yield f"{cue['property']} alone tells {about}: {figures}; look whether models learn that"
