"""Fixtures every test may use. Folders made once a session are for reading: a test that changes one copies it first."""

import fcntl
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

if TYPE_CHECKING:
    from leaflet_tool.manifest import Prepared

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell has what it starts in the background ignore Ctrl-C, and so would all processes of the tests."""

Once = Callable[[str, Callable[[Path], None]], Path]

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

COLOURS = {"Blue": (40, 70, 200), "Green": (40, 160, 70), "Red": (200, 50, 50)}
WORDS = {
    "Blue": "taxes borders business defence pension",
    "Green": "climate forest rail wind insulation",
    "Red": "hospitals wages unions schools housing",
}
COMMON = ["vote", "election", "council", "street", "local", "candidate", "together", "change", "plan", "people"]
LEAFLETS, PAGES, SIDE = 10, 2, 40
LEAFLET_SPLITS = ("train",) * 6 + ("validation",) * 2 + ("test",) * 2


@pytest.fixture(autouse=True)
def _messages_as_without_a_command() -> None:
    """A command takes our messages to the terminal; in the next test they are where pytest looks for them."""
    messages = logging.getLogger("leaflet_tool")
    messages.handlers, messages.propagate = [], True
    messages.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data set is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A folder that one of the processes the tests are spread over makes, and all of them read."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def tiny_prepared(once: Once) -> Path:
    """A prepared folder: 3 classes, 10 leaflets each, 2 pages each (60 rows, 12 of them test), label `party`."""
    return once("tiny_prepared", _prepared)


def _prepared(folder: Path) -> None:
    from leaflet_tool.manifest import Label, write_manifest
    from leaflet_tool.storage import write_json

    chance = np.random.default_rng(7)
    rows = [
        _page(folder, party, leaflet, page, chance)
        for party in COLOURS
        for leaflet in range(LEAFLETS)
        for page in range(1, PAGES + 1)
    ]
    frame = pd.DataFrame(rows)
    write_manifest(frame, folder / "manifest.csv", Label("party"))
    write_json(folder / "prepare.json", _facts(frame))


def _page(folder: Path, party: str, leaflet: int, page: int, chance: np.random.Generator) -> dict[str, str]:
    """One row of the manifest, its image written: the party's colour in noise, its words among common ones."""
    name = f"{party.lower()}{leaflet}p{page}"
    noise = chance.normal(0, 40, size=(SIDE, SIDE, 3))
    image = folder / "images" / f"{name}.png"
    image.parent.mkdir(exist_ok=True)
    Image.fromarray(np.clip(np.array(COLOURS[party]) + noise, 0, 255).astype(np.uint8)).save(image)
    words = [*chance.choice(COMMON, 6), *chance.choice(WORDS[party].split(), 3)]
    return {
        "id": name,
        "image": f"images/{name}.png",
        "text": " ".join(words),
        "ocr_status": "read",
        "party": party,
        "group": f"{party.lower()}{leaflet}",
        "page": str(page),
        "split": LEAFLET_SPLITS[leaflet],
        "source": f"{party}/{leaflet}_{page}.png",
        "row": "",
    }


def _facts(frame: pd.DataFrame) -> dict[str, Any]:
    """What prepare.json says of a folder like this."""
    return {
        "version": "0.1.0",
        "created": "2026-01-01T00:00:00+00:00",
        "archive": "tiny",
        "dataset": {"source": {"type": "folders"}},
        "settings": {
            "ocr": {"engine": "tesseract", "language": "eng", "psm": 3},
            "images": {"max_side": 1600, "jpeg_quality": 90},
            "split": {"fractions": [0.7, 0.15, 0.15], "seed": 42},
            "rare": {"policy": "keep", "minimum": 2},
        },
        "label": {"name": "party", "multiple": False},
        "classes": {str(name): int(rows) for name, rows in frame["party"].value_counts().sort_index().items()},
        "splits": {str(name): int(rows) for name, rows in frame["split"].value_counts().items()},
        "found": len(frame),
        "kept": len(frame),
        "skipped": {},
        "tesseract": "5.3.0",
    }


@pytest.fixture(scope="session")
def tiny_runs(tiny_prepared: Path, once: Once) -> Path:
    """A runs folder with two finished runs on `tiny_prepared`: `text` (text_tfidf) and `image` (image_small)."""
    return once("tiny_runs", partial(_runs, tiny_prepared))


def _runs(data: Path, folder: Path) -> None:
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models.definitions import find
    from leaflet_tool.models.training import Request, train

    prepared = read_prepared(data)
    size = tuple(f"input_features.image.preprocessing.{side}=32" for side in ("height", "width"))
    train(find("text_tfidf"), prepared, Request("text", folder, epochs=3, resamples=100))
    train(find("image_small"), prepared, Request("image", folder, overrides=size, epochs=1, resamples=100))


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
TOPIC_SPLITS = ("train",) * 5 + ("validation", "test")


