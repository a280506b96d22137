"""What several judges say of the same pages, as one: each calibrated, then the mean of their log-probabilities.

A judge's probabilities are taken to the power of one over its temperature (Guo et al. 2017, section 4.2), the one of
the least log loss, so that one that knows nothing says nothing; then comes the product rule (Kittler et al. 1998, equal
priors). All judges weigh the same on purpose: weights that were fitted to labels of which some are wrong would favour
judges that repeat what is wrong. Where pages have several labels, each is a question of its own with two answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

from leaflet_tool.measure.label_sets import BoolArray, from_label_probabilities, is_multiple, log_odds, truth_matrix
from leaflet_tool.measure.predictions import (
    LABEL,
    FloatArray,
    classes_of,
    from_probabilities,
    label_places,
    logs,
    probabilities_of,
)

SHARPEST = 2.0
"""The greatest power: a few pages that it always gets right would make a judge sure without end."""


@dataclass(frozen=True)
class Pool:
    """The judges' predictions as one predictions frame, and the power to which each judge's were taken."""

    predictions: pd.DataFrame
    powers: Mapping[str, float]


def pooled(votes: Mapping[str, pd.DataFrame]) -> Pool:
    """One predictions frame of several: predictions frames by the judge's name, with the same rows and classes.

    The pages must be new to the judges: temperatures are fitted on the labels that the frames carry.
    """
    first = next(iter(votes.values()))
    multiple = is_multiple(first)
    said = {name: (log_odds if multiple else logs)(probabilities_of(frame)) for name, frame in votes.items()}
    truth: np.ndarray = truth_matrix(first) if multiple else label_places(first)
    powers = {name: (_power_of_sets if multiple else _power)(values, truth) for name, values in said.items()}
    together = np.mean([powers[name] * values for name, values in said.items()], axis=0)
    values = pd.DataFrame(expit(together) if multiple else softmax(together, axis=1), columns=classes_of(first))
    frame = (from_label_probabilities if multiple else from_probabilities)(first, first[LABEL], values)
    return Pool(frame, powers)


def _power(logs: FloatArray, labels: np.ndarray) -> float:
    """For log-probabilities `[rows, classes]`; rows with a label that the judge does not know tell nothing."""
    logs, labels = logs[labels >= 0], labels[labels >= 0]
    rows = np.arange(len(labels))
    return _least(lambda power: -log_softmax(power * logs, axis=1)[rows, labels].sum(), len(rows))


def _power_of_sets(logits: FloatArray, truth: BoolArray) -> float:
    """For logits `[rows, classes]`."""
    signed = np.where(truth, logits, -logits)
    return _least(lambda power: -log_expit(power * signed).sum(), truth.size)


def _least(loss: Callable[[float], float], rows: int) -> float:
    """The power, from 0 to SHARPEST, of the least loss, which is convex in it; 1 where there is no row."""
    return float(minimize_scalar(loss, bounds=(0, SHARPEST), method="bounded").x) if rows else 1.0
