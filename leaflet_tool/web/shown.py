"""What the review's pages show: findings, verdicts and figures put into the words and numbers of a template."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from leaflet_tool.manifest import IMAGE, PAGE, SOURCE, TEXT, split_labels
from leaflet_tool.results.findings import KINDS
from leaflet_tool.results.review import Review
from leaflet_tool.results.review_export import advice, says
from leaflet_tool.results.review_findings import STATES, Finding, Selection, neighbours
from leaflet_tool.results.verdicts import Verdict, disagree
from leaflet_tool.web.links import Links
from leaflet_tool.web.marked import marked

KIND_WORDS = {
    "label": "Label",
    "duplicate": "Duplicates that disagree",
    "outlier": "Unlike all others",
    "sideways": "Lies on its side",
    "blank": "Blank",
    "dark": "Dark",
    "blurred": "Blurred",
}
STATE_WORDS = {
    "open": "not yet decided by me",
    "undecided": "decided by nobody",
    "decided": "decided",
    "conflict": "conflicting",
    "all": "all",
}
QUALITY_WORDS = {"read": "", "poor": "Text too poor to judge by", "none": "No text"}
A_PAGE = 100
"""Findings on one page of the overview."""
CURVE = (600, 120)
"""Width and height of the drawing of the yield."""


@dataclass(frozen=True)
class Leaf:
    """A page of a leaflet: its image's address, its text with marks, and what it is called."""

    name: str
    image: str
    text: Markup
    words: int
    label: str = ""
    there: bool = True
    """Whether the prepared folder has the page."""


@dataclass(frozen=True)
class Side:
    """One of the two labels that are held against each other; `share` is a percentage, None where nobody knows."""

    name: str
    labels: tuple[str, ...]
    share: float | None


def leaf(review: Review, links: Links, page: str, words: tuple[str, ...]) -> Leaf:
    """A page as the manifest has it."""
    if page not in review.pages.index:
        return Leaf(page, "", Markup(""), 0, there=False)
    row = review.pages.loc[page]
    text = str(row[TEXT])
    name = str(row[SOURCE]) or page
    image = links.image(page) if row[IMAGE] else ""
    number = f"page {row[PAGE]}" if row[PAGE] else ""
    label = ", ".join(split_labels(str(row[review.prepared.label.name])))
    return Leaf(f"{name} · {number}" if number else name, image, marked(text, words), len(text.split()), label)


def finding_page(review: Review, links: Links, finding: Finding, **more: Any) -> dict[str, Any]:
    """Everything on the page of a finding; `more` is what just happened: done (a number), problem, what was typed."""
    verdicts = review.verdicts()[finding.name]
    mine = verdicts.get(links.reviewer)
    before, after = neighbours(finding, review.selected(links.selection, links.reviewer))
    given, chosen = tuple(split_labels(finding.given)), _chosen(finding, mine)
    return {
        **common(review, links, **more),
        "finding": finding,
        "kind": KIND_WORDS.get(finding.kind, finding.kind),
        "leaves": [leaf(review, links, page, finding.words) for page in finding.pages],
        "twins": [leaf(review, links, page, finding.words) for page in finding.twins],
        "given": Side("given", given, _percent(finding.given_probability)),
        "suggested": Side("suggested", tuple(split_labels(finding.suggested)), _percent(finding.suggested_probability)),
        "quality": QUALITY_WORDS.get(finding.text_quality, finding.text_quality),
        "mine": mine and says(mine),
        "mine_how": mine and _how(mine),
        "others": [
            (name, says(verdict), _how(verdict)) for name, verdict in verdicts.items() if name != links.reviewer
        ],
        "conflict": disagree(verdicts.values()),
        "suggestions": review.suggestions(finding),
        "chosen": chosen,
        "ticked": chosen,
        "base": review.base(finding, links.reviewer),
        "once": secrets.token_hex(16),
        "before": before,
        "after": after,
        "typed": "",
        "open_panel": "",
        **more,
    }


def _chosen(finding: Finding, mine: Verdict | None) -> list[str]:
    """Labels that are ticked to begin with where several may be: those decided, else the given and the suggested."""
    if mine and mine.decision in ("change", "several"):
        return split_labels(mine.label)
    return list(dict.fromkeys([*split_labels(finding.given), *split_labels(finding.suggested)]))


