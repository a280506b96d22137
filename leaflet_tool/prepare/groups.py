"""Groups: duplicates share one, and pages that an earlier run placed stay in theirs and in their split."""

import numpy as np
import pandas as pd

from leaflet_tool.manifest import FOLD, GROUP, ID, SPLIT, SPLITS
from leaflet_tool.prepare.duplicates import ONE, OTHER, components
from leaflet_tool.prepare.output import Earlier

PART, NEW, NAME, SIDE = "part", "new", "name", "side"


def settled(frame: pd.DataFrame, found: pd.DataFrame, earlier: Earlier) -> pd.DataFrame:
    """`frame` with its groups joined where pairs in `found` tie them, and SPLIT as far as it is settled.

    A split that the archive declares counts for the whole group; else the one of an earlier run; else that of the
    pages that a page is tied to, of several the first of SPLITS. Tied pages on different sides keep different groups.
    """
    before = earlier.of(frame[ID], GROUP)
    declared = frame[frame[SPLIT] != ""].drop_duplicates(GROUP).set_index(GROUP)[SPLIT]
    side = frame[GROUP].map(declared).fillna("")
    rows = pd.DataFrame(
        {
            PART: _parts(frame[GROUP], before, found),
            SIDE: side.where(side != "", earlier.of(frame[ID], SPLIT)),
            NEW: before == "",
            NAME: before.where(before != "", frame[GROUP]),
        }
    )
    fixed = rows[rows[SIDE] != ""].sort_values(SIDE, key=_rank, kind="stable").drop_duplicates(PART)
    rows[SIDE] = rows[SIDE].where(rows[SIDE] != "", rows[PART].map(fixed.set_index(PART)[SIDE]).fillna(""))
    return frame.assign(**{GROUP: _apart(_names(rows), rows[SIDE]), SPLIT: rows[SIDE]})


def _rank(sides: pd.Series) -> pd.Series:
    return sides.map(SPLITS.index)


def _parts(groups: pd.Series, before: pd.Series, found: pd.DataFrame) -> pd.Series:
    """What belongs together: rows of one group, of one earlier group (a name is a node as a row is), and duplicates."""
    count = len(groups)
    names, _ = pd.factorize(pd.concat([groups, before], ignore_index=True))
    rows = np.tile(np.arange(count), 2)
    named = np.concatenate([np.ones(count, dtype=bool), (before != "").to_numpy()])
    links = pd.DataFrame({ONE: rows[named], OTHER: names[named] + count})
    part = components(pd.concat([links, found[[ONE, OTHER]]], ignore_index=True), count + len(names))
    return pd.Series(part[:count], index=groups.index)


def _names(rows: pd.DataFrame) -> pd.Series:
    """Earlier pages keep their group; new ones take the first of those beside them, else of those declared."""
    first = rows.sort_values([NEW, NAME], kind="stable").drop_duplicates([PART, SIDE]).set_index([PART, SIDE])[NAME]
    joined = pd.Series(first.reindex(pd.MultiIndex.from_frame(rows[[PART, SIDE]])).to_numpy(), index=rows.index)
    return rows[NAME].where(~rows[NEW], joined)


def _apart(names: pd.Series, sides: pd.Series) -> pd.Series:
    """`names`, another one where the same lies on two sides: an archive that moves a group moves it all."""
    ordered = pd.DataFrame({NAME: names, SIDE: sides})
    ordered = ordered[ordered[SIDE] != ""].drop_duplicates().sort_values(SIDE, key=_rank, kind="stable")
    own = names.map(ordered.drop_duplicates(NAME).set_index(NAME)[SIDE]).fillna("")
    return names.where(own == sides, names + " (" + sides + ")")


def folds(frame: pd.DataFrame, earlier: Earlier) -> dict[str, str]:
    """The fold of each group that an earlier run dealt to one."""
    before = earlier.of(frame[ID], FOLD)
    return dict(zip(frame.loc[before != "", GROUP], before[before != ""], strict=True))
