"""How unevenly the labels of a table are spread, where a row may have several: in the measures of Charte et al.

IRLbl and its mean: Charte, Rivera, del Jesus and Herrera 2015, Addressing imbalance in multilabel classification:
Measures and random resampling algorithms, Neurocomputing 163, section 3. SCUMBLE: the same authors 2019, Dealing with
difficult minority labels in imbalanced multilabel data sets, Neurocomputing 326-327, section 3.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from leaflet_tool.measure.predictions import FloatArray

COOCCURRING = 100
"""Of so many labels, the commonest, it is counted which occur together: so the table of any archive stays small."""


def of_labels(rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Figures of the labels of each row, ready for JSON; labels run from the commonest to the rarest, then by name.

    A label that a row names twice counts once. Every figure of no rows, or of no labels, is 0 or empty.
    """
    sets = [sorted(set(row)) for row in rows]
    counts = _counts(sets)
    ratios = {label: max(counts.values()) / n for label, n in counts.items()}
    sizes = Counter(map(len, sets))
    cardinality = sum(counts.values()) / max(1, len(sets))
    return {
        "rows": len(sets),
        "unlabelled": sizes[0],
        "cardinality": cardinality,
        "density": cardinality / max(1, len(counts)),
        "labels_per_row": {size: sizes[size] for size in sorted(sizes)},
        "counts": counts,
        "irlbl": ratios,
        "mean_ir": _mean(ratios.values()),
        "scumble": _mean(scumble(sets, ratios)),
        "scumble_original": _mean(scumble(sets, ratios, exponent_over=len(counts))),
        "cooccurrence": cooccurrence(sets, list(counts)[:COOCCURRING]),
    }


def _counts(sets: Sequence[Sequence[str]]) -> dict[str, int]:
    """Rows of each label."""
    found = Counter(chain.from_iterable(sets))
    return {label: found[label] for label in sorted(found, key=lambda label: (-found[label], label))}


def scumble(sets: Sequence[Sequence[str]], ratios: dict[str, float], *, exponent_over: int | None = None) -> FloatArray:
    """How far each row's labels differ in IRLbl, 0 to 1: one less the geometric by the arithmetic mean of its ratios.

    0 for a row of one label or none. The root is that of the number of labels the row has. With `exponent_over`, the
    root is that of so many labels instead: the original topics study's code takes all labels there are, by which a row
    with a single rare label seems mixed.
    """
    sizes = np.array([len(row) for row in sets], dtype=float)
    owners = np.repeat(np.arange(len(sets)), sizes.astype(int))
    found = np.array([ratios[label] for label in chain.from_iterable(sets)], dtype=float)
    logs, sums = (np.bincount(owners, values, len(sets)) for values in (np.log(found), found))
    labelled = sizes > 0
    roots = np.maximum(sizes if exponent_over is None else exponent_over, 1)
    arithmetic = np.divide(sums, sizes, out=np.ones(len(sets)), where=labelled)
    scores = 1 - np.exp(logs / roots) / arithmetic
    return np.where(labelled, scores.clip(0, 1), 0.0)


def cooccurrence(sets: Sequence[Sequence[str]], classes: Sequence[str]) -> dict[str, Any]:
    """`classes`, and `counts`: rows that have both the label of the row and that of the column, itself included."""
    places = {label: place for place, label in enumerate(classes)}
    cells = [(row, places[label]) for row, labels in enumerate(sets) for label in labels if label in places]
    table = np.array(cells, dtype=np.int64).reshape(-1, 2)
    matrix = csr_array((np.ones(len(table), dtype=np.int64), (*table.T,)), shape=(len(sets), len(classes)))
    return {"classes": list(classes), "counts": (matrix.T @ matrix).toarray().tolist()}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0
