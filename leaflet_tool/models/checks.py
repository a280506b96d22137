"""Everything that can be known to be wrong before a model is built, reported together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import FIRST_ROW, IMAGE_REGIONS, SOURCE, SPLIT, SPLITS, Prepared, classes_of, regions_in
from leaflet_tool.models import definitions, rows
from leaflet_tool.models.backbones import TIMM, has_batch_norm
from leaflet_tool.models.completion import Completed
from leaflet_tool.models.definitions import nearest
from leaflet_tool.models.runs import CONFIG, Run
from leaflet_tool.prepare.facts import definition_in
from leaflet_tool.taxonomy import Taxonomy

SPLIT_SECTION = {"type": "fixed", "column": SPLIT}
"""The only split there is: Ludwig's own would train on rows that the manifest keeps for the test."""
LOSSES: dict[str, tuple[str, ...]] = {
    "category": ("softmax_cross_entropy",),
    "set": (
        *("sigmoid_cross_entropy", "sample_weighted_bce", "class_weighted_bce", "focal_bce", "asymmetric_bce"),
        "coherent_bce",
    ),
}
"""The losses of an output type that train; with the others Ludwig breaks off, or gives no probabilities (corn)."""
COHERENT = {"decoder": "coherent_classifier", "loss": "coherent_bce"}
"""What makes an output follow the hierarchy of labels: both, or neither."""
NUMBER_AS_TEXT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
OUTPUTS = {False: "category", True: "set"}
"""The output type that fits a dataset with one label a row (False) or several (True)."""
FEWER_CLASSES = "prepare with --rare drop or --rare other"
PLACE_ONE = "the archive itself declares the split: give the class a training page there, or leave its pages out"
"""What helps a class without a training row; a declared split is kept, however many groups --rare counts."""
SHOWN = 5


def report(problems: list[str], outcome: str = "nothing was trained") -> None:
    """Raises one InputError for all `problems`, if there are any."""
    if problems:
        raise InputError.listing(outcome, problems, hint="mend these and run the command again")


def problems(complete: Completed, prepared: Prepared | None, *, folds: bool = False) -> list[str]:
    """Every problem of the filled definition and, given the data, of its fit to them (not of the split, with folds)."""
    found = definition_problems(complete)
    if prepared is not None:
        found += data_problems(complete.full, prepared) + ([] if folds else split_problems(prepared))
    return found


def definition_problems(complete: Completed) -> list[str]:
    """What Ludwig refuses, what it would ignore in silence or get wrong, and what does not belong into a definition."""
    return [*complete.problems, *(_traps(complete.full) if complete.whole else [])]


def _traps(full: Mapping[str, Any]) -> Iterator[str]:
    """What Ludwig 0.17 accepts and then does wrong or can't do: known by trial."""
    split = full["preprocessing"]["split"]
    if any(split.get(key) != value for key, value in SPLIT_SECTION.items()):
        yield f"preprocessing.split: must be {SPLIT_SECTION}, the manifest's own split, but is {split}"
    for key, value in full["trainer"].items():
        if isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
            yield f"trainer.{key}: {value} is text to YAML, write {float(value)!r}"
    for feature in full["input_features"]:
        yield from _encoder_traps(feature, f"input_features.{feature['name']}")
        yield from _tied_traps(feature, full["input_features"])
    for feature in full["output_features"]:
        yield from _output_traps(feature, f"output_features.{feature['name']}")


def _output_traps(feature: Mapping[str, Any], place: str) -> Iterator[str]:
    loss, known = feature["loss"]["type"], LOSSES.get(feature["type"])
    if known and loss not in known:
        yield f"{place}.loss.type: {loss} fails in training; use {' or '.join(known)}"
    if feature["type"] == "set" and feature["threshold"]:
        yield f"{place}.threshold: must be 0, or Ludwig cuts probabilities off; thresholds are fitted after training"
    if feature["type"] == "set" and feature["preprocessing"]["tokenizer"] != "space":
        yield f"{place}.preprocessing.tokenizer: must be space, which parts the labels in ludwig.csv"
    for part, other in (("decoder", "loss"), ("loss", "decoder")):
        if feature[part]["type"] == COHERENT[part] and feature[other]["type"] != COHERENT[other]:
            yield f"{place}.{other}.type: must be {COHERENT[other]}, because its {part} is {COHERENT[part]}"


