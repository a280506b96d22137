"""How figures look on a terminal: the tables that several commands print."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leaflet_tool.cli.console import Console

if TYPE_CHECKING:
    from leaflet_tool.models.runs import Run

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "top_3_accuracy")
ERRORS = ("log_loss", "expected_calibration_error")


def show_metrics(console: Console, run: "Run", metrics: Mapping[str, Any]) -> None:
    """A run's figures on one split, per page and per leaflet, beside the baselines."""
    rows = []
    for unit in ("page", "leaflet"):
        for name in (*FIGURES, *ERRORS):
            rivals = [plain(baseline[unit]["figures"][name]) for baseline in metrics["baselines"].values()]
            rows.append([unit, name, with_interval(metrics[unit]["figures"][name]), *rivals])
    heads = ["per", f"{metrics['split']} split", f"{run.name} (95 % interval)", *metrics["baselines"]]
    console.table({"run": run.name, "folder": str(run.folder), **metrics}, heads, rows)
    for sentence in verdict(run.name, metrics):
        console.say(sentence)


def with_interval(figure: Mapping[str, float | None]) -> str:
    """0.912 (0.871 to 0.949)."""
    if figure["low"] is None:
        return plain(figure)
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def plain(figure: Mapping[str, float | None]) -> str:
    """0.912."""
    return f"{figure['value']:.3f}"


def verdict(name: str, metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each baseline whose page accuracy the run does not beat."""
    own = metrics["page"]["figures"]["accuracy"]["value"]
    rivals = {rival: figures["page"]["figures"]["accuracy"]["value"] for rival, figures in metrics["baselines"].items()}
    return [
        f"{name} does not beat the baseline {rival}: accuracy {own:.3f} against {value:.3f}"
        for rival, value in rivals.items()
        if own <= value
    ]
