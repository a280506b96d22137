"""What a file is and how many pages it has."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from leaflet_tool.prepare import formats
from leaflet_tool.prepare.formats import SUFFIXES, frames, head, kind


def test_suffixes_are_of_images() -> None:
    assert {".jpg", ".jpeg", ".png", ".tif", ".webp", ".heic", ".avif", ".pdf", ".psd", ".eps"} <= SUFFIXES
    assert not SUFFIXES & {".txt", ".csv", ".mpg", ".h5", ""}


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF"])
def test_formats_are_told_by_their_bytes(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "file", name)
    assert kind(head(tmp_path / "file")) == name
    assert frames(tmp_path / "file") == [0]


@pytest.mark.parametrize("content", [b"", b"%", b"P", b"BM", b"\0\0\0\x18ftyp", b"RIFF", b"plain words", b"\x8a\x14\0"])
def test_odd_beginnings_are_of_nothing_that_would_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert kind(content) in ("", "BMP")
    assert formats.refusal(content, ".jpg") or kind(content) == "BMP"
    assert frames(tmp_path / "file") == [0]


def stack(path: Path, pages: int, **how: object) -> Path:
    """A TIFF of several pages."""
    shades = [Image.new("L", (30 + number, 20), number * 20) for number in range(pages)]
    shades[0].save(path, "TIFF", save_all=True, append_images=shades[1:], **how)
    return path


@pytest.mark.parametrize("big", [False, True])
def test_pages_of_a_tiff_are_counted(tmp_path: Path, big: bool) -> None:
    assert frames(stack(tmp_path / "a.tif", 5, big_tiff=big)) == [0, 1, 2, 3, 4]


def directory(following: int, kind: int = 0) -> bytes:
    """An image directory of a TIFF that holds a NewSubfileType alone."""
    return struct.pack("<HHHIII", 1, 254, 4, 1, kind, following)


def test_thumbnails_and_masks_in_a_tiff_are_no_pages(tmp_path: Path) -> None:
    kinds = [1, 0, 2, 4, 0]
    chain = [directory(8 + 18 * (number + 1), kind) for number, kind in enumerate(kinds[:-1])]
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + b"".join(chain) + directory(0))
    assert frames(tmp_path / "a.tif") == [1, 2, 4]


def test_a_tiff_that_runs_in_circles_or_away_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    start = b"II*\0" + struct.pack("<I", 8)
    path.write_bytes(start + directory(26) + directory(8))
    assert frames(path) == [0, 1]
    path.write_bytes(start + directory(2**32 - 1))
    assert frames(path) == [0, 1]
    path.write_bytes(b"II+\0\x08\0\0\0" + b"\xff" * 8)
    assert frames(path) == [0]
    path.write_bytes(start[:6])
    assert frames(path) == [0]


def test_a_file_of_very_many_pages_is_not_counted_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pages = 2 * formats.MOST_PAGES
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + b"".join(directory(8 + 18 * (n + 1)) for n in range(pages)))
    assert len(frames(path)) == formats.MOST_PAGES + 1


def test_pages_of_a_pdf_are_counted(tmp_path: Path, pdf: Callable[..., Path]) -> None:
    assert frames(pdf(tmp_path / "a.jpg", "one", "two", "three")) == [0, 1, 2]
    path = tmp_path / "b.pdf"
    path.write_bytes(b"junk in front\n" + (tmp_path / "a.jpg").read_bytes())
    assert kind(head(path)) == "PDF"


def by_pillow(path: Path) -> int | None:
    """Pages that Pillow counts; None where the file is broken, and its copy says why."""
    try:
        with Image.open(path, formats=["TIFF"]) as image:
            return image.n_frames
    except Exception:
        return None


@pytest.mark.filterwarnings("ignore")
def test_as_many_pages_are_found_as_pillow_finds(shared_data: Path) -> None:
    paths = sorted((shared_data / "hostile").rglob("*.tif*"))
    wanted = {path.name: count for path in paths if (count := by_pillow(path))}
    assert len(wanted) > 40
    assert {path.name: len(frames(path)) for path in paths if path.name in wanted} == wanted
