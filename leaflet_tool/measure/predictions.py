"""The predictions frame, which every model writes and every measure reads: one row a page, one class a row.

Columns: `id`, `group`, `split`, `label` (empty where the truth is not known), `predicted`, `confidence`, and one
`probability_<class>` for each class the model knows, classes sorted, each row summing to 1.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, ID, SPLIT

LABEL, PREDICTED, CONFIDENCE, PROBABILITY = "label", "predicted", "confidence", "probability_"

SMALLEST_PROBABILITY = 1e-15
"""What a probability counts as at least, so that one confident mistake doesn't make a log loss infinite."""
NOT_WHOLE = "predictions.csv is to be as train or predict wrote it; make it anew"
_TIE = 1e-6
_SUM = 1e-3

type FloatArray = NDArray[np.float64]


def classes_of(predictions: pd.DataFrame) -> list[str]:
    """The classes the model knows, in the order of their columns."""
    return [name.removeprefix(PROBABILITY) for name in predictions.columns if name.startswith(PROBABILITY)]


def probabilities_of(predictions: pd.DataFrame) -> FloatArray:
    """Class probabilities, rows x classes."""
    columns = [PROBABILITY + name for name in classes_of(predictions)]
    return predictions[columns].to_numpy(dtype=float)


def label_places(predictions: pd.DataFrame) -> NDArray[np.intp]:
    """Where among the model's classes each row's label is (rows), -1 for a label that it does not know."""
    return pd.Index(classes_of(predictions)).get_indexer(pd.Index(predictions[LABEL]))


def label_probabilities(predictions: pd.DataFrame) -> FloatArray:
    """The probability of each row's label (rows), 0 for a label that the model does not know."""
    values, known = probabilities_of(predictions), label_places(predictions)
    return np.where(known >= 0, values[np.arange(len(values)), known], 0.0)


def logs(values: FloatArray) -> FloatArray:
    """Log-probabilities (nats), that of 0 finite."""
    return np.log(values.clip(SMALLEST_PROBABILITY))


def log_losses(given: FloatArray) -> FloatArray:
    """What each probability of what is true costs (nats), that of 0 finite."""
    return -np.log(given.clip(SMALLEST_PROBABILITY, 1.0))


def from_probabilities(
    rows: pd.DataFrame, labels: Sequence[str] | pd.Series, probabilities: pd.DataFrame
) -> pd.DataFrame:
    """A predictions frame of `rows` (`id`, `group`, `split`) and, row by row, `probabilities` (one column a class)."""
    ordered = probabilities[sorted(probabilities.columns)]
    values = ordered.to_numpy(dtype=float)
    columns = {
        **{name: rows[name].to_numpy() for name in (ID, GROUP, SPLIT)},
        LABEL: np.asarray(labels, dtype=object),
        PREDICTED: ordered.columns.to_numpy(dtype=object)[values.argmax(axis=1)],
        CONFIDENCE: values.max(axis=1),
        **{PROBABILITY + name: values[:, index] for index, name in enumerate(ordered.columns)},
    }
    return pd.DataFrame(columns)


def checked(predictions: pd.DataFrame, name: str = "the predictions") -> pd.DataFrame:
    """`predictions` unchanged when they can be evaluated; else an InputError with every fault and the ids it is at."""
    return whole(predictions, name, (ID, GROUP, SPLIT, LABEL, PREDICTED, CONFIDENCE), _faults)


def whole(
    predictions: pd.DataFrame,
    name: str,
    columns: Sequence[str],
    faults: Callable[[pd.DataFrame], Mapping[str, NDArray[np.bool_]]],
) -> pd.DataFrame:
    """`predictions` unchanged when they have the `columns`, rows and none of the `faults`; else an InputError."""
    missing = [column for column in columns if column not in predictions]
    if missing or not classes_of(predictions):
        absent = [*missing, *([] if classes_of(predictions) else [f"{PROBABILITY}<class>"])]
        problems = [f"column {column!r} is missing" for column in absent]
        raise InputError.listing(f"{name} cannot be evaluated", problems, hint=NOT_WHOLE)
    if predictions.empty:
        raise InputError(f"there is no row to evaluate in {name}", hint="choose a split that has rows")
    problems = [
        f"{fault}: {first_ids(predictions.loc[bad, ID])}" for fault, bad in faults(predictions).items() if bad.any()
    ]
    if problems:
        raise InputError.listing(f"{name} cannot be evaluated", problems, hint=NOT_WHOLE)
    return predictions


def _faults(predictions: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Fault in words -> the rows that have it."""
    values, classes = probabilities_of(predictions), pd.Index(classes_of(predictions))
    chosen = classes.get_indexer(pd.Index(predictions[PREDICTED]))
    labels, confidence = predictions[LABEL], predictions[CONFIDENCE].to_numpy(dtype=float)
    broken = ~((values >= 0) & (values <= 1 + _SUM)).all(axis=1) | ~(abs(values.sum(axis=1) - 1) <= _SUM)
    top = values.max(axis=1)
    return {
        "ids that occur twice": predictions[ID].duplicated().to_numpy(),
        "rows without a label": (labels.isna() | (labels == "")).to_numpy(),
        "probabilities that are not between 0 and 1 or do not sum to 1": broken,
        "predicted classes without a probability column": chosen < 0,
        "predicted classes that are not the most probable": (
            ~broken & (chosen >= 0) & (values[np.arange(len(values)), chosen] < top - _TIE)
        ),
        "confidences that are not the highest probability": ~broken & ~(abs(confidence - top) <= _TIE),
    }


def first_ids(ids: pd.Series, shown: int = 5) -> str:
    return ", ".join(map(str, ids.iloc[:shown])) + (f" and {len(ids) - shown} more" if len(ids) > shown else "")


def mixed_groups(predictions: pd.DataFrame) -> list[str]:
    """Groups whose pages carry different labels, sorted."""
    kinds = predictions.groupby(GROUP)[LABEL].nunique()
    return sorted(kinds.index[kinds > 1])


def by_group(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a leaflet: its pages' probabilities combined by mean log-probability, its label their label.

    Pages of one group with different labels stay rows of their own, as do the parts of a group that lies in several
    splits: such a group is not one thing to classify, and combining its pages label by label would let the truth choose
    what is averaged. The `id` of a combined row is its group.
    """
    mixed = predictions[GROUP].isin(mixed_groups(predictions))
    unit = predictions[ID].where(mixed, predictions[GROUP])
    pages = predictions.assign(**{ID: unit}).groupby([GROUP, SPLIT, ID], sort=False)
    codes = pages.ngroup().to_numpy()
    means = pd.DataFrame(logs(probabilities_of(predictions)), columns=classes_of(predictions)).groupby(codes).mean()
    rows = pages[LABEL].first().reset_index()
    return from_probabilities(rows, rows[LABEL], pd.DataFrame(softmax(means.to_numpy(), axis=1), columns=means.columns))
