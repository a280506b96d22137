"""How time and memory of `prepare` grow with the archive: small images, texts given, in fresh processes.

    python benchmarks/scale.py [--rows 2000 20000]

Memory is the peak of the main process (resident set); the workers' is bounded, see benchmarks/hostile.py.
"""

import argparse
import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

CLASSES = 20
WORDS = [f"word{number}" for number in range(3000)]


def main() -> None:
    """Prints a row a size, then what the largest takes beyond the smallest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--inside", type=Path, nargs=2, metavar=("TABLE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(*options.inside)
    print("  rows    first run s   again s   peak MB")
    found = [trial(rows) for rows in options.rows]
    few, many = options.rows[0], options.rows[-1]
    (first, again, low), (first_many, again_many, high) = found[0], found[-1]
    print(
        f"{many / few:g} times the rows: {first_many / first:.1f} times the time, again {again_many / again:.1f} times"
    )
    print(f"memory: {high - low:+.0f} MB")


def trial(rows: int) -> tuple[float, float, float]:
    """Seconds of the first and of a second run, and the first one's peak memory in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        table, out = draw(Path(scratch) / "archive", rows), Path(scratch) / "out"
        seconds, peaks = [], []
        for _ in range(2):
            started = time.perf_counter()
            command = [sys.executable, __file__, "--inside", table, out]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            seconds.append(time.perf_counter() - started)
            peaks.append(float(told))
    print(f"{rows:>6}  {seconds[0]:>12.1f}  {seconds[1]:>8.1f}  {max(peaks):>8.0f}", flush=True)
    return seconds[0], seconds[1], max(peaks)


def inside(table: Path, out: Path) -> None:
    """Prepares, and prints the peak memory of this process in MB."""
    from leaflet_tool.prepare import sources
    from leaflet_tool.prepare.dataset import load
    from leaflet_tool.prepare.recipe import prepare

    prepare(table, out, sources.resolved(table, load("table")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024))


def draw(folder: Path, rows: int) -> Path:
    """A table of distinct small images with a text of 60 words each, in classes and leaflets of four pages."""
    chance = random.Random(rows)
    (folder / "images").mkdir(parents=True)
    with (folder / "rows.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "text", "label", "group"])
        for number in range(rows):
            name = f"images/{number}.jpg"
            Image.frombytes("L", (12, 9), chance.randbytes(108)).resize((96, 72)).save(folder / name)
            text = " ".join(chance.choices(WORDS, k=60))
            table.writerow([name, text, f"class {chance.randrange(CLASSES)}", f"leaflet {number // 4}"])
    return folder / "rows.csv"


if __name__ == "__main__":
    main()
