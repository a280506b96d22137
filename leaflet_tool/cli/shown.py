"""How figures look on a terminal: the tables that several commands print."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leaflet_tool.cli.console import Console

if TYPE_CHECKING:
    from leaflet_tool.models.runs import Run

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "top_3_accuracy")
ERRORS = ("log_loss", "expected_calibration_error")
RANKED = ("macro_ap", "micro_ap", "ranking_loss", "log_loss")
"""Figures of several labels that need no threshold."""
DECIDED = (
    *("micro_precision", "micro_recall", "micro_f1", "macro_f1", "macro_f1_frequent", "macro_f1_rest", "example_f1"),
    *("labels_per_row", "coherence_violations"),
)


def show_metrics(console: Console, run: "Run", metrics: Mapping[str, Any]) -> None:
    """A run's figures on one split, per page and per leaflet, beside the baselines."""
    listed = _of_labels if run.label.multiple else _of_classes
    rows = []
    for unit in _units(metrics):
        for name, figure in listed(metrics[unit]).items():
            rivals = [plain(listed(baseline[unit])[name]) for baseline in metrics["baselines"].values()]
            rows.append([unit, name, with_interval(figure), *rivals])
        if run.label.multiple:
            rows.append([unit, "labels per row in truth", f"{metrics[unit]['labels_per_row']:.3f}"])
    heads = ["per", f"{metrics['split']} split", f"{run.name} (95 % interval)", *metrics["baselines"]]
    rows = [row + [""] * (len(heads) - len(row)) for row in rows]
    unfitted = _unfitted(run)
    noted = {"unfitted_labels": unfitted} if run.label.multiple else {}
    console.table({"run": run.name, "folder": str(run.folder), **noted, **metrics}, heads, rows)
    for sentence in (*verdict(run, metrics), *_left_out(metrics), *_unseen(metrics), *_thresholds(run, unfitted)):
        console.say(sentence)


def _units(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Of several labels, whose figures are many, the page alone where every leaflet has one."""
    page = metrics["page"]
    return ("page",) if "views" in page and page["rows"] == page["groups"] else ("page", "leaflet")


def _of_classes(judged: Mapping[str, Any]) -> dict[str, Mapping[str, float | None]]:
    return {name: judged["figures"][name] for name in (*FIGURES, *ERRORS)}


def _of_labels(judged: Mapping[str, Any]) -> dict[str, Mapping[str, float | None]]:
    """Figures of several labels: those without a threshold, then each of the others in both views."""
    from leaflet_tool.results.kinds import VIEWS

    ranked = {name: judged["figures"][name] for name in RANKED}
    return ranked | {
        f"{name}, {words}": judged["views"][view]["figures"][name]
        for name in DECIDED
        for view, words in VIEWS.items()
        if name in judged["views"][view]["figures"]
    }


def _left_out(metrics: Mapping[str, Any]) -> list[str]:
    """Labels that no judged row has: they are in no average."""
    lost = metrics["page"].get("without_positives", [])
    return [f"no row of the {metrics['split']} split has {', '.join(lost)}: not in any average"] if lost else []


def _unseen(metrics: Mapping[str, Any]) -> list[str]:
    """Labels of judged pages that training never saw: the run can't predict them."""
    from leaflet_tool.results.words import clipped, counted, some

    pages = metrics["page"]["unseen_labels"]
    if not pages:
        return []
    words = some([f"“{clipped(name, 40)}” ({counted(count, 'page')})" for name, count in pages.items()])
    return [f"training never saw {words}: such a label has probability 0, so that the run misses all its pages"]


def _unfitted(run: "Run") -> list[str]:
    """The labels without a threshold of their own; with one label a page there are no thresholds."""
    from leaflet_tool.models import scoring

    return scoring.unfitted_labels(run) if run.label.multiple else []


def _thresholds(run: "Run", unfitted: Sequence[str]) -> list[str]:
    """What thresholds were fitted for, where it is not the default, and which labels have none of their own."""
    from leaflet_tool.results.words import quoted
    from leaflet_tool.settings import TRAIN

    found = []
    if run.threshold_objective != TRAIN.threshold_objective:
        found.append(f"thresholds were fitted for {run.threshold_objective}, not for {TRAIN.threshold_objective}")
    if unfitted:
        lacking = "a fold has no validation page with" if run.folds else "no page of the validation split has"
        found.append(f"{lacking} {quoted(unfitted)}: predicted from the threshold for all labels on")
    return found


def with_interval(figure: Mapping[str, float | None]) -> str:
    """0.912 (0.871 to 0.949)."""
    if figure["low"] is None:
        return plain(figure)
    return f"{plain(figure)} ({_number(figure['low'])} to {_number(figure['high'])})"


def plain(figure: Mapping[str, float | None]) -> str:
    """0.912."""
    return _number(figure["value"])


def _number(value: float | None) -> str:
    """Three digits; next to nothing is 0.000, not -0.000."""
    return f"{round(value or 0.0, 3) + 0.0:.3f}"


def verdict(run: "Run", metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each baseline that the run does not beat per page: in accuracy, or in macro AP."""
    name, words = ("macro_ap", "macro AP") if run.label.multiple else ("accuracy", "accuracy")
    own = metrics["page"]["figures"][name]["value"]
    rivals = {rival: figures["page"]["figures"][name]["value"] for rival, figures in metrics["baselines"].items()}
    return [
        f"{run.name} does not beat the baseline {rival}: {words} {own:.3f} against {value:.3f}"
        for rival, value in rivals.items()
        if own <= value
    ]
