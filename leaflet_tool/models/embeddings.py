"""A run's images as numbers: what its own encoders make of them, kept with the run."""

import logging
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, SPLIT, Label
from leaflet_tool.measure.components import main_components
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.models import checks, definitions, rows
from leaflet_tool.models.runs import CONFIG
from leaflet_tool.progress import Progress, silent
from leaflet_tool.storage import replacing

logger = logging.getLogger(__name__)

EMBEDDINGS = "embeddings.npz"
IDS, VECTORS = "ids", "vectors"
CHUNK = 128
"""So many pages are read at a time."""


def image_features(folder: Path) -> list[dict[str, Any]]:
    """The inputs of a Ludwig directory of a run that are images, as its definition has them."""
    config = definitions.read(folder / CONFIG).content
    return [feature for feature in config["input_features"] if feature["type"] == "image"]


def frozen(folder: Path) -> bool:
    """Whether the definition of a run lets no layer of its image encoders train."""
    encoders = [feature["encoder"] for feature in image_features(folder)]
    return all(not each.get("trainable", True) or each.get("trainable_layers") == 0 for each in encoders)


def image_embeddings(
    folder: Path, table: pd.DataFrame, label: Label, *, seed: int, progress: Progress = silent
) -> pd.DataFrame:
    """What the image encoders of the model in `folder` make of the pages of `table`: their main components, by id.

    `table` has the rows of its ludwig.csv that are to be read. Several encoders' outputs stand side by side. They were
    trained on the training pages, which they know better than others. The numbers are kept beside the model and read
    from there the next time. An InputError says which images are gone, or that the model is.
    """
    kept = _kept(folder / EMBEDDINGS)
    if kept is not None and set(table[ID]) <= set(kept.index):
        return kept.loc[table[ID]].set_axis(pd.Index(table[ID]))
    features = image_features(folder)
    if problems := checks.input_problems({"input_features": features}, table, folder):
        raise InputError.listing("the images cannot be read", problems)
    vectors = _encoded(folder, table, label, [feature["name"] for feature in features], progress)
    train = (table[SPLIT] == rows.SPLIT_NUMBERS["train"]).to_numpy()
    reduced = main_components(vectors, train, seed=seed).astype(np.float32)
    try:
        with replacing(folder / EMBEDDINGS, "wb") as file:
            np.savez_compressed(file, **{IDS: table[ID].to_numpy(dtype=str), VECTORS: reduced})
    except OSError as error:
        logger.warning("the image embeddings are not kept: %s", error)
    return pd.DataFrame(reduced, index=pd.Index(table[ID]))


def _kept(path: Path) -> pd.DataFrame | None:
    """The embeddings in a file by id; None where there is none, or a broken one."""
    try:
        with np.load(path) as found:
            return pd.DataFrame(found[VECTORS], index=pd.Index(found[IDS], name=ID, dtype=object))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        logger.warning("%s is broken, so that the images are read again", path)
        return None


def _encoded(folder: Path, table: pd.DataFrame, label: Label, names: list[str], progress: Progress) -> FloatArray:
    """`[rows, d]`: the outputs of the encoders of `names` side by side."""
    from leaflet_tool.models.opened import Opened

    model = Opened(folder, label)
    chunks = [table[start : start + CHUNK] for start in range(0, len(table), CHUNK)]
    found = []
    for chunk in progress(chunks, total=len(chunks), title=f"reading images, {CHUNK} pages at a time"):
        inputs = model.tensors(chunk, names)
        parts = [model.encoded(inputs, name) for name in names]
        if any(len(part) != len(chunk) for part in parts):
            raise InputError(f"Ludwig reads other images than the {len(chunk)} that it was given")
        found.append(np.concatenate(parts, axis=1))
    return np.concatenate(found)
