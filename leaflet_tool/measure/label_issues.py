"""Which labels are probably wrong: confident learning on probabilities of pages that are new to who gave them.

Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70, as cleanlab has
it. A class counts as claimed by a page from that class's own mean probability on, so that neither a rare class nor an
unsure one is flagged wholesale. What is listed: of each class as many as its row of the confident joint says, those
with the least probability of their label, and what is far likelier something else. Of several labels a page, each
label is a question with two answers.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from cleanlab.count import num_label_issues
from cleanlab.filter import find_label_issues
from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
from numpy.typing import NDArray

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.label_sets import BoolArray, cells, implied, is_multiple, named, truth_matrix
from leaflet_tool.measure.predictions import (
    LABEL,
    FloatArray,
    classes_of,
    label_places,
    label_probabilities,
    probabilities_of,
)
from leaflet_tool.settings import AUDIT
from leaflet_tool.taxonomy import Taxonomy

LISTED, SCORE, OTHER = "listed", "score", "suggested"
GIVEN_PROBABILITY, OTHER_PROBABILITY = "given_probability", "suggested_probability"
FILTER = "prune_by_class"


@dataclass(frozen=True)
class LabelIssues:
    """A row for each row judged, in its order, and how many labels are estimated to be wrong.

    Columns: `listed`; `score`, 0 to 1, the probability of the suggestion over that of both; the probability of what is
    given; the suggestion, its probability. Of several labels the probabilities are those of the label that is most in
    doubt.
    """

    rows: pd.DataFrame
    estimated: int


def too_few(predictions: pd.DataFrame, least: int) -> dict[str, int]:
    """Groups of each class that has fewer than `least`, or, where pages have several labels, is lacked by fewer."""
    multiple = is_multiple(predictions)
    classes = sorted({*classes_of(predictions), *(() if multiple else predictions[LABEL])})
    held = named(predictions[LABEL], classes, multiple=multiple)
    groups = predictions[GROUP].to_numpy()
    counts = {name: len(set(groups[column])) for name, column in zip(classes, held.T, strict=True)}
    if multiple:
        for name, column in zip(classes, held.T, strict=True):
            counts[name] = min(counts[name], len(set(groups[~column])))
    return {name: count for name, count in counts.items() if count < least}


def label_issues(
    predictions: pd.DataFrame, unjudged: Mapping[str, int], taxonomy: Taxonomy | None = None
) -> LabelIssues:
    """What is the matter with the labels of a predictions frame, one row a leaflet.

    Labels in `unjudged` are neither doubted nor counted. With a `taxonomy`, a suggested set holds what is above its own
    labels.
    """
    if is_multiple(predictions):
        return _of_sets(predictions, unjudged, taxonomy)
    return _of_classes(predictions, unjudged)


def _of_classes(predictions: pd.DataFrame, unjudged: Mapping[str, int]) -> LabelIssues:
    values, classes = probabilities_of(predictions), classes_of(predictions)
    labels, given = label_places(predictions), label_probabilities(predictions)
    judged = (labels >= 0) & ~predictions[LABEL].isin(list(unjudged)).to_numpy()
    every = np.arange(len(values))
    rest = values.copy()
    rest[every[labels >= 0], labels[labels >= 0]] = -1.0
    other = rest.argmax(axis=1)
    odds = rest.max(axis=1) / (rest.max(axis=1) + given)
    rows = pd.DataFrame(
        {
            LISTED: judged & ((_flagged(values, labels, judged) & (odds > 1 / 2)) | (odds > AUDIT.sure)),
            SCORE: odds,
            GIVEN_PROBABILITY: given,
            OTHER: np.array(classes, dtype=object)[other],
            OTHER_PROBABILITY: values[every, other],
        },
        index=predictions.index,
    )
    return LabelIssues(rows, _estimated(values[judged], labels[judged]))


def _flagged(values: FloatArray, labels: NDArray[np.intp], judged: BoolArray) -> BoolArray:
    """The judged rows that confident learning lists."""
    flagged = np.zeros(len(values), dtype=bool)
    if len(set(labels[judged])) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "too few examples": too_few says which
            flagged[judged] = find_label_issues(labels[judged], values[judged], filter_by=FILTER, n_jobs=1)
    return flagged


def _estimated(values: FloatArray, labels: NDArray[np.intp]) -> int:
    """Rows off the diagonal of the confident joint (ibid., eq. 1)."""
    if len(set(labels)) < 2:
        return 0
    return int(num_label_issues(labels, values, estimation_method="off_diagonal"))


def _of_sets(predictions: pd.DataFrame, unjudged: Mapping[str, int], taxonomy: Taxonomy | None) -> LabelIssues:
    values, classes = probabilities_of(predictions), classes_of(predictions)
    truth = truth_matrix(predictions)
    held = np.where(truth, values, 1 - values)
    doubted = _flagged_labels(values, truth, classes, unjudged, FILTER) & (held < 1 / 2)
    wanted = truth ^ doubted
    if taxonomy:
        wanted = implied(wanted, classes, taxonomy)
        doubted = wanted != truth
    listed = doubted.any(axis=1)
    given = np.where(listed[:, None] & ~doubted, 1.0, held).min(axis=1, initial=1.0)
    rows = pd.DataFrame(
        {
            LISTED: listed,
            SCORE: 1 - given,
            GIVEN_PROBABILITY: given,
            OTHER: cells(wanted, classes),
            OTHER_PROBABILITY: 1 - given,
        },
        index=predictions.index,
    )
    counted = _flagged_labels(values, truth, classes, unjudged, "confident_learning")
    return LabelIssues(rows, int(counted.any(axis=1).sum()))


def _flagged_labels(
    values: FloatArray, truth: BoolArray, classes: Sequence[str], unjudged: Mapping[str, int], how: str
) -> BoolArray:
    """`[rows, classes]`: the answers that confident learning lists, of the labels that are judged."""
    flagged = np.zeros_like(truth)
    judged = [place for place, name in enumerate(classes) if name not in unjudged]
    if judged:
        labels = [list(map(int, np.flatnonzero(row))) for row in truth[:, judged]]
        # a label that every row or none has would end cleanlab's checks, and too_few names it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            flagged[:, judged] = find_multilabel_issues_per_class(labels, values[:, judged], filter_by=how, n_jobs=1)
    return flagged
