"""Near duplicates: pairs of different pages that are taken for one, copies of a page that are found, and the time.

    python benchmarks/duplicates.py FOLDER [FOLDER …] [--every 1]

Each folder holds images of which no two show the same page. A pair counts when `duplicates.pairs` would tie it at that
distance. `coarse only` is what the hash of 64 bits would take for one alone. The times are those of random hashes, of
which one in ten has a near copy.
"""

import argparse
import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageEnhance

from leaflet_tool.manifest import SHARPNESS, TEXT
from leaflet_tool.prepare.dataset import Duplicates
from leaflet_tool.prepare.duplicates import FINE_BITS, NEAR, components, pairs
from leaflet_tool.prepare.formats import SUFFIXES
from leaflet_tool.prepare.images import SEEN_SIDE, perceptual_hashes, upright
from leaflet_tool.prepare.sources.rows import DIGEST, FINE, PHASH
from leaflet_tool.settings import PREPARE

DISTANCES = (0, 2, 4, 6, 8, 10, 12)
ROWS = (2_000, 20_000, 200_000)
Bits = np.ndarray


def main() -> None:
    """Prints a table a folder, then the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--every", type=int, default=1, help="take one image in so many")
    options = parser.parse_args()
    for folder in options.folders:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        show(folder, paths[:: options.every])
    times()


def show(folder: Path, paths: list[Path]) -> None:
    """The table of one folder: a line a distance, the default marked."""
    originals: list[tuple[Bits, Bits]] = []
    copies: dict[str, list[tuple[Bits, Bits]]] = {}
    for path in paths:
        page, _ = upright(path.read_bytes(), 2 * PREPARE.max_side)
        page.thumbnail((PREPARE.max_side, PREPARE.max_side), Image.Resampling.LANCZOS)
        originals.append(bits(page))
        for name, copy in altered(page):
            copies.setdefault(name, []).append(bits(copy))
    coarse, fine = apart(originals, originals, all_pairs=True)
    print(f"\n{folder}: {len(paths)} pages, {len(coarse)} pairs of different ones")
    print("bits  coarse only  false  " + "  ".join(copies))
    for distance in DISTANCES:
        close = (coarse <= distance) & (fine <= FINE_BITS * distance)
        found = [np.mean(np.all(within(originals, made, distance), axis=0)) for made in copies.values()]
        shares = "  ".join(f"{share:>{len(name)}.3f}" for share, name in zip(found, copies, strict=True))
        mark = "*" if distance == PREPARE.near_distance else " "
        print(f"{distance:>3}{mark}  {np.sum(coarse <= distance):>11}  {close.sum():>5}  {shares}")


def altered(page: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Copies of a page as archives hold them twice."""
    width, height = page.size
    yield "jpeg 30", jpeg(page, 30)
    yield "half", page.resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.LANCZOS)
    yield "third, jpeg 60", jpeg(page.resize((max(1, width // 3), max(1, height // 3))), 60)
    for share in (0.01, 0.02, 0.04):
        yield f"cut {share:.0%}", page.crop([round(x) for x in box(width, height, share)])  # type: ignore[arg-type]
    yield "30 % brighter", ImageEnhance.Brightness(page).enhance(1.3)
    yield "30 % darker", ImageEnhance.Brightness(page).enhance(0.7)
    yield "30 % paler", ImageEnhance.Contrast(page).enhance(0.7)
    yield "turned 1°", page.rotate(1, fillcolor="white", resample=Image.Resampling.BILINEAR)


def box(width: int, height: int, share: float) -> tuple[float, float, float, float]:
    """What is left when a share is cut off at each side."""
    return width * share, height * share, width * (1 - share), height * (1 - share)


def jpeg(page: Image.Image, quality: int) -> Image.Image:
    """The page after a round through JPEG."""
    file = io.BytesIO()
    page.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def bits(page: Image.Image) -> tuple[Bits, Bits]:
    """The coarse and the fine hash, a bit an element."""
    small = page.convert("L")
    small.thumbnail((SEEN_SIDE, SEEN_SIDE), Image.Resampling.LANCZOS)
    coarse, fine = (np.frombuffer(bytes.fromhex(text), dtype=np.uint8) for text in perceptual_hashes(small))
    return np.unpackbits(coarse), np.unpackbits(fine)


def apart(one: list[tuple[Bits, Bits]], other: list[tuple[Bits, Bits]], *, all_pairs: bool = False) -> list[Bits]:
    """Bits in which coarse and fine hashes differ, of corresponding pages or of all pairs."""
    found = []
    for kind in (0, 1):
        a, b = (np.array([hashes[kind] for hashes in side]) for side in (one, other))
        if all_pairs:
            rows, columns = np.triu_indices(len(a), 1)
            a, b = a[rows], b[columns]
        found.append((a != b).sum(axis=1))
    return found


def within(one: list[tuple[Bits, Bits]], other: list[tuple[Bits, Bits]], distance: int) -> list[Bits]:
    """Which corresponding pages are close enough by each hash."""
    coarse, fine = apart(one, other)
    return [coarse <= distance, fine <= FINE_BITS * distance]


def times() -> None:
    """Seconds for random hashes, by their number, and how many planted copies were found."""
    print(f"\n{'rows':>8}  seconds  found  pairs beyond the planted ones")
    for rows in ROWS:
        frame, planted = random_rows(rows)
        started = time.perf_counter()
        found = pairs(frame, Duplicates())
        seconds = time.perf_counter() - started
        near = found[found["kind"] == NEAR]
        part = components(near, len(frame))
        hits = sum(part[one] == part[other] for one, other in planted)
        print(f"{rows:>8}  {seconds:>7.2f}  {hits / len(planted):>5.1%}  {len(near) - hits}")


def random_rows(count: int) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """Rows with hashes of which one in ten has a copy that differs in up to the default distance, and those pairs."""
    chance = np.random.default_rng(0)
    hashes = chance.integers(0, 2**64, size=(count, 5), dtype=np.uint64)
    copies = count // 10
    for row in range(copies):
        flips = chance.choice(64, size=chance.integers(0, PREPARE.near_distance + 1), replace=False)
        hashes[count - 1 - row] = hashes[row]
        hashes[count - 1 - row, 0] ^= np.uint64(sum(1 << int(bit) for bit in flips))
    texts = [hashes[:, word].astype(">u8").tobytes().hex() for word in range(5)]
    words = [[text[16 * row : 16 * row + 16] for row in range(count)] for text in texts]
    columns = {PHASH: words[0], FINE: ["".join(parts) for parts in zip(*words[1:], strict=True)]}
    frame = pd.DataFrame(columns, dtype=str).assign(**{DIGEST: "", TEXT: "", SHARPNESS: "500"})
    return frame, [(row, count - 1 - row) for row in range(copies)]


if __name__ == "__main__":
    main()