def _encoder_traps(feature: Mapping[str, Any], place: str) -> Iterator[str]:
    encoder = feature["encoder"]
    if feature["preprocessing"].get("mode") == "lazy_cached":
        yield f"{place}.preprocessing.mode: lazy_cached hands out images of another split; use lazy"
    if encoder.get("type") == "tf_idf":
        yield f"{place}.encoder.type: Ludwig cannot reload a model with tf_idf; use sublinear_tf_idf"
    if encoder.get("type") in TIMM:
        yield from _unknown_timm(str(encoder["model_name"]), f"{place}.encoder.model_name")


def _tied_traps(feature: Mapping[str, Any], features: list[Mapping[str, Any]]) -> Iterator[str]:
    """Of features that share an encoder the first one's settings count alone, and not every encoder can be shared."""
    first = next((each for each in features if each["name"] == feature.get("tied")), None)
    if first is None:
        return
    place, encoder = f"input_features.{feature['name']}", feature["encoder"]
    if encoder != first["encoder"]:
        yield f"{place}.encoder: must be that of {first['name']}, to which the feature is tied"
    elif encoder["type"] in TIMM and has_batch_norm(encoder):
        yield (
            f"{place}.tied: Ludwig cannot reload shared encoders with batch normalisation, as {encoder['model_name']} "
            "has; use one without, such as convnext_tiny"
        )


def _unknown_timm(model: str, place: str) -> Iterator[str]:
    import timm

    architecture = model.partition(".")[0]
    if ":" not in model and not timm.is_model(architecture):
        close = get_close_matches(architecture, timm.list_models())
        yield f"{place}: timm has no model {architecture!r}" + (f"; close to it: {', '.join(close)}" if close else "")


def data_problems(config: Mapping[str, Any], prepared: Prepared) -> list[str]:
    """What the definition asks of the data and does not find: input columns, images, texts, a fitting label."""
    frame, label, outputs = prepared.frame, prepared.label, config["output_features"]
    problems = input_problems(config, frame, prepared.folder)
    for feature in config["input_features"]:
        column, where = _column(feature), f"feature {feature['name']!r}"
        if column == label.name:
            problems.append(f"{where}: reads {column!r}, which is what is to be predicted")
        elif feature["type"] == "text" and column in frame and not frame[column].any():
            problems.append(f"{where}: every cell of column {column!r} is empty; prepare with text or with OCR")
    for feature in outputs:
        if {feature["name"], _column(feature)} != {label.name}:
            problems.append(f"output_features.{feature['name']}: must be the label, {label.name!r}, in name and column")
        if _follows_hierarchy(feature) and not prepared.taxonomy:
            problems.append(
                f"output_features.{feature['name']}.loss: needs the hierarchy of the labels, and the data have none; "
                "add taxonomy: to the dataset definition and prepare again"
            )
    types, wanted = [feature["type"] for feature in outputs], OUTPUTS[label.multiple]
    if types != [wanted]:
        several = "several labels" if label.multiple else "one label"
        problems.append(f"output_features: the data has {several} a row and takes one {wanted} output, not {types}")
    return problems


def is_coherent(config: Mapping[str, Any]) -> bool:
    """Whether the definition's predictions follow the hierarchy of the labels."""
    return any(_follows_hierarchy(feature) for feature in config["output_features"])


def followed(run: Run) -> Taxonomy | None:
    """The hierarchy that the run's predictions follow; None where they follow none."""
    return run.taxonomy if is_coherent(definitions.read(run.folder / CONFIG).content) else None


def _follows_hierarchy(feature: Mapping[str, Any]) -> bool:
    return any(feature.get(part, {}).get("type") == name for part, name in COHERENT.items())


