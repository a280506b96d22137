"""Balance and time of our folds against scikit-learn's StratifiedGroupKFold, in one run.

    python benchmarks/splits.py ARCHIVE [--dataset NAME] [--labels COLUMN --label-delimiter X] [--folds 5]

`off` is by how many rows a class's part of a fold misses an equal share, on average and at most. scikit-learn balances
one label a row only, so it is left out where there are several.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from leaflet_tool.manifest import GROUP
from leaflet_tool.prepare import intake, sources
from leaflet_tool.prepare.dataset import overridden
from leaflet_tool.prepare.labels import rows_by_group
from leaflet_tool.prepare.sources.rows import LABEL
from leaflet_tool.prepare.splits import fold_shares, place

SEEDS = (1, 2, 3)


def main() -> None:
    """Prints a line a seed and tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--dataset")
    parser.add_argument("--labels")
    parser.add_argument("--label-delimiter")
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    changes = {"columns.labels": options.labels, "label_delimiter": options.label_delimiter}
    dataset = overridden(sources.definition(options.archive, options.dataset), changes)
    frame = intake.accepted(options.archive, dataset).frame
    print(f"{len(frame)} rows, {frame[GROUP].nunique()} groups, {options.folds} folds")
    print("seed  tool           off: mean   max   seconds")
    for seed in SEEDS:
        for name, tool in {"ours": ours, "scikit-learn": theirs}.items():
            if tool is ours or not dataset.label.multiple:
                started = time.perf_counter()
                folds = tool(frame, options.folds, seed)
                seconds = time.perf_counter() - started
                missed = off(frame[LABEL], folds)
                print(f"{seed:>4}  {name:<13}  {missed.mean():>9.2f}  {missed.max():>4.1f}  {seconds:>8.2f}")


def ours(frame: pd.DataFrame, folds: int, seed: int) -> pd.Series:
    """The fold of each row by `splits.place`."""
    return frame[GROUP].map(place(rows_by_group(frame[LABEL], frame[GROUP]), {}, fold_shares(folds), seed))


def theirs(frame: pd.DataFrame, folds: int, seed: int) -> pd.Series:
    """The fold of each row by scikit-learn."""
    labels = frame[LABEL].str[0]
    found = pd.Series("", index=frame.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about classes with fewer groups than folds
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        for number, (_, rows) in enumerate(splitter.split(frame, labels, frame[GROUP])):
            found[rows] = str(number)
    return found


def off(labels: pd.Series, folds: pd.Series) -> np.ndarray:
    """Rows by which each class misses an equal share, by class and fold."""
    rows = pd.DataFrame({"label": labels, "fold": folds}).explode("label")
    table = pd.crosstab(rows["label"], rows["fold"]).to_numpy()
    return np.abs(table - table.mean(axis=1, keepdims=True))


if __name__ == "__main__":
    main()
