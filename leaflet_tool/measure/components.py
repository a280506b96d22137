"""Many numbers a row as few: their main components."""

import numpy as np
from sklearn.decomposition import PCA

from leaflet_tool.measure.label_sets import BoolArray
from leaflet_tool.measure.predictions import FloatArray

COMPONENTS = 64


def main_components(vectors: FloatArray, train: BoolArray, *, seed: int) -> FloatArray:
    """The COMPONENTS principal components `[rows, d]` of `vectors`, by the rows `train` alone; fewer numbers as given.

    Of fewer training rows than COMPONENTS there are as many components as rows.
    """
    if vectors.shape[1] <= COMPONENTS:
        return vectors
    count = min(COMPONENTS, int(np.count_nonzero(train)))
    found = PCA(count, svd_solver="randomized", random_state=seed).fit(vectors[train])
    return np.asarray(found.transform(vectors))
