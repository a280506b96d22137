"""An explanation as people get it: rows of a table, one object, and the figure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from leaflet_tool.manifest import IMAGE, split_labels
from leaflet_tool.measure.areas import Area, areas
from leaflet_tool.measure.explanation_figures import Bar, Sheet, Text, View, explanation, signed
from leaflet_tool.measure.figures import png
from leaflet_tool.measure.marked_text_figures import Word
from leaflet_tool.models.alignment import WORD
from leaflet_tool.models.explanation import GRADIENTS, NONE, Input
from leaflet_tool.results.explaining import NEW, Explained
from leaflet_tool.settings import EXPLAIN
from leaflet_tool.storage import replacing

LINE_END = re.compile(r"\n\s*")
COVERED_RUN = "occlusion, covered by what it says of other pages in the mean"
NOTHING = 1e-6
"""Weights below this share of the largest are none."""


def heaviest(found: Input, shown: int = EXPLAIN.words) -> list[tuple[str, float, int]]:
    """The words that weigh most: as one kind wherever they stand and whatever their case, their weight, how often."""
    kinds: dict[str, list[float]] = {}
    for word, weight in zip(found.words, found.word_weights if found.word_weights is not None else (), strict=False):
        kinds.setdefault(word.lower(), []).append(float(weight))
    sums = sorted(((kind, sum(each), len(each)) for kind, each in kinds.items()), key=lambda item: -abs(item[1]))
    return [item for item in sums[:shown] if abs(item[1]) > NOTHING * abs(sums[0][1])]


def areas_of(found: Input) -> list[Area]:
    """The areas that weigh most; none where the model does not see the whole image."""
    if found.grid is None or not found.whole:
        return []
    return areas(found.grid, EXPLAIN.areas, mean=GRADIENTS not in found.method)


def method_words(found: Input) -> str:
    """How an input was weighed, and how exact that is."""
    words = found.method
    if found.delta is not None and found.difference is not None:
        words += f" from {found.against} (convergence delta {found.delta:+.3f} of {found.difference:+.2f})"
    elif found.against:
        words += f", covered by {found.against}" if found.type == IMAGE else ", each word left out in turn"
    return words


def to_json(found: Explained) -> dict[str, Any]:
    """Everything that was found, of a stack with its base runs."""
    asked = found.asked
    told: dict[str, Any] = {
        "run": asked.run.name,
        "page": found.page,
        "source": found.source,
        "label": found.truth,
        "seen": asked.seen,
        "predicted": asked.predicted,
        "class": found.target,
        "log_odds": found.log_odds,
        "probabilities": asked.probabilities,
        "thresholds": asked.thresholds,
        "inputs": [_input_json(each) for each in found.inputs],
    }
    if found.bases:
        told["bases"] = [
            {"weight": weight, "method": "occlusion", **to_json(base)}
            for weight, base in zip(found.weights, found.bases, strict=True)
        ]
    return told


def _input_json(found: Input) -> dict[str, Any]:
    told: dict[str, Any] = {
        **{"input": found.name, "column": found.column, "method": found.method, "against": found.against},
        **{"weight": found.weight, "delta": found.delta, "difference": found.difference},
    }
    if found.word_weights is not None:
        words = heaviest(found, len(found.words))
        told["words"] = [{"word": word, "weight": weight, "times": times} for word, weight, times in words]
        told["words_read"], told["words_in_text"] = found.read, len(found.words)
    if found.grid is not None:
        boxes = [asdict(area) for area in areas_of(found)]
        told["areas"] = [{"box": list(box.values())[:4], "weight": box["weight"]} for box in boxes]
        told["grid"] = found.grid.tolist()
    return told


def rows(found: Explained, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Input, what in it, and its weight: each input as a whole, then its words or areas; base runs likewise."""
    for each in found.inputs:
        name = prefix + each.name
        yield name, method_words(each), "" if each.method == NONE else signed(each.weight)
        for word, weight, times in heaviest(each):
            yield name, f"  {word}" + (f" ({times} times)" if times > 1 else ""), signed(weight)
        for area in areas_of(each):
            yield name, f"  {place(area)}", signed(area.weight)
    for weight, base in zip(found.weights, found.bases, strict=True):
        yield base.asked.run.name, COVERED_RUN, signed(weight)
        yield from rows(base, f"{base.asked.run.name}: ")


def place(area: Area) -> str:
    """Where an area is on the page, in per cent of its width and height."""
    sides = (f"{100 * low:.0f}-{100 * high:.0f} %" for low, high in ((area.left, area.right), (area.top, area.bottom)))
    across, down = sides
    return f"area {across} from the left, {down} from the top"


