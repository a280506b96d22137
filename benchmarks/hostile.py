"""Prepares an archive of files that break image readers: what is kept, what is skipped and why, and the memory it took.

    python benchmarks/hostile.py ARCHIVE [--workers 2] [--no-ocr]

The peak is that of the largest process that was started, a worker or its Tesseract (resident set), as the operating
system counted it; Linux counts what the parent held when it started a worker as the least.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from leaflet_tool.manifest import read_table
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare


def main() -> None:
    """Prints the sum, each reason with its count, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--no-ocr", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        definition = overridden(load("class_folders"), {"ocr.engine": "none"} if options.no_ocr else {})
        told = prepare(options.archive, Path(scratch), definition, workers=options.workers)
        seconds = time.perf_counter() - started
        reasons = Counter(read_table(Path(scratch) / "skipped.csv")["reason"])
    skipped = sum(reasons.values())
    print(f"found {told['found']} = kept {told['kept']} + skipped {skipped}: {told['found'] == told['kept'] + skipped}")
    for reason, count in reasons.most_common():
        print(f"{count:>5}  {reason}")
    print(f"seconds: {seconds:.1f}")
    print(f"peak memory of a worker: {peak():.0f} MB")


def peak() -> float:
    """Largest resident set of a process that was started and has ended, megabytes."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


if __name__ == "__main__":
    main()
