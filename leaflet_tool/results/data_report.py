"""The report of a prepared folder: one page that shows an archivist what is in the data before anybody trains on it."""

from pathlib import Path
from typing import Any

from leaflet_tool import __version__
from leaflet_tool.manifest import OCR_STATUS, TEXT
from leaflet_tool.prepare.output import DUPLICATES, REPORT
from leaflet_tool.results import data_cards as cards
from leaflet_tool.results import data_findings as findings
from leaflet_tool.results import data_labels as labels
from leaflet_tool.results import data_pictures as pictures
from leaflet_tool.results import data_tables as tables
from leaflet_tool.results.data_contents import CROSSES, DISAGREE, Contents, read
from leaflet_tool.results.page import render
from leaflet_tool.results.words import counted, figure, percent
from leaflet_tool.storage import write_text


def write_report(folder: Path) -> Path:
    """Writes the report of a prepared folder into it, whole or not at all; returns its path."""
    path = folder / REPORT
    write_text(path, render("data_report.html", **_context(read(folder))))
    return path


def _context(contents: Contents) -> dict[str, Any]:
    """What the template shows, section by section."""
    return {
        **_head(contents),
        "findings": findings.found(contents),
        "disagreeing": cards.disagreeing(contents),
        **_classes(contents),
        **labels.context(contents),
        **_splits(contents),
        **_pages(contents),
        **_text(contents),
        **_duplicates(contents),
        "skipped": tables.skipped(contents),
        "settings": tables.settings(contents),
        "limits": cards,
    }


def _head(contents: Contents) -> dict[str, Any]:
    told = contents.facts
    archive = str(told.get("archive", ""))
    kept = told.get("kept", len(contents.frame))
    return {
        "title": f"What is in {Path(archive).name or 'the archive'}",
        "label": contents.prepared.label.name,
        "multiple": contents.prepared.label.multiple,
        "archive": archive,
        "folder": contents.prepared.folder.name,
        "made": _moment(str(told.get("created", ""))),
        "version": told.get("version", __version__),
        "found": told.get("found", kept + len(contents.skipped)),
        "kept": kept,
        "left_out": len(contents.skipped),
        "augmented": contents.augmented,
        "tiles": _tiles(contents),
        "how": _how(contents),
        "digest": contents.prepared.digest,
    }


def _moment(created: str) -> str:
    """2026-01-31 12:00 UTC."""
    return f"{created[:16].replace('T', ' ')} UTC" if created else "at an unknown time"


def _tiles(contents: Contents) -> list[tuple[str, str]]:
    """The figures at the top: what is counted, and how many."""
    texts = int((contents.frame[TEXT] != "").sum())
    found = [
        ("pages", f"{len(contents.frame):,}"),
        ("leaflets", f"{contents.leaflets:,}"),
        ("classes", f"{len(contents.classes):,}"),
        ("with image", percent(len(contents.pictured), len(contents.frame))),
        ("with text", percent(texts, len(contents.frame))),
        *((split, f"{pages:,}") for split, pages in contents.splits.items()),
    ]
    if contents.duplicates is not None:
        found.append(("duplicate pairs", f"{len(contents.duplicates):,}"))
    return found


def _how(contents: Contents) -> str:
    """How text came about and pages were divided, in a sentence or two."""
    read = contents.frame[OCR_STATUS].isin(("read", "blank", "failed")).any()
    if contents.by_hand:
        text = "The texts are the archive's own."
    elif read:
        version, language = contents.facts.get("tesseract"), contents.setting("ocr", "language")
        text = f"Text was read by Tesseract {version or ''} in the language {language}."
    else:
        text = "No text was read."
    shares, seed = contents.setting("split", "fractions"), contents.setting("split", "seed")
    if not shares:
        return text
    return f"{text} Leaflets were divided {' : '.join(figure(100 * share) for share in shares)} with seed {seed}."


def _classes(contents: Contents) -> dict[str, Any]:
    shown, each = cards.sheet_size(contents)
    return {
        "classes": pictures.classes(contents),
        "class_count": len(contents.classes),
        "outcomes": tables.outcomes(contents),
        "sheets": cards.sheets(contents),
        "sheet_classes": shown,
        "sheet_pages": each,
    }


def _splits(contents: Contents) -> dict[str, Any]:
    return {
        "splits": tables.splits(contents),
        "balance": pictures.balance(contents),
        "folds": tables.folds(contents),
        "crossings": _crossings(contents),
    }


def _crossings(contents: Contents) -> list[str]:
    """Whether anything is in two splits: zero is said, and so is that nobody looked."""
    torn = contents.torn
    leaflets = f"{counted(torn, 'leaflet') if torn else 'No leaflet'} {'lie' if torn > 1 else 'lies'} in two splits."
    if contents.duplicates is None:
        return [leaflets, "Duplicates were not looked for, so nobody knows whether any lie in two splits."]
    pairs = contents.pairs(CROSSES)
    crossing = counted(pairs, "pair") if pairs else "No pair"
    return [leaflets, f"{crossing} of duplicates {'lie' if pairs > 1 else 'lies'} in two splits."]


def _pages(contents: Contents) -> dict[str, Any]:
    return {
        "pictured": len(contents.pictured),
        "sizes": list(pictures.pages(contents)),
        "one_size": pictures.one_size(contents),
        "regions": cards.regions(contents),
        "extremes": list(cards.extremes(contents)),
    }


def _text(contents: Contents) -> dict[str, Any]:
    return {
        "statuses": tables.statuses(contents),
        "turns": tables.turns(contents),
        "texts": list(pictures.text(contents)),
        "languages": _languages(contents),
    }


def _languages(contents: Contents) -> str:
    """What language was declared, and the scripts that the letters belong to: no more can be told without guessing."""
    read = contents.frame[OCR_STATUS].eq("read").any()
    language = contents.setting("ocr", "language")
    declared = f"Tesseract was told to expect the language {language}." if read and language else ""
    scripts = tables.scripts(contents)
    letters = f"Letters by script, as Unicode names them: {', '.join(scripts)}." if scripts else ""
    return f"{declared} {letters}".strip()


def _duplicates(contents: Contents) -> dict[str, Any]:
    return {
        "looked": contents.duplicates is not None,
        "duplicates": tables.duplicates(contents),
        "agreeing": cards.agreeing(contents),
        "disagreeing_count": contents.pairs(DISAGREE),
        "duplicates_file": DUPLICATES,
    }
