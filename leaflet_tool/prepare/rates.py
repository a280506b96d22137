"""How long a page took on this machine, remembered between runs for the next estimate."""

from pathlib import Path

from leaflet_tool.prepare.ocr_cache import cache_path
from leaflet_tool.prepare.store import Store

ENOUGH = 16
"""Pages from which a time a page is worth remembering."""


def remember(work: str, pages: int, seconds: float) -> None:
    """Notes that one worker would have taken `seconds` for `pages`; the last time is what counts."""
    if pages >= ENOUGH:
        with Store(_path()) as rates:
            rates.put(work, seconds / pages)


def seconds_a_page(work: str) -> float | None:
    """What one worker takes for a page, or None where it was never measured."""
    if not _path().exists():
        return None
    with Store(_path()) as rates:
        found: float | None = rates.get(work)
        return found


def _path() -> Path:
    return cache_path().with_name("rates.sqlite")
