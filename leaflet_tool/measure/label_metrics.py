"""Metrics of several labels a row, computed from sums over groups, so that whole stacks of resamples cost few products.

Definitions agree with scikit-learn's (`zero_division=0`). Macro means are those of the labels that have a positive row;
in a resample, that have one there. A row's example-based F1 is 1 where neither truth nor prediction has a label.
Leading axes of every array are groups or resamples, as in `metrics`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.label_ranking import Ranking, ranking, ranking_losses, share_of
from leaflet_tool.measure.label_sets import VIEWS, BoolArray, all_labels, implied, matrix, truth_matrix
from leaflet_tool.measure.metrics import Sums, ratio
from leaflet_tool.measure.predictions import PROBABILITY, FloatArray, log_losses
from leaflet_tool.taxonomy import Taxonomy

FREQUENT = 5
"""As in the original study: its five most frequent labels are averaged apart from the rest."""


@dataclass(frozen=True)
class Judged:
    """Rows in matrices `[rows, classes]`, and the number of each row's group; `views` as in `label_sets.VIEWS`."""

    classes: list[str]
    truth: BoolArray
    probabilities: FloatArray
    views: dict[str, BoolArray]
    groups: NDArray[np.intp]

    @property
    def support(self) -> NDArray[np.int64]:
        """Rows of each label."""
        return self.truth.sum(axis=0)

    @property
    def present(self) -> BoolArray:
        """The labels that have a positive row."""
        return self.support > 0

    def most_frequent(self, count: int = FREQUENT) -> list[str]:
        """The labels with most rows, of equals the first by name; fewer where fewer have any."""
        order = np.argsort(-self.support, kind="stable")[:count]
        return [self.classes[place] for place in order if self.support[place]]

    def parts(self) -> dict[str, BoolArray]:
        """The labels of each macro mean by the end of its name: all, and where there are others the most frequent."""
        frequent = np.isin(self.classes, self.most_frequent())
        apart = {"_frequent": frequent, "_rest": ~frequent} if (self.present & ~frequent).any() else {}
        return {"": np.ones(len(self.classes), dtype=bool), **apart}


def judged(predictions: pd.DataFrame, classes: Sequence[str] | None = None) -> Judged:
    """The rows of a frame; a class that it has no probability for counts as 0 in every row."""
    names = all_labels(predictions) if classes is None else list(classes)
    columns = [PROBABILITY + name for name in names]
    return Judged(
        classes=names,
        truth=truth_matrix(predictions, names),
        probabilities=predictions.reindex(columns=columns, fill_value=0.0).to_numpy(dtype=float),
        views={view: matrix(predictions[column], names) for view, column in VIEWS.items()},
        groups=pd.factorize(predictions[GROUP])[0],
    )


@dataclass(frozen=True)
class ViewSums(Sums):
    """What the figures of predicted labels need: (…, classes) for hits, predicted and support, else (…)."""

    hits: FloatArray
    predicted: FloatArray
    support: FloatArray
    rows: FloatArray
    example_f1: FloatArray
    alike: FloatArray
    missing: FloatArray


@dataclass(frozen=True)
class ScoreSums(Sums):
    """What the figures of single rows' probabilities need (…); `ranked` counts the rows that have a ranking loss."""

    rows: FloatArray
    log_loss: FloatArray
    ranking_loss: FloatArray
    ranked: FloatArray


def view_sums(rows: Judged, view: str, taxonomy: Taxonomy | None = None) -> ViewSums:
    """The sums of each group."""
    truth, predicted = rows.truth, rows.views[view]
    hits, named = (truth & predicted).sum(axis=1), truth.sum(axis=1) + predicted.sum(axis=1)
    absent = missing_ancestors(predicted, rows.classes, taxonomy) if taxonomy else np.zeros(len(truth))
    return ViewSums(
        hits=_by_group(rows, truth & predicted),
        predicted=_by_group(rows, predicted),
        support=_by_group(rows, truth),
        rows=_by_group(rows, np.ones(len(truth))),
        example_f1=_by_group(rows, np.where(named == 0, 1.0, 2 * hits / np.maximum(named, 1))),
        alike=_by_group(rows, (truth == predicted).all(axis=1)),
        missing=_by_group(rows, absent),
    )


def score_sums(rows: Judged) -> ScoreSums:
    """The sums of each group."""
    given = np.where(rows.truth, rows.probabilities, 1 - rows.probabilities)
    losses = log_losses(given).mean(axis=1)
    ranking = ranking_losses(rows.truth, rows.probabilities)
    ranked = np.isfinite(ranking)
    return ScoreSums(
        rows=_by_group(rows, np.ones(len(losses))),
        log_loss=_by_group(rows, losses),
        ranking_loss=_by_group(rows, np.where(ranked, ranking, 0.0)),
        ranked=_by_group(rows, ranked),
    )


def _by_group(rows: Judged, values: NDArray) -> FloatArray:
    """Sums of `values` (rows) or (rows, classes) over the rows of each group."""
    chosen = csr_array((np.ones(len(values)), (rows.groups, np.arange(len(values)))))
    return chosen @ values.astype(float)


def missing_ancestors(predicted: BoolArray, classes: Sequence[str], taxonomy: Taxonomy) -> FloatArray:
    """How many classes each row's labels imply and lack (rows); a label above that is no class is not asked for."""
    return (implied(predicted, classes, taxonomy) & ~predicted).sum(axis=1).astype(float)


