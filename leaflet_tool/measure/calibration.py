"""Probabilities that can be taken at their word, fitted on rows that the model did not learn from and nothing else.

One label a row: one temperature for the whole model, by which the logits are divided (Guo et al. 2017, On Calibration
of Modern Neural Networks). Several: a slope and an offset of each label's log odds (Platt 1999), which keep the order
of rows. Few rows make either of them wildly sure, and the pages of a leaflet tell little more than one of them. Hence
all rows together count as much as there are groups, and what is fitted is drawn to where it changes nothing, a rare
label's to what fits all labels together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit, logsumexp, softmax

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP
from leaflet_tool.measure.label_sets import HALF, HALF_VIEW, BoolArray, cells, is_multiple, raised, truth_matrix
from leaflet_tool.measure.predictions import (
    CONFIDENCE,
    PROBABILITY,
    SMALLEST_PROBABILITY,
    FloatArray,
    classes_of,
    label_places,
    probabilities_of,
)
from leaflet_tool.storage import MADE_BY
from leaflet_tool.taxonomy import Taxonomy

PRIOR = 0.5
"""Standard deviation of the natural logarithm of a temperature or a slope, and of an offset, before rows are seen.

Simulated with four classes and models whose temperature is off by 1/2 to 4, nine rows cost a model that is calibrated
already 0.02 to 0.03 nats at 0.5, 0.04 to 0.05 at 1 and 0.16 to 0.23 at 3; where it is off, as much is gained at 0.5 and
at 1, and from 30 rows on the prior makes little difference.
"""
LIMIT = 20.0
"""Temperatures lie between 1 / LIMIT and LIMIT."""
FITTED, GLOBAL = "label", "global"


@dataclass(frozen=True)
class Temperature:
    """What the logits of a model with one label a row are divided by: above 1 it is made less sure, below 1 more."""

    kind: ClassVar[str] = "temperature"
    temperature: float
    fitted: Mapping[str, Any]

    def of(self, probabilities: FloatArray, classes: Sequence[str]) -> FloatArray:
        """The calibrated probabilities `[rows, classes]`; the most probable class of a row stays that."""
        return softmax(_logs(probabilities) / self.temperature, axis=1)


@dataclass(frozen=True)
class Line:
    """A label's calibrated log odds, `slope * log odds + offset`; `source` is "global" without a positive."""

    slope: float
    offset: float
    positives: int
    source: str


@dataclass(frozen=True)
class Lines:
    """The line for all labels together, and each label's own."""

    kind: ClassVar[str] = "platt"
    global_: Line
    labels: Mapping[str, Line]
    fitted: Mapping[str, Any]

    def of(self, probabilities: FloatArray, classes: Sequence[str]) -> FloatArray:
        """The calibrated probabilities `[rows, classes]`; the rows of a label stay in their order."""
        lines = [self.labels.get(name, self.global_) for name in classes]
        slopes, offsets = (np.array([getattr(line, name) for line in lines]) for name in ("slope", "offset"))
        return expit(_odds(probabilities) * slopes + offsets)


type Calibration = Temperature | Lines


def to_json(found: Calibration) -> dict[str, Any]:
    """What calibration.json holds."""
    if isinstance(found, Temperature):
        return {"kind": found.kind, "temperature": found.temperature, "fitted": dict(found.fitted)}
    labels = {label: asdict(line) for label, line in found.labels.items()}
    return {"kind": found.kind, "global": asdict(found.global_), "labels": labels, "fitted": dict(found.fitted)}


def from_json(value: Any, name: str = "calibration.json") -> Calibration:
    """What `to_json` gave; an InputError names `name` and what is wrong in it."""
    try:
        if value["kind"] == Temperature.kind:
            temperature = float(value["temperature"])
            found: Calibration = Temperature(temperature, value["fitted"])
            numbers = {"the temperature": temperature}
        else:
            labels = {str(label): _line_in(line) for label, line in value["labels"].items()}
            found = Lines(_line_in(value["global"]), labels, value["fitted"])
            numbers = {f"the slope of {label!r}": line.slope for label, line in labels.items()}
            numbers["the slope for all labels"] = found.global_.slope
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{name} does not hold a calibration", hint=MADE_BY) from None
    if odd := [f"{of}: {each!r}" for of, each in numbers.items() if not 0 < each < np.inf]:
        raise InputError.listing(f"figures in {name} that are not above 0", odd, hint=MADE_BY)
    return found


def _line_in(value: Mapping[str, Any]) -> Line:
    return Line(float(value["slope"]), float(value["offset"]), value["positives"], value["source"])


