"""What a run is made of beside its own training pages: runs whose encoder it took over, and those under a stack."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FOLD, ID, IMAGE, SPLIT, TEXT, Prepared, own
from leaflet_tool.models import bases, rows, runs
from leaflet_tool.models.runs import ROWS, Run
from leaflet_tool.prepare import changes
from leaflet_tool.prepare.duplicates import WORDS
from leaflet_tool.prepare.output import MANIFEST
from leaflet_tool.storage import sha256

logger = logging.getLogger(__name__)

START_FROM = "start_from"
"""What run.json says of the run whose encoder was carried over."""


def of(run: Run) -> Iterator[Run]:
    """Every run behind `run`, however far back; one that is gone is said, for nobody can tell what it learned from."""
    for source in (*_started(run), *_stacked(run)):
        yield source
        yield from of(source)


def behind(run: Run, pages: pd.DataFrame, prepared: Prepared) -> Iterator[tuple[Run, frozenset[str]]]:
    """Every run behind `run` with the ids of those `pages` of a prepared folder that are `known` to it."""
    yield from _behind(run, pages, prepared, _held_out(run, prepared))


def _behind(
    run: Run, pages: pd.DataFrame, prepared: Prepared, held_out: Mapping[str, str] | None
) -> Iterator[tuple[Run, frozenset[str]]]:
    # the folds of a run start from those of its source; a stack reads its base runs by folds of their own
    sources = [(source, held_out) for source in _started(run)]
    sources += [(base, _held_out(base, prepared)) for base in _stacked(run)]
    for source, folds in sources:
        yield source, known(source, pages, prepared, folds)
        yield from _behind(source, pages, prepared, folds)


def _started(run: Run) -> Iterator[Run]:
    started = run.facts.get(START_FROM)
    return _found(run, [started["folder"]] if started else [])


def _stacked(run: Run) -> Iterator[Run]:
    return _found(run, [base["folder"] for base in run.facts.get(bases.STACK, {}).get("bases", [])])


def _found(run: Run, folders: list[str]) -> Iterator[Run]:
    for folder in folders:
        try:
            yield runs.find(folder, Path())
        except InputError:
            logger.warning("run %s came of %s, which is gone: what that learned from is not known", run.name, folder)


def _held_out(run: Run, prepared: Prepared) -> dict[str, str] | None:
    """The fold in which each page is held out, of a run in folds on these pages: elsewhere all of its models vote."""
    if not run.folds or run.facts["data"]["manifest_sha256"] != prepared.digest:
        return None
    return run.predictions().set_index(ID)[FOLD].to_dict()


def taught(run: Run, held_out: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The archive's pages that a run was trained on, as in its ludwig.csv.

    A run in folds was trained on all of its pages. Where it serves another run in folds, whose pages are held out in
    those of `held_out`, each fold by its own model, pages held out in the same fold were new to it.
    """
    table = own(rows.read(run.folder / ROWS))
    if not run.folds:
        return table[table[SPLIT] == rows.SPLIT_NUMBERS["train"]]
    return table if held_out is None else table[table[ID].map(held_out) != table[FOLD]]


def known(
    run: Run, pages: pd.DataFrame, prepared: Prepared, held_out: Mapping[str, str] | None = None
) -> frozenset[str]:
    """The ids of those `pages` of a prepared folder that a run was trained on, there or in another folder.

    A page of another folder is the same if it has the id, the original's bytes or the text. In another archive, which
    may be this one under another path, an id says nothing where both originals are known and differ; neither do the
    few words of a picture.
    """
    learned = taught(run, held_out)
    named = pages[ID].isin(set(learned[ID]))
    if run.facts["data"]["manifest_sha256"] == prepared.digest:
        return frozenset(pages.loc[named, ID])
    ours, theirs = _digests(pages, prepared.folder), _digests(learned, Path(run.facts["data"]["folder"]))
    if not _unchanged(run):
        theirs[:] = ""
    if run.facts["prepare"].get("archive") != prepared.facts.get("archive"):
        before = pages[ID].map(dict(zip(learned[ID], theirs, strict=True))).fillna("")
        named &= (ours == "") | (before == "") | (ours == before)
    named |= ours.isin(set(theirs) - {""})
    if TEXT in learned:
        texts = pages[TEXT].str.strip()
        telling = (pages[IMAGE] == "") | (texts.str.split().map(len) >= WORDS)
        named |= telling & texts.isin(set(learned[TEXT].str.strip()) - {""})
    return frozenset(pages.loc[named, ID])


def _unchanged(run: Run) -> bool:
    """Whether the folder that a run was trained on still holds the same pages."""
    manifest = Path(run.facts["data"]["folder"]) / MANIFEST
    return manifest.is_file() and sha256(manifest) == run.facts["data"]["manifest_sha256"]


def _digests(pages: pd.DataFrame, folder: Path) -> pd.Series:
    """The digest of the original of each page, empty where none is known; images are relative to `folder`, or absolute.

    It stands beside the working copies, where prepare made them.
    """
    copies = [folder / image if image else None for image in pages.get(IMAGE, [""] * len(pages))]
    found = {where: changes.kept_digests(where) for where in {copy.parent.parent for copy in copies if copy}}
    cells = [found[copy.parent.parent].get(copy.name, "") if copy else "" for copy in copies]
    return pd.Series(cells, index=pages.index, dtype=object)
