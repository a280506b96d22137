"""What a model has to beat, on the very same split: the majority class, and TF-IDF with logistic regression."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import spmatrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from leaflet_tool.errors import InputError
from leaflet_tool.measure.predictions import from_probabilities

log = logging.getLogger(__name__)

MAJORITY, TFIDF_LOGISTIC = "majority", "tfidf_logistic"

WEAK_PENALTY = 10.0
"""Inverse penalty C. TF-IDF rows have length 1, so scikit-learn's C=1 holds the weights too small: on 5,946 leaflets'
texts C=10 gives an accuracy of 0.895 instead of 0.875. Pairs of words would add 0.01 at three times the time; single
words are the plain choice."""


def majority(train_labels: Sequence[str] | pd.Series, classes: Sequence[str]) -> pd.Series:
    """Share of each class among the labels, so that the majority is predicted and the log loss is a fair one."""
    shares = pd.Series(list(train_labels), dtype=object).value_counts(normalize=True)
    return shares.reindex(list(classes), fill_value=0.0)


def tfidf_logistic(
    train_texts: Sequence[str] | pd.Series,
    train_labels: Sequence[str] | pd.Series,
    test_texts: Sequence[str] | pd.Series,
    *,
    seed: int,
) -> pd.DataFrame:
    """Probabilities (test rows x sorted classes): the classes' shares where one class or no word leaves no choice."""
    labels = np.asarray(train_labels, dtype=object)
    classes = sorted(set(labels))
    found = vectorised(train_texts, test_texts) if len(classes) > 1 else None
    if found is None:
        return repeated(majority(train_labels, classes), len(test_texts))
    train, test = found
    model = logistic(train, labels, seed=seed)
    return pd.DataFrame(model.predict_proba(test), columns=pd.Index(model.classes_, dtype=object))


def logistic(rows: spmatrix, answers: NDArray[Any], *, seed: int) -> LogisticRegression:
    """Logistic regression, fitted, of weak penalty."""
    model = LogisticRegression(C=WEAK_PENALTY, max_iter=1000, random_state=seed)
    with threadpool_limits(1):  # threads that wait for a busy core make the many small steps five times slower
        return model.fit(rows, answers)


def vectorised(train: Sequence[str] | pd.Series, test: Sequence[str] | pd.Series) -> tuple[spmatrix, spmatrix] | None:
    """TF-IDF of training and test texts as `weighed` has it; None when the training texts have no word."""
    found = weighed(train)
    if found is None:
        log.info("the training texts have no word: the baseline %s gives the classes' shares", TFIDF_LOGISTIC)
        return None
    return found[1], found[0].transform(test)


def weighed(train: Sequence[str] | pd.Series) -> tuple[TfidfVectorizer, spmatrix] | None:
    """TF-IDF, fitted, of the words in at least two training texts, else of all words; None when the texts have none."""
    for rarest in (2, 1):
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=rarest)
        try:
            return vectorizer, vectorizer.fit_transform(train)
        except ValueError:  # how scikit-learn says that no word is left
            continue
    return None


def repeated(shares: pd.Series, rows: int) -> pd.DataFrame:
    return pd.DataFrame(np.tile(shares.to_numpy(dtype=float), (rows, 1)), columns=shares.index)


def baseline_predictions(
    train: pd.DataFrame, test: pd.DataFrame, *, text: str, label: str, seed: int
) -> dict[str, pd.DataFrame]:
    """Predictions frames of both baselines, learned from `train`; both frames are rows of a manifest."""
    if train.empty or test.empty:
        raise InputError(
            f"the {'training' if train.empty else 'test'} split has no row for the baselines",
            hint="check the split column of the manifest",
        )
    shares = majority(train[label], sorted(set(train[label])))
    probabilities = {
        MAJORITY: repeated(shares, len(test)),
        TFIDF_LOGISTIC: tfidf_logistic(train[text], train[label], test[text], seed=seed),
    }
    return {name: from_probabilities(test, test[label], values) for name, values in probabilities.items()}