def fit(predictions: pd.DataFrame, *, prior: float = PRIOR) -> Calibration:
    """What calibrates a model, from its predictions of labelled rows that it did not learn from.

    Without a row nothing is changed. Labels the model never saw say nothing about it and are passed over.
    """
    return _fitted_lines(predictions, prior) if is_multiple(predictions) else _fitted_temperature(predictions, prior)


def calibrated(predictions: pd.DataFrame, calibration: Calibration, follows: Taxonomy | None = None) -> pd.DataFrame:
    """The same predictions with calibrated probabilities; `predicted` stays, what several labels are at 0.5 may not.

    A line a label may turn the order along a hierarchy round: with the taxonomy that the predictions follow, a label is
    as likely as the likeliest below it.
    """
    classes = classes_of(predictions)
    values = calibration.of(probabilities_of(predictions), classes)
    values = raised(values, classes, follows) if follows else values
    columns: dict[str, Any] = {PROBABILITY + name: values[:, place] for place, name in enumerate(classes)}
    if is_multiple(predictions):
        return predictions.assign(**columns, **{HALF_VIEW: cells(values >= HALF, classes)})
    return predictions.assign(**columns, **{CONFIDENCE: values.max(axis=1, initial=0.0)})


def _fitted_temperature(predictions: pd.DataFrame, prior: float) -> Temperature:
    known = label_places(predictions)
    rows = predictions[known >= 0]
    logs, true = _logs(probabilities_of(rows)), known[known >= 0]
    facts = _facts(rows, prior)
    weight = facts["groups"] / max(1, facts["rows"])

    def loss(log_temperature: float) -> float:
        """Negative log-likelihood in nats, each group's worth one row, and the prior's."""
        scaled = logs / np.exp(log_temperature)
        given = scaled[np.arange(len(true)), true] - logsumexp(scaled, axis=1)
        return float(log_temperature**2 / (2 * prior**2) - weight * given.sum())

    if rows.empty:
        return Temperature(1.0, facts)
    bounds = (-np.log(LIMIT), np.log(LIMIT))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return Temperature(float(np.exp(found.x)), facts)


def _fitted_lines(predictions: pd.DataFrame, prior: float) -> Lines:
    classes, truth = classes_of(predictions), truth_matrix(predictions)
    odds, facts = _odds(probabilities_of(predictions)), _facts(predictions, prior)
    weight = facts["groups"] / max(1, facts["rows"])
    # a page's labels hang together, so that all pairs of a page and a label count as one a group, too
    pooled = _line(odds.ravel(), truth.ravel(), (0.0, 0.0), weight / max(1, len(classes)), prior)
    found = {}
    for name, column, positive in zip(classes, odds.T, truth.T, strict=True):
        positives = int(positive.sum())
        slope, offset = _line(column, positive, pooled, weight, prior) if positives else pooled
        found[name] = Line(float(np.exp(slope)), float(offset), positives, FITTED if positives else GLOBAL)
    overall = Line(float(np.exp(pooled[0])), float(pooled[1]), int(truth.sum()), GLOBAL)
    return Lines(overall, found, facts)


def _line(
    odds: FloatArray, positive: BoolArray, centre: tuple[float, float], weight: float, prior: float
) -> tuple[float, float]:
    """Logarithm of the slope, and the offset, that fit best; drawn to `centre`."""
    middle, sign = np.array(centre), np.where(positive, 1.0, -1.0)

    def loss(line: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood in nats and the prior's, and how they change with `line`."""
        slope, away = np.exp(line[0]), line - middle
        margins = sign * (slope * odds + line[1])
        pull = -weight * sign * expit(-margins)
        value = weight * np.logaddexp(0, -margins).sum() + (away**2).sum() / (2 * prior**2)
        return float(value), np.array([(pull * odds).sum() * slope, pull.sum()]) + away / prior**2

    bounds = [(-np.log(LIMIT), np.log(LIMIT)), (-LIMIT, LIMIT)]
    slope, offset = minimize(loss, middle, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope), float(offset)


def _facts(rows: pd.DataFrame, prior: float) -> dict[str, Any]:
    return {"rows": len(rows), "groups": int(rows[GROUP].nunique()), "prior": prior}


def _logs(probabilities: FloatArray) -> FloatArray:
    return np.log(probabilities.clip(SMALLEST_PROBABILITY, 1.0))


def _odds(probabilities: FloatArray) -> FloatArray:
    return logit(probabilities.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