@pytest.fixture(scope="session")
def tiny_topics(tmp_path_factory: pytest.TempPathFactory) -> "Prepared":
    """42 rows of six kinds, 30 of them train, with several labels, or none, and a hierarchy; label `topics`."""
    from leaflet_tool.manifest import Label, read_prepared, write_manifest
    from leaflet_tool.storage import write_json

    folder, label = tmp_path_factory.mktemp("tiny_topics"), Label("topics", multiple=True)
    rows = [
        _topic(f"{word}{number}", f"the {word} near the {other}", labels, split)
        for labels, words in KINDS.items()
        for number, split in enumerate(TOPIC_SPLITS)
        for word, other in [words.split()[:: 1 if number % 2 else -1]]
    ]
    write_manifest(pd.DataFrame(rows), folder / "manifest.csv", label)
    facts = {"label": {"name": "topics", "multiple": True}, "taxonomy": HIERARCHY, "dataset": {}}
    write_json(folder / "prepare.json", facts)
    return read_prepared(folder)


def _topic(name: str, words: str, labels: str, split: str) -> dict[str, str]:
    texts = {"image": "", "text": words, "caption": words, "ocr_status": "not_run"}
    return {"id": name, **texts, "topics": labels, "group": name, "page": "", "split": split, "source": "", "row": ""}


SUBJECTS = {
    "Society": "vote people street",
    "Sports": "football match goal league",
    "Politics": "council minister ballot party",
    "Nature": "forest river",
    "Plants": "flower leaf moss tree",
}
ABOVE: dict[str, list[str]] = {
    **{"Society": [], "Sports": ["Society"], "Politics": ["Society"]},
    **{"Nature": [], "Plants": ["Nature"], "Art": []},
}


@pytest.fixture(scope="session")
def tiny_subjects(once: Once) -> Path:
    """A prepared folder: 60 leaflets of 2 pages, several labels a page along a hierarchy, label `subjects`.

    The labels are SUBJECTS, closed, and Art, which no page of the test split has; some pages have no label.
    """
    return once("tiny_subjects", _subjects)


def _subjects(folder: Path) -> None:
    from leaflet_tool.manifest import Label, write_manifest
    from leaflet_tool.storage import write_json

    chance = np.random.default_rng(11)
    rows = [_about(folder, leaflet, page, chance) for leaflet in range(60) for page in (1, 2)]
    frame = pd.DataFrame(rows)
    write_manifest(frame, folder / "manifest.csv", Label("subjects", multiple=True))
    classes = Counter(label for cell in frame["subjects"] for label in cell.split("|") if label)
    facts = {**_facts(frame.assign(party="")), "label": {"name": "subjects", "multiple": True}}
    write_json(folder / "prepare.json", {**facts, "classes": dict(classes), "taxonomy": ABOVE})


def _about(folder: Path, leaflet: int, page: int, chance: np.random.Generator) -> dict[str, str]:
    """One row: the words of its labels among common ones; every fifth leaflet has no label, some have two kinds."""
    split = "train" if leaflet < 36 else "validation" if leaflet < 48 else "test"
    leaves = ["Sports", "Politics", "Plants", "Society", ""]
    chosen = {leaves[leaflet % 5], "Plants" if leaflet % 7 == 0 else ""} - {""}
    chosen |= {above for label in chosen for above in ABOVE[label]} | ({"Art"} if leaflet in (1, 2, 37) else set())
    name = f"leaflet{leaflet:02}p{page}"
    image = folder / "images" / f"{name}.png"
    image.parent.mkdir(exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), (20 + leaflet * 3, 120, 20 + page * 90)).save(image)
    words = [word for label in sorted(chosen - {"Art"}) for word in chance.choice(SUBJECTS[label].split(), 2)]
    return {
        "id": name,
        "image": f"images/{name}.png",
        "text": " ".join([*chance.choice(COMMON, 6), *words[:1]]),
        "caption": " ".join([*chance.choice(COMMON, 6), *words]),
        "ocr_status": "read",
        "subjects": "|".join(sorted(chosen)),
        "group": f"leaflet{leaflet:02}",
        "page": str(page),
        "split": split,
        "source": f"{leaflet}_{page}.png",
        "row": "",
    }


@pytest.fixture(scope="session")
def tiny_subject_runs(tiny_subjects: Path, once: Once) -> Path:
    """A runs folder with two finished runs of topics_filename on `tiny_subjects`: `words`, and `brief` of one epoch."""
    return once("tiny_subject_runs", partial(_subject_runs, tiny_subjects))


def _subject_runs(data: Path, folder: Path) -> None:
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models.definitions import find
    from leaflet_tool.models.training import Request, train

    prepared = read_prepared(data)
    plain = ("input_features.caption.preprocessing.tokenizer=words",)
    for name, epochs in (("words", 8), ("brief", 1)):
        train(find("topics_filename"), prepared, Request(name, folder, overrides=plain, epochs=epochs, resamples=100))
