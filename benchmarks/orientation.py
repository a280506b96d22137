"""Do pages that lie on their side or head give the words of the upright page?

    python benchmarks/orientation.py FOLDER [--pages 66]

The truth is found by reading: every image is read in all four turns with nothing detected, and the turn in which most
words are certain is its upright one (pages with fewer than 10 certain words in it are left out, and counted). Then each
is set upright, turned by 90, 180 and 270 degrees and read with orientation detected. Word recall is against the upright
reading, on words of letters and digits in lower case, each counted as often as it stands there.
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from leaflet_tool.prepare.formats import SUFFIXES
from leaflet_tool.prepare.images import TURNS, page_digest, upright
from leaflet_tool.prepare.ocr import Recogniser
from leaflet_tool.prepare.orientation import SURE
from leaflet_tool.prepare.parallel import in_processes
from leaflet_tool.prepare.reading import Page, Reader
from leaflet_tool.prepare.rendition import deskewed, rendition
from leaflet_tool.settings import PREPARE

ENOUGH = 10
"""Certain words from which a page's upright turn is known."""


@dataclass(frozen=True)
class Outcome:
    """A page's word recall and whether the turn was right, by the turn it lay in."""

    name: str
    words: int
    recall: dict[int, float]
    right: dict[int, bool]
    certain: dict[int, float]
    """Share of certain words, where there are 10, when it is read as it lies."""
    osd: list[tuple[float, bool]]
    """Tesseract's confidence in a turn, and whether that turn is right; for all four."""


def main() -> None:
    """Prints a line a turn and the pages that came out worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=66)
    options = parser.parse_args()
    paths = [path for path in sorted(options.folder.rglob("*")) if path.suffix.lower() in SUFFIXES][: options.pages]
    with in_processes(outcome, paths) as outcomes:
        known = [each for each in outcomes if each]
    show(known, len(paths))


def show(known: Sequence[Outcome], pages: int) -> None:
    """The table, and what stands out of it."""
    print(f"{len(known)} pages; {pages - len(known)} have fewer than {ENOUGH} certain words in any turn")
    print("turned by  mean recall  pages >= 0.9  turn right")
    for turn in (0, *TURNS):
        recall = [each.recall[turn] for each in known]
        right = sum(each.right[turn] for each in known)
        print(
            f"{turn:>9}  {sum(recall) / len(recall):>11.3f}  {sum(value >= 0.9 for value in recall):>12}  {right:>10}"
        )
    turned = [each.recall[turn] for each in known for turn in TURNS]
    print(f"all turned: mean recall {sum(turned) / len(turned):.3f}")
    upright = [each.certain[0] for each in known]
    lying = sorted(each.certain[turn] for each in known for turn in TURNS if turn in each.certain)
    print(f"share of certain words, read as they lie: upright from {min(upright):.2f}; turned {lying[-3:]} at most")
    osd = [answer for each in known for answer in each.osd]
    for low, high in ((0, 1), (1, SURE), (SURE, 1000)):
        told = [right for confidence, right in osd if low <= confidence < high]
        print(f"osd with a confidence of {low} to {high}: right {sum(told)} of {len(told)}")
    print(f"osd says nothing: {4 * len(known) - len(osd)}")
    for each in sorted(known, key=lambda each: min(each.recall.values()))[:5]:
        print(f"  lowest: {each.name} {each.recall} of {each.words} words")


def outcome(path: Path) -> Outcome | None:
    """What becomes of one page in its four turns; None where its upright turn cannot be told."""
    timeout = PREPARE.ocr_timeout
    with tempfile.TemporaryDirectory() as folder, closing(Recogniser("eng", 3)) as engine, closing(Reader()) as reader:
        files = turned(path, Path(folder))
        images = [file.with_suffix(".pgm") for file in files.values()]
        for file, image in zip(files.values(), images, strict=True):
            deskewed(rendition(file)).save(image)
        found = {turn: engine.recognised(image, timeout) for turn, image in zip(files, images, strict=True)}
        best = max(found, key=lambda turn: found[turn].certain)
        if found[best].certain < ENOUGH:
            return None
        given = {turn: files[(best + turn) % 360] for turn in files}
        readings = {
            turn: reader(Page(file, 0, page_digest(file, 0), "eng", 3, "detect")) for turn, file in given.items()
        }
        osd = [engine.turn(file.with_suffix(".pgm"), timeout) for file in given.values()]
    truth = words(found[best].text)
    lying = {turn: found[(best + turn) % 360] for turn in given}
    return Outcome(
        path.name,
        truth.total(),
        {turn: (truth & words(reading.text)).total() / truth.total() for turn, reading in readings.items()},
        {turn: reading.rotation == str(-turn % 360) for turn, reading in readings.items()},
        {turn: each.certain / len(each.words) for turn, each in lying.items() if each.certain >= ENOUGH},
        [(said.confidence, said.turn == -turn % 360) for turn, said in zip(given, osd, strict=True) if said],
    )


def turned(path: Path, folder: Path) -> dict[int, Path]:
    """The page in its four turns, without loss, by degrees clockwise."""
    page, _ = upright(path, 10**6)
    files = {turn: folder / f"{turn}.png" for turn in (0, *TURNS)}
    for turn, file in files.items():
        (page.transpose(TURNS[turn]) if turn else page).save(file, compress_level=1)
    return files


def words(text: str) -> Counter[str]:
    """Words with how often they stand in a text."""
    return Counter(re.findall(r"[^\W_]+", text.lower()))


if __name__ == "__main__":
    main()
