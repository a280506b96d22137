"""Which pictures of a page does Tesseract read best? A table of options, by which the defaults were chosen.

    python benchmarks/ocr_quality.py RECEIPTS SAMPLE LEAFLETS [--pages 32] [--options deskewed]

RECEIPTS: scanned receipts, each `.jpg` with its transcript beside it as `.txt`. SAMPLE: what `leaflet-tool sample`
draws, with the true texts. LEAFLETS: photographs without a transcript, so with Tesseract's own figures only.
Of each so many pages are taken, evenly spread.

Recall and precision are of words (letters and digits, lower case, each as often as it stands there), means over pages.
`certain` counts words of 3 letters and more with a confidence of 60 and more, `cpu` is Tesseract's seconds a page.
"""

import argparse
import csv
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from leaflet_tool.prepare.parallel import in_processes
from leaflet_tool.prepare.rendition import ENLARGED, PIXELS, deskewed, flattened, rendition
from leaflet_tool.prepare.tsv import pages

Step = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Option:
    """A rendition's pixels and enlargement, what is done to it, and what Tesseract is told."""

    pixels: int = PIXELS
    enlarged: float = ENLARGED
    steps: tuple[Step, ...] = (flattened, deskewed)
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """An image and what it says, if that is known."""

    path: Path
    truth: str | None


def stretched(picture: Image.Image) -> Image.Image:
    """The whole range of greys is used."""
    return ImageOps.autocontrast(picture, cutoff=1)


OPTIONS = {
    "as it is": Option(steps=()),
    "flattened": Option(steps=(flattened,)),
    "deskewed": Option(steps=(deskewed,)),
    "ours": Option(),
    "ours, 1.8 million": Option(pixels=1_800_000),
    "ours, 3.5 million": Option(pixels=3_500_000),
    "ours, not enlarged": Option(enlarged=1.0),
    "ours, enlarged x3": Option(enlarged=3.0),
    "ours and stretched": Option(steps=(flattened, deskewed, stretched)),
    "ours, Sauvola": Option(flags=("-c", "thresholding_method=2")),
    "ours, inverts less": Option(flags=("-c", "invert_threshold=0.5")),
}
"""Ours: flattened and deskewed, of 2.5 million pixels, small pages enlarged x2."""


def main() -> None:
    """Prints a row an option and set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("receipts", "sample", "leaflets"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--pages", type=int, default=32)
    parser.add_argument("--options", nargs="+", default=list(OPTIONS), choices=OPTIONS, metavar="OPTION")
    given = parser.parse_args()
    sets = {
        "receipts": list(transcribed(given.receipts)),
        "sample": list(drawn(given.sample)),
        "leaflets": [Item(path, None) for path in sorted(given.leaflets.rglob("*.jpg"))],
    }
    taken = [(title, item) for title, items in sets.items() for item in items[:: max(1, len(items) // given.pages)]]
    print(f"{'option':20} {'set':9} recall precision  words certain  conf    cpu")
    with in_processes(figures, [(OPTIONS[name], item) for name in given.options for _, item in taken]) as results:
        for name in given.options:
            rows = [(title, next(results)) for title, _ in taken]
            for title in sets:
                show(name, title, [row for of, row in rows if of == title])


def transcribed(folder: Path) -> Iterator[Item]:
    """Images with their transcripts."""
    for path in sorted(folder.rglob("*.txt")):
        if path.with_suffix(".jpg").exists():
            yield Item(path.with_suffix(".jpg"), path.read_text("utf-8", "replace"))


def drawn(folder: Path) -> Iterator[Item]:
    """The pages of a drawn archive with their true texts."""
    with (folder / "leaflets.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Item(folder / row["image"], row["true_text"])


def show(name: str, title: str, rows: Sequence[Sequence[float]]) -> None:
    """One row: the means."""
    recall, precision, count, certain, confidence, cpu = np.array(rows, dtype=float).mean(axis=0)
    print(
        f"{name:20} {title:9} {recall:6.3f} {precision:9.3f} {count:6.1f} {certain:7.1f} {confidence:5.1f} {cpu:6.2f}",
        flush=True,
    )


def figures(task: tuple[Option, Item]) -> tuple[float, ...]:
    """Recall, precision, words, certain words, confidence and seconds for one image."""
    option, item = task
    picture = rendition(item.path, pixels=option.pixels, enlarged=option.enlarged, steps=option.steps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.pgm")
        picture.save(path)
        command = ["tesseract", str(path), str(path), "-l", "eng", "--psm", "3", *option.flags, "tsv"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"Tesseract failed on {item.path}")
        (found,) = pages(path.with_suffix(".pgm.tsv").read_text("utf-8"))
    seconds = usage.ru_utime + usage.ru_stime
    own = (len(found.words), found.certain, found.confidence, seconds)
    if item.truth is None:
        return (float("nan"), float("nan"), *own)
    true, read = words(item.truth), words(found.text)
    both = (true & read).total()
    return (both / max(1, true.total()), both / max(1, read.total()), *own)


def words(text: str) -> Counter[str]:
    """Words with how often they stand in a text."""
    return Counter(re.findall(r"[^\W_]+", text.lower()))


if __name__ == "__main__":
    main()
