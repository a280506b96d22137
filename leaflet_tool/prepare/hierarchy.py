"""The hierarchy of labels held against an archive's rows: which labels it lacks, which it has in vain, which follow."""

from collections.abc import Iterable, Mapping

import pandas as pd

from leaflet_tool.manifest import ROW, SOURCE
from leaflet_tool.prepare.checks import places
from leaflet_tool.prepare.labels import Labels
from leaflet_tool.prepare.section import nearest
from leaflet_tool.prepare.sources.rows import LABEL
from leaflet_tool.settings import LabelForm
from leaflet_tool.taxonomy import Taxonomy


def shaped(cells: pd.Series, taxonomy: Taxonomy, form: LabelForm) -> pd.Series:
    """Each row's labels as given, the most specific of them alone (flat), or with all above them (closed)."""
    if form == "given":
        return cells
    shape = taxonomy.most_specific if form == "flat" else taxonomy.closed
    return pd.Series([row and shape(row) for row in cells], index=cells.index, dtype=object)


def outside(frame: pd.DataFrame, taxonomy: Taxonomy) -> list[str]:
    """The labels of rows that the hierarchy does not know, each with its rows."""
    if not taxonomy:
        return []
    rows = frame[[SOURCE, ROW, LABEL]].explode(LABEL).dropna(subset=LABEL)
    rows = rows[~rows[LABEL].isin(taxonomy.parents)]
    return [_lacking(str(label), found, taxonomy.parents) for label, found in rows.groupby(LABEL, sort=False)]


def _lacking(label: str, rows: pd.DataFrame, known: Mapping[str, object]) -> str:
    near = nearest(label, known)
    return f"{label!r} is not in the taxonomy{f', did you mean {near!r}?' if near else ''} ({places(rows)})"


def unused(cells: Iterable[Labels], taxonomy: Taxonomy) -> list[str]:
    """Labels of the hierarchy that no row has, nor any label below them, in its own order."""
    used = set(taxonomy.closed(dict.fromkeys(label for row in cells for label in row)))
    return [label for label in taxonomy.parents if label not in used]
