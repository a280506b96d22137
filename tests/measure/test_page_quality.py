"""Pages that show too little: limits, what lies far from the archive's own, and what prepare already turned."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure.page_quality import faults, text_quality

PLAIN = {"image": "i.png", "text": "some words here", "ocr_status": "read", "width": "600", "height": "800"}
PLAIN |= {"brightness": "200", "sharpness": "900", "rotation": "0", "ocr_words": "50", "ocr_confidence": "90"}


def pages(*odd: dict[str, str], count: int = 30) -> pd.DataFrame:
    """Plain pages, and first those that are odd."""
    chance = np.random.default_rng(1)
    others = [{**PLAIN, "sharpness": f"{900 + chance.normal(0, 60):.1f}"} for _ in range(count)]
    return pd.DataFrame([*({**PLAIN, **each} for each in odd), *others])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"sharpness": "9", "ocr_words": "0", "text": ""}, "blank"),
        ({"sharpness": "9", "ocr_words": "", "text": ""}, "blank"),
        ({"sharpness": "9", "ocr_words": "12"}, "blurred"),
        ({"sharpness": "40"}, "blurred"),
        ({"sharpness": "120"}, "blurred"),
        ({"sharpness": "400"}, ""),
        ({"brightness": "40"}, "dark"),
        ({"brightness": "85"}, "dark"),
        ({"brightness": "120"}, ""),
        ({"ocr_confidence": "25"}, "sideways"),
        ({"ocr_confidence": "25", "rotation": "90"}, ""),
        ({"ocr_confidence": "25", "ocr_words": "4"}, ""),
        ({"ocr_confidence": "55"}, ""),
        ({"ocr_confidence": "55", "width": "900", "ocr_words": "4"}, "sideways"),
        ({"image": "", "sharpness": "", "brightness": "", "ocr_confidence": "", "ocr_words": ""}, ""),
        ({"sharpness": "", "brightness": "", "ocr_confidence": "", "ocr_words": ""}, ""),
    ],
)
def test_a_page_is_listed_for_what_is_the_matter_with_it(cells: dict[str, str], kind: str) -> None:
    frame = pages(cells)
    found = {name: list(rows.index) for name, rows in faults(frame).items() if len(rows)}
    assert found == ({kind: [0]} if kind else {})


def test_an_archive_of_soft_pages_is_not_flagged_wholesale() -> None:
    frame = pages().assign(sharpness=[str(100 + number) for number in range(30)])
    assert not any(len(rows) for rows in faults(frame).values())


def test_an_archive_of_dark_pictures_is_not_flagged_wholesale() -> None:
    frame = pages().assign(brightness=[str(20 + 4 * number) for number in range(30)])
    assert not any(len(rows) for rows in faults(frame).values())


def test_the_worse_a_page_the_higher_its_score() -> None:
    found = faults(pages({"sharpness": "22"}, {"sharpness": "40"}))["blurred"]
    assert found["score"][0] > found["score"][1]
    assert found["score"].between(0, 1).all()
    assert "sharpness 22" in found["reason"][0]


def test_a_manifest_without_these_columns_has_no_faults() -> None:
    frame = pages()[["image", "text", "ocr_status"]]
    assert not any(len(rows) for rows in faults(frame).values())


def test_text_that_is_short_or_badly_read_is_poor() -> None:
    long = "one two three four five six seven eight nine"
    frame = pages({"text": ""}, {"text": "few words"}, {"text": long}, {"text": long, "ocr_confidence": "20"}, count=0)
    assert text_quality(frame).tolist() == ["none", "poor", "read", "poor"]
