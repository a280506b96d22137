"""The drawings of a comparison's page, each with its content in words and a sentence on how to read it."""

from collections.abc import Iterable, Iterator
from typing import Any

from leaflet_tool.errors import InputError
from leaflet_tool.measure import figures
from leaflet_tool.models.ludwig_figures import (
    CONFUSION_MATRIX,
    FROM_PROBABILITIES,
    LEARNING_CURVES,
    PERFORMANCE,
    LudwigFigure,
)
from leaflet_tool.results import comparison_tables as tables
from leaflet_tool.results import curves, verdict
from leaflet_tool.results.comparison import Comparison
from leaflet_tool.results.page import Picture, png_uri, svg_uri
from leaflet_tool.results.words import listed

LUDWIG_LABELS = {
    PERFORMANCE: "Jaccard is Ludwig's share of right labels among those that are true or predicted. Ludwig predicts "
    "each label from the definition's own threshold on, which is 0 in those of leaflet-tool so that every probability "
    "is kept: read macro AP instead.",
    LEARNING_CURVES: "Darker lines are training pages, lighter ones validation pages. Losses of runs with different "
    "loss functions are not on one scale, and Ludwig's jaccard counts every label from the definition's own threshold "
    "on, which is 0 in those of leaflet-tool.",
}
"""How to read Ludwig's figures of several labels a page."""
LUDWIG_READING = {
    PERFORMANCE: "Longer bars are better. Mind the names: what Ludwig calls accuracy is balanced accuracy, in which "
    "every class counts the same; accuracy_micro is the plain accuracy of the tables above. hits_at_k is the share of "
    "pages whose true class is among the three most probable ones, averaged over classes. roc_auc says how well the "
    "classes are told apart by their probabilities: 0.5 is guessing, 1 is perfect.",
    FROM_PROBABILITIES: "Longer bars are better. In this figure, unlike in the others, Ludwig's accuracy is the plain "
    "one: the share of right pages. hits_at_k is the share of pages whose true class is among the three most probable "
    "ones. mrr is 1 when the true class always comes first, and 1/2 when it always comes second.",
    LEARNING_CURVES: "Darker lines are training pages, lighter ones validation pages. Ludwig's accuracy and hits_at_k "
    "are averages over classes here.",
    CONFUSION_MATRIX: "True classes down, predicted ones across, from the commonest class to the rarest; the diagonal "
    "holds the right answers.",
}


def headlines(comparison: Comparison, unit: str) -> Picture:
    """The headline figure of every run and baseline with its interval."""
    names, kind = [*comparison.runs, *comparison.baselines], comparison.kind
    found: dict[str, Any] = {kind.baselines.get(name, name): comparison.headline(name, unit) for name in names}
    drawing = figures.intervals(found, metric=kind.words, baselines=list(kind.baselines.values()))
    return Picture(
        title=f"{kind.words[0].upper()}{kind.words[1:]} per {unit}",
        uri=svg_uri(figures.svg(drawing)),
        alt="; ".join(f"{name}: {verdict.interval(figure)}" for name, figure in found.items()),
    )


def confusions(comparison: Comparison, unit: str) -> list[Picture]:
    """A confusion matrix a run."""
    return [_confusion(name, found[unit], unit) for name, found in comparison.figures.items()]


def _confusion(name: str, found: dict[str, Any], unit: str) -> Picture:
    counts, classes = found["confusion"]["counts"], found["confusion"]["classes"]
    right = sum(row[place] for place, row in enumerate(counts))
    mixed = {
        (true, predicted): counts[i][j]
        for i, true in enumerate(classes)
        for j, predicted in enumerate(classes)
        if i != j and counts[i][j]
    }
    worst = max(mixed, key=lambda pair: mixed[pair], default=None)
    most = f" The commonest mix-up: {worst[0]} taken for {worst[1]}, {mixed[worst]} times." if worst else ""
    return Picture(
        title=name,
        uri=svg_uri(figures.svg(figures.confusion_matrix(found["confusion"]))),
        alt=f"Confusion matrix of {name}: {right} of {found['rows']} {unit}s are on the diagonal: right.{most}",
        table=tables.confusion(name, counts, classes),
    )


def learning(comparison: Comparison) -> tuple[list[Picture], list[str]]:
    """Loss and accuracy by epoch: of all runs with one model, then of each run in folds; and why a run is not shown."""
    single: dict[str, curves.Curves] = {}
    in_folds: dict[str, dict[str, curves.Curves]] = {}
    missing = []
    for name, run in comparison.runs.items():
        try:
            found = curves.of_run(run)
        except InputError as error:
            missing.append(f"{name} is not shown: {error.message}")
            continue
        if run.folds:
            in_folds[name] = found
        else:
            single[name] = found[run.name]
    pictures = list(_learning("", single)) if single else []
    for name, folds in in_folds.items():
        pictures += _learning(f" of {name}", folds)
    return pictures, missing


def _learning(whose: str, found: dict[str, curves.Curves]) -> Iterator[Picture]:
    for metric in next(iter(found.values())):
        values = {name: each[metric] for name, each in found.items()}
        ends = [f"{name} {each['validation'][-1]:.3f}" for name, each in values.items() if each["validation"]]
        yield Picture(
            title=f"{metric.capitalize()} by epoch{whose}",
            uri=svg_uri(figures.svg(figures.learning_curves(values, metric=metric))),
            alt=f"{metric} on validation pages after the last epoch: {listed(ends) if ends else 'none'}",
        )


def by_ludwig(drawn: Iterable[LudwigFigure], multiple: bool) -> tuple[list[Picture], list[str]]:
    """Ludwig's figures, and for each that it could not draw the reason."""
    readings = LUDWIG_LABELS if multiple else LUDWIG_READING
    pictures, missing = [], []
    for figure in drawn:
        title = f"{figure.visualization}: {figure.subject}" if figure.subject else figure.visualization
        if figure.problem:
            missing.append(f"{title}: {figure.problem}")
            continue
        alt = f"Ludwig's figure {title}; the same figures are in the tables and drawings above"
        pictures.append(Picture(title, png_uri(figure.png), alt, readings[figure.visualization]))
    return pictures, missing