def _percent(probability: float | None) -> float | None:
    return None if probability is None else round(100 * probability, 1)


def _how(verdict: Verdict) -> str:
    """Why a verdict counts that was not made on this finding."""
    if verdict.applied:
        return "the pages have the label they were changed to"
    return "" if verdict.own else "decided with these pages in another finding"


def common(review: Review, links: Links, *, done: int = 0, **_: Any) -> dict[str, Any]:
    """What every page has: progress, worth, the selection, and what was just recorded."""
    verdicts, worth = review.verdicts(), review.worth()
    decided = sum(bool(said) for said in verdicts.values())
    mine = sum(links.reviewer in said for said in verdicts.values())
    return {
        "links": links,
        "reviewer": links.reviewer,
        "multiple": review.multiple,
        "audit": review.audit.resolve().name,
        "total": len(verdicts),
        "decided": decided,
        "mine_count": mine,
        "conflicts": sum(disagree(said.values()) for said in verdicts.values()),
        "worth": worth,
        "advice": advice(worth),
        "selection": links.selection,
        "classes": review.classes,
        "kinds": {kind: KIND_WORDS[kind] for kind in KINDS},
        "states": {state: STATE_WORDS[state] for state in STATES},
        "last": review.last(links.reviewer),
        "recorded": _recorded(review, links.reviewer, done),
        "problem": "",
    }


def _recorded(review: Review, reviewer: str, number: int) -> str:
    """What was just written, in words; empty where nothing was."""
    entry = next((e for e in review.decisions.live() if (e.number, e.reviewer) == (number, reviewer)), None)
    if entry is None:
        return ""
    finding = review.by_name.get(entry.subject.finding)
    where = f"finding {finding.rank}: " if finding else ""
    return f"Recorded: {where}{says(Verdict(entry.decision, entry.label, entry, own=True))}"


def overview_page(review: Review, links: Links, start: int = 0, **more: Any) -> dict[str, Any]:
    """The table of a selection, with who says what, and how the yield falls."""
    found = review.selected(links.selection, links.reviewer)
    verdicts = review.verdicts()
    rows = [
        {
            "finding": finding,
            "kind": KIND_WORDS.get(finding.kind, finding.kind),
            "given": ", ".join(split_labels(finding.given)) or "no label",
            "suggested": ", ".join(split_labels(finding.suggested)),
            "said": [(name, says(verdict)) for name, verdict in verdicts[finding.name].items()],
            "conflict": disagree(verdicts[finding.name].values()),
        }
        for finding in found[start : start + A_PAGE]
    ]
    shared = common(review, links, **more)
    return {
        **shared,
        "rows": rows,
        "matching": len(found),
        "conflicting": Selection(state="conflict"),
        "start": start,
        "following": start + A_PAGE if start + A_PAGE < len(found) else None,
        "open_count": len(review.queue(links.selection, links.reviewer)),
        "curve": curve(review, shared["worth"]["curve"]),
    }


def curve(review: Review, steps: Sequence[tuple[int, float]]) -> dict[str, Any] | None:
    """The falling yield as the points of a drawing; None where nothing was reviewed."""
    if not steps:
        return None
    (width, height), last, verdicts = CURVE, len(review.findings), review.verdicts()
    reviewed = max(finding.rank for finding in review.findings if verdicts[finding.name])
    ends = [*(rank for rank, _ in steps[1:]), reviewed + 1]
    corners = [
        (round(width * (rank - 1) / last, 1), round(height * (1 - value / 100), 1))
        for (start, value), end in zip(steps, ends, strict=True)
        for rank in (start, end)
    ]
    points = " ".join(f"{x},{y}" for x, y in [(0, corners[0][1]), *corners])
    first, final = steps[0][1], steps[-1][1]
    told = f"Wrong labels for a hundred findings: {first:.0f} at the worst ranks, {final:.0f} at rank {reviewed}."
    return {"points": points, "width": width, "height": height, "told": told, "last": last, "reviewed": reviewed}
