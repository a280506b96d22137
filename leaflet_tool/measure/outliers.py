"""Leaflets unlike all others: far from their nearest neighbours by what they say.

The space is that of TF-IDF rows reduced by a singular value decomposition (latent semantic analysis; Manning, Raghavan
and Schütze 2008, ch. 18), distances are those of cosine, and a leaflet's is the mean to its nearest neighbours (Kuan
and Mueller 2022, Back to the Basics: Revisiting Out-of-Distribution Detection Baselines, what `cleanlab.outlier`
scores). A leaflet is an outlier that lies far above the upper quartile of these distances. Leaflets of few words are
not judged: their place is chance.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import spmatrix
from sklearn.decomposition import TruncatedSVD
from sklearn.neighbors import NearestNeighbors

from leaflet_tool.measure.baselines import weighed
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.settings import AUDIT

DIMENSIONS = 100


def outliers(texts: Sequence[str] | pd.Series, *, seed: int) -> pd.Series:
    """The outliers among `texts` by their position, worst first: how far each lies, 0 to 1 (1 is a cosine of 0)."""
    return far_out(distances(texts, seed=seed))


def distances(texts: Sequence[str] | pd.Series, *, seed: int) -> pd.Series:
    """How far each text lies from its neighbours, by its position; texts of few words are left out.

    Empty where there are not twice as many texts of some words as an outlier has neighbours.
    """
    worded = pd.Series(list(texts), dtype=object)
    worded = worded[worded.map(lambda text: len(text.split()) >= AUDIT.poor_words)]
    nothing = pd.Series(dtype=float)
    if len(worded) < 2 * AUDIT.neighbours:
        return nothing
    found = weighed(list(worded))
    if found is None or min(found[1].shape) <= 2:
        return nothing
    return pd.Series(_distances(found[1], seed), index=worded.index)


def far_out(distances: pd.Series) -> pd.Series:
    """Those of the `distances` that are an outlier's, the greatest first, none above 1."""
    if distances.empty:
        return distances
    low, high = np.quantile(distances, [0.25, 0.75])
    far = distances > high + AUDIT.outlier_spread * (high - low)
    return distances.clip(0, 1)[far].sort_values(ascending=False)


def _distances(rows: spmatrix, seed: int) -> FloatArray:
    """Mean cosine distance of each row to its neighbours."""
    size = min(DIMENSIONS, min(rows.shape) - 1)
    places = TruncatedSVD(size, random_state=seed).fit_transform(rows)
    known = NearestNeighbors(n_neighbors=AUDIT.neighbours, metric="cosine").fit(places)
    return np.asarray(known.kneighbors()[0].mean(axis=1), dtype=float)
