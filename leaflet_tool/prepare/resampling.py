"""Which training rows are taken out and which get altered copies, so that rare labels weigh more.

Both follow the heuristics of the study of Wikipedia images (epfl-dlab/wiki_image_classification): a label costs
1e4 / its rows, a row what its labels cost together. The study summed the costs of rows once, so that whole sets of
labels went; and it copied the first row of a set alone, as often as that was the dearest. Here costs follow every row
that goes or comes, and all rows of a set take turns, each up to MOST times. Rows of equal cost go by a hash of seed and
id, never by their order.
"""

import hashlib
from collections import deque
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leaflet_tool.manifest import AUGMENTED_FROM, ID, SPLIT
from leaflet_tool.prepare.labels import Labels
from leaflet_tool.prepare.sources.rows import LABEL, Rows

COST = 1e4
MOST = 20
"""Copies of one row by over-sampling: as many as the study made of it in one step."""
UNDERSAMPLED = "under-sampled"


def undersampled(rows: Rows, share: float, seed: int) -> tuple[Rows, pd.DataFrame]:
    """Rows of which `share` of the archive's own training rows is left, and those taken out, which are also skipped."""
    frame = rows.frame
    train = frame[(frame[SPLIT] == "train") & (frame[AUGMENTED_FROM] == "")]
    gone = train.index[surplus(train[LABEL].tolist(), train[ID].tolist(), share, seed)]
    reasons = pd.Series("", index=frame.index, dtype=str)
    reasons[gone] = UNDERSAMPLED
    return rows.without(reasons), frame.loc[gone].reset_index(drop=True)


def surplus(cells: Sequence[Labels], names: Sequence[str], share: float, seed: int) -> list[int]:
    """Places of the cheapest rows, one after the other until `share` is left; no label loses its last row."""
    sets = _Sets(cells, names, seed)
    counts, left, gone = sets.counts, [deque(rows) for rows in sets.rows], list[int]()
    for _ in range(len(cells) - round(share * len(cells))):
        lasts = (sets.shown & (counts == 1)).any(axis=1)
        spare = np.array([bool(rows) for rows in left]) & ~lasts
        if not spare.any():
            break
        cheapest = int(np.argmin(np.where(spare, sets.cost(counts), np.inf)))
        gone.append(left[cheapest].popleft())
        counts = counts - sets.shown[cheapest]
    return sorted(gone)


def copies(
    cells: Sequence[Labels], names: Sequence[str], able: Sequence[bool], share: float, seed: int
) -> NDArray[np.int_]:
    """How many altered copies each row gets, `share` of the rows in all: always the next row of the dearest set.

    Rows that are not `able` to be altered get none, and no row more than MOST, even if that makes fewer in all.
    """
    sets, found = _Sets(cells, names, seed), np.zeros(len(cells), dtype=int)
    counts, turns = sets.counts, [deque(row for row in rows if able[row]) for rows in sets.rows]
    for _ in range(round(share * len(cells))):
        left = np.array([bool(rows) for rows in turns])
        if not left.any():
            break
        dearest = int(np.argmax(np.where(left, sets.cost(counts), -np.inf)))
        row = turns[dearest].popleft()
        found[row] += 1
        counts = counts + sets.shown[dearest]
        if found[row] < MOST:
            turns[dearest].append(row)
    return found


class _Sets:
    """Rows by their set of labels, for all rows of a set cost the same; rows and sets stand in the order of hashes."""

    def __init__(self, cells: Sequence[Labels], names: Sequence[str], seed: int) -> None:
        hashes = [hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest() for name in names]
        by_set: dict[Labels, list[int]] = {}
        for row in sorted(range(len(cells)), key=hashes.__getitem__):
            by_set.setdefault(tuple(sorted(cells[row])), []).append(row)
        labels = sorted({label for shown in by_set for label in shown})
        self.rows = list(by_set.values())
        self.shown = np.array([[label in shown for label in labels] for shown in by_set], dtype=bool)
        self.shown = self.shown.reshape(len(self.rows), len(labels))
        self.counts: NDArray[np.int_] = np.array([len(rows) for rows in self.rows], dtype=int) @ self.shown

    def cost(self, counts: NDArray[np.int_]) -> NDArray[np.float64]:
        """What a row of each set costs where so many rows have each label."""
        return np.asarray(self.shown @ (COST / counts))
