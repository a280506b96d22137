"""A run that starts from another one: whose encoder it takes over, whether the two fit, and what came of it.

Weights carry over between encoders with one timm backbone, whatever the input's size and name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, IMAGE, SPLIT, Prepared, own
from leaflet_tool.models import ancestry, engine, rows, runs
from leaflet_tool.models.ancestry import START_FROM
from leaflet_tool.models.backbones import TIMM, architecture, shapes
from leaflet_tool.models.portable import ENCODERS
from leaflet_tool.models.runs import Run
from leaflet_tool.storage import read_json, sha256

TRANSFER = "transfer.json"
"""Beside a run's model: what was carried over when its training began."""
WEIGHTS = f"{engine.MODEL}/model_weights.safetensors"
SHOWN = 5


@dataclass(frozen=True)
class Source:
    """An image feature whose encoder is to be carried over; without a run where that is still to be trained."""

    name: str
    feature: str
    encoder: Mapping[str, Any]
    run: Run | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.feature}"

    @property
    def architecture(self) -> str:
        """The backbone's name in timm, without the name of its weights."""
        kept = self.run.models()[0] / ENCODERS / self.feature if self.run else None
        return architecture(self.encoder, kept)

    def identity(self) -> dict[str, Any]:
        """What run.json says of it: the folder, the feature, and the digest of each file of weights in the folder."""
        if self.run is None:
            raise ValueError(f"{self} is not trained")
        files = [str((model / WEIGHTS).relative_to(self.run.folder)) for model in self.run.models()]
        digests = {file: sha256(self.run.folder / file) for file in files}
        return {"folder": str(self.run.folder.resolve()), "feature": self.feature, "weights_sha256": digests}


@dataclass(frozen=True)
class Match:
    """Names of tensors within the encoder: carried over, left behind and why, and not had from the source."""

    loaded: list[str]
    skipped: dict[str, str]
    new: list[str]

    @property
    def counts(self) -> dict[str, Any]:
        """What run.json says of it: the names of what was carried over are left out."""
        return {**asdict(self), "loaded": len(self.loaded)}


def find(start_from: str, folder: Path) -> Source:
    """The finished run, and the feature, that `RUN[:feature]` names; an InputError lists what there is."""
    name, colon, feature = start_from.rpartition(":")
    if not colon or start_from in runs.names(folder):
        name, feature = start_from, ""
    run = runs.finished(name, folder)
    return of(run.name, engine.complete(run.models()[0]), feature, run=run)


def of(name: str, config: Mapping[str, Any], feature: str = "", *, run: Run | None = None) -> Source:
    """The image feature of a definition that is called `feature`, or is the only one; else an InputError."""
    found = {each["name"]: each for each in config["input_features"] if each["type"] == IMAGE}
    if not found:
        raise InputError(f"{name} has no image feature whose weights could be carried over", hint="start from another")
    listed, first = ", ".join(found), next(iter(found))
    if feature and feature not in found:
        raise InputError(f"{name} has no image feature {feature!r}", hint=f"it has: {listed}")
    if not feature and len(found) > 1:
        raise InputError(f"{name} has several image features: {listed}", hint=f"name one, as in {name}:{first}")
    chosen = found[feature or first]
    if chosen["encoder"]["type"] not in TIMM:
        raise InputError(
            f"{name}: the weights of encoder {chosen['encoder']['type']} cannot be carried over",
            hint="start from a run whose encoder is timm or timm_layers",
        )
    return Source(name, chosen["name"], chosen["encoder"], run)


