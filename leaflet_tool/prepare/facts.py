"""prepare.json: what was done to which archive, and what an earlier prepare.json says about going on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool import __version__
from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, OCR_STATUS, SPLIT, SPLITS, own
from leaflet_tool.prepare.dataset import Dataset, build
from leaflet_tool.prepare.duplicates import KINDS
from leaflet_tool.prepare.hierarchy import unused
from leaflet_tool.prepare.labels import rows_by_class
from leaflet_tool.prepare.output import UNCORRECTED
from leaflet_tool.prepare.sources.rows import LABEL, REASON, Rows
from leaflet_tool.prepare.splits import crossing
from leaflet_tool.taxonomy import Taxonomy

SETTINGS = {
    *("ocr", "images", "regions", "region_side", "duplicates", "split", "rare", "max_per_class", "augment", "resample")
}
"""Sections of a definition that say how pages are prepared; the others say how the archive is read."""
SHOWN = 30


def facts(
    archive: Path, dataset: Dataset, rows: Rows, version: str | None, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What prepare.json holds about `rows`, whose SPLIT and LABEL are final, and `more` that the recipe counted.

    Its counts are of the archive's own pages.
    """
    frame = own(rows.frame)
    reasons = Counter(reason.partition(":")[0] for reason in rows.skipped[REASON])
    return {
        "version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "archive": str(archive.resolve()),
        **_definition(dataset),
        "classes": dict(sorted(rows_by_class(frame[LABEL]).items())),
        "splits": {split: int((frame[SPLIT] == split).sum()) for split in SPLITS},
        "balance": balance(frame),
        "found": rows.found,
        "kept": len(frame),
        "skipped": dict(reasons.most_common()),
        "augmented": len(rows.frame) - len(frame),
        "text": _statuses(frame),
        "tesseract": version,
        **(more or {}),
    }


def of_labels(frame: pd.DataFrame, taken: pd.DataFrame, dataset: Dataset, taxonomy: Taxonomy) -> dict[str, Any]:
    """What prepare.json says of the hierarchy, of rows without labels, and of rows that resampling took and added.

    `frame` has the altered copies, `taken` is what under-sampling took out.
    """
    told: dict[str, Any] = {}
    pages = own(frame)
    if taxonomy:
        told["taxonomy"] = {label: list(above) for label, above in taxonomy.parents.items()}
        told["unused_labels"] = unused([*pages[LABEL], *taken[LABEL]], taxonomy)
    if dataset.label.multiple:
        told["unlabelled"] = {"policy": dataset.unlabelled, "kept": int(pages[LABEL].map(len).eq(0).sum())}
    if dataset.resample.undersample < 1 or dataset.resample.oversample:
        told["resampled"] = resampled(frame, taken)
    return told


def resampled(frame: pd.DataFrame, taken: pd.DataFrame) -> dict[str, Any]:
    """Training rows before and after resampling, all and by class, altered copies among those after."""
    train = frame[frame[SPLIT] == "train"]
    before, after = rows_by_class(pd.concat([own(train)[LABEL], taken[LABEL]])), rows_by_class(train[LABEL])
    return {
        "before": len(own(train)) + len(taken),
        "taken": len(taken),
        "added": len(train) - len(own(train)),
        "classes": {label: {"before": before[label], "after": after[label]} for label in sorted(before)},
    }


def balance(frame: pd.DataFrame) -> dict[str, Any]:
    """Rows of each class by split, and the number of groups that lie in several."""
    counts = {split: rows_by_class(frame.loc[frame[SPLIT] == split, LABEL]) for split in SPLITS}
    classes = sorted(set().union(*counts.values()))
    return {
        "classes": {label: {split: counts[split][label] for split in SPLITS} for label in classes},
        "crossings": len(crossing(frame[GROUP], frame[SPLIT])),
    }


def _definition(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset.model_dump(mode="json", exclude=SETTINGS),
        "settings": dataset.model_dump(mode="json", include=SETTINGS),
        "label": {"name": dataset.label.name, "multiple": dataset.label.multiple},
    }


