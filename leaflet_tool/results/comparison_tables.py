"""The tables of a comparison's page."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from leaflet_tool.errors import InputError
from leaflet_tool.models import definitions
from leaflet_tool.models.runs import CONFIG, Run
from leaflet_tool.results import curves, verdict
from leaflet_tool.results.comparison import Comparison, Pair
from leaflet_tool.results.kinds import Difference
from leaflet_tool.results.page import Cell, Table, measured

DIGEST = 12
"""So many digits of a manifest's SHA-256 tell two of them apart."""


def runs(comparison: Comparison) -> Table:
    """What each run is: a row a fact, a column a run."""
    rows = [[Cell(fact), *(_cell(value, run) for run in comparison.runs.values())] for fact, value in FACTS.items()]
    return Table("How the runs were made", ["", *comparison.runs], rows, words=range(1, len(comparison.runs) + 1))


def _cell(value: Callable[[Run], str | tuple[str, str]], run: Run) -> Cell:
    found = value(run)
    return Cell(found) if isinstance(found, str) else Cell(*found)


def _definition(run: Run) -> tuple[str, str]:
    return run.facts["definition"]["name"], run.facts["definition"]["description"]


def _data(run: Run) -> tuple[str, str]:
    data = run.facts["data"]
    return data["folder"], f"{data['rows']} pages, manifest {data['manifest_sha256'][:DIGEST]}"


def _models(run: Run) -> str:
    return f"{run.folds} folds, each page judged by the model that never saw it" if run.folds else "one model"


def _epochs(run: Run) -> str:
    """How many were trained of how many allowed, of each fold's model."""
    trainer = definitions.read(run.folder / CONFIG).content.get("trainer", {})
    allowed = str(trainer.get("epochs", "Ludwig's default"))
    try:
        trained = [str(curves.epochs(found)) for found in curves.of_run(run).values()]
    except InputError:
        trained = ["?"]
    return f"{', '.join(trained)} of {allowed}"


def _device(run: Run) -> tuple[str, str]:
    return run.facts["device"], f"{run.facts['cores']} cores, {run.facts['backend']} backend"


