"""Text as a page shows it: escaped, with the words that tell something marked."""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape


def marked(text: str, words: Sequence[str]) -> Markup:
    """`text` with every occurrence of one of `words` as a whole word in a mark element, whatever its case."""
    if not words:
        return escape(text)
    longest = sorted({word for word in words if word}, key=len, reverse=True)
    between = r"\s+"
    either = "|".join(between.join(map(re.escape, word.split())) for word in longest)
    parts = re.split(rf"(?<!\w)({either})(?!\w)", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )
