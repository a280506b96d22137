"""A trained model from within: its inputs as tensors, its log odds of a class, and where texts become numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from leaflet_tool.manifest import Label
from leaflet_tool.measure.predictions import FloatArray
from leaflet_tool.models import engine, rows
from leaflet_tool.models.runs import ROWS

ENCODED = "encoder_output"
"""What Ludwig's encoders call the tensor that they hand on."""
SMALLEST = torch.finfo(torch.float32).tiny
IMAGE, TEXT = "image", "text"
"""Ludwig's types of input that can be explained."""


@dataclass(frozen=True)
class Opened:
    """The model in a Ludwig directory of a run, which predicts `label`, for looking into."""

    folder: Path
    label: Label

    @cached_property
    def ludwig(self) -> Any:
        """The loaded `LudwigModel`, which does not train any more."""
        model = engine.load(self.folder)
        model.model.eval()
        return model

    @cached_property
    def config(self) -> dict[str, Any]:
        """The definition as Ludwig completed it."""
        return engine.complete(self.folder)

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """Its inputs by name, in the model's order."""
        return {feature["name"]: feature for feature in self.config["input_features"]}

    def metadata(self, name: str) -> dict[str, Any]:
        """What Ludwig keeps of a feature's training data: its vocabulary, its size."""
        found: dict[str, Any] = self.ludwig.training_set_metadata[name]
        return found

    @property
    def classes(self) -> list[str]:
        """The classes in the order of the model's outputs."""
        names = self.metadata(self.label.name)["idx2str"]
        return [rows.class_of(name) for name in names] if self.label.multiple else list(names)

    def tensors(self, table: pd.DataFrame, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """What the model would get for the rows of `table` (as Ludwig wants them), a tensor an input, or of `names`."""
        with engine.quiet(), TemporaryDirectory() as scratch:
            from ludwig.data.preprocessing import preprocess_for_prediction

            path, config = Path(scratch) / ROWS, self.ludwig.config_obj.to_dict()
            chosen = [each for each in config["input_features"] if names is None or each["name"] in names]
            rows.write(table, path)
            dataset, _ = preprocess_for_prediction(
                {**config, "input_features": chosen},
                dataset=str(path),
                training_set_metadata=deepcopy(self.ludwig.training_set_metadata),
                include_outputs=False,
                backend=self.ludwig.backend,
            )
            columns = {each["name"]: self._feature(each["name"]).proc_column for each in chosen}
            return {name: torch.as_tensor(dataset.get(column)).to(self.device) for name, column in columns.items()}

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return next(self.ludwig.model.parameters()).device

    def _feature(self, name: str) -> Any:
        return self.ludwig.model.input_features.get(name)

    def encoded(self, inputs: Mapping[str, Tensor], name: str) -> FloatArray:
        """What the encoder of input `name` hands on: `[rows, d]`."""
        with torch.no_grad():
            found = self._feature(name)(inputs[name])[ENCODED].flatten(1)
        return found.cpu().numpy().astype(float)

    def log_odds(self, inputs: Mapping[str, Tensor], place: int) -> Tensor:
        """Log odds `[rows]` of the class at `place`, differentiable; a definition's calibration counts."""
        ordered = {name: inputs[name] for name in self.features}
        output = self.ludwig.model.output_features.get(self.label.name)
        with torch.backends.cudnn.flags(enabled=False):  # cuDNN's recurrent layers have no gradient outside training
            found = output.predictions(self.ludwig.model(ordered), self.label.name)
        if self.label.multiple:
            return found["logits"][:, place]
        probabilities = found["probabilities"]
        # the others' sum: 1 - p would be 0 long before the others are
        others = probabilities[:, [each for each in range(probabilities.shape[1]) if each != place]].sum(1)
        return probabilities[:, place].clamp_min(SMALLEST).log() - others.clamp_min(SMALLEST).log()

    def embedded(self, inputs: Mapping[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
        """What stands for the texts `names` inside the model: a vector a token, or a TF-IDF row; else left out."""
        found: dict[str, Tensor] = {}

        def watch(name: str) -> Any:
            def keep(_module: nn.Module, _args: Any, output: Any) -> None:
                value = output.get(ENCODED) if isinstance(output, dict) else output
                if isinstance(value, Tensor) and value.is_floating_point():
                    found[name] = value.detach()

            return keep

        with ExitStack() as hooks, torch.no_grad():
            for name in names:
                layer = self._layer(name)
                if layer is not None:
                    hooks.callback(layer.register_forward_hook(watch(name)).remove)
            self.log_odds(inputs, 0)
        return {
            name: value for name, value in found.items() if self._is_row(name) or _a_token_each(value, inputs[name])
        }

    @contextmanager
    def embedding(self, values: Mapping[str, Tensor]) -> Iterator[None]:
        """The model for which texts are these tensors of `embedded`, whatever tokens it is given."""

        def instead(value: Tensor) -> Any:
            def put(_module: nn.Module, _args: Any, output: Any) -> Any:
                return {**output, ENCODED: value} if isinstance(output, dict) else value

            return put

        with ExitStack() as hooks:
            for name, value in values.items():
                layer = self._layer(name)
                assert layer is not None  # noqa: S101  only texts of `embedded` come here
                hooks.callback(layer.register_forward_hook(instead(value)).remove)
            yield

    def _is_row(self, name: str) -> bool:
        """Whether a text is one vector over the vocabulary to its encoder."""
        from leaflet_tool.models.extensions.tfidf import SublinearTfIdf

        return isinstance(self._feature(name).encoder_obj, SublinearTfIdf)

    def _layer(self, name: str) -> nn.Module | None:
        """The module that turns a text's tokens into numbers; None where it is not to be had for one text alone."""
        if self.features[name].get("tied") or name in {each.get("tied") for each in self.features.values()}:
            return None
        encoder: nn.Module = self._feature(name).encoder_obj
        if self._is_row(name):
            return encoder
        try:
            layer: nn.Module = encoder.get_embedding_layer()  # type: ignore[operator]
        except (StopIteration, AttributeError):
            return None
        return layer


def _a_token_each(value: Tensor, tokens: Tensor) -> bool:
    """Whether a tensor is `[rows, tokens, size]`."""
    return value.ndim == 3 and value.shape[:2] == tokens.shape[:2]
