"""What differs between comparing runs that predict one label a page and runs that predict several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leaflet_tool.measure.baselines import MAJORITY, TFIDF_LOGISTIC
from leaflet_tool.measure.label_pairs import paired_labels
from leaflet_tool.measure.label_trees import LABEL_TREES
from leaflet_tool.measure.paired import paired

TREES = "gradient-boosted trees"
VIEWS = {"half": "at 0.5", "thresholds": "with thresholds"}
"""The ways to turn probabilities into labels, as people read them."""

type Difference = Mapping[str, float | None]
"""value, low, high and p of a figure of one run minus that of another."""


@dataclass(frozen=True)
class Kind:
    """The figures by which runs are compared, how a difference is tested, whom they have to beat, and the words."""

    headline: str
    """The figure that says which run leads."""
    words: str
    leads: str
    """What is said of the run that leads, and of two of which none does."""
    even: str
    titles: Mapping[str, str]
    """Figures of the first table, and how people read them."""
    short: Mapping[str, str]
    """Their heads on a narrow terminal, where only the first has its interval."""
    short_decided: Mapping[str, str]
    """The heads of `decided` and of `shares` there."""
    short_counts: Sequence[str]
    decided: Mapping[str, str]
    """Figures of the labels that a run decides on, in each view; none with one label."""
    shares: Mapping[str, str]
    """How precise and how complete they are, in a table of its own."""
    baselines: Mapping[str, str]
    test: str
    paired: Callable[..., dict[str, Any]]
    counts: Mapping[str, str]
    """What else is told of a pair."""
    differences: Callable[[Mapping[str, Any]], dict[str, Difference]]
    """Of what `paired` says of a unit: the differences by the figure's words, the headline's first."""

    @property
    def multiple(self) -> bool:
        """Whether a page has several labels."""
        return bool(self.decided)


def of(multiple: bool) -> Kind:
    """The kind of runs that predict one label a page, or several."""
    return LABELS if multiple else CLASSES


def with_images(kind: Kind, *, text: bool) -> Kind:
    """The same kind, whose trees read images beside the text, or alone."""
    called = f"{TREES} on {'text + ' if text else ''}image embeddings"
    return replace(kind, baselines={**kind.baselines, LABEL_TREES: called})


def _of_classes(found: Mapping[str, Any]) -> dict[str, Difference]:
    return {"accuracy": {**found["accuracy_difference"], "p": found["mcnemar_p"]}}


def _of_labels(found: Mapping[str, Any]) -> dict[str, Difference]:
    return {LABELS.words: found["differences"][LABELS.headline]} | {
        f"{LABELS.decided[name]} {words}": difference
        for view, words in VIEWS.items()
        for name, difference in found["views"][view].items()
    }


CLASSES = Kind(
    headline="accuracy",
    words="accuracy",
    leads="more accurate",
    even="equally accurate",
    titles={
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced accuracy",
        "macro_f1": "macro F1",
        "log_loss": "log loss",
        "expected_calibration_error": "calibration error",
        "top_3_accuracy": "top-3 accuracy",
    },
    short={
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced",
        "macro_f1": "F1",
        "log_loss": "loss",
        "expected_calibration_error": "ECE",
        "top_3_accuracy": "top 3",
    },
    short_decided={},
    short_counts=("only 1st right", "only 2nd right"),
    decided={},
    shares={},
    baselines={MAJORITY: "majority class", TFIDF_LOGISTIC: "TF-IDF + logistic regression"},
    test="McNemar",
    paired=paired,
    counts={"only_a_right": "only the first right", "only_b_right": "only the second right"},
    differences=_of_classes,
)
LABELS = Kind(
    headline="macro_ap",
    words="macro AP",
    leads="better in macro AP",
    even="alike in macro AP",
    titles={
        "macro_ap": "macro AP",
        "macro_pr_auc_trapezoid": "trapezoid area",
        "micro_ap": "micro AP",
        "ranking_loss": "ranking loss",
        "log_loss": "log loss",
    },
    short={
        "macro_ap": "macro AP",
        "macro_pr_auc_trapezoid": "trapezoid",
        "micro_ap": "micro AP",
        "ranking_loss": "ranking",
        "log_loss": "loss",
    },
    short_decided={
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "macro_f1_frequent": "top 5",
        "macro_f1_rest": "rest",
        "labels_per_row": "labels",
        "coherence_violations": "lacking",
        "micro_precision": "micro P",
        "micro_recall": "micro R",
        "macro_precision": "macro P",
        "macro_recall": "macro R",
        "macro_precision_frequent": "top 5 P",
        "macro_recall_frequent": "top 5 R",
        "macro_precision_rest": "rest P",
        "macro_recall_rest": "rest R",
        "example_f1": "page F1",
    },
    short_counts=(),
    decided={
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "macro_f1_frequent": "macro F1, 5 commonest",
        "macro_f1_rest": "macro F1, the rest",
        "labels_per_row": "labels a row",
        "coherence_violations": "labels lacking",
    },
    shares={
        "micro_precision": "micro precision",
        "micro_recall": "micro recall",
        "macro_precision": "macro precision",
        "macro_recall": "macro recall",
        "macro_precision_frequent": "macro precision, 5 commonest",
        "macro_recall_frequent": "macro recall, 5 commonest",
        "macro_precision_rest": "macro precision, the rest",
        "macro_recall_rest": "macro recall, the rest",
        "example_f1": "F1 page by page",
    },
    baselines={
        MAJORITY: "majority labels",
        TFIDF_LOGISTIC: "TF-IDF + logistic regression",
        LABEL_TREES: TREES,
    },
    test="bootstrap",
    paired=paired_labels,
    counts={},
    differences=_of_labels,
)
