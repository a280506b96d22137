"""Duplicates: pages of the same bytes, of the same looks or of the same words, found without comparing every pair."""

import hashlib
import logging
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from leaflet_tool.manifest import FOLD, ID, IMAGE, SHARPNESS, SOURCE, SPLIT, TEXT
from leaflet_tool.prepare.dataset import Duplicates
from leaflet_tool.prepare.labels import joined
from leaflet_tool.prepare.sources.rows import DIGEST, FINE, LABEL, PHASH

KIND, DISTANCE, ONE, OTHER = "kind", "distance", "one", "other"
"""Columns of a frame of pairs: how two pages are the same, the bits in which their hashes differ, and their positions
in the frame of rows."""
EXACT, NEAR, SAME_TEXT = KINDS = ("exact", "near", "text")
DISAGREE, CROSSES = "labels_disagree", "crosses"

FINE_BITS = 6
"""Bits, of 256, in which the fine hashes of near duplicates may differ for each bit of `duplicates.distance`: pages
that share a layout have the same coarse hash sooner than the same fine one."""
EMPTY = 20.0
"""Sharpness below which a page shows too little for its hash to tell it from others: blank paper has 3 to 20 (to 50
where the sensor is noisy, and then its hash is noise too), printed pages 130 and more, a badly blurred one 40."""
FLAT = 1.0
"""Sharpness of a page without even a grain: many leaflets may hold the same empty page to the byte."""
CROWD = 30
"""Pages that may look alike, each one like the next, before they are taken for copies of a form and compared more
strictly; and leaflets that may hold the same empty page."""
REACH = 64
"""Pages beside it that a page is compared with among those that share two bands of their hashes."""
WORDS = 8
"""Words that pages must have at least to be duplicates by them: `Vote Green` is on many."""
WORD = re.compile(r"[^\W_]+")

log = logging.getLogger(__name__)
Positions = NDArray[np.intp]
Hashes = NDArray[np.uint64]


def pairs(frame: pd.DataFrame, settings: Duplicates) -> pd.DataFrame:
    """Pairs of duplicates that tie all of them together, the closest ones: fewer than there are rows.

    Near ones differ in `settings.distance` bits of 64 at most, and in FINE_BITS times as many bits of 256. Of copies of
    the same leaflet, poster or receipt that are within the default: recompressed, of half or a third of the size,
    darker, paler: all; turned by a degree: 91 to 100 %; 1 % cut off at each side: 86 to 100 %; 30 % brighter: 82 to
    99 %; 2 % cut off: 56 to 94 %; 4 % cut off: 8 % at most. Of 181,845 pairs of different leaflets or posters: none
    (at 10 bits none either, but one by the coarse hash alone). Of 20,910 pairs of receipts, which are forms: 134, at 4
    bits 9: hence that distance in datasets/receipts.yaml. `benchmarks/duplicates.py` prints the table.
    """
    found = [_exact(frame)]
    if settings.near:
        found.append(_near(frame, settings.distance))
    if settings.text:
        found.append(_same_text(frame[TEXT]))
    return _spanning(pd.concat(found, ignore_index=True), len(frame))


def _pairs(kind: str, one: Any, other: Any, distance: Any = 0) -> pd.DataFrame:
    return pd.DataFrame({ONE: one, OTHER: other}, dtype=np.int64).assign(**{DISTANCE: distance, KIND: kind})


def _exact(frame: pd.DataFrame) -> pd.DataFrame:
    digests = frame[DIGEST].reset_index(drop=True)
    crowded = digests.groupby(digests).transform("size") > CROWD
    return _pairs(EXACT, *_stars(digests.mask(crowded & (_sharpness(frame) < FLAT), "")))


def _same_text(texts: pd.Series) -> pd.DataFrame:
    return _pairs(SAME_TEXT, *_stars(texts.map(_words).reset_index(drop=True)))