def awaiting(config: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without pretrained weights where those of another run will be: nothing is to be downloaded."""
    return {**config, "input_features": [_awaiting(each) for each in config["input_features"]]}


def _awaiting(feature: Any) -> Any:
    encoder = feature.get("encoder") if isinstance(feature, dict) else None
    if not isinstance(encoder, dict) or encoder.get("type") not in TIMM:
        return feature
    return {**feature, "encoder": {**encoder, "use_pretrained": False}}


def problems(source: Source, full: Mapping[str, Any]) -> list[str]:
    """Why the encoder does not fit the completed definition's image features, or would leave them as they were."""
    features = [each for each in full["input_features"] if each["type"] == IMAGE and not each.get("tied")]
    if not features:
        return [f"input_features: none is an image, so that nothing of {source} can be carried over"]
    return [problem for each in features for problem in _misfits(source, each)]


def _misfits(source: Source, feature: Mapping[str, Any]) -> Iterator[str]:
    place, encoder = f"input_features.{feature['name']}.encoder", feature["encoder"]
    if encoder["type"] not in TIMM:
        yield f"{place}.type: {encoder['type']} takes over no weights; use timm or timm_layers"
        return
    ours, theirs = architecture(encoder), source.architecture
    if ours != theirs:
        yield f"{place}.model_name: is {ours}, but that of {source} is {theirs}, and only equals carry over"
    elif source.run and not match(_stored_shapes(source), shapes(encoder)).loaded:
        yield f"{place}: no tensor of {source} has the name and the shape of one here, so that nothing would carry over"


def match(source: Mapping[str, tuple[int, ...]], target: Mapping[str, tuple[int, ...]]) -> Match:
    """Which of the source's tensors, given by name and shape, the target takes over: those of equal name and shape."""
    skipped = {name: "absent" for name in source if name not in target}
    for name in source.keys() & target.keys():
        if source[name] != target[name]:
            skipped[name] = f"other shape: {list(source[name])} there, {list(target[name])} here"
    loaded = [name for name in target if name in source and name not in skipped]
    return Match(loaded, skipped, [name for name in target if name not in loaded])


def stored(weights: Path, feature: str) -> dict[str, str]:
    """The tensors of a feature's encoder by their names within it: where each is in a run's file of weights.

    Of tensors that features share, the file holds one and says in its metadata which others it stands for.
    """
    from ludwig.features.feature_utils import get_module_dict_key_from_name
    from safetensors import safe_open

    prefix = f"input_features.module_dict.{get_module_dict_key_from_name(feature)}.encoder_obj."
    with safe_open(weights, framework="pt") as file:
        places = {**{key: key for key in file.keys()}, **(file.metadata() or {})}  # noqa: SIM118
        return {key.removeprefix(prefix): place for key, place in places.items() if key.startswith(prefix)}


def _stored_shapes(source: Source) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    weights = source.run.models()[0] / WEIGHTS  # type: ignore[union-attr]
    with safe_open(weights, framework="pt") as file:
        places = stored(weights, source.feature)
        return {name: tuple(file.get_slice(place).get_shape()) for name, place in places.items()}


def check_rows(source: Source, prepared: Prepared, held_out: pd.Series | None) -> None:
    """An InputError for a source that learned from rows which must be new to the new run, or has other folds."""
    run = source.run
    if run is None:
        return
    folds = 0 if held_out is None else held_out.nunique()
    if run.folds and run.folds != folds:
        raise InputError(
            f"run {run.name} was trained in {run.folds} folds, and each starts the same fold of the new run",
            hint=f"give --folds {run.folds}, or start from a run without folds",
        )
    for each in (run, *ancestry.of(run)):
        known = _learned(each, prepared, held_out)
        if known:
            name = run.name if each is run else f"{each.name}, which {run.name} is made of,"
            shown = ", ".join(sorted(known)[:SHOWN]) + (" …" if len(known) > SHOWN else "")
            raise InputError(
                f"run {name} learned from {len(known)} rows which are to be new to one that starts from it: {shown}",
                hint="start from a run with the same split or folds, or from one on other data",
            )


def _learned(run: Run, prepared: Prepared, held_out: pd.Series | None) -> set[str]:
    """Rows that a run learned from and that must be new to another one on `prepared`."""
    if run.facts["prepare"].get("archive") != prepared.facts.get("archive"):
        pages = own(prepared.frame)
        new = pages[SPLIT] != "train" if held_out is None else pages[ID].notna()
        return set(ancestry.known(run, pages[new], prepared))
    known: set[str] = set()
    for fold in range(1 if held_out is None else held_out.nunique()):
        split = prepared.frame[SPLIT] if held_out is None else held_out.eq(fold).map({True: "test", False: ""})
        known |= _known(rows.read(run.models()[fold if run.folds else 0] / runs.ROWS), prepared.frame[ID], split)
    return known


def _known(table: pd.DataFrame, ids: pd.Series, split: pd.Series) -> set[str]:
    """Test rows that a model with the rows `table` was trained or stopped by, and validation rows it was trained on."""
    trained = set(table.loc[table[SPLIT] == rows.SPLIT_NUMBERS["train"], ID])
    stopped = set(table.loc[table[SPLIT] == rows.SPLIT_NUMBERS["validation"], ID])
    return set(ids[split == "test"]) & (trained | stopped) | set(ids[split == "validation"]) & trained


def check_source(run: Run) -> None:
    """An InputError where a run that is to go on training started from weights that are gone or changed."""
    for model in run.models():
        found = None if engine.trained(model) else _source_of(run, model)
        if found is None:
            continue
        weights, digest = found
        hint = f"put it back there, or start {run.name} anew with --force"
        if not weights.is_file():
            raise InputError(f"run {run.name} started from {weights}, which is gone", hint=hint)
        if sha256(weights) != digest:
            raise InputError(f"run {run.name} started from {weights}, which has changed since", hint=hint)


def _source_of(run: Run, model: Path) -> tuple[Path, str] | None:
    """The file of weights that one of a run's models starts from, and its digest; None where it starts from nothing."""
    started = run.facts.get(START_FROM)
    if not started:
        return None
    files = list(started["weights_sha256"].items())
    file, digest = files[run.models().index(model) if len(files) > 1 else 0]
    return Path(started["folder"]) / file, digest


def callbacks(run: Run, model: Path) -> list[Any]:
    """What carries the weights over, for the training of one of the run's models; nothing for most runs."""
    from leaflet_tool.models.extensions.carry_over import CarryOver

    found = _source_of(run, model)
    return [CarryOver(found[0], run.facts[START_FROM]["feature"], model)] if found else []


def facts(run: Run) -> dict[str, Any]:
    """What was carried over, by feature, as run.json has it: of a run in folds, in the first of them."""
    if START_FROM not in run.facts:
        return {}
    found = read_json(run.models()[0] / TRANSFER)
    return {"transfer": {name: Match(**each).counts for name, each in found.items()}}
