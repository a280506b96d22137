"""Kills `prepare` at random moments and runs it again: is the outcome that of an undisturbed run?

    python benchmarks/interruptions.py [--kills 20] [--images 200] [--seed 1]

Every round starts with an empty folder and an empty cache of texts, kills the command (SIGKILL) somewhere between its
start and the time an undisturbed run takes, and runs it again, to the end. What is compared, byte for byte: the
manifest, every working copy, skipped.csv, duplicates.csv and the exports. Before that, two begin at once on one folder:
the second must say so and stop, and the first must end as if alone.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from PIL import Image, ImageDraw, ImageFont

from leaflet_tool.prepare.output import IMAGES

PASSING = {"prepare.json", "croissant.json", "report.html"}
"""Files that say when they were written, or where."""


def main() -> None:
    """Prints a line a round, and how many ended as the undisturbed run did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    apart = two_at_once(options.images)
    print(f"of two at once, the second stopped and the first ended as if alone: {apart}", flush=True)
    same = sum(trials(options.kills, options.images, options.seed))
    print(f"{same} of {options.kills} interrupted preparations ended byte for byte as the undisturbed one")
    sys.exit(same != options.kills or not apart)


def two_at_once(images: int) -> bool:
    """Whether the second `prepare` on one folder stops with what it has to say, and the first is not disturbed."""
    with tempfile.TemporaryDirectory() as scratch:
        archive, out = draw(Path(scratch) / "archive", images), Path(scratch) / "out"
        run(archive, out, Path(scratch) / "cache").wait()
        whole = digests(out)
        shutil.rmtree(out)
        first = run(archive, out, Path(scratch) / "other cache")
        while not (out / IMAGES).is_dir() and first.poll() is None:
            time.sleep(0.05)
        second = run(archive, out, Path(scratch) / "cache", stderr=subprocess.PIPE)
        said = second.communicate()[1].decode()
        return (second.returncode, first.wait()) == (3, 0) and "in use by another" in said and digests(out) == whole


def trials(kills: int, images: int, seed: int) -> list[bool]:
    """For each kill, whether the run after it left what an undisturbed run leaves."""
    chance = random.Random(seed)
    outcomes = []
    with tempfile.TemporaryDirectory() as scratch:
        archive, out = draw(Path(scratch) / "archive", images), Path(scratch) / "out"
        started = time.perf_counter()
        run(archive, out, Path(scratch) / "cache").wait()
        whole, seconds = digests(out), time.perf_counter() - started
        for number in range(kills):
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(Path(scratch) / "cache", ignore_errors=True)
            moment = chance.uniform(0.2, seconds)
            done = killed(run(archive, out, Path(scratch) / "cache"), moment)
            code = run(archive, out, Path(scratch) / "cache").wait()
            outcomes.append(code == 0 and digests(out) == whole)
            found = "the same" if outcomes[-1] else f"exit {code}, other bytes in {differing(out, whole)}"
            print(f"{number + 1:>3}  {'ended before' if done else 'killed after'} {moment:5.1f} s: {found}", flush=True)
    return outcomes


def draw(archive: Path, images: int) -> Path:
    """Class folders of small pages, every tenth on its side and every twentieth a copy of the one before."""
    font = ImageFont.load_default(size=40)
    for number in range(images):
        path = archive / "ab"[number % 2] / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page = Image.new("RGB", (700, 300), "white")
        shown = number - 2 if number % 20 == 19 else number
        lines = f"Leaflet {shown}\nVote for party {'ab'[number % 2]}\non the {shown % 28 + 1}th of May"
        ImageDraw.Draw(page).text((40, 50), lines, fill="black", font=font)
        page = page.rotate(90, expand=True) if number % 10 == 3 else page
        page.save(path)
    return archive


def run(archive: Path, out: Path, cache: Path, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """The command, begun."""
    command = [sys.executable, "-m", "leaflet_tool.cli.main", "prepare", archive, "--out", out, "--no-report"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)


def killed(running: subprocess.Popen[bytes], moment: float) -> bool:
    """Whether it had ended by itself; else it is killed, and its workers are given time to follow it."""
    try:
        running.wait(moment)
        return True
    except subprocess.TimeoutExpired:
        workers = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGKILL)
        running.wait()
        psutil.wait_procs(workers, timeout=30)
        return False


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of each file a person or a later stage reads."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    named = {path.relative_to(out).as_posix(): path for path in files}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in named.items()
        if not name.startswith(".") and name not in PASSING
    }


def differing(out: Path, whole: dict[str, str]) -> list[str]:
    """Files that are not as they should be."""
    found = digests(out)
    return sorted(name for name in found.keys() | whole.keys() if found.get(name) != whole.get(name))


if __name__ == "__main__":
    main()
