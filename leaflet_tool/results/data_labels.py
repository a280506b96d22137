"""The part of a prepared folder's report on several labels a page: how unevenly they are spread, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from leaflet_tool.measure import figures, imbalance, label_figures
from leaflet_tool.results.data_contents import PAGES, Contents
from leaflet_tool.results.data_tables import ROWS, cut, numbers
from leaflet_tool.results.page import Cell, Picture, Table, svg_uri
from leaflet_tool.results.words import counted, figure, listed, percent

DRAWN = 40
"""The drawing has so many labels at most, the commonest."""
PAIRS = 20
"""Pairs of labels that are told in numbers."""
POLICIES = {
    "stated": "a page that says it has none, by an empty list, is kept, and one that says nothing is left out",
    "keep": "they are kept, as pages to which no label applies",
    "drop": "they are left out",
}
FORMS = {
    "flat": "Of labels that follow from one another only the most specific are kept.",
    "closed": "A label brings all labels above it along.",
    "given": "Labels are as the archive has them.",
}


@dataclass
class Node:
    """A label in its hierarchy: how many pages have it, its other parents, and the labels below it."""

    label: str
    pages: int
    others: str
    below: list["Node"] = field(default_factory=list)


def context(contents: Contents) -> dict[str, Any]:
    """What the template shows of several labels a page; nothing of one."""
    if not contents.prepared.label.multiple:
        return {"several": None}
    found = imbalance.of_labels(contents.labels)
    return {
        "several": {
            "cardinality": f"{found['cardinality']:.2f}",
            "density": f"{found['density']:.3f}",
            "per_page": per_page(found),
            "spread": spread(found),
            "ratios": ratios(found),
            "together": together(found),
            "unlabelled": unlabelled(contents),
            "form": FORMS.get(contents.facts.get("dataset", {}).get("labels") or "closed", ""),
            "hierarchy": hierarchy(contents),
            "unused": listed([f"“{label}”" for label in contents.facts.get("unused_labels") or []]),
            "resampled": contents.facts.get("resampled"),
            "changes": changes(contents),
        }
    }


def per_page(found: dict[str, Any]) -> Table:
    """How many labels pages have."""
    rows = [
        [Cell(counted(size, "label")), *numbers(pages), Cell(percent(pages, found["rows"]))]
        for size, pages in found["labels_per_row"].items()
    ]
    return Table("Labels a page", ["", "pages", "share"], rows)


def spread(found: dict[str, Any]) -> Table:
    """The measures of imbalance, and how each is read."""
    measures = {
        "mean IR": ("mean_ir", "the commonest label has so many times a label's pages, on average; 1 is even"),
        "SCUMBLE": ("scumble", "how far rare labels stand on pages with common ones, 0 to 1"),
        "SCUMBLE with all labels": (
            "scumble_original",
            "the same with a root of all labels instead of the page's: so the code of the original topics study has it",
        ),
    }
    rows = [[Cell(name), Cell(f"{found[key]:,.3g}"), Cell(words)] for name, (key, words) in measures.items()]
    return Table("How unevenly labels are spread", ["", "value", "what it says"], rows, words=[2])


def ratios(found: dict[str, Any]) -> Table:
    """Each label's pages, and how many times as many the commonest has."""
    rows = [
        [Cell(label), *numbers(pages), Cell(figure(found["irlbl"][label]))] for label, pages in found["counts"].items()
    ]
    return cut(Table("Imbalance ratio of each label", ["", "pages", "IRLbl"], rows[:ROWS]), len(rows))


def together(found: dict[str, Any]) -> Picture | None:
    """Which labels stand on the same pages; None where no two do."""
    classes = found["cooccurrence"]["classes"][:DRAWN]
    counts = [row[:DRAWN] for row in found["cooccurrence"]["counts"][:DRAWN]]
    pairs = [(counts[one][other], one, other) for one, other in combinations(range(len(classes)), 2)]
    pairs = sorted((pair for pair in pairs if pair[0]), key=lambda pair: -pair[0])[:PAIRS]
    if not pairs:
        return None
    whole = len(classes) == len(found["counts"])
    drawing = label_figures.cooccurrence({"classes": classes, "counts": counts})
    rows = [
        [
            Cell(f"{classes[one]} and {classes[other]}"),
            *numbers(pages),
            *(Cell(percent(pages, counts[place][place])) for place in (one, other)),
        ]
        for pages, one, other in pairs
    ]
    heads = ["", "pages with both", "of those with the first", "of those with the second"]
    return Picture(
        title="Labels together" if whole else f"Labels together: the {len(classes)} commonest",
        uri=svg_uri(figures.svg(drawing)),
        alt="Pages that have two labels: " + "; ".join(f"{row[0].text} {row[1].text}" for row in rows[:5]),
        reading="Each row is read from its label: the share of its pages that also have the label of the column.",
        table=Table("The commonest pairs of labels", heads, rows),
    )


def unlabelled(contents: Contents) -> str:
    """How many pages have no label, and what becomes of such pages; empty where prepare.json does not say."""
    told = contents.facts.get("unlabelled")
    if not told:
        return ""
    return (
        f"{counted(told['kept'], 'page')} without any label. The policy for such pages is “{told['policy']}”: "
        f"{POLICIES.get(told['policy'], '')}."
    )


def hierarchy(contents: Contents) -> list[Node]:
    """The labels at the top, each with those below it; a label of several parents stands below the first."""
    parents = contents.prepared.taxonomy.parents
    pages = contents.classes[PAGES]
    nodes = {
        label: Node(label, int(pages.get(label, 0)), listed([f"“{parent}”" for parent in above[1:]]))
        for label, above in parents.items()
    }
    for label, above in parents.items():
        if above:
            nodes[above[0]].below.append(nodes[label])
    return list(_shallow([nodes[label] for label, above in parents.items() if not above]))


def _shallow(tops: list[Node], most: int = 50) -> Iterator[Node]:
    """The same nodes, without what lies deeper than `most`: the template calls itself for each level."""
    level = tops
    for _ in range(most):
        level = [node for above in level for node in above.below]
    for node in level:
        node.below.clear()
    yield from tops


def changes(contents: Contents) -> Table | None:
    """Training pages of each label before and after resampling; None where there was none."""
    told = (contents.facts.get("resampled") or {}).get("classes")
    if not told:
        return None
    order = sorted(told, key=lambda label: (-told[label]["before"], label))
    rows = [
        [
            Cell(label),
            *numbers(told[label]["before"], told[label]["after"]),
            Cell(f"{told[label]['after'] - told[label]['before']:+,}"),
        ]
        for label in order[:ROWS]
    ]
    return cut(Table("Training pages of each label", ["", "before", "after", "change"], rows), len(order))
