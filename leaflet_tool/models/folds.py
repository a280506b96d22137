"""Cross-validation by group: which fold holds a page out, and the split of each fold's model.

Only the archive's own pages are dealt; altered copies follow their group, and train or stay out.
"""

import warnings

import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FOLD, GROUP, ID, SPLIT, Label, own, split_labels
from leaflet_tool.prepare import splits
from leaflet_tool.prepare.labels import rows_by_group

VALIDATION_PARTS = 7
"""Of the rows a fold trains on, one part in seven is its validation split (14 %, near the default split's 15 %)."""


def assign(frame: pd.DataFrame, label: Label, *, folds: int, seed: int) -> pd.Series:
    """The fold that holds each row out, 0 to folds - 1: the manifest's own where it has the column, else by group."""
    if FOLD in frame:
        numbers = frame[FOLD].astype(int)
        if sorted(set(numbers)) != list(range(folds)):
            raise InputError(
                f"the manifest's column {FOLD} has {sorted(set(numbers))}, not 0 to {folds - 1}",
                hint="give --folds the number of folds in the manifest, or prepare without the column",
            )
        return numbers
    groups = frame[GROUP].nunique()
    if not 2 <= folds <= groups:
        message = f"--folds {folds}: must be between 2 and the number of groups, {groups}"
        raise InputError(message, hint="give fewer folds, or more leaflets")
    return _parts(frame, label, parts=folds, seed=seed)


def split(frame: pd.DataFrame, held_out: pd.Series, fold: int, label: Label, *, seed: int) -> pd.DataFrame:
    """The rows with the split column of one fold's model: test is the fold, validation a part of the rest by group.

    Altered copies of pages that do not train are left out.
    """
    rest = frame[held_out != fold]
    groups = rest[GROUP].nunique()
    if groups < 2:
        raise InputError(f"fold {fold} leaves {groups} group to train and validate on", hint="add leaflets")
    parts = _parts(rest, label, parts=min(VALIDATION_PARTS, groups), seed=seed)
    words = pd.Series("test", index=frame.index)
    words[rest.index] = parts.eq(0).map({True: "validation", False: "train"})
    return frame.assign(**{SPLIT: words})[words.eq("train") | frame.index.isin(own(frame).index)]


def _parts(frame: pd.DataFrame, label: Label, *, parts: int, seed: int) -> pd.Series:
    """Part numbers, whole groups only, balanced by class; they do not depend on the order of rows or on copies.

    Several labels a page are balanced as splits are, by iterative stratification.
    """
    ordered = own(frame).sort_values(ID)
    if label.multiple:
        sizes = rows_by_group(ordered[label.name].map(split_labels), ordered[GROUP])
        placed = splits.place(sizes, {}, splits.fold_shares(parts), seed)
        return frame[GROUP].map(placed).astype(int)
    # scikit-learn refuses to balance where no class has a row for every part
    balanced = ordered[label.name].value_counts().max() >= parts
    kind = StratifiedGroupKFold if balanced else GroupKFold
    splitter = kind(n_splits=parts, shuffle=True, random_state=seed)
    numbers = pd.Series(0, index=ordered.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "the least populated class …": checks.class_problems judges that
        for number, (_, chosen) in enumerate(splitter.split(ordered, ordered[label.name], ordered[GROUP])):
            numbers.iloc[chosen] = number
    by_group = dict(zip(ordered[GROUP], numbers, strict=True))
    return frame[GROUP].map(by_group).astype(int)
