"""What an archive gained, lost and altered since the last run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from leaflet_tool.manifest import ID, IMAGE, ROW, SOURCE
from leaflet_tool.prepare.output import Earlier
from leaflet_tool.prepare.sources.rows import DIGEST, MISSING, NO_ROW, REASON, Rows, place
from leaflet_tool.prepare.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changes:
    """Pages, as a person finds them: those new to the manifest, those gone from the archive, those with other bytes."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] | None = field(default_factory=list)
    """None when no file was looked at."""

    def counts(self) -> dict[str, int | None]:
        """How many of each."""
        return {name: None if pages is None else len(pages) for name, pages in vars(self).items()}

    def tell(self) -> None:
        """Says how many there are, and which for those who want to know."""
        told = [f"{len(pages)} {name}" for name, pages in vars(self).items() if pages]
        if told:
            log.info("pages since the last run: %s", ", ".join(told))
        for name, pages in vars(self).items():
            for page in pages or ():
                log.debug("%s: %s", name, page)


def digests(store: Store) -> dict[str, str]:
    """SHA-256 of the original of every working copy, by the copy's file name."""
    names = store.keys()
    return {name: known["copy"]["digest"] for name in names if (known := store.get(name)) and "copy" in known}


def gone(earlier: Earlier, found: Rows) -> list[str]:
    """Earlier pages that the archive has no longer; one that is passed over now is still there."""
    if not earlier.facts:
        return []
    pages = earlier.pages
    here = set(found.skipped.loc[~found.skipped[REASON].isin([MISSING, NO_ROW]), SOURCE]) - {""}
    return _places(pages[~pages[ID].isin(found.frame[ID]) & ~pages[SOURCE].isin(here)])


def since(earlier: Earlier, removed: list[str], kept: pd.DataFrame, before: Mapping[str, str] | None = None) -> Changes:
    """From an earlier run to this one, which `kept` these rows; `before` is the earlier `digests`."""
    if not earlier.facts:
        return Changes()
    added = _places(kept[~kept[ID].isin(earlier.pages[ID])])
    if before is None:
        return Changes(added, removed, None)
    names = kept[IMAGE].str.rpartition("/")[2]
    other = names.isin(before) & names.map(before).ne(kept[DIGEST])
    return Changes(added, removed, _places(kept[other]))


def _places(rows: pd.DataFrame) -> list[str]:
    """Their files; where they have none, their rows in the table."""
    found = zip(rows[SOURCE], rows[ROW], strict=True)
    return [source or place({SOURCE: source, ROW: row}) for source, row in found]
