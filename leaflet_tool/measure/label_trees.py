"""A classical rival of models with several labels a row: gradient-boosted trees, one small classifier a label.

Along a hierarchy each classifier tells a label from its siblings only: it learns from the rows that have a parent of
the label, and its probability counts within that of the parent (the "siblings" policy of local classifiers per node:
Silla and Freitas 2011, A survey of hierarchical classification across different application domains, Data Mining and
Knowledge Discovery 22, sections 4.1 and 4.1.1). So no label is more probable than one above it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack, spmatrix

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import classes_of
from leaflet_tool.measure.baselines import vectorised
from leaflet_tool.measure.label_baselines import with_thresholds
from leaflet_tool.measure.label_metrics import missing_ancestors
from leaflet_tool.measure.label_sets import BoolArray, matrix
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.taxonomy import Taxonomy

logger = logging.getLogger(__name__)

LABEL_TREES = "label_trees"
FEW = 3
"""With fewer rows that have a label, or that lack it, there is nothing to learn: it takes its share."""
ROUNDS = 60
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "nthread": 1,
    "max_depth": 6,
    "learning_rate": 0.2,
    "min_child_weight": 0.0,
}
"""With XGBoost's least weight of a leaf, 1, a label that 2 % of the rows have would need fifty rows a leaf."""


def label_tree_predictions(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    judged: pd.DataFrame,
    *,
    text: str | None,
    label: str,
    taxonomy: Taxonomy | None = None,
    embeddings: tuple[FloatArray, FloatArray, FloatArray] | None = None,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
    progress: Progress = silent,
) -> pd.DataFrame:
    """The predictions frame of the trees for `judged`, learned from `train`; all three are rows of a manifest.

    `embeddings` `[rows, d]` of the three, of their images for one, are read beside the text, or alone where `text` is
    None. An encoder that learned from the rows of `train` knows them better than others, so that the trees trust it
    more than they should. Thresholds are fitted on
    `validation`, or 0.5 where that has no row. Without a taxonomy, or where training rows do not follow it, every label
    learns from all rows; along it the labels predicted are coherent.
    """
    if train.empty or judged.empty:
        raise InputError(
            f"there is no {'training' if train.empty else 'judged'} row for the trees",
            hint="check the split column of the manifest",
        )
    rows = pd.concat([validation, judged], ignore_index=True)
    classes = classes_of([*train[label], *rows[label]], multiple=True)
    truth = matrix(train[label], classes)
    along = _followed(truth, classes, taxonomy)
    given = (embeddings[0], np.concatenate(embeddings[1:])) if embeddings else None
    said = [None, None] if text is None else [train[text], rows[text]]
    learned = label_trees(said[0], truth, said[1], classes, along, embeddings=given, seed=seed, progress=progress)
    return with_thresholds(learned, validation, judged, label, along, objective=objective, seed=seed)


def _followed(truth: BoolArray, classes: list[str], taxonomy: Taxonomy | None) -> Taxonomy | None:
    """The taxonomy, unless there are rows that lack labels which theirs imply: along it, these would be wrong."""
    lacking = int((missing_ancestors(truth, classes, taxonomy) > 0).sum()) if taxonomy else 0
    if lacking:
        logger.info("%d training rows lack labels that theirs imply: the trees learn without the hierarchy", lacking)
    return None if lacking else taxonomy


def label_trees(
    train_texts: pd.Series | None,
    truth: BoolArray,
    texts: pd.Series | None,
    classes: list[str],
    taxonomy: Taxonomy | None = None,
    *,
    embeddings: tuple[FloatArray, FloatArray] | None = None,
    seed: int,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Each label's probability in each of `texts`: `[texts, classes]`; `embeddings` are those of both, or stand alone.

    The rows of `truth` are closed by the taxonomy, where there is one.
    """
    words = None if train_texts is None or texts is None else vectorised(train_texts, texts)
    features = _features(words, embeddings)
    count = len(embeddings[1]) if texts is None and embeddings else len(texts if texts is not None else ())
    above = _parents(classes, taxonomy)
    found: dict[str, FloatArray] = {}
    ordered = sorted(classes, key=lambda name: _depth(name, above))
    for name in progress(ordered, total=len(classes), title="learning trees, label by label"):
        parents = above[name]
        siblings = truth[:, [classes.index(parent) for parent in parents]].any(axis=1) | (not parents)
        own = _conditional(features, truth[:, classes.index(name)], siblings, count, seed)
        around = np.array([found[parent] for parent in parents] or [np.ones(count)])
        # of several parents the likeliest counts, but a row that has the label has all of them
        found[name] = np.minimum(around.max(axis=0) * own, around.min(axis=0))
    return pd.DataFrame({name: found[name] for name in classes})


def _features(
    words: tuple[spmatrix, spmatrix] | None, embeddings: tuple[FloatArray, FloatArray] | None
) -> tuple[csr_matrix, csr_matrix] | None:
    """Words and embeddings side by side, of training rows and of others; None where there is neither."""
    parts = [part for part in (words, embeddings) if part is not None]
    if not parts:
        return None
    train, others = (csr_matrix(hstack([csr_matrix(part[place]) for part in parts])) for place in (0, 1))
    return train, others


def _parents(classes: list[str], taxonomy: Taxonomy | None) -> dict[str, tuple[str, ...]]:
    """Those right above each class, of the classes alone."""
    if not taxonomy:
        return dict.fromkeys(classes, ())
    return {name: taxonomy.most_specific(sorted(taxonomy.ancestors(name) & set(classes))) for name in classes}


def _depth(name: str, above: Mapping[str, tuple[str, ...]]) -> int:
    return 1 + max((_depth(parent, above) for parent in above[name]), default=0)


def _conditional(
    features: tuple[csr_matrix, csr_matrix] | None, positive: BoolArray, rows: BoolArray, count: int, seed: int
) -> FloatArray:
    """The label's probability in `count` rows, given that they are like the training `rows`."""
    there = positive[rows]
    if features is None or min(there.sum(), (~there).sum()) < FEW:
        return np.full(count, there.mean() if len(there) else 0.0)
    import xgboost

    train, others = features
    settings = {**SETTINGS, "seed": seed}
    model = xgboost.train(settings, xgboost.DMatrix(train[rows], there, nthread=1), num_boost_round=ROUNDS)
    return model.predict(xgboost.DMatrix(others, nthread=1)).astype(float)
