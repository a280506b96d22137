"""Class folders: every image under the archive, labelled with the first folder on its way."""

import logging
from collections.abc import Iterator
from pathlib import Path

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import IMAGE, SOURCE, SPLIT
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.formats import SUFFIXES, UNMISTAKABLE, head, kind
from leaflet_tool.prepare.sources.rows import (
    A_FOLDER,
    LABEL,
    UNREADABLE_FOLDER,
    Rows,
    legible,
    misplaced,
    must_exist,
    raw_frame,
    skipped_frame,
)

log = logging.getLogger(__name__)


def read(archive: Path, dataset: Dataset) -> Rows:
    """One row an image; where the first folders are all named after splits, the second ones are the classes."""
    if not must_exist(archive).is_dir():
        raise InputError(f"{archive} is a file; class folders were expected", hint="choose another --dataset")
    images, skipped = files(archive)
    words = dataset.splits()
    tops = {name.split("/")[0] for name in images if "/" in name}
    by_split = len(tops) > 1 and tops <= set(words)
    if by_split:
        log.info("the folders %s are taken as splits", ", ".join(sorted(tops)))
    records = []
    for name in images:
        folders = name.split("/")[:-1]
        split = folders.pop(0) if by_split and folders else ""
        records.append({IMAGE: name, SOURCE: name, SPLIT: split, LABEL: folders[0] if folders else ""})
    return Rows(raw_frame(records), skipped_frame(skipped), archive)


def files(root: Path) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Images under `root` by relative path, sorted, and everything else as (source, row, reason)."""
    images, skipped = [], []
    for name, reason in sorted(_entries(root)):
        name, row, reason = legible(name, reason)
        reason = reason or misplaced(root, name)
        if reason:
            skipped.append((name, row, reason))
        else:
            images.append(name)
    return images, skipped


def _entries(root: Path) -> Iterator[tuple[str, str]]:
    """Files, links and folders named like an image, each with a first reason to pass it over."""
    unreadable: list[OSError] = []
    for folder, folders, names in root.walk(on_error=unreadable.append):
        for name in names:
            path = folder / name
            yield path.relative_to(root).as_posix(), "" if _may_be_image(root, path) else "not an image"
        for name in folders:
            if (folder / name).suffix.lower() in SUFFIXES:
                yield (folder / name).relative_to(root).as_posix(), A_FOLDER
    for error in unreadable:
        yield Path(error.filename).relative_to(root).as_posix(), UNREADABLE_FOLDER


def _may_be_image(root: Path, path: Path) -> bool:
    """Whether a file is called like an image, or is one whatever it is called; only files of the archive are opened."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return not misplaced(root, str(path.relative_to(root))) and kind(head(path)) in UNMISTAKABLE
    except OSError:
        return False
