"""What of a prepared folder wants attention before anybody trains on it, the gravest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from leaflet_tool.manifest import LABEL_BEFORE, OCR_CONFIDENCE, OCR_STATUS, ROTATION, SPLITS
from leaflet_tool.prepare.output import UNCORRECTED
from leaflet_tool.results.data_contents import CROSSES, DISAGREE, LEAFLETS, PAGES, REASON, Contents
from leaflet_tool.results.words import counted, listed, percent, quoted, some

FEW_LEAFLETS = 5
"""A class with fewer leaflets has at best one to validate on and one to test on."""
UNSURE = 60
"""Below this mean confidence much of a page is usually misread."""
LOPSIDED = 20
"""The commonest class has so many times the pages of the rarest."""
EXPECTED = {"not an image", "rare class", "class is full"}
"""Reasons for leaving an input out that nobody needs to look into."""


@dataclass(frozen=True)
class Finding:
    """What is the matter, what it means, and the section that shows it."""

    what: str
    why: str
    section: str


def found(contents: Contents) -> list[Finding]:
    """Everything that stands out; empty where nothing does."""
    return [finding for look in LOOKS for finding in look(contents)]


def _disagreeing(contents: Contents) -> Iterator[Finding]:
    if pairs := contents.pairs(DISAGREE):
        verb = "has" if pairs == 1 else "have"
        yield Finding(
            f"{counted(pairs, 'pair')} of duplicates {verb} different labels",
            "At least one label of such a pair is doubtful, and a model is taught both.",
            "disagreeing",
        )


def _crossing(contents: Contents) -> Iterator[Finding]:
    if contents.torn:
        verb = "lies" if contents.torn == 1 else "lie"
        yield Finding(
            f"{counted(contents.torn, 'leaflet')} {verb} in more than one split",
            "A model is tested on what it has learned from, and looks better than it is.",
            "splits",
        )
    if pairs := contents.pairs(CROSSES):
        yield Finding(
            f"{counted(pairs, 'pair')} of duplicates {'crosses' if pairs == 1 else 'cross'} from one split to another",
            "A model is tested on what it has learned from, and looks better than it is.",
            "duplicates",
        )


def _empty_splits(contents: Contents) -> Iterator[Finding]:
    shares = contents.setting("split", "fractions") or [1] * len(SPLITS)
    for split, share in zip(SPLITS, shares, strict=True):
        if share and not contents.splits[split]:
            yield Finding(f"The {split} split is empty", "There are too few leaflets to fill it.", "splits")


def _rare(contents: Contents) -> Iterator[Finding]:
    classes = contents.classes
    without = {
        split: [str(name) for name in classes.index[classes[split] == 0]] for split in SPLITS if contents.splits[split]
    }
    if untrained := without.get("train"):
        yield Finding(
            f"{counted(len(untrained), 'class')} without a training page",
            f"A model cannot learn what it never sees: {quoted(untrained)}.",
            "splits",
        )
    if untested := sorted(set(without.get("validation", [])) | set(without.get("test", []))):
        yield Finding(
            f"{counted(len(untested), 'class')} without a page to validate or to test on",
            f"Nothing will be known about how well they are recognised: {quoted(untested)}.",
            "splits",
        )
    rare = [str(name) for name in classes.index[classes[LEAFLETS] < FEW_LEAFLETS]]
    if rare:
        yield Finding(
            f"{counted(len(rare), 'class')} with fewer than {FEW_LEAFLETS} leaflets",
            f"Too rare to learn or to judge: {quoted(rare)}. Leave them out with --rare drop, or put them together "
            "with --rare other.",
            "classes",
        )


def _lopsided(contents: Contents) -> Iterator[Finding]:
    counts = contents.classes[PAGES]
    if len(counts) < 2 or counts.iloc[0] < LOPSIDED * counts.iloc[-1]:
        return
    ends = [f"{quoted([str(counts.index[end])])} has {counted(int(counts.iloc[end]), 'page')}" for end in (0, -1)]
    yield Finding(
        "The classes are of very different size",
        f"{listed(ends)}. Plain accuracy hardly notices the rare ones; macro F1 counts all classes the same.",
        "classes",
    )


def _unlabelled(contents: Contents) -> Iterator[Finding]:
    if without := sum(not labels for labels in contents.labels):
        yield Finding(f"{counted(without, 'page')} without any label", "A model learns that none applies.", "labels")


def _unused(contents: Contents) -> Iterator[Finding]:
    if unused := contents.facts.get("unused_labels"):
        yield Finding(
            f"{counted(len(unused), 'label')} of the taxonomy that no page has",
            f"A model cannot learn what it never sees: {quoted(unused)}.",
            "labels",
        )


def _unread(contents: Contents) -> Iterator[Finding]:
    statuses, total = contents.frame[OCR_STATUS], len(contents.frame)
    for status, why in (
        ("failed", "Tesseract gave up, so nobody knows what they say."),
        ("blank", "Tesseract found no words there: photographs, empty pages, or what it cannot read."),
    ):
        if count := int((statuses == status).sum()):
            what = {"failed": "could not be read", "blank": "without text"}[status]
            yield Finding(f"{counted(count, 'page')} {what} ({percent(count, total)})", why, "text")
    confidence = contents.numbers(OCR_CONFIDENCE)
    if unsure := int((confidence < UNSURE).sum()):
        yield Finding(
            f"{counted(unsure, 'page')} that Tesseract is unsure of ({percent(unsure, len(confidence))} of those read)",
            f"Its mean confidence is below {UNSURE} of 100: expect many wrong words.",
            "text",
        )


def _sideways(contents: Contents) -> Iterator[Finding]:
    turns = contents.column(ROTATION)
    if turned := int(turns.isin(("90", "180", "270")).sum()):
        yield Finding(
            f"{counted(turned, 'page')} lay on the side or stood on the head ({percent(turned, len(turns))})",
            "They were turned upright; the originals are as they were. Look whether they stand right now.",
            "text",
        )


def _skipped(contents: Contents) -> Iterator[Finding]:
    reasons = contents.skipped.loc[~contents.skipped[REASON].isin(EXPECTED), REASON].value_counts()
    if len(reasons):
        what = f"{counted(int(reasons.sum()), 'input')} could not be used"
        yield Finding(what, f"{some([f'{reason} ({n:,})' for reason, n in reasons.items()])}.", "skipped")


def _gone(contents: Contents) -> Iterator[Finding]:
    told = contents.facts
    if told.get("removed") or told.get("changed"):
        yield Finding(
            "The archive is not what it was at the last run",
            f"Pages removed: {told.get('removed', 0):,}, changed: {told.get('changed', 0):,}, "
            f"added: {told.get('added', 0):,}.",
            "method",
        )


def _corrected(contents: Contents) -> Iterator[Finding]:
    told = contents.facts.get("corrections") or {}
    if left := told.get("left"):
        yield Finding(
            f"{counted(sum(left.values()), 'correction')} of a review could not be applied",
            f"{some([f'{reason} ({n:,})' for reason, n in left.items()])}; {UNCORRECTED} lists them.",
            "method",
        )
    if changed := told.get("changed"):
        verb = "has a corrected label" if changed == 1 else "have corrected labels"
        yield Finding(
            f"{counted(changed, 'page')} {verb}",
            f"A review decided so; the column {LABEL_BEFORE} of the manifest keeps the ones before.",
            "method",
        )


LOOKS: tuple[Callable[[Contents], Iterator[Finding]], ...] = (
    _disagreeing,
    _crossing,
    _empty_splits,
    _rare,
    _lopsided,
    _unlabelled,
    _unused,
    _unread,
    _sideways,
    _skipped,
    _gone,
    _corrected,
)
