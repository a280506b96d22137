"""Whether what a row names was in force while it trained, told from what the runs left on disk.

A loss is proved by its value: Ludwig's own validation loss beside the plain binary cross-entropy of the same pages'
probabilities, computed here. They are one and the same where nothing was changed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.manifest import SPLIT, SPLITS, own, split_labels
from leaflet_tool.measure import label_sets
from leaflet_tool.measure.predictions import probabilities_of
from leaflet_tool.models import bases, definitions, rows, transfer
from leaflet_tool.models.runs import CONFIG, ROWS, Run
from leaflet_tool.storage import read_json
from leaflet_tool.taxonomy import Taxonomy

SMALLEST = 1e-7
"""What a probability counts as at least."""
SAME_LOSS = 0.02
"""Relative difference up to which two losses are the same: Ludwig averages batches, the last of which is smaller."""


def facts(run: Run) -> dict[str, Any]:
    """What a run trained on and how: rows, altered copies, labels a row, parameters, weights taken over, its losses."""
    table = rows.in_words(rows.read(run.folder / ROWS), run.label)
    train = table[table[SPLIT] == "train"]
    if bases.STACK in run.facts:
        return {"stacked": [base["name"] for base in run.facts[bases.STACK]["bases"]], **_splits(table)}
    found: dict[str, Any] = {"training_rows": len(train), "altered_copies": len(train) - len(own(train))}
    found["reads"] = _inputs(run)
    found |= {"parameters": run.facts["parameters"]} if "parameters" in run.facts else {}
    found |= {"transfer": run.facts["transfer"], "source": _source(run)} if "transfer" in run.facts else {}
    if run.label.multiple:
        labels = train[run.label.name].map(split_labels)
        found |= {"labels_per_row": round(float(labels.map(len).mean()), 3), **_losses(run)}
        found["lacking_ancestors"] = _lacking(run.predictions(), run.taxonomy)
    return found


def _splits(table: pd.DataFrame) -> dict[str, Any]:
    return {"pages": {split: int((table[SPLIT] == split).sum()) for split in SPLITS}}


def _inputs(run: Run) -> list[str]:
    """The columns that a run reads, pictures with their height and width in pixels."""
    features = definitions.read(run.folder / CONFIG).content["input_features"]
    sizes = [(feature, feature.get("preprocessing", {})) for feature in features]
    return [
        f"{feature.get('column', feature['name'])}"
        + (f" at {size['height']} x {size['width']}" if "height" in size else "")
        for feature, size in sizes
    ]


def _source(run: Run) -> str:
    """The run, and the feature, whose encoder a run began with."""
    start = run.facts[transfer.START_FROM]
    return f"{Path(start['folder']).name}:{start['feature']}"


def _losses(run: Run) -> dict[str, Any]:
    """The loss that the definition names, its value on the validation rows, and plain BCE there."""
    output = definitions.read(run.folder / CONFIG).content["output_features"][0]
    predictions = run.predictions()
    pages = predictions[predictions[SPLIT] == "validation"]
    truth, probabilities = label_sets.truth_matrix(pages), probabilities_of(pages)
    return {
        "loss": str(output.get("loss", {}).get("type", "sigmoid_cross_entropy")),
        "validation_loss": _best(run.folder, run.label.name),
        "plain_bce": plain_bce(truth, probabilities),
    }


def plain_bce(truth: Any, probabilities: Any) -> float:
    """Mean binary cross-entropy (nats) over rows `[rows, labels]` and labels, one of which more is Ludwig's <UNK>.

    That one no row has, and a trained model knows it: its own term is next to nothing.
    """
    known = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    terms = -(truth * np.log(known) + (1 - truth) * np.log(1 - known))
    return float(terms.sum(axis=1).mean() / (terms.shape[1] + 1))


def _best(folder: Path, label: str) -> float:
    """The validation loss of the epoch whose model is kept: the lowest."""
    return float(min(read_json(folder / "training_statistics.json")["validation"][label]["loss"]))


def _lacking(predictions: pd.DataFrame, taxonomy: Taxonomy) -> float:
    """Ancestors a page lacks among its predicted labels, as decided at 0.5, on average."""
    cells = predictions[label_sets.HALF_VIEW].map(split_labels)
    return float(cells.map(lambda labels: len(taxonomy.missing_ancestors(labels))).mean())


def sentences(run: Run, base: Run) -> list[str]:
    """What proves that the run's row was in force: each fact in which it differs from the base's run."""
    here, there = facts(run), facts(base)
    return list(_differences(here, there)) or ["NOTHING differs from the base but chance"]


def _differences(here: dict[str, Any], there: dict[str, Any]) -> Iterator[str]:
    if "stacked" in here:
        train, validation = here["pages"]["train"], here["pages"]["validation"]
        yield f"stacks {', '.join(here['stacked'])}"
        yield f"learned from {train:,} pages that are new to all of them; {validation:,} more told when to stop"
        return
    if here["reads"] != there.get("reads"):
        yield f"reads {', '.join(here['reads'])} instead of {', '.join(there.get('reads', []))}"
    for name, words in {
        "training_rows": "training rows",
        "altered_copies": "altered copies",
        "labels_per_row": "labels a training row",
    }.items():
        if here.get(name) != there.get(name):
            yield f"{here[name]:,} {words} instead of {there[name]:,}"
    if here.get("parameters") != there.get("parameters"):
        yield f"{here['parameters']['trained']:,} of {here['parameters']['total']:,} parameters trained"
    for feature, carried in here.get("transfer", {}).items():
        total = carried["loaded"] + len(carried["new"])
        yield f"{carried['loaded']:,} of {total:,} tensors of {feature}'s encoder carried over from {here['source']}"
    if here.get("loss") != there.get("loss") or _changed(here):
        gap = "" if _changed(here) else ", which is THE SAME"
        yield f"{here['loss']} {here['validation_loss']:.4f} where plain BCE is {here['plain_bce']:.4f}{gap}"
    if here.get("lacking_ancestors", 0.0) != there.get("lacking_ancestors", 0.0):
        yield f"{here['lacking_ancestors']:.3f} ancestors lacking a page instead of {there['lacking_ancestors']:.3f}"


def _changed(found: dict[str, Any]) -> bool:
    """Whether the loss that Ludwig reports is another than plain binary cross-entropy."""
    if "plain_bce" not in found:
        return False
    return abs(found["validation_loss"] - found["plain_bce"]) > SAME_LOSS * found["plain_bce"]
