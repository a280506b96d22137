"""Ludwig's `text_tfidf` against TF-IDF + logistic regression: accuracy on the same rows, and time, in one run.

    python benchmarks/text_tfidf.py ARCHIVE [--dataset leaflet_texts] [--config text_tfidf] [--seeds 1 2 3]

Each seed draws its own split: 75 % of the groups to train on, of which 15 % validate, and 25 % to test on. Our time is
that of `train`, from the checks to the figures, without importing Ludwig and without the rival, which train learns too.
"""

import argparse
import tempfile
import time
from pathlib import Path

from leaflet_tool.manifest import SPLIT, TEXT, read_prepared
from leaflet_tool.measure.baselines import tfidf_logistic
from leaflet_tool.models import definitions, engine, training
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare

FRACTIONS = (0.6375, 0.1125, 0.25)


def main() -> None:
    """Prints a row a seed, then the means and the ratio of times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--dataset", default="leaflet_texts")
    parser.add_argument("--config", default="text_tfidf")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    definition = definitions.find(options.config)
    started = time.perf_counter()
    engine.validated(definitions.fill(definition.content, {"label": "label", "split": "split", "text": "text"}))
    print(f"importing Ludwig: {time.perf_counter() - started:.1f} s")
    print("seed  rows  ours   rival  ours_s  rival_s")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in options.seeds:
            rows.append(trial(options.archive, options.dataset, definition, seed, Path(scratch) / str(seed)))
            print("{:>4}  {:>4}  {:.3f}  {:.3f}  {:>6.1f}  {:>7.1f}".format(seed, *rows[-1]), flush=True)
    _, ours, rival, our_time, rival_time = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    print(f"mean        {ours:.3f}  {rival:.3f}  {our_time:>6.1f}  {rival_time:>7.1f}")
    print(f"accuracy: {ours - rival:+.3f}; time: {our_time / rival_time:.1f} times the rival's")


def trial(
    archive: Path, dataset: str, definition: definitions.Definition, seed: int, folder: Path
) -> tuple[int, float, float, float, float]:
    """Test rows, accuracy of the definition and of its rival, seconds of each."""
    source = overridden(load(dataset), {"split.fractions": FRACTIONS, "split.seed": seed})
    prepare(archive, folder / "prepared", source)
    prepared = read_prepared(folder / "prepared")
    started = time.perf_counter()
    run = training.train(definition, prepared, training.Request("run", runs=folder, seed=seed))
    our_time = time.perf_counter() - started
    train, test = (prepared.frame[prepared.frame[SPLIT] == split] for split in ("train", "test"))
    started = time.perf_counter()
    rival = tfidf_logistic(train[TEXT], train[prepared.label.name], test[TEXT], seed=seed)
    rival_time = time.perf_counter() - started
    right = rival.columns.to_numpy()[rival.to_numpy().argmax(axis=1)] == test[prepared.label.name].to_numpy()
    ours = run.metrics()["page"]["figures"]["accuracy"]["value"]
    return len(test), ours, float(right.mean()), our_time - rival_time, rival_time


if __name__ == "__main__":
    main()
