"""What lies under an archive's root, is named like an image, and stands in no row."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from leaflet_tool.manifest import IMAGE
from leaflet_tool.prepare.formats import SUFFIXES
from leaflet_tool.prepare.output import COPIES
from leaflet_tool.prepare.sources.rows import A_FOLDER, NO_ROW, UNREADABLE_FOLDER, Rows, legible, skipped_frame


def counted(rows: Rows) -> Rows:
    """Rows of a table or of label files, and among the skipped inputs what their images lie beside and no row names.

    Rows without any image have no photographs beside them to account for.
    """
    named = set(rows.frame[IMAGE]) - {""}
    if not named:
        return rows
    beside = skipped_frame(unlisted(rows.root, named))
    return replace(rows, skipped=pd.concat([rows.skipped, beside], ignore_index=True))


def unlisted(root: Path, named: Iterable[str]) -> list[tuple[str, str, str]]:
    """(source, row, reason) of each file, link and folder named like an image that is none of `named`, sorted.

    Links are not followed, and folders that prepare made are not looked into.
    """
    names, found = set(named), dict(_named_like_images(root))
    elsewhere = {_identity(root, name, follow=True) for name in names - found.keys()} - {None}
    return [
        legible(name, reason)
        for name, reason in sorted(found.items())
        if name not in names and not (elsewhere and _identity(root, name) in elsewhere)
    ]


def _named_like_images(root: Path) -> Iterator[tuple[str, str]]:
    """Each with the reason why it is passed over where no row names it."""
    unreadable: list[OSError] = []
    for folder, folders, names in root.walk(on_error=unreadable.append):
        if folder != root and COPIES in names:
            folders.clear()
            continue
        place = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
        for entries, reason in ((names, NO_ROW), (folders, A_FOLDER)):
            yield from ((place + name, reason) for name in entries if Path(name).suffix.lower() in SUFFIXES)
    for error in unreadable:
        if Path(error.filename) != root:
            yield Path(error.filename).relative_to(root).as_posix(), UNREADABLE_FOLDER


def _identity(root: Path, name: str, *, follow: bool = False) -> tuple[int, int] | None:
    """Device and number of a file: a row may name it by another path, or in letters that only its disk takes for it."""
    try:
        status = (root / name).stat(follow_symlinks=follow)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
