"""The prepared folder as prepare keeps it: whose it is, what an earlier run left in it, and how it is emptied."""

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, SPLIT, SPLITS, TEXT, own, read_table
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.store import Store
from leaflet_tool.storage import LOCK, read_json

MANIFEST, SKIPPED, FACTS, IMAGES = "manifest.csv", "skipped.csv", "prepare.json", "images"
REPORT = "report.html"
COUNTED = ".pages.sqlite"
"""How many pages which file of the archive had."""
UNDERSAMPLED = "undersampled.csv"
"""The rows that under-sampling took out, as they were to stand in the manifest: an archive goes on with them."""
UNCORRECTED = "uncorrected.csv"
"""The corrections that no page could take, and why."""
DUPLICATES = "duplicates.csv"
METADATA, CROISSANT = "metadata.csv", "croissant.json"
COPIES = ".copies.sqlite"
"""Which working copy was made from which state of its source; its presence marks a folder as prepare's own."""
DERIVED_FROM = "derived_from"
"""The part of prepare.json that says from which folder another one was derived (prepare/variants.py)."""
ANEW = ".anew"
"""Where --force prepares, beside what it is to replace."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier run left: its prepare.json and all its pages without texts and altered copies, if any."""

    facts: dict[str, Any] = field(default_factory=dict)
    pages: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({ID: []}, dtype=str))

    def of(self, ids: pd.Series, column: str) -> pd.Series:
        """What the manifest says of each of `ids` in a column; nothing of those it has not."""
        if column not in self.pages:
            return pd.Series("", index=ids.index, dtype=str)
        return ids.map(self.pages.set_index(ID)[column]).fillna("").astype(str)


def check(out: Path, archive: Path, dataset: Dataset) -> None:
    """Refuses a folder that holds other things than prepare's own, and one whose images the archive would take in."""
    if dataset.source.type == "folders" and out.resolve().is_relative_to(archive.resolve()):
        raise InputError(f"{out} lies inside the archive {archive}", hint="choose a folder outside of it")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; the prepared folder needs another name", hint="choose another --out")
    if not out.is_dir():
        return
    names, told = {path.name for path in out.iterdir()}, facts(out)
    if DERIVED_FROM in told:
        raise InputError(
            f"{out} was derived from {told[DERIVED_FROM].get('folder')}, whose pictures it shows",
            hint="prepare in that folder, or choose another one",
        )
    if not (names <= {LOCK} or {ANEW, COPIES} & names or "dataset" in told):
        raise InputError(
            f"{out} holds other things than a prepared folder does and is left alone",
            hint="choose an empty or a new folder",
        )


def facts(out: Path) -> dict[str, Any]:
    """What prepare.json in `out` says; nothing where it cannot be read."""
    try:
        told = read_json(out / FACTS)
    except (InputError, NotADirectoryError):
        return {}
    return told if isinstance(told, dict) else {}


def earlier(out: Path) -> Earlier:
    """What the last finished run left in `out`."""
    told = facts(out)
    if not told or not (out / MANIFEST).is_file():
        return Earlier()
    parts = [own(read_table(out / MANIFEST))]
    if (out / UNDERSAMPLED).is_file():
        parts.append(read_table(out / UNDERSAMPLED))
    frame = pd.concat(parts, ignore_index=True).fillna("")
    frame = frame[frame[SPLIT].isin(SPLITS)].drop_duplicates(ID)
    return Earlier(told, frame.drop(columns=TEXT, errors="ignore"))


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A folder to prepare anew in, whose contents take the place of what prepare wrote in `out` once that went well.

    What an interrupted preparation had finished there is gone on with; a failed one leaves nothing behind.
    """
    anew = out / ANEW
    try:
        yield anew
    except Exception:
        shutil.rmtree(anew, ignore_errors=True)
        raise
    clear(out)
    for path in sorted((anew / IMAGES).glob("*")):
        (out / IMAGES).mkdir(exist_ok=True)
        path.replace(out / IMAGES / path.name)
    # prepare.json last: where it is, the others are whole
    for path in sorted(anew.glob("*"), key=lambda path: path.name == FACTS):
        if path.name not in (LOCK, IMAGES):
            path.replace(out / path.name)
    shutil.rmtree(anew)


def clear(out: Path) -> None:
    """Removes what prepare wrote, and nothing else."""
    if not out.is_dir():
        return
    if (out / COPIES).is_file():
        with Store(out / COPIES) as copies:
            remove_copies(out, copies, copies.keys())
    _remove_parts(out)
    stores = [f"{name}{part}" for name in (COUNTED, COPIES) for part in ("", "-wal", "-shm")]
    for name in (FACTS, MANIFEST, SKIPPED, UNDERSAMPLED, UNCORRECTED, DUPLICATES, METADATA, CROISSANT, REPORT, *stores):
        (out / name).unlink(missing_ok=True)


def remove_copies(out: Path, copies: Store, names: Iterable[str]) -> None:
    """Removes working copies, and what is remembered of them."""
    names = list(names)
    for name in names:
        (out / IMAGES / name).unlink(missing_ok=True)
    copies.remove(names)


def remove_unfinished(out: Path) -> None:
    """Removes what a killed run was about to finish, and what it was to replace the whole with."""
    _remove_parts(out)
    shutil.rmtree(out / ANEW, ignore_errors=True)


def _remove_parts(out: Path) -> None:
    for folder in (out, out / IMAGES):
        for path in folder.glob(".*.part"):
            path.unlink(missing_ok=True)


def copy_name(page: str) -> str:
    """The file name of a page's working copy: readable, and distinct where ids are, also where case does not count."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", page):
        return f"{page}.jpg"
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", page).strip("-")[:60]
    return f"{slug}-{hashlib.blake2b(page.encode(), digest_size=6).hexdigest()}.jpg"