def _words(text: str) -> str:
    """A digest of the letters and digits of a text, or nothing when it has few words."""
    words = WORD.findall(text.casefold())
    return hashlib.blake2b("".join(words).encode(), digest_size=16).hexdigest() if len(words) >= WORDS else ""


def _stars(keys: pd.Series) -> tuple[Positions, Positions]:
    """The first position of each key, and each later one that has it; an empty key is nobody's."""
    held = np.flatnonzero(keys.to_numpy() != "")
    codes, _ = pd.factorize(keys.to_numpy()[held])
    _, first = np.unique(codes, return_index=True)
    later = held != held[first[codes]] if len(held) else np.zeros(0, dtype=bool)
    return held[first[codes]][later] if len(held) else held, held[later]


def _sharpness(frame: pd.DataFrame) -> pd.Series:
    """Sharpness where it was measured, else endless."""
    return pd.to_numeric(frame[SHARPNESS], errors="coerce").fillna(np.inf).reset_index(drop=True)


def _near(frame: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Pairs of pages that look the same; of the same hashes each with the first page only."""
    coarse, fine = (frame[name].reset_index(drop=True) for name in (PHASH, FINE))
    keys = (coarse + " " + fine).where((coarse != "") & (_sharpness(frame) >= EMPTY), "")
    one, other = _stars(keys)
    distinct = np.flatnonzero((keys != "") & ~keys.duplicated())
    hashes, details = _coarse(coarse[distinct]), _fine(fine[distinct])
    a, b = _unique(close(hashes, distance), len(hashes))
    told = (fine.to_numpy()[distinct][a] != "") & (fine.to_numpy()[distinct][b] != "")
    apart = np.bitwise_count(details[a] ^ details[b]).sum(axis=1)
    a, b = (ends[~told | (apart <= FINE_BITS * distance)] for ends in (a, b))
    near = _pairs(NEAR, distinct[a], distinct[b], np.bitwise_count(hashes[a] ^ hashes[b]).astype(int))
    return _thinned(pd.concat([_pairs(NEAR, one, other), near], ignore_index=True), len(frame))


def _coarse(cells: pd.Series) -> Hashes:
    return np.array([int(cell, 16) for cell in cells], dtype=np.uint64)


def _fine(cells: pd.Series) -> Hashes:
    """Four words of 64 bits a page; zeros where there is no fine hash."""
    return np.frombuffer(b"".join(bytes.fromhex(cell or "0" * 64) for cell in cells), dtype=np.uint64).reshape(-1, 4)


def close(hashes: Hashes, distance: int) -> Iterator[tuple[Positions, Positions]]:
    """Pairs of distinct hashes that differ in `distance` bits at most; a pair may come several times.

    Cut into distance + 2 bands, two such hashes agree in two bands at least: for every two bands, those that agree in
    them are neighbours after sorting. None is missed unless more than REACH hashes agree in the same two bands.
    """
    bands = [sum(1 << int(bit) for bit in band) for band in np.array_split(np.arange(64), distance + 2)]
    for two in combinations(bands, 2):
        keys = hashes & np.uint64(sum(two))
        order = np.lexsort((hashes, keys))
        keys, ordered = keys[order], hashes[order]
        for shift in range(1, min(REACH, len(hashes) - 1) + 1):
            agree = keys[shift:] == keys[:-shift]
            if not agree.any():
                break
            agree &= np.bitwise_count(ordered[shift:] ^ ordered[:-shift]) <= distance
            yield order[:-shift][agree], order[shift:][agree]


def _unique(found: Iterator[tuple[Positions, Positions]], count: int) -> tuple[Positions, Positions]:
    """Each pair once."""
    codes = [np.unique(np.minimum(a, b) * count + np.maximum(a, b)) for a, b in found]
    one, other = np.divmod(np.unique(np.concatenate([np.zeros(0, dtype=np.intp), *codes])), max(count, 1))
    return one, other


def _thinned(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """The pairs without the farthest ones of each crowd, until it falls into parts of CROWD pages at most."""
    while True:
        part = components(found, count)
        crowd = pd.Series((np.bincount(part, minlength=1) > CROWD)[part[found[ONE]]], index=found.index)
        if not crowd.any():
            return found
        pages = len(np.unique(found.loc[crowd, [ONE, OTHER]]))
        log.info("%d pages look alike as forms do, one like the next: they are compared more strictly", pages)
        farthest = found[DISTANCE].groupby(part[found[ONE]]).transform("max")
        found = found[~crowd | (found[DISTANCE] < farthest)]


def components(found: pd.DataFrame, count: int) -> NDArray[np.int32]:
    """For each of `count` positions the number of the part that pairs tie it to."""
    links = coo_matrix((np.ones(len(found)), (found[ONE], found[OTHER])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1])


def _spanning(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """Of all pairs those that are needed to tie the same pages together, exact before near before text."""
    found = found.assign(
        weight=found[KIND].map({EXACT: 1, NEAR: 2, SAME_TEXT: 100}).astype(int) + found[DISTANCE].astype(int)
    )
    found = found.sort_values(["weight", ONE, OTHER], kind="stable").drop_duplicates([ONE, OTHER])
    links = coo_matrix((found["weight"].astype(float), (found[ONE], found[OTHER])), shape=(count, count))
    tree = minimum_spanning_tree(links.tocsr()).tocoo()
    kept = np.isin(found[ONE] * count + found[OTHER], tree.row.astype(np.int64) * count + tree.col)
    return found[kept].drop(columns="weight").reset_index(drop=True)


def table(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What duplicates.csv holds: a line a pair, those first whose labels disagree, then those that cross splits."""
    sides = {"a": frame.iloc[found[ONE]], "b": frame.iloc[found[OTHER]]}
    labels = frame.assign(**{LABEL: frame[LABEL].map(frozenset)})
    columns: dict[str, Any] = {
        KIND: found[KIND].to_numpy(),
        DISTANCE: found[DISTANCE].astype(str).where(found[KIND] != SAME_TEXT, "").to_numpy(),
    }
    for name in (ID, SOURCE, LABEL, SPLIT):
        for side, rows in sides.items():
            columns[f"{name}_{side}"] = rows[name].map(joined if name == LABEL else str).to_numpy()
    columns[DISAGREE] = np.where(apart(labels, found, LABEL), "yes", "no")
    columns[CROSSES] = np.where(apart(frame, found, SPLIT), "yes", "no")
    pairs = pd.DataFrame(columns, dtype=str)
    order = pairs[[DISAGREE, CROSSES]].eq("no").assign(kind=pairs[KIND].map(KINDS.index))
    return pairs.loc[order.sort_values([DISAGREE, CROSSES, KIND], kind="stable").index].reset_index(drop=True)


def apart(frame: pd.DataFrame, found: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Which pairs differ in a column."""
    one, other = (frame[column].to_numpy()[found[end]] for end in (ONE, OTHER))
    return np.asarray(one != other)


def counts(frame: pd.DataFrame, found: pd.DataFrame) -> dict[str, int | None]:
    """Pairs by kind, pages concerned, pairs whose labels disagree and pairs that lie in two splits or folds.

    Kinds that need the images are None as long as no image was looked at.
    """
    seen = frame[DIGEST].ne("").any() or not frame[IMAGE].ne("").any()
    labels = frame.assign(**{LABEL: frame[LABEL].map(frozenset)})
    return {
        **{kind: int((found[KIND] == kind).sum()) if seen or kind == SAME_TEXT else None for kind in KINDS},
        "pages": len(set(found[ONE]) | set(found[OTHER])),
        "disagreeing": int(apart(labels, found, LABEL).sum()),
        "crossing": int(apart(frame, found, SPLIT).sum()),
        "crossing_folds": int(apart(frame, found, FOLD).sum()),
    }
