"""Hierarchical labels whose probabilities agree with the hierarchy, after C-HMCNN(h) (Giunchiglia, Lukasiewicz 2020).

A label is as probable as the likeliest among itself and the labels below it: MCM, their max constraint module. It
commutes with the sigmoid, so all of it happens in logits. While it trains the decoder hands out its raw logits, from
which the loss takes both of its maxima; else it hands out their MCM, on which the loss is plain binary cross-entropy.

The loss gets the hierarchy by name: Ludwig puts its `class_weights` into the order of the vocabulary. A decoder Ludwig
never tells what its outputs are called, so a callback hands it the loss's mask when training starts; from then on the
mask is among the weights, and a model that is loaded, by us or by Ludwig's own commands, is as coherent.
"""

from collections.abc import Sequence
from typing import Any

import torch
from ludwig.callbacks import Callback
from ludwig.constants import MODEL_ECD, SET
from ludwig.decoders.generic_decoders import Classifier
from ludwig.decoders.registry import register_decoder
from ludwig.schema import utils as schema
from ludwig.schema.decoders.base import ClassifierConfig
from ludwig.schema.decoders.utils import register_decoder_config
from ludwig.schema.features.loss.loss import BaseLossConfig
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from leaflet_tool.models.extensions.set_losses import SetLoss, register
from leaflet_tool.taxonomy import Taxonomy

LOSS, DECODER = "coherent_bce", "coherent_classifier"
NEVER = float("-inf")


def coherent(logits: Tensor, mask: Tensor) -> Tensor:
    """MCM: a label's largest logit among its own and those below it; `mask[a, b]`: b is a or below a."""
    return logits.unsqueeze(1).masked_fill(~mask, NEVER).amax(dim=-1)


def by_label(parents: dict[str, list[str]]) -> dict[str, list[str]]:
    """Each label with itself and every label above it."""
    taxonomy = Taxonomy(parents)
    return {label: [label, *sorted(taxonomy.ancestors(label))] for label in parents}


def mask_of(rows: Sequence[Sequence[str]]) -> Tensor:
    """The mask of labels in this order, each given with itself first and then what is above it."""
    names = [row[0] for row in rows]
    return torch.tensor([[name in row for row in rows] for name in names], dtype=torch.bool)


class CoherentConfig(BaseLossConfig):
    """`taxonomy` gives every label of the vocabulary, `<UNK>` too, its parents: slot `taxonomy`."""

    type: str = schema.ProtectedString(LOSS)

    taxonomy: dict[str, list[str]] | list[list[str]] = schema.OneOfOptionsField(
        default=None, allow_none=True, description="Each label's parents.", field_options=[]
    )

    @property
    def class_weights(self) -> Any:
        """The one value that Ludwig orders by the vocabulary: once it has, a list of `mask_of`'s rows."""
        return by_label(self.taxonomy) if isinstance(self.taxonomy, dict) else self.taxonomy

    @class_weights.setter
    def class_weights(self, ordered: list[list[str]]) -> None:
        self.taxonomy = ordered

    @classmethod
    def name(cls) -> str:
        return "Coherent binary cross-entropy"


@register(CoherentConfig)
class CoherentLoss(SetLoss):
    """Binary cross-entropy of `(1 - y) MCM(p) + y MCM(y p)`: a true label learns from the true ones below it alone."""

    mask: Tensor

    def __init__(self, config: CoherentConfig) -> None:
        super().__init__()
        if not isinstance(config.taxonomy, list) or not config.taxonomy:
            raise ValueError(f"{LOSS} needs taxonomy, each label's parents by name")
        self.register_buffer("mask", mask_of(config.taxonomy), persistent=False)

    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        true = truth > 0
        among_true = coherent(logits.masked_fill(~true, NEVER), self.mask)
        return binary_cross_entropy_with_logits(
            torch.where(true, among_true, coherent(logits, self.mask)), truth, reduction="none"
        )


@register_decoder_config(DECODER, [SET], model_types=[MODEL_ECD])
class CoherentClassifierConfig(ClassifierConfig):
    """Ludwig's `classifier` settings under our name."""

    type: str = schema.ProtectedString(DECODER)

    @classmethod
    def module_name(cls) -> str:
        return "CoherentClassifier"


@register_decoder(DECODER, [SET])
class CoherentClassifier(Classifier):
    """A linear layer, whose logits are made coherent but for training."""

    mask: Tensor

    def __init__(self, input_size: int, num_classes: int, **settings: Any) -> None:
        super().__init__(input_size, num_classes, **settings)
        self.register_buffer("mask", torch.zeros(num_classes, num_classes, dtype=torch.bool))

    def forward(self, inputs: Tensor, mask: Any = None, **_: Any) -> Tensor:
        if not self.mask.any():
            raise RuntimeError(f"{DECODER} has no hierarchy: train with the callback Hierarchy of leaflet_tool")
        logits: Tensor = self.dense(inputs)
        return logits if self.training else coherent(logits, self.mask)

    @staticmethod
    def get_schema_cls() -> type[CoherentClassifierConfig]:
        return CoherentClassifierConfig


class Hierarchy(Callback):
    """Gives every coherent decoder the mask of its loss before training begins, or goes on."""

    def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
        for name in model.output_features.keys():  # noqa: SIM118  Ludwig's own dictionary gives other keys than it takes
            feature = model.output_features.get(name)
            if isinstance(feature.decoder_obj, CoherentClassifier):
                if not isinstance(feature.train_loss_function, CoherentLoss):
                    raise ValueError(f"{DECODER} goes with the loss {LOSS}, not {feature.loss.type}")
                feature.decoder_obj.mask.copy_(feature.train_loss_function.mask)
