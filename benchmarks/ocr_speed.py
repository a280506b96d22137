"""Pages a second of `prepare`'s reading against other ways to run Tesseract, on the same pictures in one run.

    python benchmarks/ocr_speed.py ARCHIVE [--pages 66] [--rounds 5] [--plain-rounds 2] [--again 1000]

All read the same pictures: the renditions that `prepare` makes of ARCHIVE's images (grey, bounded, enlarged), with
orientation off. The first three get them ready made, as PGM files; ours makes them from the originals, and that is in
its time. The four take turns in every round, a and b in the first ones only, as they take long. Ratios are medians of
the rounds' ratios.

    a  pytesseract.image_to_string, one page after the other
    b  the same with OMP_THREAD_LIMIT=1
    c  two `tesseract` processes, each fed with a list file and writing TSV: the limit
    d  ours: leaflet_tool.prepare.readings, from originals to kept readings

Then what finding the orientation costs, and a second `prepare` over unchanged pages against the first.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Literal

from PIL import Image

from leaflet_tool.prepare.formats import SUFFIXES
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.ocr import tesseract_version
from leaflet_tool.prepare.reading import Page
from leaflet_tool.prepare.readings import read_pages
from leaflet_tool.prepare.rendition import deskewed, rendition

WORKERS = 2
DETECTED = "d'"


def main() -> None:
    """Prints seconds and pages a second of each, then the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--pages", type=int, default=66)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain-rounds", type=int, default=2)
    parser.add_argument("--again", type=int, default=0, metavar="PAGES", help="also prepare so many pages twice")
    options = parser.parse_args()
    originals = [path for path in sorted(options.archive.rglob("*")) if path.suffix.lower() in SUFFIXES]
    with tempfile.TemporaryDirectory() as scratch:
        compare(originals[: options.pages], options.rounds, options.plain_rounds, Path(scratch))
        if options.again:
            prepare_twice(originals, options.again, Path(scratch))


def compare(originals: list[Path], rounds: int, plain_rounds: int, scratch: Path) -> None:
    """The four ways in turn, and ours with the orientation found too."""
    pictures = []
    for number, original in enumerate(originals):
        pictures.append(scratch / f"{number:04d}.pgm")
        deskewed(rendition(original)).save(pictures[-1])
    ways: dict[str, Callable[[], None]] = {
        "a  pytesseract loop": lambda: loop(pictures, dict(os.environ)),
        "b  pytesseract loop, one thread": lambda: loop(pictures, {**os.environ, "OMP_THREAD_LIMIT": "1"}),
        "c  two tesseracts with list files": lambda: list_files(pictures, scratch),
        "d  ours": lambda: ours(originals, "none"),
        "d' ours, orientation found": lambda: ours(originals, "detect"),
    }
    times: dict[str, list[float]] = {name.split()[0]: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            if number < plain_rounds or name[0] not in "ab":
                started = time.perf_counter()
                way()
                seconds = time.perf_counter() - started
                times[name.split()[0]].append(seconds)
                print(f"round {number + 1}  {name:34} {len(originals) / seconds:6.2f} pages/s", flush=True)
    print(f"{len(originals)} pages, {WORKERS} workers")
    for rival in "abc":
        print(f"d/{rival} {ratio(times[rival], times['d']):.2f}")
    print(f"finding the orientation takes {ratio(times[DETECTED], times['d']):.2f} times as long")


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median of the rounds' ratios."""
    return median(one / other for one, other in zip(slow, fast, strict=False))


def loop(pictures: list[Path], variables: dict[str, str]) -> None:
    """What most scripts do; `variables` are Tesseract's environment."""
    import pytesseract  # not with this file, which workers import as they begin, and pandas would come with it

    before, pytesseract.pytesseract.environ = pytesseract.pytesseract.environ, variables
    try:
        for picture in pictures:
            pytesseract.image_to_string(Image.open(picture), lang="eng", config="--psm 3")
    finally:
        pytesseract.pytesseract.environ = before


def list_files(pictures: list[Path], scratch: Path) -> None:
    """Nothing but Tesseract, its model loaded once a process, half of the pages each."""
    running = []
    for worker in range(WORKERS):
        names = scratch / f"list{worker}.txt"
        names.write_text("".join(f"{picture}\n" for picture in pictures[worker::WORKERS]))
        command = ["tesseract", str(names), str(scratch / f"out{worker}"), "-l", "eng", "--psm", "3", "tsv"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        running.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit("a tesseract failed")


def ours(originals: list[Path], orientation: Literal["detect", "none"]) -> None:
    """From originals to readings in a cache that was empty."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        pages = [Page(path, 0, page_digest(path, 0), "eng", 3, orientation) for path in originals]
        read = read_pages(pages, tesseract_version("eng"), workers=WORKERS)
        if any(reading.status == "failed" for reading in read):
            raise SystemExit("a page could not be read")


def prepare_twice(originals: list[Path], pages: int, scratch: Path) -> None:
    """The whole of `prepare` on so many different pages, and again when nothing has changed."""
    # here, because workers import this module too, and reading needs none of it
    from leaflet_tool.prepare.dataset import load, overridden
    from leaflet_tool.prepare.recipe import prepare

    archive = scratch / "archive"
    for number in range(pages):
        original = originals[number % len(originals)]
        target = archive / "ab"[number % 2] / f"{number}{original.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        # bytes after a picture's end change its digest and nothing else: each page is read, none is found in the cache
        target.write_bytes(original.read_bytes() + str(number).encode())
    os.environ["XDG_CACHE_HOME"] = str(scratch / "cache")
    dataset, times = overridden(load("class_folders"), {"duplicates.near": False, "duplicates.text": False}), []
    for _ in range(2):
        started = time.perf_counter()
        told = prepare(archive, scratch / "prepared", dataset, workers=WORKERS)
        times.append(time.perf_counter() - started)
    print(f"prepare, {told['kept']} pages: {times[0]:.1f} s; again: {times[1]:.1f} s; {times[0] / times[1]:.0f} times")


if __name__ == "__main__":
    main()
