"""Reading on real pages: as good as measured when the defaults were chosen."""

import shutil
from pathlib import Path

import pytest

from benchmarks.ocr_quality import Option, figures, transcribed
from benchmarks.orientation import outcome
from leaflet_tool.prepare.images import TURNS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed"),
]


def test_turned_leaflets_give_the_words_of_the_upright_page(shared_data: Path) -> None:
    paths = sorted((shared_data / "leaflets" / "images").rglob("*.jpg"))[::8]
    known = [found for path in paths if (found := outcome(path))]
    assert len(known) >= len(paths) // 2
    recall = [found.recall[turn] for found in known for turn in TURNS]
    right = [found.right[turn] for found in known for turn in TURNS]
    assert sum(recall) / len(recall) >= 0.9
    assert sum(right) / len(right) >= 0.9


def test_receipts_read_as_their_transcripts_say(shared_data: Path) -> None:
    items = list(transcribed(shared_data / "receipts"))[::20]
    rows = [figures((Option(), item)) for item in items]
    recall, precision = (sum(row[column] for row in rows) / len(rows) for column in (0, 1))
    assert recall >= 0.7
    assert precision >= 0.7
