"""The rows of audit.csv: each finding of an audit with what speaks for it, worst first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from leaflet_tool.manifest import GROUP, ID, ROW, SOURCE, split_labels
from leaflet_tool.measure import page_quality
from leaflet_tool.measure.label_issues import GIVEN_PROBABILITY, LISTED, OTHER, OTHER_PROBABILITY, SCORE, LabelIssues
from leaflet_tool.measure.outliers import outliers
from leaflet_tool.measure.page_quality import NONE, POOR
from leaflet_tool.results import findings
from leaflet_tool.results.audit_leaflets import Leaflets, Twin
from leaflet_tool.results.words import counted, listed, quoted

NO_LABEL = "no label"
TWIN_KINDS = {"exact": "the same file", "near": "a page that looks the same", "text": "a page of the same words"}
FIRST = ("label", "duplicate")
"""The kinds that stand before all others: an archive is mended by them."""
UNSURE = 0.5
"""Of two twins with different labels one is wrong, and nothing else says which."""


def table(leaflets: Leaflets, issues: LabelIssues, *, seed: int) -> pd.DataFrame:
    """All findings, worst first; one a leaflet and kind, and none of a duplicate whose label is a finding already."""
    judged = issues.rows.set_axis(leaflets.frame[ID])
    rows = [_label(leaflets, name, judged.loc[name]) for name in judged.index[judged[LISTED]]]
    doubted = set(judged.index[judged[LISTED]])
    rows += [_duplicate(leaflets, name, judged.loc[name]) for name in _disagreeing(leaflets) if name not in doubted]
    rows += _outliers(leaflets, seed)
    rows += _pages(leaflets)
    found = pd.DataFrame(rows, columns=list(findings.MEANING))
    order = found.assign(first=~found[findings.KIND].isin(FIRST), worst=-found[findings.SCORE].astype(float))
    order = order.sort_values(["first", "worst", findings.GROUP, findings.FINDING], kind="stable")
    return found.loc[order.index].reset_index(drop=True).assign(**{findings.RANK: range(1, len(found) + 1)})


def _row(leaflets: Leaflets, kind: str, leaflet: str, pages: Sequence[str], **more: Any) -> dict[str, Any]:
    """A finding with what every finding has."""
    given = leaflets.given[leaflet]
    return {
        **dict.fromkeys(findings.MEANING, ""),
        findings.FINDING: findings.name_of(kind, pages, given),
        findings.KIND: kind,
        findings.GROUP: leaflets.pages.at[pages[0], GROUP],
        findings.PAGES: findings.joined(pages),
        findings.SOURCES: findings.joined(leaflets.told(pages, SOURCE)),
        findings.ROWS: findings.joined(leaflets.told(pages, ROW)),
        findings.GIVEN: given,
        findings.GIVEN_PROBABILITY: float("nan"),
        findings.SUGGESTED_PROBABILITY: float("nan"),
        findings.TWINS: findings.joined([twin.page for twin in leaflets.twins_of(leaflet)]),
        findings.TEXT_QUALITY: leaflets.text_quality(leaflet),
        **more,
    }


def _changes(leaflets: Leaflets, given: str, suggested: str) -> tuple[list[str], list[str]]:
    """The labels that a suggestion adds and those that it takes away."""
    before, after = (split_labels(cell) if leaflets.multiple else [cell] for cell in (given, suggested))
    return [name for name in after if name not in before], [name for name in before if name not in after]


def _suggestion(leaflets: Leaflets, leaflet: str, suggested: str) -> tuple[list[str], dict[str, Any]]:
    """The leaflet's pages, the most telling first, and what speaks for a suggestion: agreement and words."""
    gained, lost = _changes(leaflets, leaflets.given[leaflet], suggested)
    agreeing = leaflets.agreeing(leaflet, gained, lost)
    return leaflets.most_telling(leaflet, gained, lost), {
        findings.SUGGESTED: suggested,
        findings.AGREEMENT: f"{agreeing}/{len(leaflets.votes)}",
        findings.WORDS: findings.joined(leaflets.words(leaflet, gained, lost)),
    }


def _label(leaflets: Leaflets, leaflet: str, judged: pd.Series) -> dict[str, Any]:
    suggested = str(judged[OTHER])
    pages, told = _suggestion(leaflets, leaflet, suggested)
    return _row(
        leaflets,
        "label",
        leaflet,
        pages,
        **told,
        **{
            findings.SCORE: float(judged[SCORE]),
            findings.GIVEN_PROBABILITY: float(judged[GIVEN_PROBABILITY]),
            findings.SUGGESTED_PROBABILITY: float(judged[OTHER_PROBABILITY]),
            findings.REASON: _why(leaflets, leaflet, judged, told),
        },
    )


