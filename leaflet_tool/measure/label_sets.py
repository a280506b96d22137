"""The predictions frame of several labels a row: `predictions`' frame, where every class has a probability of its own.

Columns: `id`, `group`, `split`, `label` (the true labels by name, joined by `|`; empty for none), `predicted` (those
whose probability reaches their threshold), `predicted_at_half` (those of 0.5 and more), and one `probability_<class>`
for each class the model knows, classes sorted, each between 0 and 1 whatever the others are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from leaflet_tool.manifest import FOLD, GROUP, ID, LABEL_DELIMITER, SPLIT, split_labels
from leaflet_tool.measure.predictions import (
    LABEL,
    PREDICTED,
    PROBABILITY,
    FloatArray,
    classes_of,
    logs,
    mixed_groups,
    probabilities_of,
    whole,
)
from leaflet_tool.taxonomy import Taxonomy

HALF = 0.5
HALF_VIEW = "predicted_at_half"
VIEWS = {"half": HALF_VIEW, "thresholds": PREDICTED}
"""Ways to turn probabilities into labels, and the column with the labels of each."""
_TIE = 1e-6

type BoolArray = NDArray[np.bool_]


def is_multiple(predictions: pd.DataFrame) -> bool:
    """Whether a predictions frame is one of several labels a row."""
    return HALF_VIEW in predictions


def joined(labels: Iterable[str]) -> str:
    """A set of labels as one cell, by name; empty for none."""
    return LABEL_DELIMITER.join(_by_name(labels))


def from_label_probabilities(
    rows: pd.DataFrame,
    labels: Sequence[str] | pd.Series,
    probabilities: pd.DataFrame,
    thresholds: Mapping[str, float] | None = None,
    taxonomy: Taxonomy | None = None,
) -> pd.DataFrame:
    """A frame of `rows` (`id`, `group`, `split`, maybe `fold`), their true labels, and row by row `probabilities`.

    A class is predicted from its threshold on; 0.5 for all without `thresholds`. With a `taxonomy` a predicted class
    brings the classes above it along: where each has a threshold of its own, coherent probabilities alone don't make
    coherent sets. What is predicted at half is left as it is.
    """
    ordered = probabilities[sorted(probabilities.columns)]
    limits = np.array([HALF if thresholds is None else thresholds[name] for name in ordered.columns], dtype=float)
    predicted = ordered.to_numpy(dtype=float) >= limits
    return _frame(rows, labels, ordered, implied(predicted, list(ordered.columns), taxonomy) if taxonomy else predicted)


def _frame(
    rows: pd.DataFrame, labels: Sequence[str] | pd.Series, ordered: pd.DataFrame, predicted: BoolArray
) -> pd.DataFrame:
    values = ordered.to_numpy(dtype=float)
    kept = [name for name in (ID, GROUP, SPLIT, FOLD) if name in rows]
    columns = {
        **{name: rows[name].to_numpy() for name in kept},
        LABEL: [joined(split_labels(cell)) for cell in labels],
        PREDICTED: cells(predicted, list(ordered.columns)),
        HALF_VIEW: cells(values >= HALF, list(ordered.columns)),
        **{PROBABILITY + name: values[:, place] for place, name in enumerate(ordered.columns)},
    }
    return pd.DataFrame(columns)


def implied(chosen: BoolArray, classes: Sequence[str], taxonomy: Taxonomy) -> BoolArray:
    """`[rows, classes]`: the chosen classes and those above them."""
    return chosen.astype(float) @ taxonomy.mask(classes).T > 0


def raised(values: FloatArray, classes: Sequence[str], taxonomy: Taxonomy) -> FloatArray:
    """`[rows, classes]`: probabilities, those of a class no lower than those of the classes below it."""
    return np.stack([values[:, below].max(axis=1) for below in taxonomy.mask(classes)], axis=1)


def cells(chosen: BoolArray, classes: Sequence[str]) -> list[str]:
    """The cell of each row of `[rows, classes]`; `classes` are sorted."""
    names = np.array(classes, dtype=object)
    return [LABEL_DELIMITER.join(names[row]) for row in chosen]


def matrix(column: Iterable[str], classes: Sequence[str]) -> BoolArray:
    """`[rows, classes]`: which labels each cell names; labels that are no class are passed over."""
    found = list(column)
    chosen = np.zeros((len(found), len(classes)), dtype=bool)
    places = {name: place for place, name in enumerate(classes)}
    for row, cell in enumerate(found):
        chosen[row, [places[name] for name in split_labels(cell) if name in places]] = True
    return chosen


def named(column: pd.Series, classes: Sequence[str], *, multiple: bool) -> BoolArray:
    """`[rows, classes]`: which class, or which of several labels, each cell names."""
    if multiple:
        return matrix(column, classes)
    return column.to_numpy(dtype=object)[:, None] == np.array(classes, dtype=object)


def truth_matrix(predictions: pd.DataFrame, classes: Sequence[str] | None = None) -> BoolArray:
    """`[rows, classes]`: the true labels; the classes are the model's where none are given."""
    return matrix(predictions[LABEL], classes_of(predictions) if classes is None else classes)


