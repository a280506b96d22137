"""A stack that starts as a rule: the logarithmic opinion pool of its base runs, which it then learns to correct.

The pool of class probabilities `p_r` is `softmax(sum_r w_r ln p_r)` (Genest and Zidek 1986), weights none below 0 and
their sum 1. Its logits are linear in the logarithms, so that a linear last layer that reads them beside a perceptron's
hidden layer can be set to be the pool before training begins.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from ludwig.callbacks import Callback
from ludwig.constants import ENCODER_OUTPUT, MODEL_ECD, VECTOR
from ludwig.encoders.base import Encoder
from ludwig.encoders.registry import register_encoder
from ludwig.schema import utils as schema
from ludwig.schema.encoders.base import BaseEncoderConfig
from ludwig.schema.encoders.utils import register_encoder_config
from torch import Tensor

from leaflet_tool.manifest import SPLIT, Label
from leaflet_tool.measure.predictions import SMALLEST_PROBABILITY
from leaflet_tool.measure.rules import fitted_pool
from leaflet_tool.models import bases, rows

logger = logging.getLogger(__name__)

NAME = "logarithm"


@register_encoder_config(NAME, VECTOR, model_types=[MODEL_ECD])
class LogarithmConfig(BaseEncoderConfig):
    """How long the vectors are, which Ludwig finds out and a saved model has to know."""

    type: str = schema.ProtectedString(NAME)

    input_size: int = schema.PositiveInteger(default=None, allow_none=True, description="Length of the vectors.")


@register_encoder(NAME, [VECTOR])
class Logarithm(Encoder):
    """`[batch, n]` probabilities to `[batch, n]` logarithms; the smallest is that of SMALLEST_PROBABILITY."""

    def __init__(self, input_size: int, encoder_config: LogarithmConfig | None = None, **_: Any) -> None:
        super().__init__()
        self.config = encoder_config
        self.input_size = input_size

    def forward(self, inputs: Tensor, training: Any = None, mask: Any = None) -> dict[str, Tensor]:
        return {ENCODER_OUTPUT: inputs.clamp(min=SMALLEST_PROBABILITY).log()}

    @staticmethod
    def get_schema_cls() -> type[LogarithmConfig]:
        return LogarithmConfig

    @property
    def input_shape(self) -> torch.Size:
        return torch.Size([self.input_size])

    @property
    def output_shape(self) -> torch.Size:
        return self.input_shape


@dataclass
class StartAtPool(Callback):
    """Sets the last layer to the pool that fits the training rows of `table` best: `names` are the runs in it.

    `label` is what is predicted, and `classes` are in the order of the column of probabilities.
    """

    table: Path
    label: str
    classes: Sequence[str]
    names: Sequence[str]
    vocabulary: list[str] = field(default_factory=list)

    def on_preprocess_end(
        self, training_set: Any, validation_set: Any, test_set: Any, training_set_metadata: Any, **_: Any
    ) -> None:
        """Keeps Ludwig's order of the classes."""
        self.vocabulary = list(training_set_metadata[self.label]["idx2str"])

    def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
        last = getattr(model.output_features.get(self.label).decoder_obj, "dense", None)
        place, size = _place(model)
        if last is None or place is None or last.dense.in_features != size:
            logger.info("the stack's last layer does not read the logarithms, so that it starts from chance")
            return
        weights = self._weights()
        shown = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(self.names, weights, strict=True))
        logger.info("the stack starts as the product of its runs with the weights %s", shown)
        with torch.no_grad():
            last.dense.weight.zero_()
            last.dense.bias.zero_()
            for row, name in enumerate(self.vocabulary):
                if name not in self.classes:
                    last.dense.bias[row] = torch.tensor(SMALLEST_PROBABILITY).log()
                    continue
                for run, weight in enumerate(weights):
                    last.dense.weight[row, place + run * len(self.classes) + self.classes.index(name)] = weight

    def _weights(self) -> list[float]:
        table = rows.in_words(rows.read(self.table), Label(self.label))
        known = table[table[SPLIT] == "train"]
        return fitted_pool(bases.votes(known[bases.COLUMN], self.classes), known[self.label]).tolist()


def _place(model: Any) -> tuple[int | None, int]:
    """Where the logarithms begin among what the combiner joins, and how long that is in all."""
    place, size = None, 0
    for _, feature in model.input_features.items():
        if isinstance(feature.encoder_obj, Logarithm):
            place = size
        size += feature.encoder_obj.output_shape[-1]
    return place, size
