"""Calibration error of finished runs before and after, and what they decide at a precision, on their test pages.

    python benchmarks/calibration.py RUN [RUN ...] [--runs runs] [--unit leaflet]

Calibration and thresholds are fitted on validation pages, of runs in folds on the other folds. What the same
calibration comes to without a prior stands beside it, per page.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.cli.shown import with_interval
from leaflet_tool.measure import calibration
from leaflet_tool.measure.calibration_error import before_and_after
from leaflet_tool.measure.confidence import calibrated_part
from leaflet_tool.models import confidence, runs
from leaflet_tool.models.runs import Run

FREE = 1000.0
"""Standard deviation of a prior that holds nothing."""


def main() -> None:
    """Prints a row a run and figure, then one a run and target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="+")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--unit", choices=["page", "leaflet"], default="page")
    options = parser.parse_args()
    found = {name: runs.finished(name, options.runs) for name in options.run}
    worth = {
        name: confidence.figures(run, run.predictions(), **confidence.chance_of(run))[options.unit]
        for name, run in found.items()
    }
    print("run  rows  figure  before  after  difference (95 %)  without a prior")
    for name, run in found.items():
        free = without_prior(run)
        for figure in worth[name]["before"]:
            shown = [f"{worth[name][when][figure]['value']:.3f}" for when in ("before", "after")]
            other = f"{free[figure]['value']:.3f}" if options.unit == "page" else "-"
            print(
                name,
                worth[name]["rows"],
                figure,
                *shown,
                with_interval(worth[name]["difference"][figure]),
                other,
                sep="  ",
            )
    print("\nrun  precision asked for  reached (95 %)  coverage (95 %)  in hindsight")
    for name, figures in worth.items():
        for each in figures["targets"]:
            reached = with_interval(each["precision"]) if each["precision"] else "nothing decided"
            print(name, each["target"], reached, with_interval(each["coverage"]), f"{each['hindsight']:.3f}", sep="  ")


def without_prior(run: Run) -> dict[str, Any]:
    """The figures after a calibration that nothing holds back."""
    raw = confidence.parts(run, run.predictions())
    after = [calibrated_part(part, calibration.fit(part.known, prior=FREE)) for part in raw]
    judged = [pd.concat([part.judged for part in parts], ignore_index=True) for parts in (raw, after)]
    return dict(before_and_after(*judged, **confidence.chance_of(run))["after"])


if __name__ == "__main__":
    main()
