"""Text as a page shows it: escaped, with the words that tell something marked."""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape


def marked(text: str, words: Sequence[str]) -> Markup:
    """`text` with every occurrence of one of `words` as a whole word in a mark element, whatever its case."""
    longest = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    if not longest:
        return escape(text)
    parts = re.split(f"({'|'.join(map(_whole, longest))})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _whole(word: str) -> str:
    """The pattern of a word, or of several whatever is between them, where no letter goes on before or after it."""
    before, after = (boundary if word[end].isalnum() else "" for boundary, end in ((r"(?<!\w)", 0), (r"(?!\w)", -1)))
    return before + r"\s+".join(map(re.escape, word.split())) + after
