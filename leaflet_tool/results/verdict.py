"""What a comparison comes to, in sentences: the same words on a terminal and on the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from leaflet_tool.measure.metrics import LOWER_IS_BETTER
from leaflet_tool.results.comparison import BASELINES, LEAFLET, PAGE, Comparison, Pair
from leaflet_tool.results.words import listed

FEW_LEAFLETS = 50
"""With fewer test leaflets the bootstrap's intervals are too narrow to lean on."""
TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "log_loss": "log loss",
    "expected_calibration_error": "calibration error",
    "top_3_accuracy": "top-3 accuracy",
}
"""The metrics of the comparison table, as people read them."""


def sentences(comparison: Comparison) -> list[str]:
    """The outcome on the unit that counts: the leaflet, or the page where every leaflet has one."""
    unit = comparison.units[-1]
    return [
        _best(comparison, unit),
        *(sentence for run in comparison.runs for sentence in _beside_baselines(comparison, run, unit)),
        *_differences(comparison, unit),
        *_warnings(comparison),
    ]


def _best(comparison: Comparison, unit: str) -> str:
    values = {name: comparison.accuracy(name, unit)["value"] for name in comparison.runs}
    top = max(value for value in values.values() if value is not None)
    names = [name for name, value in values.items() if value == top]
    verb = "has" if len(names) == 1 else "share"
    return f"Per {unit}, {listed(names)} {verb} the highest accuracy: {interval(comparison.accuracy(names[0], unit))}."


def _beside_baselines(comparison: Comparison, run: str, unit: str) -> list[str]:
    own = comparison.accuracy(run, unit)["value"]
    found = []
    if unbeaten := comparison.unbeaten(run, unit):
        found.append(f"{run} does not beat {_baselines(comparison, unbeaten, unit)}: its accuracy is {own:.3f}.")
    if unsure := comparison.unsure(run, unit):
        ahead = _baselines(comparison, [pair.b for pair in unsure], unit)
        chances = listed([p_value(pair.p(unit)) for pair in unsure])
        found.append(f"{run} is ahead of {ahead} with {own:.3f}, but that may be chance ({chances}).")
    return found


def _baselines(comparison: Comparison, names: Sequence[str], unit: str) -> str:
    """The baseline majority class (0.375), or several of them."""
    each = [f"{BASELINES[name]} ({comparison.accuracy(name, unit)['value']:.3f})" for name in names]
    return f"the baseline{'s' if len(names) > 1 else ''} {listed(each)}"


def _differences(comparison: Comparison, unit: str) -> list[str]:
    clear = [pair for pair in comparison.pairs if pair.beyond_chance(unit)]
    if not clear:
        return ["No difference between two of the runs is beyond what chance may make."]
    return [
        f"{pair.leader(unit)} is more accurate than {pair.a if pair.leader(unit) == pair.b else pair.b}, "
        f"beyond chance: by {abs(pair.difference(unit)):.3f} ({p_value(pair.p(unit))})."
        for pair in clear
    ]


def _warnings(comparison: Comparison) -> list[str]:
    size, found = comparison.size, list(comparison.notes)
    if size[LEAFLET] < FEW_LEAFLETS:
        found.append(
            f"The test split has only {size[LEAFLET]} leaflets: take every figure as a rough one, and the intervals as "
            "narrower than the truth."
        )
    return found


def standing(comparison: Comparison, run: str, unit: str) -> str:
    """Whether the run beats the baselines: yes, no and which not, or maybe and why."""
    if unbeaten := comparison.unbeaten(run, unit):
        return f"no: {listed([BASELINES[name] for name in unbeaten])}"
    if unsure := comparison.unsure(run, unit):
        return f"maybe: the lead over {listed([BASELINES[pair.b] for pair in unsure])} may be chance"
    return "yes"


def meaning(pair: Pair, unit: str) -> str:
    """What the pair's test says."""
    leader = pair.leader(unit)
    if leader is None:
        return "equally accurate"
    name = BASELINES.get(leader, leader)
    return f"{name} is more accurate" if pair.beyond_chance(unit) else f"{name} is ahead, which may be chance"


def titled(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """The figures of the runs and then of the baselines, by the names people read."""
    return {**comparison.figures, **{BASELINES[name]: found for name, found in comparison.baselines.items()}}


def best(metric: str, values: Mapping[str, float]) -> set[str]:
    """The names with the best value of a metric."""
    top = (min if metric in LOWER_IS_BETTER else max)(values.values())
    return {name for name, value in values.items() if value == top}


def counted(comparison: Comparison, unit: str) -> str:
    """How much was judged: 117 pages of 40 leaflets, or 40 leaflets."""
    size = comparison.size
    return f"{size[unit]} {unit}s" if unit == LEAFLET else f"{size[PAGE]} pages of {size[LEAFLET]} leaflets"


def interval(figure: Mapping[str, Any]) -> str:
    """0.912 (0.871 to 0.949), or the value alone where no interval could be had."""
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def p_value(p: float) -> str:
    """p = 0.031, or p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
