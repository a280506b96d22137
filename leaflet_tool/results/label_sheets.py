"""Test pages with their true and their predicted labels: what each run ranks worst, and some pages of some labels."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from leaflet_tool.manifest import CAPTION, ID, IMAGE, SOURCE, TEXT, split_labels
from leaflet_tool.measure.label_ranking import ranking_losses
from leaflet_tool.measure.label_sets import truth_matrix
from leaflet_tool.measure.predictions import LABEL, PREDICTED, probabilities_of
from leaflet_tool.models import rows
from leaflet_tool.models.runs import ROWS
from leaflet_tool.results.comparison import PAGE, Comparison
from leaflet_tool.results.data_cards import LARGE, SMALL, Card, Cards, page_card
from leaflet_tool.results.words import counted, figure

WORST, LABELS, A_LABEL = 12, 8, 6
"""Pages on the sheet of the worst ones, labels that have a sheet, and pages on each."""


def worst(comparison: Comparison) -> Cards:
    """The pages on which true labels are ranked lowest, on average over the runs."""
    losses = pd.Series(np.mean([_losses(frame) for frame in comparison.predictions.values()], axis=0))
    ends = losses.dropna().sort_values(ascending=False, kind="stable").head(WORST)
    pages = _pages(comparison)
    return Cards(
        "The pages ranked worst",
        [_card(comparison, pages, int(place), LARGE, f"ranking loss {figure(loss)}") for place, loss in ends.items()],
        "Ranking loss is the share of pairs of a true and another label in which the other is not less probable, here "
        "on average over the runs. Look at these first: a page may be hard, or its label wrong.",
    )


def _losses(frame: pd.DataFrame) -> np.ndarray:
    return ranking_losses(truth_matrix(frame), probabilities_of(frame))


def of_labels(comparison: Comparison) -> list[Cards]:
    """A few pages of some labels, from the commonest to the rarest: the same ones whenever the page is made."""
    frame, pages = next(iter(comparison.predictions.values())), _pages(comparison)
    per_class = next(iter(comparison.figures.values()))[PAGE]["per_class"]
    labels = [label for label, found in per_class.items() if found["support"]]
    labels.sort(key=lambda label: (-per_class[label]["support"], label))
    chosen = np.unique(np.linspace(0, len(labels) - 1, min(LABELS, len(labels))).round().astype(int))
    order = frame[ID].map(lambda page: hashlib.blake2b(page.encode(), digest_size=8).hexdigest()).sort_values().index
    sheets = []
    for label in (labels[place] for place in chosen):
        having = [place for place in order if label in split_labels(frame.loc[place, LABEL])]
        cards = [_card(comparison, pages, place, SMALL) for place in having[:A_LABEL]]
        sheets.append(Cards(f"{label} ({counted(len(having), 'page')})", cards))
    return sheets


def _pages(comparison: Comparison) -> pd.DataFrame:
    """The first run's rows by id: where their images are, and what they say."""
    first = next(iter(comparison.runs.values()))
    return rows.read(first.folder / ROWS).drop_duplicates(ID).set_index(ID, drop=False)


def _card(comparison: Comparison, pages: pd.DataFrame, place: int, side: int, *notes: str) -> Card:
    """A page with its true labels, and what each run predicts with its thresholds."""
    frames = comparison.predictions
    truth = next(iter(frames.values())).loc[place]
    page = pages.loc[truth[ID]]
    said = [f"GT: {_named(truth[LABEL])}"]
    said += [f"{name}: {_named(frame.loc[place, PREDICTED])}" for name, frame in frames.items()]
    text = str(page.get(CAPTION, "")).strip() or page[TEXT]
    image = Path(page[IMAGE]) if page[IMAGE] else None
    return page_card(page[SOURCE] or page[ID], image, text, side, *said, *notes)


def _named(cell: str) -> str:
    return ", ".join(split_labels(cell)) or "no label"
