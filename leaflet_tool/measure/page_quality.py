"""Pages that show too little to be judged: blank, dark, blurred, or lying so that nobody could tell.

Limits are absolute where any page fails them, and looser for pages that also stand far below the archive's own median,
in robust standard deviations (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers: 3.5 of the modified z
score). Sharpness is compared by its logarithm, since it spans powers of ten.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from leaflet_tool.manifest import (
    BRIGHTNESS,
    HEIGHT,
    IMAGE,
    OCR_CONFIDENCE,
    OCR_STATUS,
    OCR_WORDS,
    ROTATION,
    SHARPNESS,
    TEXT,
    WIDTH,
)
from leaflet_tool.settings import AUDIT

READ, POOR, NONE = "read", "poor", "none"
MAD = 1.4826
"""Standard deviations of a normal sample in its median absolute deviation."""


def numbers(pages: pd.DataFrame, column: str) -> pd.Series:
    """A manifest's column as numbers, NaN where it is empty or missing."""
    return pd.to_numeric(_column(pages, column), errors="coerce").astype(float)


def _column(pages: pd.DataFrame, name: str) -> pd.Series:
    return pages[name] if name in pages else pd.Series("", index=pages.index)


def text_quality(pages: pd.DataFrame) -> pd.Series:
    """read, poor or none: whether each page's text is enough to judge by, and read with some certainty."""
    words = pages[TEXT].str.split().map(len)
    unsure = numbers(pages, OCR_CONFIDENCE) < AUDIT.poor_confidence
    quality = pd.Series(READ, index=pages.index).mask((words < AUDIT.poor_words) | unsure, POOR)
    return quality.mask(words == 0, NONE)


def faults(pages: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What is the matter with pages that have an image, by its name, each page with one thing at most.

    Each frame has the pages' index, a `score` from 0 to 1, and a `reason`.
    """
    seen = pages[pages[IMAGE] != ""]
    found: dict[str, pd.DataFrame] = {}
    for name, look in LOOKS.items():
        found[name] = look(seen)
        seen = seen.drop(index=found[name].index)
    return found


def _blank(pages: pd.DataFrame) -> pd.DataFrame:
    """Nothing printed: no grain, and no words where somebody looked for them."""
    sharpness, words = numbers(pages, SHARPNESS), numbers(pages, OCR_WORDS)
    worded = (words > 0) | (words.isna() & (pages[TEXT].str.strip() != ""))
    bad = (sharpness < AUDIT.blank_sharpness) & ~worded
    score = 1 - sharpness / AUDIT.blank_sharpness / 2
    return _told(pages, bad, score, "nothing is printed on it (sharpness {:.0f})", sharpness)


def _dark(pages: pd.DataFrame) -> pd.DataFrame:
    brightness = numbers(pages, BRIGHTNESS)
    bad = _low(brightness, brightness, AUDIT.dark_brightness, AUDIT.dark_at_most)
    return _told(pages, bad, 1 - brightness / 255, "it is dark (mean grey level {:.0f} of 255)", brightness)


def _blurred(pages: pd.DataFrame) -> pd.DataFrame:
    sharpness = numbers(pages, SHARPNESS)
    bad = _low(sharpness, np.log1p(sharpness), AUDIT.blurred_sharpness, AUDIT.blurred_at_most)
    score = 1 - sharpness / AUDIT.blurred_at_most / 2
    return _told(pages, bad, score, "it is blurred or nearly empty (sharpness {:.0f})", sharpness)


def _low(values: pd.Series, compared: pd.Series, limit: float, loose: float) -> pd.Series:
    middle = compared.median()
    spread = MAD * (compared - middle).abs().median()
    return (values < limit) | ((values < loose) & (compared < middle - AUDIT.page_spread * spread))


def _sideways(pages: pd.DataFrame) -> pd.DataFrame:
    """Pages that prepare left as they were, because nothing told how they lie, and whose text is not to be read.

    A page that it did turn stands upright. Few words alone say nothing: photographs have none.
    """
    confidence, words = numbers(pages, OCR_CONFIDENCE), numbers(pages, OCR_WORDS)
    unturned = _column(pages, ROTATION).isin(["0", ""]) & pages[OCR_STATUS].eq("read")
    wide = numbers(pages, WIDTH) > numbers(pages, HEIGHT)
    unlike = wide if wide.mean() < 1 / 2 else ~wide
    least = np.where(unlike, AUDIT.sideways_words_unlike, AUDIT.sideways_words)
    limit = np.where(unlike, AUDIT.sideways_confidence_unlike, AUDIT.sideways_confidence)
    bad = unturned & (words >= least) & (confidence < limit)
    reason = "it may lie on its side: what was read is mostly no words (Tesseract's confidence {:.0f} of 100)"
    return _told(pages, bad, 1 - confidence / 100, reason, confidence)


def _told(pages: pd.DataFrame, bad: pd.Series, score: pd.Series, reason: str, value: pd.Series) -> pd.DataFrame:
    rows = pages.index[bad.fillna(False)]
    return pd.DataFrame({"score": score[rows].clip(0, 1), "reason": [reason.format(value[row]) for row in rows]}, rows)


LOOKS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "blank": _blank,
    "dark": _dark,
    "blurred": _blurred,
    "sideways": _sideways,
}