def duration(seconds: float) -> str:
    """45 s, 3 min 20 s, or 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


FACTS: dict[str, Callable[[Run], str | tuple[str, str]]] = {
    "definition": _definition,
    "changes to it": lambda run: ", ".join(run.facts["overrides"]) or "none",
    "data": _data,
    "trained as": _models,
    "epochs": _epochs,
    "seed": lambda run: str(run.facts["seed"]),
    "device": _device,
    "time": lambda run: duration(run.facts["seconds"]),
    "started": lambda run: run.facts["started"].replace("T", " ").replace("+00:00", " UTC"),
    "folder": lambda run: str(run.folder),
}
"""Fact -> what a run says of it, and in smaller letters."""


def versions(comparison: Comparison) -> Table:
    """Versions of the packages behind each run."""
    found = {name: run.facts["versions"] for name, run in comparison.runs.items()}
    packages = dict.fromkeys(package for versions in found.values() for package in versions)
    rows = [[Cell(package), *(Cell(versions.get(package, "")) for versions in found.values())] for package in packages]
    return Table("Versions", ["", *found], rows, words=range(1, len(found) + 1))


def metrics(comparison: Comparison, unit: str) -> Table:
    """Every figure with its interval, the best of each column marked, and whether the baselines are beaten."""
    every, titles = verdict.titled(comparison), comparison.kind.titles
    figures = {title: found[unit]["figures"] for title, found in every.items()}
    best = verdict.best_of(figures, titles)
    rows = [
        [
            Cell(title, "" if title in comparison.runs else "baseline"),
            *(measured(figures[title].get(name), strong=title in best[name]) for name in titles),
            Cell(verdict.standing(comparison, title, unit) if title in comparison.runs else "–"),
        ]
        for title in every
    ]
    heads = ["", *titles.values(), "beats the baselines?"]
    return Table(_caption(comparison, unit), heads, rows, words=[len(titles) + 1])


def _caption(comparison: Comparison, unit: str) -> str:
    return f"Per {unit}: {verdict.counted(comparison, unit)}"


def pairs(comparison: Comparison, tested: Iterable[Pair], unit: str) -> Table:
    """A paired test a row."""
    kind, rows = comparison.kind, [_pair(pair, unit) for pair in tested]
    heads = ["", f"difference in {kind.words}", *kind.counts.values(), kind.test, "which says"]
    return Table(_caption(comparison, unit), heads, rows, words=[len(heads) - 1])


def _pair(pair: Pair, unit: str) -> list[Cell]:
    first = pair.differences(unit)[pair.kind.words]
    return [
        _both(pair),
        Cell(_signed(first["value"]), _signed_bounds(first)),
        *(Cell(str(pair.units[unit][name])) for name in pair.kind.counts),
        Cell(verdict.p_value(pair.p(unit))),
        Cell(verdict.meaning(pair, unit), strong=pair.beyond_chance(unit)),
    ]


def _both(pair: Pair) -> Cell:
    return Cell(f"{pair.a} – {pair.kind.baselines.get(pair.b, pair.b)}")


def _signed_bounds(difference: Difference) -> str:
    return "" if difference["low"] is None else f"{_signed(difference['low'])} to {_signed(difference['high'])}"


def other_differences(comparison: Comparison, tested: Sequence[Pair], unit: str) -> list[Table]:
    """The differences in other figures than the headline, a pair a row, each with its p; no table with one label."""
    heads = [words for words in tested[0].differences(unit) if words != comparison.kind.words]
    rows = [[_both(pair), *(_tested(pair.differences(unit)[words]) for words in heads)] for pair in tested]
    return [Table(f"{_caption(comparison, unit)}, differences in other figures", ["", *heads], rows)] if heads else []


def _tested(difference: Difference) -> Cell:
    bounds = ", ".join(filter(None, [_signed_bounds(difference), verdict.p_value(difference["p"])]))
    return Cell(_signed(difference["value"]), bounds)


def _signed(difference: float | None) -> str:
    """+0.125, −0.125 or 0.000; nothing of nothing."""
    if difference is None:
        return "–"
    return f"{difference:+.3f}".replace("-", "−") if round(difference, 3) else "0.000"


def classes(comparison: Comparison, unit: str) -> Table:
    """F1 of every class in every run and baseline, precision and recall below it, the best of each row marked."""
    every = {title: found[unit]["per_class"] for title, found in verdict.titled(comparison).items()}
    names = sorted({name for found in every.values() for name in found})
    rows = [_class(name, {title: found.get(name) for title, found in every.items()}) for name in names]
    return Table(_caption(comparison, unit), ["", f"{unit}s", *every], rows)


def _class(name: str, found: Mapping[str, Mapping[str, float] | None]) -> list[Cell]:
    scores = {title: figures["f1"] for title, figures in found.items() if figures}
    best = verdict.best("f1", scores) if any(scores.values()) else set()
    support = next(figures["support"] for figures in found.values() if figures)
    return [Cell(name), Cell(str(support)), *(_f1(figures, title in best) for title, figures in found.items())]


def _f1(figures: Mapping[str, float] | None, strong: bool) -> Cell:
    if figures is None:
        return Cell("–", "unknown to it")
    return Cell(f"{figures['f1']:.3f}", f"{figures['precision']:.2f} / {figures['recall']:.2f}", strong)


def confusion(title: str, counts: Sequence[Sequence[int]], names: Sequence[str]) -> Table:
    """The numbers of a confusion matrix."""
    rows = [[Cell(name), *(Cell(str(count)) for count in row)] for name, row in zip(names, counts, strict=True)]
    return Table(f"{title}: true classes down, predicted ones across", ["", *names], rows)
