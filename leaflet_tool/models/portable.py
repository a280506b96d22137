"""A run that reloads without the folder from which its pretrained image encoder came."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from leaflet_tool.errors import MissingError
from leaflet_tool.models.downloads import CARD, LOCAL_PREFIX, TEXT_KEY, wanted
from leaflet_tool.storage import read_json, write_json

ENCODERS = "encoders"
HYPERPARAMETERS = "model_hyperparameters.json"


def keep(config: Mapping[str, Any], folder: Path) -> None:
    """Copies what timm needs to build each local encoder into the run; its weights the model saves with its own."""
    for weights in wanted(config):
        kept = folder / ENCODERS / weights.feature / CARD
        if weights.example.startswith(LOCAL_PREFIX) and weights.folder is not None and not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(weights.folder / CARD, kept)


@contextmanager
def reloadable(folder: Path, model: str) -> Iterator[Path]:
    """The run's model directory; with encoders kept by `keep`, a stand-in for it whose paths lead to those.

    A MissingError names the folder of a text encoder that is gone: Ludwig reads its tokenizer and weights again.
    """
    config = read_json(folder / model / HYPERPARAMETERS)
    for weights in wanted(config):
        if weights.setting == TEXT_KEY and weights.folder is not None and not weights.folder.is_dir():
            raise MissingError(f"{folder} needs its text encoder's folder {weights.folder}", hint="put it back there")
    if not (folder / ENCODERS).is_dir():
        yield folder / model
        return
    for feature in config["input_features"]:
        kept = (folder / ENCODERS / feature["name"]).resolve()
        if kept.is_dir():
            feature["encoder"]["model_name"] = f"{LOCAL_PREFIX}{kept}"
    with TemporaryDirectory(prefix="leaflet-tool-") as scratch:
        for path in (folder / model).iterdir():
            if path.name != HYPERPARAMETERS:
                (Path(scratch) / path.name).symlink_to(path.resolve())
        write_json(Path(scratch) / HYPERPARAMETERS, config)
        yield Path(scratch)
