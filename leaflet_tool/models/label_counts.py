"""What the training rows say of the labels, altered copies included: facts that a definition names by a slot."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from leaflet_tool.manifest import Label, split_labels
from leaflet_tool.models.rows import UNKNOWN, token
from leaflet_tool.taxonomy import Taxonomy

POSITIVE_WEIGHTS, ROOT_POSITIVE_WEIGHTS = "positive_weights", "root_positive_weights"
CLASS_WEIGHTS, TAXONOMY = "class_weights", "taxonomy"
FACTS = (POSITIVE_WEIGHTS, ROOT_POSITIVE_WEIGHTS, CLASS_WEIGHTS, TAXONOMY)
LATER: Mapping[str, Any] = {name: f"${{{name}}}" for name in FACTS}
"""Leaves each slot as it stands, to be filled once the training rows are known."""
WITHOUT_DATA: Mapping[str, Any] = {name: {} for name in FACTS}
NEUTRAL = 1.0
"""Weight of a label that no training row has."""


def counted(cells: pd.Series, label: Label) -> Counter[str]:
    """How many of these rows have each class."""
    return Counter(name for cell in cells for name in (split_labels(cell) if label.multiple else [cell]))


def facts(cells: pd.Series, label: Label, classes: Sequence[str], taxonomy: Taxonomy) -> dict[str, Any]:
    """Every fact of the training rows' labels, by slot: mappings by the tokens of Ludwig's vocabulary.

    With N rows, n of them with the label and L labels: (N - n) / n and its root, and N / (L n).
    """
    counts, rows = counted(cells, label), len(cells)
    seen = {name: counts[name] for name in classes if counts[name]}
    positive = {name: (rows - n) / n for name, n in seen.items()}
    root = {name: weight**0.5 for name, weight in positive.items()}
    balanced = {name: rows / (len(classes) * n) for name, n in seen.items()}
    weights = {POSITIVE_WEIGHTS: positive, ROOT_POSITIVE_WEIGHTS: root, CLASS_WEIGHTS: balanced}
    by_class = {slot: {name: found.get(name, NEUTRAL) for name in classes} for slot, found in weights.items()}
    unknown = {UNKNOWN: NEUTRAL} if label.multiple else {}
    tokens = {slot: unknown | _by_token(found, label) for slot, found in by_class.items()}
    return {**tokens, TAXONOMY: hierarchy(taxonomy, classes) if label.multiple else {}}


def hierarchy(taxonomy: Taxonomy, classes: Sequence[str]) -> dict[str, list[str]]:
    """Each class's parents among the classes, through labels that no row has; empty where there is no taxonomy."""
    if not taxonomy:
        return {}
    above = {name: taxonomy.most_specific(sorted(taxonomy.ancestors(name) & set(classes))) for name in classes}
    return {UNKNOWN: [], **{token(name): [token(parent) for parent in parents] for name, parents in above.items()}}


def _by_token(weights: Mapping[str, float], label: Label) -> dict[str, float]:
    return {token(name) if label.multiple else name: weight for name, weight in weights.items()}
