"""Readings kept between runs: the same bytes, read in the same way, are read once."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from leaflet_tool.prepare.reading import Page, Reading
from leaflet_tool.prepare.rendition import VERSION
from leaflet_tool.prepare.store import Store


def cache_path() -> Path:
    """Where readings are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leaflet-tool" / "readings.sqlite"


def key(page: Page, tesseract: str) -> str:
    """The page's bytes, and every setting and every language pack that changes its text."""
    models = "+".join(digest[:16] for _, digest in page.models)
    return f"{page.digest} {page.settings} recipe={VERSION} tesseract={tesseract} models={models}"


def known(cache: Store, keys: Iterable[str]) -> dict[str, Reading]:
    """The readings that are kept, by their keys."""
    return {name: Reading(**entry["reading"]) for name in keys if (entry := cache.get(name))}


def count(keys: Iterable[str]) -> int:
    """How many of the readings are kept; asking makes no cache where there is none."""
    if not cache_path().exists():
        return 0
    with Store(cache_path()) as cache:
        return len(known(cache, keys))


def keep(cache: Store, readings: Mapping[str, Reading], tesseract: str) -> None:
    """Keeps readings by their keys, all at once; failures are not kept, so that they are tried again."""
    fixed = {"tesseract": tesseract, "written": datetime.now(UTC).isoformat(timespec="seconds")}
    kept = {name: reading for name, reading in readings.items() if reading.status != "failed"}
    cache.put_all({name: {**fixed, "reading": asdict(reading)} for name, reading in kept.items()})


@dataclass(frozen=True)
class Summary:
    """What the cache holds: how many readings, bytes on disk, times in ISO 8601, readings by Tesseract's version."""

    path: str
    entries: int = 0
    bytes: int = 0
    oldest: str = ""
    newest: str = ""
    tesseract: Mapping[str, int] = field(default_factory=dict)
    removed: int = 0

    def __str__(self) -> str:
        lines = [
            self.path,
            f"readings: {self.entries}, {self.bytes / 1e6:.1f} MB on disk",
            *([f"removed: {self.removed}"] if self.removed else []),
            *([f"written: from {self.oldest} to {self.newest}"] if self.entries else []),
            *(f"Tesseract {version}: {number}" for version, number in self.tesseract.items()),
        ]
        return "\n".join(lines)


def summary(path: Path, removed: int = 0) -> Summary:
    """What the cache at `path` holds; one that is not there holds nothing."""
    if not path.exists():
        return Summary(str(path))
    with Store(path) as cache:
        entries = [(entry["written"], entry["tesseract"]) for _, entry in cache.items()]
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    written = sorted(when for when, _ in entries)
    return Summary(
        str(path),
        entries=len(entries),
        bytes=sum(file.stat().st_size for file in files if file.exists()),
        oldest=written[0] if written else "",
        newest=written[-1] if written else "",
        tesseract=dict(sorted(Counter(version for _, version in entries).items())),
        removed=removed,
    )


def prune(path: Path, older_than: float | None = None) -> Summary:
    """Forgets all readings, or those kept more than so many days ago; what is left then."""
    if not path.exists():
        return Summary(str(path))
    with Store(path) as cache:
        keys = cache.keys()
        if older_than is not None:
            limit = (datetime.now(UTC) - timedelta(days=older_than)).isoformat(timespec="seconds")
            keys = [name for name, entry in cache.items() if entry["written"] < limit]
        cache.remove(keys)
        cache.shrink()
    return summary(path, removed=len(keys))
