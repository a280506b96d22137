"""Small archives that tests write and read."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from leaflet_tool.prepare import copies
from leaflet_tool.prepare.reading import Reader


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of texts, so that no test finds another's readings."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def reader() -> Iterator[Reader]:
    """What reads pages in this process; its Tesseracts end with the test."""
    with closing(Reader()) as reader:
        yield reader


class InThisProcess:
    """`parallel.in_processes` without the processes, whose start takes seconds."""

    def __init__(self, function: Callable[[Any], Any], tasks: list[Any], *_: Any, **__: Any) -> None:
        self.results = map(function, tasks)

    def __enter__(self) -> Any:
        return self.results

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "in_processes", InThisProcess)


Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Writes a page that shows a text, in the format of its suffix."""

    def page(path: Path, text: str = "", colour: str = "white", size: tuple[int, int] = (600, 200)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", size, colour)
        ImageDraw.Draw(image).text((30, 60), text, fill="black", font=ImageFont.load_default(size=56))
        image.save(path)
        return path

    return page


@pytest.fixture
def class_folders(tmp_path: Path, draw: Draw) -> Path:
    """Two classes of six small images each, and a note beside them."""
    archive = tmp_path / "archive"
    for party, colour in (("blue", "navy"), ("red", "crimson")):
        for number in range(6):
            draw(archive / party / f"{number}.png", colour=colour, size=(40 + number, 30))
    (archive / "notes.txt").write_text("scanned in May\n")
    return archive


@pytest.fixture
def pdf() -> Callable[..., Path]:
    """Writes a PDF of one page a text; an empty text gives a page with a black square at the bottom left."""
    return _pdf


def _pdf(path: Path, *texts: str, size: tuple[int, int] = (300, 200)) -> Path:
    count = len(texts)
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(count))
    font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    for number, text in enumerate(texts):
        box = f"[0 0 {size[0]} {size[1]}]"
        page = f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources{font}/Contents {4 + 2 * number} 0 R>>"
        words = f"BT /F1 40 Tf 20 {size[1] - 60} Td ({text}) Tj ET" if text else "0 0 50 50 re f"
        objects += [page, f"<</Length {len(words)}>>stream\n{words}\nendstream"]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj{content}endobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size_of = len(objects) + 1
    tail = f"xref\n0 {size_of}\n0000000000 65535 f \n{table}trailer<</Size {size_of}/Root 1 0 R>>\n"
    path.write_bytes(body + f"{tail}startxref\n{len(body)}\n%%EOF".encode())
    return path