def sentence(found: Explained) -> str:
    """What the run says of the page, and what the archive does."""
    asked = found.asked
    likeliest = [f"{name} {asked.probabilities[name]:.2f}" for name in asked.predicted]
    said = f"{asked.run.name} says {', '.join(likeliest) or 'none of its labels'}"
    labels = split_labels(found.truth) if asked.run.label.multiple else [found.truth]
    truth = f"; the archive says {', '.join(labels)}" if found.truth else ""
    return f"{said}{truth}"


def knowledge(found: Explained) -> str:
    """Whether the page is new to what was asked, and to which of a run's models."""
    asked, folds = found.asked, found.asked.run.folds
    if asked.seen == NEW:
        return "the page is new to the run" + (f"; mean of its {folds} folds' models" if folds else "")
    if folds:
        return f"asked: the model of {asked.seen}, which did not see the page"
    if asked.seen == "train":
        return "the run was trained on this page, so that its confidence says little"
    return f"the page is of the {asked.seen} split"


def write_figure(found: Explained, out: Path) -> None:
    """Draws the explanation as PNG, whole or not at all."""
    drawn = png(explanation(sheet(found)))
    with replacing(out, "wb") as file:
        file.write(drawn)


def sheet(found: Explained) -> Sheet:
    """All that the figure shows."""
    parts = [(each.name, each.weight) for each in found.inputs if each.grid is not None or each.words]
    parts = [(base.asked.run.name, weight) for weight, base in zip(found.weights, found.bases, strict=True)] or parts
    inputs = list(_inputs(found))
    return Sheet(
        title=f"{found.source or found.page}: why {found.target}?",
        subtitle=f"{sentence(found)}. {knowledge(found).capitalize()}.",
        page=found.pictures.get(IMAGE),
        bars=bars(found),
        parts=parts if len(parts) > 1 else [],
        views=[_view(*each) for each in inputs if each[1].grid is not None],
        texts=[_text(name, each) for name, each, _ in inputs if each.word_weights is not None],
        notes=list(_notes(found, inputs)),
    )


def _inputs(found: Explained, prefix: str = "") -> Iterator[tuple[str, Input, Mapping[str, Any]]]:
    """Every input by name, with the pictures of its run."""
    for each in found.inputs:
        yield prefix + each.name, each, found.pictures
    for base in found.bases:
        yield from _inputs(base, f"{base.asked.run.name}: ")


def bars(found: Explained) -> list[Bar]:
    """The likeliest classes, those that are predicted, and the one that is explained."""
    asked = found.asked
    chosen = {*asked.predicted, found.target, *list(asked.probabilities)[: EXPLAIN.classes]}
    limits = asked.thresholds or {}
    return [
        Bar(name, value, limits.get(name), name in asked.predicted, name == found.target)
        for name, value in asked.probabilities.items()
        if name in chosen
    ]


def _view(name: str, found: Input, pictures: Mapping[str, Any]) -> View:
    title = f"{name}: {signed(found.weight)}" + ("" if found.whole else ", of which the model sees a part")
    return View(title, pictures[found.column], found.grid if found.whole else None, areas_of(found))


def _text(name: str, found: Input) -> Text:
    title = f"{name}: {signed(found.weight)}"
    if found.read < len(found.words):
        title += f"; the model reads the first {found.read} of {len(found.words)} words"
    values: Iterable[float] = found.word_weights if found.word_weights is not None else ()
    words = [
        Word(word, float(weight), number < found.read)
        for number, (word, weight) in enumerate(zip(found.words, values, strict=True))
    ]
    return Text(name, title, _lines(found, words), [(word, weight) for word, weight, _ in heaviest(found)])


def _lines(found: Input, words: list[Word]) -> list[list[Word]]:
    """The words in the lines of the page's text."""
    lines, rest = [], iter(words)
    for line in LINE_END.split(found.text.strip()):
        spans = [each.span() for each in WORD.finditer(line)]
        followed = [end < start for (_, end), (start, _) in pairwise([*spans, (len(line) + 1, 0)])]
        lines.append([replace(next(rest), blank=blank) for blank in followed])
    return lines


def _notes(found: Explained, inputs: list[tuple[str, Input, Mapping[str, Any]]]) -> Iterator[str]:
    yield (
        f"Weights are log odds of {found.target}: +0.7 doubles its odds, -0.7 halves them. "
        f"Its log odds are {found.log_odds:+.2f}. Blue speaks for it, vermilion against it."
    )
    for name, each, _ in inputs:
        yield f"{name}: {method_words(each)}"
    for base in found.bases:
        gives = f"{base.asked.run.name} gives {found.target} {base.asked.probabilities[found.target]:.2f}"
        yield f"{gives}; {COVERED_RUN}; {knowledge(base)}"
