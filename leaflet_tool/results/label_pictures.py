"""The drawings of a comparison's page that only several labels a page need."""

from collections.abc import Iterable

from leaflet_tool.manifest import split_labels
from leaflet_tool.measure import figures, label_figures, label_panels
from leaflet_tool.measure.imbalance import cooccurrence
from leaflet_tool.measure.predictions import LABEL
from leaflet_tool.models import scoring
from leaflet_tool.results.comparison import PAGE, Comparison
from leaflet_tool.results.kinds import VIEWS
from leaflet_tool.results.page import Picture, svg_uri
from leaflet_tool.results.words import counted, listed, some

TOGETHER = 40
"""Of so many labels, the commonest, it is drawn which occur together."""


def curves(comparison: Comparison) -> Picture:
    """Precision by recall of each label, all runs in one panel."""
    areas = [f"{name} {comparison.headline(name, PAGE)['value']:.3f}" for name in comparison.runs]
    return Picture(
        title="Precision by recall, label by label",
        uri=svg_uri(figures.svg(label_panels.precision_recall(comparison.predictions))),
        alt=f"Curves of precision by recall of each label; their mean average precision: {listed(areas)}. "
        "The areas of single labels are in the table above.",
        reading="The higher a curve runs, the better are the pages of the label told from all others. The dashed line "
        "is the share of the pages that have the label: what guessing reaches.",
    )


def frequencies(comparison: Comparison) -> list[Picture]:
    """Average precision by the label's frequency, a drawing a run."""
    return [
        Picture(
            title=name,
            uri=svg_uri(figures.svg(label_figures.frequency_and_precision(found[PAGE]["per_class"]))),
            alt=f"Average precision of {name} by how many training pages a label has: "
            + "; ".join(
                f"{label} {each['train']} pages, {each['ap']:.2f}"
                for label, each in found[PAGE]["per_class"].items()
                if each["support"]
            ),
        )
        for name, found in comparison.figures.items()
    ]


def distributions(comparison: Comparison) -> list[Picture]:
    """How many pages have each label and how many are given it, a drawing a run."""
    found = {}
    for name, judged in comparison.figures.items():
        views = judged[PAGE]["views"]
        found[name] = {VIEWS[view]: each["per_class"] for view, each in views.items()}
    return [
        Picture(
            title=name,
            uri=svg_uri(figures.svg(label_figures.label_distribution(views))),
            alt=f"Pages with each label in truth, and given it by {name}: "
            + "; ".join(
                f"{label} {each['support']}, {_given(views.values(), label)}"
                for label, each in views[VIEWS["half"]].items()
            ),
        )
        for name, views in found.items()
    ]


def _given(views: Iterable[dict[str, dict[str, float]]], label: str) -> str:
    """12 at 0.5 and 30 with thresholds."""
    return listed([f"{view[label]['predicted']} {words}" for view, words in zip(views, VIEWS.values(), strict=True)])


def thresholds(comparison: Comparison) -> list[Picture]:
    """F1 by the threshold of each label, a drawing a run; runs in folds have a threshold a fold and are left out."""
    pictures = []
    for name, run in comparison.runs.items():
        if not run.folds:
            limits = scoring.thresholds_of(run.folder).by_label
            drawing = label_panels.f1_by_threshold(comparison.predictions[name], limits)
            words = some([f"{label} {limit:.2f}" for label, limit in limits.items()])
            alt = f"F1 of {name} by threshold, a panel a label. Fitted thresholds: {words}; all are in the table above."
            pictures.append(Picture(name, svg_uri(figures.svg(drawing)), alt))
    return pictures


def limits(comparison: Comparison) -> list[Picture]:
    """Each label's threshold beside the one for all, a drawing a run that is not in folds."""
    pictures = []
    for name, run in comparison.runs.items():
        if not run.folds:
            fitted = scoring.thresholds_of(run.folder)
            drawing = label_figures.threshold_dots(fitted.to_json()["labels"], fitted.global_)
            alt = f"From which probability on {name} predicts each label; all are in the table above. " + (
                f"Without a validation page: {some(fitted.unfitted)}." if fitted.unfitted else ""
            )
            pictures.append(Picture(name, svg_uri(figures.svg(drawing)), alt.strip()))
    return pictures


def together(comparison: Comparison) -> Picture:
    """Which labels the test pages have together."""
    rows = [split_labels(cell) for cell in next(iter(comparison.predictions.values()))[LABEL]]
    per_class = next(iter(comparison.figures.values()))[PAGE]["per_class"]
    common = sorted(per_class, key=lambda label: (-per_class[label]["support"], label))[:TOGETHER]
    common = [label for label in common if per_class[label]["support"]]
    table = cooccurrence(rows, common)
    counts = table["counts"]
    pairs = sorted(((counts[i][j], common[j], common[i]) for i in range(len(common)) for j in range(i)), reverse=True)
    most = [f"{a} and {b} on {counted(count, 'page')}" for count, a, b in pairs[:5] if count]
    return Picture(
        title="Labels that occur together on the test pages, in truth",
        uri=svg_uri(figures.svg(label_figures.cooccurrence(table))),
        alt=f"Labels that occur together most often: {listed(most) or 'none'}.",
        reading="Of the pages with the label of the row, the share in per cent that also has the label of the column.",
    )
