"""The chain of document models on an archive, small enough for a CPU: is each step worth it, and how long does it take?

    python benchmarks/documents_chain.py ARCHIVE [--dataset receipts] [--out FOLDER] [--seed 1 --seed 2 …] [--epochs N]

Half of the pages train, a quarter validates, and the stacks learn from it; a quarter is tested on. The study is
documents_small: the page at 64 pixels, from there at 128, beside that from scratch for as many epochs, the four halves,
all views in one model, the text, and two stacks. Printed are the study's table, then the accuracy of both models at 128
pixels at each seed, and each stack beside the best of what it stacks, which is chosen on the test pages, against the
stack. What is there in --out already is not trained again.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from leaflet_tool.cli.console import Console
from leaflet_tool.manifest import SPLIT
from leaflet_tool.measure import over_seeds
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results import study_page, study_runs, study_scores
from leaflet_tool.results.study_runs import Plan
from leaflet_tool.settings import TRAIN

STUDY, FROM_SMALLER, FROM_SCRATCH = "documents_small", "page at 128", "page at 128 from scratch"
PREPARED = {"regions": "top,bottom,left,right", "region_side": 128, "split.fractions": "0.5,0.25,0.25"}


def main() -> None:
    """Prepares, trains, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--dataset", default="receipts")
    parser.add_argument("--out", type=Path, help="keep the prepared folder and the runs here")
    parser.add_argument("--seed", type=int, action="append", help="instead of the study's; give it once for each")
    parser.add_argument("--epochs", type=int, help="of every row but the stacks, for a trial")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        prepare(options.archive, folder / "prepared", overridden(load(options.dataset), PREPARED))
        given: dict[str, Any] = {"seeds": options.seed or (), "epochs": options.epochs}
        plan = study_runs.planned(STUDY, folder / "prepared", runs=folder / "runs", **given)
        plan = shortened(plan, options.epochs) if options.epochs else plan
        study_runs.checked(plan)
        started = time.monotonic()
        for job in study_runs.train(plan):
            took = job.run.facts.get("seconds") if job.run else None
            print(f"{job.row}, seed {job.seed}: {job.state}, {took} s {job.problem}", flush=True)
        print(f"trained for {(time.monotonic() - started) / 60:.1f} minutes")
        show(plan)


def shortened(plan: Plan, epochs: int) -> Plan:
    """The plan with so many epochs for rows that declare others, too."""
    rows = {
        name: row.model_copy(update={"set": {**row.set, "trainer.epochs": epochs}})
        if row.set and not row.stack
        else row
        for name, row in plan.study.declared.rows.items()
    }
    declared = plan.study.declared.model_copy(update={"rows": rows})
    return replace(plan, study=replace(plan.study, declared=declared))


def show(plan: Plan) -> None:
    """The study's table, and the two questions."""
    table = study_scores.table(plan)
    study_page.write(table, plan.folder / study_page.PAGE)
    Console().table({}, table.heads, table.cells(), title=table.title)
    for sentence in table.sentences:
        print(sentence)
    for row in (FROM_SMALLER, FROM_SCRATCH):
        values = [job.run.metrics()["page"]["figures"]["accuracy"]["value"] for job in plan.of(row) if job.run]
        print(f"{row}: {', '.join(f'{value:.3f}' for value in values)}")
    print(f"{FROM_SMALLER} against {FROM_SCRATCH}: {lead(plan, FROM_SMALLER, FROM_SCRATCH)}")
    accuracy = {line.row: line.figures["accuracy"]["value"] for line in table.lines}
    for row in plan.study.rows:
        if stacked := plan.study.stacked(row):
            best = max(stacked, key=lambda name: accuracy[name])
            print(f"{row} ({accuracy[row]:.3f}) against {best} ({accuracy[best]:.3f}): {lead(plan, row, best)}")


def lead(plan: Plan, row: str, other: str) -> str:
    """The difference of two rows' mean accuracies, paired, with its interval over groups."""
    first, second = (over_seeds.mean([scores(job) for job in plan.of(name)]) for name in (row, other))
    found = first.minus(second)
    figure = found.interval("accuracy")
    return f"{figure['value']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f}), p = {found.p('accuracy')}"


def scores(job: study_runs.Job) -> over_seeds.Scores:
    """A run's figures on the test pages, with their resamples."""
    predictions = job.run.predictions()  # type: ignore[union-attr]
    test = predictions[predictions[SPLIT] == "test"].sort_values("id")
    return over_seeds.scores(test, seed=TRAIN.seed, resamples=TRAIN.resamples)


if __name__ == "__main__":
    main()
