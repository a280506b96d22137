"""Whether two models were judged on the same rows, of one label or of several."""

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, ID, SPLIT
from leaflet_tool.measure import label_sets
from leaflet_tool.measure.label_sets import is_multiple
from leaflet_tool.measure.predictions import LABEL, checked


def same_rows(
    a: pd.DataFrame, b: pd.DataFrame, *, names: tuple[str, str] = ("a", "b")
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`a`, and `b` in the order of `a`; an InputError names the ids that only one has, or that have another label."""
    if is_multiple(a) != is_multiple(b):
        one, several = names if is_multiple(b) else reversed(names)
        raise InputError(
            f"{one} predicts one label a page, {several} predicts several",
            hint="compare runs that predict the same column",
        )
    check = label_sets.checked if is_multiple(a) else checked
    first, second = check(a, names[0]).set_index(ID), check(b, names[1]).set_index(ID)
    problems = [f"{page}: only in {names[0]}" for page in first.index.difference(second.index)]
    problems += [f"{page}: only in {names[1]}" for page in second.index.difference(first.index)]
    common = first.index.intersection(second.index)
    for column in (LABEL, GROUP):
        here, there = first.loc[common, column], second.loc[common, column]
        differ = common[(here != there).to_numpy()]
        problems += [f"{page}: {column} {here[page]!r} in {names[0]}, {there[page]!r} in {names[1]}" for page in differ]
    if problems:
        raise InputError.listing(
            f"{names[0]} and {names[1]} were not judged on the same rows",
            problems,
            hint="compare runs of one prepared folder, evaluated on the same split",
        )
    second = second.loc[first.index].assign(**{SPLIT: first[SPLIT]})
    return first.reset_index(), second.reset_index()
