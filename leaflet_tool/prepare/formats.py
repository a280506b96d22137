"""What a file is, told by its bytes, and how many pages it has: the list of formats that are opened, and no others."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import pillow_heif
from PIL import Image

from leaflet_tool.prepare import pdf

READ = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF")
"""What Pillow opens here: nothing that starts an interpreter or reads a second file."""
PDF = "PDF"
OPENED = {*READ, PDF, "MPO"}
"""What Pillow calls these by their suffixes."""
UNMISTAKABLE = {*READ, PDF} - {"BMP", "PPM"}
"""Formats that need no image's name to be taken for one: the others begin like many a text."""
NO_IMAGES = {"BUFR", "GRIB", "HDF5", "MPEG"}
"""What Pillow has names for and no reader."""
RAW = dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), "camera raw")
"""Raw photographs, which look like a TIFF that holds a thumbnail."""
OTHERS = {".svg": "SVG", ".jxl": "JPEG XL", ".djvu": "DjVu", ".xcf": "XCF"}
HEAD = 1024
"""Bytes that tell a format; a PDF may have other things in front of its signature."""
MOST_PAGES = 10_000
"""A file that claims more is not expanded."""
REDUCED, MASK = 1, 4
"""Bits of a TIFF directory's NewSubfileType: a smaller version of another page, and another page's transparency."""

# before Pillow is asked for its formats; thumbnails would stand in for the picture, threads take memory
pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
Image.init()

NAMES = {suffix: name for suffix, name in Image.registered_extensions().items() if name not in NO_IMAGES}
NAMES |= RAW | OTHERS
"""Suffixes that images have, and the format that each stands for."""
SUFFIXES = frozenset(NAMES)


def head(source: Path) -> bytes:
    """The bytes that tell the format."""
    with source.open("rb") as file:
        return file.read(HEAD)


def kind(head: bytes) -> str:
    """Which of READ, PDF and EPS a file with this beginning is; empty when it is none of them."""
    if _accepts("EPS", head) or b"%!PS" in head[:64]:
        return "EPS"
    return next((name for name in READ if _accepts(name, head)), PDF if pdf.SIGNATURE in head else "")


def _accepts(name: str, head: bytes) -> bool:
    accept = Image.OPEN[name][1]
    try:
        return bool(accept and accept(head[:16]))
    except (struct.error, IndexError):  # too short a file
        return False


def refusal(head: bytes, suffix: str) -> str:
    """Why a file is not opened, or an empty string."""
    found, named = kind(head), NAMES.get(suffix.lower(), "")
    if found == "EPS":
        return "format not read: PostScript, which would start an interpreter"
    if found and named not in RAW.values():
        return ""
    if not head:
        return "unreadable image: the file is empty"
    if not named or named in OPENED:
        # some signatures are short: they count only where the name says nothing
        named = next((name for name in Image.ID if name not in NO_IMAGES and _accepts(name, head)), "")
    return f"format not read: {named}" if named else "unreadable image: its bytes are of no known format"


def frames(source: Path) -> list[int]:
    """Where the pages of a file are in it: one page at 0 but for TIFF and PDF; at most MOST_PAGES and one more."""
    found = kind(head(source))
    if found == PDF:
        return list(range(min(pdf.pages(source), MOST_PAGES + 1))) or [0]
    if found == "TIFF":
        with source.open("rb") as file:
            kinds = list(_directories(file))
        return [number for number, bits in enumerate(kinds) if not bits & (REDUCED | MASK)] or [0]
    return [0]


def _directories(file: BinaryIO) -> Iterator[int]:
    """NewSubfileType of each image directory of a TIFF, in the order in which Pillow counts frames."""
    start = file.read(8)
    order: Literal["little", "big"] = "little" if start[:2] == b"II" else "big"
    long, size, width = (8, 20, 8) if int.from_bytes(start[2:4], order) == 43 else (2, 12, 4)
    offset = int.from_bytes(file.read(8) if width == 8 else start[4:8], order)
    end = file.seek(0, io.SEEK_END)  # a directory beyond it is a page that cannot be read
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) <= MOST_PAGES:
        seen.add(offset)
        file.seek(min(offset, end))
        count = int.from_bytes(file.read(long), order)
        entries = file.read(min(count, 2**16) * size)
        bits = 0
        for at in range(0, len(entries), size):
            if int.from_bytes(entries[at : at + 2], order) == 254:
                bits = int.from_bytes(entries[at + size - width : at + size - width + 4], order)
        yield bits
        offset = int.from_bytes(file.read(width), order)
