"""What a comparison comes to, in sentences: the same words on a terminal and on the page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leaflet_tool.measure.metrics import LOWER_IS_BETTER
from leaflet_tool.results.comparison import LEAFLET, PAGE, Comparison, Pair
from leaflet_tool.results.words import listed, quoted

FEW_LEAFLETS = 50
"""With fewer test leaflets the bootstrap's intervals are too narrow to lean on."""
FLOOD = 1.5
"""With so many times the truth's labels a row, a gain in macro F1 is bought with wrong labels."""


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
    kind, values = comparison.kind, {name: comparison.headline(name, unit)["value"] for name in comparison.runs}
    top = max(value for value in values.values() if value is not None)
    names = [name for name, value in values.items() if value == top]
    verb = "has" if len(names) == 1 else "share"
    figure = interval(comparison.headline(names[0], unit))
    return f"Per {unit}, {listed(names)} {verb} the highest {kind.words}: {figure}."


def _beside_baselines(comparison: Comparison, run: str, unit: str) -> list[str]:
    own, words = comparison.headline(run, unit)["value"], comparison.kind.words
    found = []
    if unbeaten := comparison.unbeaten(run, unit):
        found.append(f"{run} does not beat {_baselines(comparison, unbeaten, unit)}: its {words} is {own:.3f}.")
    if unsure := comparison.unsure(run, unit):
        ahead = _baselines(comparison, [pair.b for pair in unsure], unit)
        chances = listed([p_value(pair.p(unit)) for pair in unsure])
        found.append(f"{run} is ahead of {ahead} with {own:.3f}, but that may be chance ({chances}).")
    return found


def _baselines(comparison: Comparison, names: Sequence[str], unit: str) -> str:
    """The baseline majority class (0.375), or several of them."""
    called = comparison.kind.baselines
    each = [f"{called[name]} ({comparison.headline(name, unit)['value']:.3f})" for name in names]
    return f"the baseline{'s' if len(names) > 1 else ''} {listed(each)}"


def _differences(comparison: Comparison, unit: str) -> list[str]:
    clear = [pair for pair in comparison.pairs if pair.beyond_chance(unit)]
    if not clear:
        return ["No difference between two of the runs is beyond what chance may make."]
    return [
        f"{pair.leader(unit)} is {pair.kind.leads} than {pair.a if pair.leader(unit) == pair.b else pair.b}, "
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
    return [*found, *_flooded(comparison), *_left_out(comparison)]


def _flooded(comparison: Comparison) -> list[str]:
    """The runs whose thresholds raise macro F1 by giving pages far more labels than they have."""
    unit, found = comparison.units[-1], []
    for name, judged in comparison.figures.items() if comparison.kind.multiple else ():
        truth = judged[unit]["labels_per_row"]
        half, fitted = (judged[unit]["views"][view]["figures"] for view in ("half", "thresholds"))
        labels, macro = fitted["labels_per_row"]["value"], "macro_f1"
        if fitted[macro]["value"] > half[macro]["value"] and labels > FLOOD * truth:
            found.append(
                f"The thresholds of {name} raise its macro F1 from {half[macro]['value']:.3f} to "
                f"{fitted[macro]['value']:.3f}, but give a {unit} {labels:.2f} labels where the truth has {truth:.2f}: "
                f"micro F1 goes from {half['micro_f1']['value']:.3f} to {fitted['micro_f1']['value']:.3f}."
            )
    return found


def _left_out(comparison: Comparison) -> list[str]:
    """The labels that are in no average."""
    found = [judged[PAGE].get("without_positives", ()) for judged in comparison.figures.values()]
    lost = sorted({name for names in found for name in names})
    return [f"No test page has {quoted(lost)}: the macro averages leave such labels out."] if lost else []


def standing(comparison: Comparison, run: str, unit: str) -> str:
    """Whether the run beats the baselines: yes, no and which not, or maybe and why."""
    called = comparison.kind.baselines
    if unbeaten := comparison.unbeaten(run, unit):
        return f"no: {listed([called[name] for name in unbeaten])}"
    if unsure := comparison.unsure(run, unit):
        return f"maybe: the lead over {listed([called[pair.b] for pair in unsure])} may be chance"
    return "yes"


def meaning(pair: Pair, unit: str) -> str:
    """What the pair's test says."""
    leader = pair.leader(unit)
    if leader is None:
        return pair.kind.even
    name = pair.kind.baselines.get(leader, leader)
    return f"{name} is {pair.kind.leads}" if pair.beyond_chance(unit) else f"{name} is ahead, which may be chance"


def titled(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """The figures of the runs and then of the baselines, by the names people read."""
    called = comparison.kind.baselines
    return {**comparison.figures, **{called[name]: found for name, found in comparison.baselines.items()}}


def best_of(figures: Mapping[str, Mapping[str, Any]], metrics: Iterable[str]) -> dict[str, set[str]]:
    """The names with the best value of each metric, of those that have it."""
    values = {
        metric: {name: found[metric]["value"] for name, found in figures.items() if metric in found}
        for metric in metrics
    }
    return {metric: best(metric, found) if found else set() for metric, found in values.items()}


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


def p_value(p: float | None) -> str:
    """p = 0.031, or p < 0.001; "no p" where nothing tells."""
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
