"""Judges that read words: two that are quick to learn, so that an audit can teach them for every page anew.

One is TF-IDF with logistic regression, as in `baselines`, learned twice more without the rows whose label it doubts
(pruning: Northcutt et al. 2021, section 3.2). It can say which words speak for one label and against another: the log
odds of class s against class g are linear in the page (Hastie, Tibshirani and Friedman 2009, The Elements of
Statistical Learning, eq. 4.17), and word t adds `(w[s, t] - w[g, t]) * x[t]`, x being the page's TF-IDF row. Of several
labels each has a model of its own, in which word t adds `w[t] * x[t]` to the log odds of the label.

The other is complement naive Bayes on words and pairs of words (Rennie et al. 2003, Tackling the poor assumptions of
naive Bayes text classifiers). It only counts, which wrong labels mislead less than they do the first: with 10 % of the
labels of 5,946 leaflets swapped for the class that they are most often confused with, it finds them with an average
precision of 0.88, logistic regression with 0.64, and pruned twice with 0.82.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import ComplementNB

from leaflet_tool.manifest import FOLD, GROUP, ID, SPLIT, TEXT, Label
from leaflet_tool.measure.baselines import logistic, weighed
from leaflet_tool.measure.label_issues import LISTED, label_issues, too_few
from leaflet_tool.measure.label_sets import BoolArray, from_label_probabilities, named
from leaflet_tool.measure.predictions import SMALLEST_PROBABILITY, FloatArray, from_probabilities
from leaflet_tool.settings import AUDIT

TEACHES = -1
"""The fold of rows that are never held out."""
WORDS, PAIRS = "TF-IDF + logistic regression", "naive Bayes on word pairs"
"""The names of the judges."""
PRUNINGS = 2
SMOOTHING = 0.1
"""Added to each count of naive Bayes: words are many, and most of them rare."""

type Learn = Callable[[csr_matrix, BoolArray], Callable[[csr_matrix], FloatArray]]
"""Rows and their classes `[rows, classes]` to what says the probabilities `[rows, classes]` of other rows."""


@dataclass(frozen=True)
class WordJudge:
    """What logistic regression learned: each class's weights `[classes, words]` and intercept.

    Without a word in the texts there is no vectorizer, and the intercepts alone give each class's share.
    """

    classes: list[str]
    multiple: bool
    vectorizer: TfidfVectorizer | None
    weights: FloatArray
    intercepts: FloatArray

    def probabilities(self, rows: csr_matrix) -> FloatArray:
        """`[rows, classes]` of TF-IDF rows; they sum to 1, but where pages may have several labels."""
        scores = rows @ self.weights.T + self.intercepts
        return expit(scores) if self.multiple else softmax(scores, axis=1)

    def words(self, text: str, gained: Iterable[str], lost: Iterable[str], *, most: int) -> list[str]:
        """The words of `text` that speak most for the labels `gained` and against those `lost`, the strongest first."""
        if self.vectorizer is None:
            return []
        row = self.vectorizer.transform([text])
        direction = np.zeros(self.weights.shape[1])
        for names, sign in ((gained, 1.0), (lost, -1.0)):
            for name in names:
                direction += sign * self.weights[self.classes.index(name)] if name in self.classes else 0.0
        told = row.data * direction[row.indices]
        known = self.vectorizer.get_feature_names_out()[row.indices]
        return [str(known[place]) for place in np.argsort(-told, kind="stable")[:most] if told[place] > 0]


@dataclass(frozen=True)
class Heard:
    """What the judges of words say, a predictions frame each by its name, and the logistic regression of each fold."""

    votes: dict[str, pd.DataFrame]
    judges: dict[int, WordJudge]


def heard(rows: pd.DataFrame, label: Label, classes: Sequence[str], *, seed: int) -> Heard:
    """What judges that hold out each fold of a manifest's `rows` say of it; rows of the fold TEACHES only teach.

    Texts are weighed as all of them are together, which tells nothing of their labels.
    """
    truth = named(rows[label.name], classes, multiple=label.multiple)
    folds = rows[FOLD].to_numpy(dtype=int)
    found = weighed(rows[TEXT])
    words = csr_matrix((len(rows), 0)) if found is None else found[1].tocsr()
    judges: dict[int, WordJudge] = {}
    prunes = 0 if (folds == TEACHES).any() else PRUNINGS
    kept = np.ones(len(rows), dtype=bool)
    for round_ in range(prunes + 1):
        values = np.zeros(truth.shape)
        for fold in sorted({*folds} - {TEACHES}):
            taught, out = kept & (folds != fold), folds == fold
            judge = _judge(words[taught], truth[taught], found and found[0], classes, label.multiple, seed)
            judges[int(fold)], values[out] = judge, judge.probabilities(words[out])
        said = _frame(rows, label, classes, values)
        if round_ < prunes:
            kept = ~label_issues(said, too_few(said, AUDIT.least_groups)).rows[LISTED].to_numpy()
    votes = {WORDS: said}
    if (pairs := _pairs(rows[TEXT])) is not None:
        votes[PAIRS] = _frame(rows, label, classes, _counted(pairs, truth, folds, label.multiple))
    judged = folds != TEACHES
    return Heard({name: vote[judged].reset_index(drop=True) for name, vote in votes.items()}, judges)


def _frame(rows: pd.DataFrame, label: Label, classes: Sequence[str], values: FloatArray) -> pd.DataFrame:
    frame_of = from_label_probabilities if label.multiple else from_probabilities
    return frame_of(rows[[ID, GROUP, SPLIT]], rows[label.name], pd.DataFrame(values, columns=list(classes)))


def _judge(
    rows: csr_matrix,
    truth: BoolArray,
    vectorizer: TfidfVectorizer | None,
    classes: Sequence[str],
    multiple: bool,
    seed: int,
) -> WordJudge:
    """Logistic regression on rows; the shares of classes where there is nothing to learn."""
    shares = truth.mean(axis=0).clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    weights = np.zeros((len(classes), rows.shape[1]))
    intercepts = np.log(shares) - (np.log(1 - shares) if multiple else 0.0)
    if rows.shape[1]:
        (_fit_labels if multiple else _fit_classes)(rows, truth, weights, intercepts, seed)
    return WordJudge(list(classes), multiple, vectorizer, weights, intercepts)


def _fit_classes(rows: csr_matrix, truth: BoolArray, weights: FloatArray, intercepts: FloatArray, seed: int) -> None:
    """Fills in what one model of all classes that occur learns; the log odds of two are those of the second."""
    known = np.flatnonzero(truth.any(axis=0))
    if len(known) < 2:
        return
    model = logistic(rows, truth.argmax(axis=1), seed=seed)
    fitted = known[-len(model.coef_) :]
    intercepts[known] = 0.0
    weights[fitted], intercepts[fitted] = model.coef_, model.intercept_


def _fit_labels(rows: csr_matrix, truth: BoolArray, weights: FloatArray, intercepts: FloatArray, seed: int) -> None:
    """Fills in what a model a label learns, of labels that some rows have and some have not."""
    for place, positive in enumerate(truth.T):
        if 0 < positive.sum() < len(positive):
            model = logistic(rows, positive, seed=seed)
            weights[place], intercepts[place] = model.coef_[0], model.intercept_[0]


def _pairs(texts: pd.Series) -> csr_matrix | None:
    """TF-IDF of words and pairs of words that are in two texts at least; None where there are none."""
    try:
        return TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2), dtype=np.float32).fit_transform(texts)
    except ValueError:  # how scikit-learn says that no word is left
        return None


def _counted(rows: csr_matrix, truth: BoolArray, folds: NDArray[np.intp], multiple: bool) -> FloatArray:
    """What naive Bayes says of each fold; a class that none or all of its training rows have keeps its share."""
    values = np.zeros(truth.shape)
    for fold in sorted({*folds} - {TEACHES}):
        taught, out = folds != fold, folds == fold
        values[out] = truth[taught].mean(axis=0)
        if multiple:
            for place, positive in enumerate(truth[taught].T):
                if 0 < positive.sum() < len(positive):
                    values[out, place] = _bayes(rows[taught], positive).predict_proba(rows[out])[:, 1]
        elif (known := truth[taught].any(axis=0)).sum() > 1:
            said = _bayes(rows[taught], truth[taught].argmax(axis=1)).predict_proba(rows[out])
            values[np.ix_(out, known)] = said
    return values


def _bayes(rows: csr_matrix, answers: NDArray[Any]) -> ComplementNB:
    return ComplementNB(alpha=SMOOTHING).fit(rows, answers)
