"""Fixtures for models of several labels a row."""

import pandas as pd
import pytest

from leaflet_tool.manifest import Label, Prepared, read_prepared, write_manifest
from leaflet_tool.storage import write_json

HIERARCHY = {
    "Nature": [],
    "History": [],
    "Art & Music": [],
    "Living things": ["Nature"],
    "Animals": ["Living things"],
    "Fossils": ["Animals", "History"],
}
"""A graph: a fossil is an animal of history. No row shows living things alone or is labelled with them."""
KINDS = {
    "Nature|Animals": "owl lynx",
    "Nature": "moor fen",
    "History|Nature|Animals|Fossils": "ammonite trilobite",
    "History": "castle siege",
    "Art & Music": "fugue fresco",
    "": "table form",
}
SPLITS = ("train",) * 5 + ("validation", "test")


@pytest.fixture(scope="session")
def tiny_topics(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """42 rows of six kinds, 30 of them train, with several labels, or none, and a hierarchy; label `topics`."""
    folder, label = tmp_path_factory.mktemp("tiny_topics"), Label("topics", multiple=True)
    rows = [
        _row(f"{word}{number}", f"the {word} near the {other}", labels, split)
        for labels, words in KINDS.items()
        for number, split in enumerate(SPLITS)
        for word, other in [words.split()[:: 1 if number % 2 else -1]]
    ]
    write_manifest(pd.DataFrame(rows), folder / "manifest.csv", label)
    facts = {"label": {"name": "topics", "multiple": True}, "taxonomy": HIERARCHY, "dataset": {}}
    write_json(folder / "prepare.json", facts)
    return read_prepared(folder)


def _row(name: str, words: str, labels: str, split: str) -> dict[str, str]:
    texts = {"image": "", "text": words, "caption": words, "ocr_status": "not_run"}
    return {"id": name, **texts, "topics": labels, "group": name, "page": "", "split": split, "source": "", "row": ""}
