"""Pages of a PDF: the one module that knows PDFium, which is built without a JavaScript engine."""

from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pypdfium2 import PdfDocument

SIGNATURE = b"%PDF-"


def pages(source: Path) -> int:
    """Number of pages, as the file says."""
    with PdfDocument(source) as document:
        return len(document)


def drawn(source: Path | BinaryIO, number: int, side: int) -> Image.Image:
    """Page `number` (from 0) as it stands on a screen, its longest side `side` pixels."""
    with PdfDocument(source) as document:
        document.init_forms()  # what is filled in is seen too
        page = document[number]
        longest = max(page.get_size())
        if not longest > 0:
            raise ValueError("the page has no size")
        image: Image.Image = page.render(scale=side / longest).to_pil().convert("RGB")
        image.thumbnail((side, side))  # rounding may add a pixel
        return image


def text_layer(source: Path, number: int) -> str:
    """The text of page `number` (from 0) that lies within the page; empty where it is a mere picture."""
    with PdfDocument(source) as document:
        text: str = document[number].get_textpage().get_text_bounded()
        return text.strip()
