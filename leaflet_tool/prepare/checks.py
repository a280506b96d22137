"""What an archive's rows must satisfy before anything slow starts: all failures together, each with its row."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FOLD, GROUP, ID, IMAGE, SPLIT, SPLITS
from leaflet_tool.prepare import duplicates
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.labels import classes
from leaflet_tool.prepare.section import nearest
from leaflet_tool.prepare.sources.rows import LABEL, place

SHOWN = 5


def report(problems: list[str], what: str) -> None:
    """Raises one InputError for all `problems`, if there are any."""
    if problems:
        raise InputError.listing(what, problems, hint="mend the definition, or override it with flags")


def declared(dataset: Dataset) -> list[str]:
    """What a definition says of several labels a row, of their hierarchy or of images where there are none."""
    several, found = dataset.label.multiple, []
    if dataset.taxonomy and not several:
        found.append(f"a taxonomy is for rows with several labels, and {dataset.label.name} is declared as one a row")
    if dataset.unlabelled != "stated" and not several:
        found.append(f"unlabelled: {dataset.unlabelled} is for rows with several labels, and this archive has one")
    if dataset.label_form != "given" and not dataset.taxonomy:
        found.append(f"labels: {dataset.label_form} follows a taxonomy, and none is given")
    if dataset.regions and dataset.source.type == "table" and not dataset.named_columns.image:
        found.append("regions are cut from images, and this archive has texts alone")
    return found


def listed_twice(frame: pd.DataFrame, words: Mapping[str, str]) -> tuple[pd.Series, list[str]]:
    """Which rows repeat the image of an earlier one, and the images whose rows disagree on the label or the split.

    `words` are those that name a split.
    """
    repeats = frame[IMAGE].ne("") & frame.duplicated(IMAGE)
    problems = []
    for image, rows in frame[frame[IMAGE].isin(frame.loc[repeats, IMAGE])].groupby(IMAGE, sort=False):
        if len({frozenset(labels) for labels in rows[LABEL]}) > 1:
            problems.append(f"{image} is listed twice with different labels: {_said(rows, rows[LABEL].map(', '.join))}")
        sides = rows[SPLIT].map(lambda word: words.get(word, word))
        if sides[sides != ""].nunique() > 1:
            problems.append(f"{image} is listed twice in different splits: {_said(rows, rows[SPLIT])}")
    return repeats, problems


def _said(rows: pd.DataFrame, cells: pd.Series) -> str:
    """What each row says of the same image, and where."""
    return "; ".join(f"{place(row)} says {cell!r}" for row, cell in zip(rows.to_dict("records"), cells, strict=True))


def problems(frame: pd.DataFrame, dataset: Dataset) -> list[str]:
    """Everything wrong with ids, splits, folds and classes."""
    words = dataset.splits()
    sides = frame.assign(**{SPLIT: frame[SPLIT].map(lambda word: words.get(word, word))})
    return [*_ids(frame), *_split_words(frame, words), *_folds(frame), *_leaks(sides, SPLIT), *_leaks(frame, FOLD)]


def one_class(found: list[str], name: str) -> list[str]:
    """A dataset of one class teaches nothing."""
    if len(found) > 1:
        return []
    if not found:
        return [f"no row has a {name}"]
    return [f"every row has the {name} {found[0]!r}: two classes at least are needed"]


def thin_splits(frame: pd.DataFrame) -> Iterator[str]:
    """Warnings about splits without a row and classes without a row to learn from."""
    empty = [split for split in SPLITS if not (frame[SPLIT] == split).any()]
    if empty:
        yield f"no row is in {', '.join(empty)}"
    trained = set(classes(frame.loc[frame[SPLIT] == "train", LABEL]))
    untrained = [label for label in classes(frame[LABEL]) if label not in trained]
    if untrained:
        yield f"classes without a row in train: {', '.join(untrained)}"


def crossings(frame: pd.DataFrame, same: pd.DataFrame) -> Iterator[str]:
    """Warnings about duplicates that the archive, or an earlier run, puts on two sides."""
    for column, sides in ((SPLIT, "splits"), (FOLD, "folds")):
        count = int(duplicates.apart(frame, same, column).sum())
        if count:
            yield f"pairs of duplicates in different {sides}: {count} (duplicates.csv names them)"


def _ids(frame: pd.DataFrame) -> Iterator[str]:
    if not frame[ID].ne("").any():
        return
    empty = frame[frame[ID] == ""]
    if len(empty):
        yield f"the id is empty in {places(empty)}"
    for value, rows in frame[frame[ID].ne("") & frame.duplicated(ID, keep=False)].groupby(ID, sort=False):
        yield f"the id {value!r} is used twice: {places(rows)}"


def _split_words(frame: pd.DataFrame, known: Mapping[str, str]) -> Iterator[str]:
    for word, rows in frame[~frame[SPLIT].isin(["", *known])].groupby(SPLIT, sort=False):
        near = f" (perhaps {nearest(str(word), known)})" if nearest(str(word), known) else ""
        yield (
            f"split: the word {word!r} in {places(rows)} is none of {', '.join(known)}{near}; "
            f"say what it means with split_words: {{{word}: …}}"
        )


def _folds(frame: pd.DataFrame) -> Iterator[str]:
    if not frame[FOLD].ne("").any():
        return
    wrong = frame[~frame[FOLD].str.fullmatch(r"\d+")]
    if len(wrong):
        yield f"fold: {wrong[FOLD].iloc[0]!r} in {places(wrong)} is not a whole number from 0"


def _leaks(frame: pd.DataFrame, column: str) -> Iterator[str]:
    """Groups that the archive itself puts on two sides."""
    declared = frame[frame[column].ne("") & frame[GROUP].ne("")]
    sides = declared.groupby(GROUP, sort=False)[column].nunique()
    for group in sides.index[sides > 1]:
        rows = declared[declared[GROUP] == group]
        found = ", ".join(sorted(rows[column].unique()))
        yield f"the group {group!r} lies in {column} {found} at once ({places(rows)}): its pages would leak"


def places(rows: pd.DataFrame) -> str:
    """The first few rows as a person finds them."""
    return _listed(place(row) for row in rows.to_dict("records"))


def _listed(items: Iterable[str]) -> str:
    items = list(items)
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")