def all_labels(predictions: pd.DataFrame) -> list[str]:
    """The model's classes and the true labels it never saw, sorted."""
    return sorted({*classes_of(predictions), *_labels(predictions)})


def unseen_labels(predictions: pd.DataFrame) -> dict[str, int]:
    """Rows of each true label for which the model has no probability; it counts as 0 in every figure."""
    unseen = sorted(_labels(predictions) - set(classes_of(predictions)))
    rows = truth_matrix(predictions, unseen).sum(axis=0)
    return {name: int(count) for name, count in zip(unseen, rows, strict=True)}


def _labels(predictions: pd.DataFrame) -> set[str]:
    return {name for cell in predictions[LABEL].unique() for name in split_labels(cell)}


def checked(predictions: pd.DataFrame, name: str = "the predictions") -> pd.DataFrame:
    """`predictions` unchanged when they can be evaluated; else an InputError with every fault and the ids it is at."""
    return whole(predictions, name, (ID, GROUP, SPLIT, LABEL, PREDICTED, HALF_VIEW), _faults)


def _faults(predictions: pd.DataFrame) -> dict[str, BoolArray]:
    """Fault in words -> the rows that have it."""
    values, classes = probabilities_of(predictions), classes_of(predictions)
    known = set(classes)
    broken = ~((values >= 0) & (values <= 1)).all(axis=1)
    strange = _unlike(predictions[PREDICTED], known.issuperset) | _unlike(predictions[HALF_VIEW], known.issuperset)
    named = matrix(predictions[HALF_VIEW].map(str), classes)
    differs = ((named != (values >= HALF)) & (abs(values - HALF) > _TIE)).any(axis=1)
    return {
        "ids that occur twice": predictions[ID].duplicated().to_numpy(),
        "true labels that are not by name, each once": _unlike(
            predictions[LABEL], lambda names: names == _by_name(names)
        ),
        "probabilities that are not between 0 and 1": broken,
        "predicted classes without a probability column": strange,
        f"classes in {HALF_VIEW} that are not those of 0.5 and more": ~broken & ~strange & differs,
    }


def _unlike(column: pd.Series, whole: Callable[[list[str]], bool]) -> BoolArray:
    """The rows whose cell is no text, or names labels that are not as they should be."""
    return np.array([not (isinstance(cell, str) and whole(split_labels(cell))) for cell in column], dtype=bool)


def _by_name(labels: Iterable[str]) -> list[str]:
    return sorted(set(labels) - {""})


def by_group(predictions: pd.DataFrame, follows: Taxonomy | None = None) -> pd.DataFrame:
    """One row a leaflet: its pages' probabilities combined by the mean of their logits, its labels their labels.

    Groups whose pages carry different labels stay pages, as in `predictions.by_group`. What a leaflet is predicted to
    have follows from its pages: what all or none of them have, else what lies above the threshold that the frame's rows
    (of the same fold) show: halfway between the lowest probability with the label and the highest without it. With the
    taxonomy that the pages' predictions follow, those of leaflets follow it, too.
    """
    mixed = predictions[GROUP].isin(mixed_groups(predictions))
    unit = predictions[ID].where(mixed, predictions[GROUP])
    pages = predictions.assign(**{ID: unit}).groupby([GROUP, SPLIT, ID], sort=False)
    codes = pages.ngroup().to_numpy()
    classes = classes_of(predictions)
    logits = log_odds(probabilities_of(predictions))
    chosen = matrix(predictions[PREDICTED], classes)
    margins = logits - _limits(predictions, logits, chosen)
    combined, margin, share = (
        pd.DataFrame(values, columns=classes).groupby(codes).mean().to_numpy()
        for values in (logits, margins, chosen.astype(float))
    )
    rows = pages[[LABEL, *([FOLD] if FOLD in predictions else [])]].first().reset_index()
    predicted = np.where((share == 0) | (share == 1), share == 1, margin >= 0)
    predicted = implied(predicted, classes, follows) if follows else predicted
    single = pd.DataFrame(expit(combined), columns=classes)
    return _frame(rows, rows[LABEL], single, predicted)


def _limits(predictions: pd.DataFrame, logits: FloatArray, chosen: BoolArray) -> FloatArray:
    """The logit `[rows, classes]` from which each class seems to be predicted in the row's fold."""
    limits = np.empty_like(logits)
    folds = predictions[FOLD] if FOLD in predictions else pd.Series("", index=predictions.index)
    for fold in folds.unique():
        rows = (folds == fold).to_numpy()
        with_it = np.where(chosen[rows], logits[rows], np.inf).min(axis=0)
        without = np.where(chosen[rows], -np.inf, logits[rows]).max(axis=0)
        with np.errstate(invalid="ignore"):
            limits[rows] = (with_it + without) / 2
    return limits


def log_odds(values: FloatArray) -> FloatArray:
    """Log odds, those of 0 and 1 finite."""
    return logs(values) - logs(1 - values)
