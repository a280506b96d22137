"""Simple rules that combine several models' class probabilities: what a trained stack has to beat."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from leaflet_tool.measure.predictions import SMALLEST_PROBABILITY, FloatArray, logs

MEAN_LOG, WEIGHTED_MEAN = "mean_log_probability", "weighted_mean"


def mean_log_probability(votes: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The product rule: the normalised geometric mean of `[rows, classes]` (Kittler et al. 1998, equal priors)."""
    mean = np.mean([logs(vote.to_numpy(float)) for vote in votes], axis=0)
    return pd.DataFrame(softmax(mean, axis=1), columns=votes[0].columns)


def weighted_mean(votes: Sequence[pd.DataFrame], weights: FloatArray) -> pd.DataFrame:
    """The mean of `[rows, classes]` with a weight each; the weights sum to 1."""
    values = sum(weight * vote.to_numpy(float) for weight, vote in zip(weights, votes, strict=True))
    return pd.DataFrame(values, columns=votes[0].columns)


def fitted_weights(votes: Sequence[pd.DataFrame], labels: Sequence[str] | pd.Series) -> FloatArray:
    """The weights, none below 0 and their sum 1, of the mean with the lowest log loss on these rows.

    The log loss of a mean of probabilities is convex in its weights, so there is one lowest value.
    """
    places = pd.Index(votes[0].columns).get_indexer(pd.Index(labels))
    rows = np.arange(len(places))
    given = np.stack([vote.to_numpy(float)[rows, places] for vote in votes])

    return _lowest(lambda weights: -np.log((weights @ given).clip(SMALLEST_PROBABILITY)).mean(), len(votes))


def fitted_pool(votes: Sequence[pd.DataFrame], labels: Sequence[str] | pd.Series) -> FloatArray:
    """The weights, none below 0 and their sum 1, of the logarithmic pool with the lowest log loss on these rows.

    The pool of `[rows, classes]` is the softmax of their weighted log-probabilities (Genest and Zidek 1986); its log
    loss is convex in the weights, too.
    """
    places = pd.Index(votes[0].columns).get_indexer(pd.Index(labels))
    said = np.stack([logs(vote.to_numpy(float)) for vote in votes])
    rows = np.arange(len(places))

    def loss(weights: FloatArray) -> float:
        return float(-log_softmax(np.tensordot(weights, said, 1), axis=1)[rows, places].mean())

    return _lowest(loss, len(votes))


def _lowest(loss: Callable[[FloatArray], float], count: int) -> FloatArray:
    """The `count` weights, none below 0 and their sum 1, at which a convex loss is lowest."""
    even = np.full(count, 1 / count)
    whole = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    found = minimize(loss, even, method="SLSQP", bounds=[(0, 1)] * count, constraints=[whole])
    weights = np.clip(found.x, 0, None)
    return weights / weights.sum()
