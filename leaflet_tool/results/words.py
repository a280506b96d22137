"""Counts and lists as people write them."""

from collections.abc import Sequence

NAMED = 6
"""So many names are spelt out in a sentence."""


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def some(words: Sequence[str]) -> str:
    """a, b and c; of many the first NAMED, and how many more there are."""
    more = len(words) - NAMED
    return listed(words) if more <= 1 else listed([*words[:NAMED], f"{more:,} more"])


def quoted(names: Sequence[str]) -> str:
    """“a”, “b” and “c”, as `some` counts them; long names are cut."""
    return some([f"“{clipped(name, 40)}”" for name in names])


def clipped(text: str, length: int = 80) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= length else f"{text[: length * 2 // 3]}…{text[-length // 3 :]}"


def counted(number: int, noun: str) -> str:
    """1 page, 2,000 pages, 2 classes."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def percent(part: float, whole: float) -> str:
    """12 %, 0.4 %, under 0.1 %; nearly all is not 100 %, and nothing of nothing is 0 %."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99.5 <= share < 100:
        return f"{min(share, 99.9):.1f} %"
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"


def figure(value: float) -> str:
    """1,234 or 12.3 or 0.12: three digits or more, and no more than are worth reading."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def span(values: Sequence[float | None], *, digits: int = 3) -> str:
    """0.812, 0.803 to 0.840 of several values, none, or, where some are missing, none to 0.840."""
    known = sorted(value for value in values if value is not None)
    ends = [*(["none"] if len(known) < len(values) else []), *(f"{value:.{digits}f}" for value in known)]
    return ends[0] if ends[0] == ends[-1] else f"{ends[0]} to {ends[-1]}"