@dataclass(frozen=True)
class Figures:
    """Figures of a stack of resamples: (resamples) each, and (resamples, classes) for the labels' own areas."""

    scores: dict[str, FloatArray]
    views: dict[str, dict[str, FloatArray]]
    average_precision: FloatArray
    trapezoid: FloatArray

    @classmethod
    def joined(cls, blocks: Sequence["Figures"]) -> "Figures":
        """Blocks of resamples as one stack."""
        return cls._combined(blocks, np.concatenate)

    def none(self) -> "Figures":
        """The same figures of no resample."""
        return self._combined([self], lambda parts: parts[0][:0])

    @classmethod
    def _combined(cls, blocks: Sequence["Figures"], how: Callable[[Sequence[FloatArray]], FloatArray]) -> "Figures":
        first = blocks[0]
        return cls(
            scores={name: how([block.scores[name] for block in blocks]) for name in first.scores},
            views={
                view: {name: how([block.views[view][name] for block in blocks]) for name in names}
                for view, names in first.views.items()
            },
            average_precision=how([block.average_precision for block in blocks]),
            trapezoid=how([block.trapezoid for block in blocks]),
        )


@dataclass(frozen=True)
class LabelSums:
    """All that the figures of judged rows need, group by group."""

    parts: Mapping[str, BoolArray]
    scores: ScoreSums
    views: dict[str, ViewSums]
    rankings: list[Ranking]
    pooled: Ranking
    coherence: bool

    @property
    def groups(self) -> int:
        return len(self.scores.rows)

    def figures(self, weights: FloatArray) -> Figures:
        """Every figure of each of the `[resamples, groups]`; NaN where there is nothing to average."""
        areas = [each.areas(weights) for each in self.rankings]
        average, trapezoid = (np.stack(area, axis=-1) for area in zip(*areas, strict=True))
        scores = self.scores.weighted(weights)
        return Figures(
            scores={
                "macro_ap": _mean(average, np.isfinite(average)),
                "macro_pr_auc_trapezoid": _mean(trapezoid, np.isfinite(trapezoid)),
                "micro_ap": self.pooled.areas(weights)[0],
                "ranking_loss": share_of(scores.ranking_loss, scores.ranked),
                "log_loss": scores.log_loss / scores.rows,
            },
            views={view: self._view(sums.weighted(weights)) for view, sums in self.views.items()},
            average_precision=average,
            trapezoid=trapezoid,
        )

    def total(self) -> Figures:
        """The figures of the rows themselves, as a stack of one."""
        return self.figures(np.ones((1, self.groups)))

    def _view(self, sums: ViewSums) -> dict[str, FloatArray]:
        cells = sums.rows * sums.support.shape[-1]
        found = {f"micro_{name}": share(*_pooled(sums)) for name, share in SHARES.items()}
        for end, among in self.parts.items():
            found |= {
                f"macro_{name}{end}": _mean(share(sums.hits, sums.predicted, sums.support), (sums.support > 0) & among)
                for name, share in SHARES.items()
            }
        found |= {
            "example_f1": sums.example_f1 / sums.rows,
            "subset_accuracy": sums.alike / sums.rows,
            "hamming_loss": (sums.predicted + sums.support - 2 * sums.hits).sum(axis=-1) / cells,
            "labels_per_row": sums.predicted.sum(axis=-1) / sums.rows,
        }
        return found | ({"coherence_violations": sums.missing / sums.rows} if self.coherence else {})


def label_sums(rows: Judged, taxonomy: Taxonomy | None = None) -> LabelSums:
    """The sums of each group; coherence is judged only where there is a taxonomy."""
    groups, count = rows.groups, int(rows.groups.max(initial=-1)) + 1
    columns = zip(rows.truth.T, rows.probabilities.T, strict=True)
    return LabelSums(
        parts=rows.parts(),
        scores=score_sums(rows),
        views={view: view_sums(rows, view, taxonomy) for view in rows.views},
        rankings=[ranking(truth, values, groups, count) for truth, values in columns],
        pooled=ranking(rows.truth.ravel(), rows.probabilities.ravel(), np.repeat(groups, len(rows.classes)), count),
        coherence=bool(taxonomy),
    )


def precision(hits: FloatArray, predicted: FloatArray, support: FloatArray) -> FloatArray:
    """Share of right ones among the rows that were given the label."""
    return ratio(hits, predicted)


def recall(hits: FloatArray, predicted: FloatArray, support: FloatArray) -> FloatArray:
    """Share of the label's rows that were given it."""
    return ratio(hits, support)


def f1(hits: FloatArray, predicted: FloatArray, support: FloatArray) -> FloatArray:
    """Harmonic mean of precision and recall."""
    return ratio(2 * hits, predicted + support)


SHARES: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
}


def _pooled(sums: ViewSums) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hits, predicted and support of all labels together."""
    return sums.hits.sum(axis=-1), sums.predicted.sum(axis=-1), sums.support.sum(axis=-1)


def _mean(values: FloatArray, among: BoolArray) -> FloatArray:
    """The mean over the last axis of those `among` the values; NaN of none."""
    return share_of(np.where(among, values, 0.0).sum(axis=-1), among.sum(axis=-1).astype(float))
