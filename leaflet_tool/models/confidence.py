"""What a run's confidence is worth, and what it decides: calibrated on validation pages, or on other folds."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from leaflet_tool.errors import UsageError
from leaflet_tool.manifest import FOLD, SPLIT
from leaflet_tool.measure import calibration, selective
from leaflet_tool.measure.calibration import Calibration
from leaflet_tool.measure.confidence import Part, calibrated_part, decide, judge, outcome
from leaflet_tool.measure.selective import Threshold
from leaflet_tool.models import checks
from leaflet_tool.models.runs import CALIBRATION, Run
from leaflet_tool.storage import read_json, write_json

KEY = "confidence"
"""Where metrics.json has what `figures` gives."""


@dataclass(frozen=True)
class Limit:
    """From which calibrated confidence on a run decides, None where it never does, and what that was worth on test."""

    calibration: Calibration
    confidence: float | None
    fitted: Threshold | None
    """How it was found for a precision; None of one that was given."""
    test: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """What a command says of it."""
        fitted = {} if self.fitted is None else {"target": self.fitted.target, "bound": self.fitted.bound}
        return {"from_confidence": self.confidence, **fitted, "test": self.test}


def known_rows(run: Run, predictions: pd.DataFrame) -> pd.DataFrame:
    """The pages with which a run is calibrated for new ones: validation pages, of a run in folds all its pages."""
    return predictions if run.folds else predictions[predictions[SPLIT] == "validation"]


def parts(run: Run, predictions: pd.DataFrame) -> list[Part]:
    """The pages by which a run is judged, each beside others that calibrate it; a part a fold."""
    follows = checks.followed(run)
    if not run.folds:
        judged = predictions[predictions[SPLIT] == "test"]
        return [Part.apart(known_rows(run, predictions), judged, follows)]
    held_out = predictions[FOLD]
    return [
        Part.apart(predictions[held_out != fold], predictions[held_out == fold], follows)
        for fold in sorted(set(held_out))
    ]


def fit(run: Run, predictions: pd.DataFrame) -> Calibration:
    """What calibrates the run's predictions of new pages."""
    return calibration.fit(known_rows(run, predictions))


def write(run: Run, predictions: pd.DataFrame) -> None:
    """Fits the calibration and leaves it beside the run."""
    write_json(run.folder / CALIBRATION, calibration.to_json(fit(run, predictions)))


def of(run: Run) -> Calibration:
    """The calibration that training left, or, of a run from before there was one, what it would have left."""
    path = run.folder / CALIBRATION
    if not path.is_file():
        return fit(run, run.predictions())
    return calibration.from_json(read_json(path), str(path))


def figures(run: Run, predictions: pd.DataFrame, *, seed: int, resamples: int) -> dict[str, Any]:
    """What the confidence of a run is worth on its test pages."""
    return judge(parts(run, predictions), seed=seed, resamples=resamples)


def figures_on(run: Run, judged: pd.DataFrame) -> dict[str, Any]:
    """The same on the pages of another archive."""
    return judge([Part(known_rows(run, run.predictions()), judged, checks.followed(run))], **chance_of(run))


def chance_of(run: Run) -> dict[str, Any]:
    """Seed and resamples with which a run is judged, today as on the day it was trained."""
    return {"seed": run.facts["seed"], "resamples": run.facts["resamples"]}


def limit(run: Run, *, min_confidence: float | None = None, target_precision: float | None = None) -> Limit | None:
    """From where on the run decides when either is asked for; a UsageError for both, None for neither."""
    if min_confidence is not None and target_precision is not None:
        raise UsageError("--min-confidence and --target-precision both say what is decided", hint="give one of the two")
    predictions, found = run.predictions(), of(run)
    if min_confidence is not None:
        return Limit(found, min_confidence, None, _on_test(run, predictions, confidence=min_confidence))
    if target_precision is None:
        return None
    known = calibration.calibrated(known_rows(run, predictions), found, checks.followed(run))
    fitted = selective.threshold_for(selective.answers(known), target_precision)
    return Limit(found, fitted.confidence, fitted, _on_test(run, predictions, target=target_precision))


def _on_test(
    run: Run, predictions: pd.DataFrame, *, confidence: float | None = None, target: float | None = None
) -> dict[str, Any]:
    """Precision and coverage on test pages from a confidence on, or from where the known pages show the target."""
    fitted = [calibrated_part(part, calibration.fit(part.known)) for part in parts(run, predictions)]
    limits = [confidence] * len(fitted)
    if target is not None:
        found = [selective.threshold_for(selective.answers(part.known), target) for part in fitted]
        limits = [each.confidence for each in found]
    return outcome(fitted, limits, **chance_of(run))


def decided(run: Run, predictions: pd.DataFrame, limit: Limit) -> pd.DataFrame:
    """The run's predictions of new pages with what it decides of them; sets of labels stay coherent where they are."""
    return decide(predictions, limit.calibration, limit.confidence, checks.followed(run))
