"""Spurious cues: properties of the files that predict the label, which a model may learn in place of what pages show.

A small decision tree sees one property and nothing else, cross-validated with groups kept together; it is compared with
the share of the commonest class. The interval of its lead in accuracy is a bootstrap over groups. A cue need
not be spurious: some parties do print larger leaflets. It is for people to judge.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold
from sklearn.tree import DecisionTreeClassifier

from leaflet_tool.manifest import (
    BRIGHTNESS,
    GROUP,
    HEIGHT,
    OCR_CONFIDENCE,
    OCR_WORDS,
    PAGE,
    ROTATION,
    SHARPNESS,
    SOURCE,
    TEXT,
    WIDTH,
    split_labels,
)
from leaflet_tool.measure.intervals import Interval, bootstrap_weights, interval
from leaflet_tool.measure.page_quality import numbers
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.settings import AUDIT

FOLDER, SUFFIX, ASPECT, LENGTH = "source folder", "file suffix", "aspect", "words of the text"
LARGEST = 20
"""Commonest values of a property in words, of which each is a question to the tree; all others are one more."""
MOST_LABELS = 10
"""Of several labels a page the commonest are tried, each for itself."""
LEAF = 5
"""Rows that a leaf of the tree holds at least."""

type Folds = Sequence[tuple[np.ndarray, np.ndarray]]


def cues(pages: pd.DataFrame, label: str, *, multiple: bool, by_folder: bool, seed: int) -> list[dict[str, Any]]:
    """The properties of a manifest's rows that predict the label beyond chance, the strongest first, ready for JSON.

    `by_folder`: the label was read off the folders, which therefore predict it.
    """
    if pages[GROUP].nunique() < 2 * AUDIT.cue_folds:
        return []
    properties, folds = _properties(pages, by_folder), _folds(pages[GROUP], seed)
    found: list[dict[str, Any]] = []
    for about, answers in _questions(pages[label], multiple):
        plain = _commonest(answers)
        for name, values in properties.items():
            right = _right(values, answers, folds, seed)
            if (right - plain).mean() >= AUDIT.cue_lead:
                lead = _with_interval(right - plain, pages[GROUP], seed)
                accuracies = {"accuracy": float(right.mean()), "majority": float(plain.mean())}
                found.append({"property": name, "label": about, **accuracies, **lead})
    beyond_chance = [cue for cue in found if cue["low"] is not None and cue["low"] > 0]
    return sorted(beyond_chance, key=lambda cue: -cue["value"])


def _questions(cells: pd.Series, multiple: bool) -> Iterator[tuple[str, np.ndarray]]:
    """What is predicted: the label (no name), or of several labels whether a row has each of the commonest."""
    if not multiple:
        yield "", cells.to_numpy(dtype=object)
        return
    held = cells.map(split_labels)
    for name in held.explode().value_counts().index[:MOST_LABELS]:
        yield str(name), held.map(lambda labels, name=name: name in labels).to_numpy()


def _properties(pages: pd.DataFrame, by_folder: bool) -> dict[str, FloatArray]:
    """Each property that differs between pages, as columns `[rows, columns]`."""
    found: dict[str, FloatArray] = {
        name: numbers(pages, name).to_numpy()[:, None]
        for name in (WIDTH, HEIGHT, BRIGHTNESS, SHARPNESS, OCR_WORDS, OCR_CONFIDENCE, ROTATION, PAGE)
    }
    found[ASPECT] = (numbers(pages, WIDTH) / numbers(pages, HEIGHT)).to_numpy()[:, None]
    found[LENGTH] = pages[TEXT].str.split().map(len).to_numpy(dtype=float)[:, None]
    paths = pages[SOURCE].map(PurePosixPath)
    found[SUFFIX] = _indicators(paths.map(lambda path: path.suffix.lower()))
    if not by_folder:
        found[FOLDER] = _indicators(paths.map(lambda path: str(path.parent)))
    filled = {name: np.nan_to_num(values, nan=-1.0) for name, values in found.items()}
    return {name: values for name, values in filled.items() if values.size and np.ptp(values, axis=0).any()}


def _indicators(words: pd.Series) -> FloatArray:
    common: Sequence[Any] = words.value_counts().index[:LARGEST]
    return (words.to_numpy()[:, None] == np.array(common, dtype=object)).astype(float)


def _folds(groups: pd.Series, seed: int) -> Folds:
    """The rows that teach and those that are held out, of each fold."""
    return list(GroupKFold(AUDIT.cue_folds, shuffle=True, random_state=seed).split(groups, groups=groups))


def _commonest(answers: np.ndarray) -> FloatArray:
    """1 for each row of the class that is the commonest of all rows.

    What is commonest among the others is rarer among those held out, and would be beaten by chance.
    """
    classes, counts = np.unique(answers, return_counts=True)
    return (answers == classes[counts.argmax()]).astype(float)


def _right(values: FloatArray, answers: np.ndarray, folds: Folds, seed: int) -> FloatArray:
    """1 for each row of which a tree that was taught by the other folds is right."""
    right = np.zeros(len(answers))
    for train, test in folds:
        tree = DecisionTreeClassifier(max_depth=AUDIT.cue_depth, min_samples_leaf=LEAF, random_state=seed)
        right[test] = tree.fit(values[train], answers[train]).predict(values[test]) == answers[test]
    return right


def _with_interval(lead: FloatArray, groups: pd.Series, seed: int) -> Interval:
    """The mean lead of rows."""
    codes, names = pd.factorize(groups)
    leads, sizes = (np.bincount(codes, each, len(names)) for each in (lead, np.ones(len(codes))))
    blocks = bootstrap_weights(len(names), seed=seed, resamples=AUDIT.resamples)
    resampled = np.concatenate([weights @ leads / (weights @ sizes) for weights in blocks])
    return interval(lead.mean(), resampled, len(names))