def _statuses(frame: pd.DataFrame) -> dict[str, int]:
    """Pages by OCR status; none before they are read."""
    return dict(Counter(status for status in frame[OCR_STATUS] if status).most_common())


def definition_in(told: dict[str, Any], name: str = "prepare.json") -> Dataset:
    """The definition a prepared folder was made with."""
    try:
        content = told["dataset"] | told["settings"]
    except (KeyError, TypeError):
        raise InputError(f"{name} does not say how the data was prepared", hint="run prepare again") from None
    return build(content, name)


def check_same(told: dict[str, Any], dataset: Dataset, out: Path) -> None:
    """Refuses to go on with settings under which pages would change sides."""
    before, now = definition_in(told, f"{out}/prepare.json"), dataset
    pairs = {
        "label": (before.label.name, now.label.name),
        "several labels a row": (before.label.multiple, now.label.multiple),
        "group": (before.columns and before.columns.group, now.columns and now.columns.group),
        "fractions": (before.split.fractions, now.split.fractions),
        "seed": (before.split.seed, now.split.seed),
        "folds": (before.split.folds, now.split.folds),
    }
    problems = [f"{name}: {then!r} then, {wanted!r} now" for name, (then, wanted) in pairs.items() if then != wanted]
    if problems:
        hint = "choose another folder, or start this one anew with --force"
        raise InputError.listing(f"{out} was prepared otherwise", problems, hint=hint)


def summary(told: dict[str, Any]) -> str:
    """The facts in a few lines for people; found is always kept + skipped."""
    first = f"found {told['found']} = kept {told['kept']} + skipped {sum(told['skipped'].values())}"
    sections = [
        ("skipped", told["skipped"]),
        (told["label"]["name"], told["classes"]),
        ("split", told["splits"]),
        ("altered copies", {"train": told["augmented"]} if told["augmented"] else {}),
        ("text", told["text"]),
    ]
    lines = [f"{title}: {_counted(counts)}" for title, counts in sections if counts]
    if told["settings"]["regions"]:
        side = told["settings"]["region_side"]
        lines.append(f"regions of each page: {', '.join(told['settings']['regions'])} ({side} x {side} pixels)")
    said = [*_said_of_labels(told), *_said_of_corrections(told), *_said_of(told.get("duplicates") or {})]
    return "\n".join([first, *lines, *said])


def _said_of_labels(told: dict[str, Any]) -> Iterator[str]:
    """What there is to say of several labels a row."""
    if (told.get("unlabelled") or {}).get("kept"):
        yield f"rows without labels, kept as such: {told['unlabelled']['kept']}"
    if told.get("unused_labels"):
        yield f"labels of the taxonomy that no row has: {', '.join(told['unused_labels'][:SHOWN])}"
    if resampled := told.get("resampled"):
        yield f"training rows: {resampled['before']} - {resampled['taken']} taken out + {resampled['added']} added"


def _said_of_corrections(told: dict[str, Any]) -> Iterator[str]:
    """How many labels were corrected, and which corrections found no page to correct."""
    if mended := told.get("corrections"):
        already = f", {mended['already']} pages have theirs already" if mended["already"] else ""
        yield f"corrected labels: {mended['changed']} pages{already}"
        if mended["left"]:
            yield f"corrections not applied ({UNCORRECTED} lists them): {_counted(mended['left'])}"


def _said_of(duplicates: dict[str, int]) -> Iterator[str]:
    """What there is to say of duplicates."""
    kinds = {kind: duplicates[kind] for kind in KINDS if duplicates.get(kind)}
    if kinds:
        disagree = f", {duplicates['disagreeing']} with different labels" if duplicates["disagreeing"] else ""
        yield f"pairs of duplicates: {_counted(kinds)} ({duplicates['pages']} pages{disagree})"
    if duplicates.get("crossing"):
        yield f"pairs of duplicates in different splits: {duplicates['crossing']}"


def _counted(counts: dict[str, int]) -> str:
    """Names and counts in one line, of which the first SHOWN are spelt out."""
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:SHOWN])
    return shown + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
