"""How many parameters a model has, and how many of them train."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from leaflet_tool.storage import write_json

PARAMETERS = "parameters.json"
"""Beside a run's model, from the start of its training."""


def counted(model: Any) -> dict[str, Any]:
    """`total` and `trained` of a Ludwig model, and of the encoder of each of its inputs."""
    inputs = model.input_features
    encoders = {name: _counted(inputs.get(name).encoder_obj.parameters()) for name in inputs.keys()}  # noqa: SIM118
    return {**_counted(model.parameters()), "encoders": encoders}


def _counted(parameters: Iterable[Any]) -> dict[str, int]:
    found = list(parameters)
    trained = sum(parameter.numel() for parameter in found if parameter.requires_grad)
    return {"total": sum(parameter.numel() for parameter in found), "trained": trained}


def recorder(folder: Path) -> Any:
    """A callback that leaves the numbers of parameters in `folder` when training starts, after all freezing."""
    from ludwig.callbacks import Callback

    class Recorder(Callback):
        def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
            write_json(folder / PARAMETERS, counted(model))

    return Recorder()
