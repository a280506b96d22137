"""The leaflets that an audit judges: their pages, what was given, their twins, and what everybody says of them.

A leaflet is a group; pages of one group with different labels are leaflets of their own (see `predictions.by_group`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from leaflet_tool.manifest import GROUP, ID, read_table, split_labels
from leaflet_tool.measure.confidence import by_group
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.page_quality import NONE, POOR, READ, text_quality
from leaflet_tool.measure.predictions import (
    LABEL,
    PREDICTED,
    classes_of,
    logs,
    mixed_groups,
    probabilities_of,
)
from leaflet_tool.measure.word_judge import WordJudge
from leaflet_tool.prepare.duplicates import KIND, ONE, OTHER, components
from leaflet_tool.prepare.output import DUPLICATES
from leaflet_tool.results.audit_evidence import Evidence, as_predicted
from leaflet_tool.settings import AUDIT
from leaflet_tool.taxonomy import Taxonomy


@dataclass(frozen=True)
class Twin:
    """A page's duplicate, by its bytes, its look or its text, and the label that it has."""

    page: str
    kind: str
    label: str


class Leaflets:
    """The evidence by leaflet; every series and frame has a leaflet's or a page's row once, by its name."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        pooled = evidence.pooled.predictions
        self.multiple = is_multiple(pooled)
        mixed = pooled[GROUP].isin(mixed_groups(pooled))
        unit = pooled[ID].where(mixed, pooled[GROUP])
        self.unit = pd.Series(unit.to_numpy(), index=pooled[ID])
        self.frame = self.by_leaflet(pooled)
        """The pooled predictions frame, a row a leaflet."""

    def by_leaflet(self, frame: pd.DataFrame, follows: Taxonomy | None = None) -> pd.DataFrame:
        """A predictions frame of the judged pages with a row a leaflet, in order of appearance."""
        single = frame.assign(split="")  # a run in folds and one on the manifest's split part leaflets alike
        return by_group(single, follows).set_index(ID).loc[self.unit.unique()].rename_axis(ID).reset_index()

    @cached_property
    def pages(self) -> pd.DataFrame:
        """The manifest's rows by id."""
        return self.evidence.pages.set_index(ID, drop=False)

    @cached_property
    def given(self) -> pd.Series:
        """Each leaflet's label."""
        return self.frame.set_index(ID)[LABEL]

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """The ids of each leaflet's pages."""
        return {str(name): list(ids) for name, ids in self.unit.groupby(self.unit, sort=False).groups.items()}

    @cached_property
    def quality(self) -> pd.Series:
        """Each page's text: read, poor or none."""
        return text_quality(self.pages)

    def text_quality(self, leaflet: str) -> str:
        """The best of its pages' texts."""
        found = set(self.quality[self.members[leaflet]])
        return next((each for each in (READ, POOR) if each in found), NONE)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """The prepared folder's pairs of duplicates, both of which are pages of the archive: id_a, id_b, kind."""
        path = self.evidence.prepared.folder / DUPLICATES
        if not path.is_file():
            return pd.DataFrame(columns=["id_a", "id_b", KIND])
        table = read_table(path)
        known = set(self.labels.index)
        return table.loc[table["id_a"].isin(known) & table["id_b"].isin(known), ["id_a", "id_b", KIND]]

    @cached_property
    def labels(self) -> pd.Series:
        """The label of every page of the manifest, of those that are not judged as well."""
        frame, label = self.evidence.prepared.frame, self.evidence.prepared.label
        return as_predicted(frame.set_index(ID)[label.name], label)

    @cached_property
    def twins(self) -> dict[str, list[Twin]]:
        """The duplicates of each page with another label."""
        found: dict[str, list[Twin]] = {}
        for a, b, kind in self.pairs.itertuples(index=False):
            if self.labels[a] != self.labels[b]:
                found.setdefault(a, []).append(Twin(b, kind, self.labels[b]))
                found.setdefault(b, []).append(Twin(a, kind, self.labels[a]))
        return found

    def alike(self, page: str) -> list[str]:
        """The page and all that pairs tie it to, one like the next; none where it has no duplicate."""
        part = self._parts.get(page)
        return [] if part is None else list(self._parts.index[self._parts == part])

    @cached_property
    def _parts(self) -> pd.Series:
        """For each page of a pair the number of the part that pairs tie it to."""
        names = pd.Index(pd.unique(self.pairs[["id_a", "id_b"]].to_numpy().ravel()))
        ends = {side: names.get_indexer(self.pairs[name]) for side, name in ((ONE, "id_a"), (OTHER, "id_b"))}
        return pd.Series(components(pd.DataFrame(ends), len(names)), index=names)

    def twins_of(self, leaflet: str) -> list[Twin]:
        """The duplicates of its pages with another label."""
        found = {twin.page: twin for page in self.members[leaflet] for twin in self.twins.get(page, [])}
        return [twin for page, twin in found.items() if page not in self.members[leaflet]]

    def told(self, pages: Sequence[str], column: str) -> list[str]:
        """A column's cells of pages, of which empty ones stay where others are filled."""
        cells = [str(self.pages.at[page, column]) for page in pages]
        return cells if any(cells) else []

    def most_telling(self, leaflet: str, gained: Sequence[str], lost: Sequence[str]) -> list[str]:
        """Its pages, those first whose probabilities speak most for the labels gained and against those lost."""
        pages = self.members[leaflet]
        logs = self._logs.loc[pages]
        score = logs[[name for name in gained if name in logs]].sum(axis=1)
        score -= logs[[name for name in lost if name in logs]].sum(axis=1)
        return list(score.sort_values(ascending=False, kind="stable").index)

    @cached_property
    def _logs(self) -> pd.DataFrame:
        frame = self.evidence.pooled.predictions
        values = logs(probabilities_of(frame))
        return pd.DataFrame(values, index=frame[ID], columns=classes_of(frame))

    def words(self, leaflet: str, gained: Sequence[str], lost: Sequence[str]) -> list[str]:
        """The words of its pages that speak most for the labels gained and against those lost."""
        judge = self._judges[self.members[leaflet][0]]
        return judge.words(self.text(leaflet), gained, lost, most=AUDIT.telling_words)

    def text(self, leaflet: str) -> str:
        """What its pages say, one after the other."""
        return " ".join(self._texts[page] for page in self.members[leaflet])

    @cached_property
    def _texts(self) -> dict[str, str]:
        return dict(zip(self.pages.index, self.evidence.texts, strict=True))

    @cached_property
    def _judges(self) -> dict[str, WordJudge]:
        return dict(zip(self.pages.index, self.evidence.judges, strict=True))

    @cached_property
    def votes(self) -> dict[str, dict[str, str]]:
        """What each run says of each leaflet, by the run's name."""
        found = {}
        for name, frame in self.evidence.runs.items():
            combined = self.by_leaflet(frame, self.evidence.follow[name])
            found[name] = dict(zip(combined[ID], combined[PREDICTED], strict=True))
        return found

    def agreeing(self, leaflet: str, gained: Sequence[str], lost: Sequence[str]) -> int:
        """How many runs say of the leaflet that it has the labels gained and none of those lost."""
        said = [set(split_labels(vote[leaflet]) if self.multiple else [vote[leaflet]]) for vote in self.votes.values()]
        return sum(set(gained) <= labels and not labels & set(lost) for labels in said)