def _why(leaflets: Leaflets, leaflet: str, judged: pd.Series, told: dict[str, Any]) -> str:
    """What the judges say instead, who agrees, and what else speaks for it or against judging at all."""
    given, suggested = leaflets.given[leaflet], str(judged[OTHER])
    if leaflets.multiple:
        gained, lost = _changes(leaflets, given, suggested)
        parts = [f"it lacks {quoted(gained)}"] * bool(gained) + [f"it does not show {quoted(lost)}"] * bool(lost)
        said = f"{listed(parts)} (probability of the given answer {judged[GIVEN_PROBABILITY]:.2g})"
    else:
        said = (
            f"it looks like {quoted([suggested])} (probability {judged[OTHER_PROBABILITY]:.2g}), not like "
            f"{quoted([given])} ({judged[GIVEN_PROBABILITY]:.2g})"
        )
    runs = len(leaflets.votes)
    sentences = [said, f"{told[findings.AGREEMENT].partition('/')[0]} of {counted(runs, 'run')} say so"]
    if twins := leaflets.twins_of(leaflet):
        sentences.append(_of_twins(twins))
    quality = leaflets.text_quality(leaflet)
    if quality == POOR:
        sentences.append("its text is too short or too badly read to judge by")
    if quality == NONE:
        sentences.append("it has no text")
    return "; ".join(sentences)


def _of_twins(twins: Sequence[Twin]) -> str:
    kinds = listed(sorted({TWIN_KINDS.get(twin.kind, twin.kind) for twin in twins}))
    return f"{kinds} is labelled {quoted(sorted({twin.label or NO_LABEL for twin in twins}))}"


def _disagreeing(leaflets: Leaflets) -> Iterator[str]:
    """Leaflets with a twin of another label, but for those on the side of most of their twins."""
    for leaflet in leaflets.members:
        twins = leaflets.twins_of(leaflet)
        if twins and not _outvotes(leaflets, leaflet):
            yield leaflet


def _outvotes(leaflets: Leaflets, leaflet: str) -> bool:
    """Whether more than half of its pages with duplicates, and of these, have its label."""
    alike = {page for member in leaflets.members[leaflet] for page in leaflets.alike(member)}
    labels = Counter(leaflets.labels[page] for page in alike)
    return labels[leaflets.given[leaflet]] * 2 > sum(labels.values())


def _duplicate(leaflets: Leaflets, leaflet: str, judged: pd.Series) -> dict[str, Any]:
    """A finding of twins that disagree: suggested is what most of them are labelled."""
    twins = leaflets.twins_of(leaflet)
    (suggested, _), *_ = Counter(sorted(twin.label for twin in twins)).most_common()
    pages, told = _suggestion(leaflets, leaflet, suggested)
    twinned = [page for page in pages if page in leaflets.twins]
    given = float(judged[GIVEN_PROBABILITY])
    more: dict[str, Any] = {
        findings.SCORE: max(UNSURE, 1 - given),
        findings.GIVEN_PROBABILITY: given,
        findings.REASON: _of_twins(twins),
    }
    if not leaflets.multiple and suggested == judged[OTHER]:
        more[findings.SUGGESTED_PROBABILITY] = float(judged[OTHER_PROBABILITY])
    return _row(
        leaflets, "duplicate", leaflet, twinned + [page for page in pages if page not in twinned], **told, **more
    )


def _outliers(leaflets: Leaflets, seed: int) -> list[dict[str, Any]]:
    names = list(leaflets.members)
    found = outliers([leaflets.text(name) for name in names], seed=seed)
    reason = "its text is unlike that of every other leaflet"
    return [
        _row(
            leaflets,
            "outlier",
            names[place],
            leaflets.members[names[place]],
            **{findings.SCORE: float(score), findings.REASON: reason},
        )
        for place, score in found.items()
    ]


def _pages(leaflets: Leaflets) -> list[dict[str, Any]]:
    """What is the matter with pages: one finding a leaflet and fault, the worst page first."""
    rows = []
    for kind, found in page_quality.faults(leaflets.pages).items():
        worst = found.sort_values("score", ascending=False, kind="stable")
        for leaflet, pages in worst.groupby(leaflets.unit[worst.index], sort=False):
            members = leaflets.members[str(leaflet)]
            ordered = [*pages.index, *(page for page in members if page not in pages.index)]
            most = f"; so are {len(pages) - 1} more of its {len(members)} pages" if len(pages) > 1 else ""
            about = {findings.SCORE: float(pages["score"].iloc[0]), findings.REASON: pages["reason"].iloc[0] + most}
            rows.append(_row(leaflets, kind, str(leaflet), ordered, **about))
    return rows
