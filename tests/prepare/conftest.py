"""Small archives that tests write and read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of texts, so that no test finds another's readings."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


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
