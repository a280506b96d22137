"""Text as the manifest holds it, whoever read it."""

import re
import unicodedata

UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line feed, and halves of characters, which no UTF-8 file can hold."""


def clean(text: str) -> str:
    """NFC text with Unix line ends, without form feeds and other control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", UNWANTED.sub("", lines)).strip()