def input_problems(config: Mapping[str, Any], frame: pd.DataFrame, folder: Path) -> list[str]:
    """Input columns that are missing, and rows without what a feature needs; `config` is as Ludwig completes it."""
    problems = []
    for feature in config["input_features"]:
        if _column(feature) not in frame:
            problems.append(_missing_column(feature, frame, regions_in({*columns(config), *frame.columns})))
        elif feature.get("type") == "image":
            problems += _image_problems(frame, _column(feature), folder)
        elif feature.get("preprocessing", {}).get("missing_value_strategy") == "drop_row":
            problems += _dropped_rows(feature, frame)
    return problems


def _dropped_rows(feature: Mapping[str, Any], frame: pd.DataFrame) -> Iterator[str]:
    """Ludwig drops them in training and in prediction alike, so that its predictions fit no rows of ours."""
    empty = rows.read_as_missing(frame, _column(feature))
    if len(empty):
        yield (
            f"feature {feature['name']!r}: {len(empty)} rows have no {_column(feature)} ({_rows(empty)}), and its "
            "missing_value_strategy is drop_row: use fill_with_const with a fill_value"
        )


def columns(config: Mapping[str, Any]) -> list[str]:
    """The manifest columns that a definition's inputs read."""
    return [_column(feature) for feature in config["input_features"]]


def _column(feature: Mapping[str, Any]) -> str:
    """The manifest column a feature reads."""
    return str(feature.get("column", feature["name"]))


def _missing_column(feature: Mapping[str, Any], frame: pd.DataFrame, regions: Sequence[str]) -> str:
    """What to do about it; `regions` are those that there are, and those that the definition reads."""
    column, where = _column(feature), f"feature {feature['name']!r}"
    if column in IMAGE_REGIONS.values():
        return (
            f"{where}: the region {column} was not prepared; put regions: [{', '.join(regions)}] into the dataset "
            f"definition and prepare again, or add --regions {','.join(regions)} to prepare"
        )
    return f"{where}: the manifest has no column {column!r}; {nearest(column, frame.columns, 'it has')}"


def _image_problems(frame: pd.DataFrame, column: str, folder: Path) -> list[str]:
    empty = frame.index[frame[column] == ""]
    problems = [f"{len(empty)} rows have no {column} ({_rows(empty)}): use a text definition"] if len(empty) else []
    paths = frame.loc[frame[column] != "", column]
    gone = [index for index, cell in paths.items() if not (folder / cell).is_file()]
    if gone:
        problems.append(
            f"{len(gone)} files of column {column} are gone, {paths[gone[0]]} the first ({_rows(gone)}): prepare again"
        )
    return problems


def _rows(index: Any) -> str:
    """Row numbers as a spreadsheet shows them."""
    numbers = [str(int(row) + FIRST_ROW) for row in index[:SHOWN]]
    return f"manifest rows {', '.join(numbers)}{' …' if len(index) > SHOWN else ''}"


def split_problems(prepared: Prepared) -> list[str]:
    """Splits that are empty, and classes that no training row shows."""
    frame = prepared.frame
    counts = frame[SPLIT].value_counts()
    problems = [f"the {split} split has no row" for split in SPLITS if not counts.get(split)]
    remedy = PLACE_ONE if _declares_split(prepared) else f"{FEWER_CLASSES}, or place the groups anew with --force"
    return problems + class_problems(frame[frame[SPLIT] == "train"], prepared, "the training split", remedy)


def _declares_split(prepared: Prepared) -> bool:
    """Whether the archive said which page is in which split: in a column, in label files, or by its folders."""
    try:
        dataset = definition_in(prepared.facts)
    except InputError:  # prepared by other means than ours
        return False
    tops = {source.partition("/")[0] for source in prepared.frame[SOURCE]}
    by_folder = dataset.source.type == "folders" and tops <= dataset.splits().keys()
    return bool(dataset.named_columns.split) or dataset.source.type == "label_files" or by_folder


def class_problems(train: pd.DataFrame, prepared: Prepared, name: str, remedy: str = FEWER_CLASSES) -> list[str]:
    """Classes of the whole manifest that `train` lacks; Ludwig would count their rows as its commonest class."""
    if len(prepared.classes) < 2:
        return [f"there is only one class, {prepared.classes}"]
    unseen = sorted(set(prepared.classes) - set(classes_of(train[prepared.label.name], prepared.label.multiple)))
    return [f"class {lost!r} has no row in {name}; {remedy}" for lost in unseen]
