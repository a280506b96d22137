"""Losses for several labels a row that Ludwig lacks: of its own it has (weighted) binary cross-entropy only.

Every loss is the mean over rows and labels of a label's term, as Ludwig's `sigmoid_cross_entropy` is; in both the
token `<UNK>`, which no row has, counts as one more label. In formulas y is the truth, p the probability, z its logit.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from ludwig.constants import LOGITS, MINIMIZE, SET
from ludwig.modules.loss_modules import LogitsInputsMixin, create_loss
from ludwig.modules.loss_modules import register_loss as register_implementation
from ludwig.modules.metric_modules import LossMetric
from ludwig.modules.metric_registry import register_metric
from ludwig.schema import utils as schema
from ludwig.schema.features.loss.loss import BaseLossConfig, SigmoidCrossEntropyLossConfig
from ludwig.schema.features.loss.loss import register_loss as register_schema
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

SAMPLE_WEIGHTED, CLASS_WEIGHTED = "sample_weighted_bce", "class_weighted_bce"
FOCAL, ASYMMETRIC = "focal_bce", "asymmetric_bce"
EPSILON = 1e-7
"""What the study adds to a probability before it takes the logarithm."""
TINY = 1e-12
"""Keeps the slope of a fractional power finite where the probability is 0."""


class SetLoss(nn.Module, LogitsInputsMixin, ABC):
    """Logits and a multi-hot truth, both `[rows, labels]`, to the mean of the labels' terms."""

    def forward(self, preds: Tensor, target: Tensor) -> Tensor:
        return self.terms(preds.float(), target.float()).mean()

    @abstractmethod
    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        """What each label of each row adds, `[rows, labels]`."""


class SetLossMetric(LossMetric):
    """What Ludwig's evaluation calls `loss`, for every loss that is registered here."""

    def __init__(self, config: BaseLossConfig, **_: Any) -> None:
        super().__init__()
        self.function = create_loss(config)

    def get_current_value(self, preds: Tensor, target: Tensor) -> Tensor:
        value: Tensor = self.function(preds, target)
        return value


def register(config: type[BaseLossConfig]) -> Callable[[type[SetLoss]], type[SetLoss]]:
    """Enters the loss it decorates in Ludwig's registries of schemas, losses and metrics, for set outputs."""
    register_schema([SET])(config)
    register_metric(config.type, [SET], MINIMIZE, LOGITS)(SetLossMetric)
    implementation: Callable[[type[SetLoss]], type[SetLoss]] = register_implementation(config)
    return implementation


def _weights(config: SigmoidCrossEntropyLossConfig) -> Tensor:
    """A weight a label in the order of the vocabulary, which Ludwig makes of the definition's weights by name."""
    if not config.class_weights:
        raise ValueError(f"{config.type} needs class_weights, a weight for each label by name")
    return torch.tensor(config.class_weights, dtype=torch.float32)


class SampleWeightedConfig(SigmoidCrossEntropyLossConfig):
    """`class_weights` weigh a label's positive rows; the study's are (N - n) / n, slot `positive_weights`."""

    type: str = schema.ProtectedString(SAMPLE_WEIGHTED)

    @classmethod
    def name(cls) -> str:
        return "Sample-weighted binary cross-entropy"


@register(SampleWeightedConfig)
class SampleWeightedLoss(SetLoss):
    """What the study calls sample weights: `-(w y log(p + 1e-7) + (1 - y) log(1 - p + 1e-7))`.

    But for the 1e-7, this is Ludwig's `sigmoid_cross_entropy` with the same `class_weights`.
    """

    weights: Tensor

    def __init__(self, config: SampleWeightedConfig) -> None:
        super().__init__()
        self.register_buffer("weights", _weights(config), persistent=False)

    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        present = (torch.sigmoid(logits) + EPSILON).log()
        absent = (torch.sigmoid(-logits) + EPSILON).log()
        return -(self.weights * truth * present + (1 - truth) * absent)


class ClassWeightedConfig(SigmoidCrossEntropyLossConfig):
    """`class_weights` weigh a label in every row; balanced ones are N / (L n), slot `class_weights`."""

    type: str = schema.ProtectedString(CLASS_WEIGHTED)

    @classmethod
    def name(cls) -> str:
        return "Class-weighted binary cross-entropy"


@register(ClassWeightedConfig)
class ClassWeightedLoss(SetLoss):
    """`-w (y log p + (1 - y) log(1 - p))`: a label's whole term is weighed, in rows with it and without it.

    The study meant these weights and gave them to Keras as `class_weight`, which takes the argmax of a multi-hot row:
    every image was weighted by its alphabetically first label.
    """

    weights: Tensor

    def __init__(self, config: ClassWeightedConfig) -> None:
        super().__init__()
        self.register_buffer("weights", _weights(config), persistent=False)

    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        return self.weights * binary_cross_entropy_with_logits(logits, truth, reduction="none")


class UnweightedConfig(BaseLossConfig):
    """A loss without weights by label, for which Ludwig asks every loss of a set output."""

    @property
    def class_weights(self) -> None:
        return None


class FocalConfig(UnweightedConfig):
    """Ludwig's own `focal` takes no set output."""

    type: str = schema.ProtectedString(FOCAL)

    gamma: float = schema.NonNegativeFloat(default=2.0, description="How much less an easy label counts; 0: not less.")

    alpha: float | None = schema.FloatRange(
        default=None, allow_none=True, min=0, max=1, description="Weight of positive rows; negative ones have the rest."
    )

    @classmethod
    def name(cls) -> str:
        return "Focal binary cross-entropy"


@register(FocalConfig)
class FocalLoss(SetLoss):
    """`-a (1 - q)^gamma log q`, q the probability given to what is true, a alpha or 1 - alpha (Lin et al. 2017)."""

    def __init__(self, config: FocalConfig) -> None:
        super().__init__()
        self.gamma, self.alpha = config.gamma, config.alpha

    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        towards_truth = logits * (2 * truth - 1)
        terms = -(self.gamma * logsigmoid(-towards_truth)).exp() * logsigmoid(towards_truth)
        return terms if self.alpha is None else terms * (self.alpha * truth + (1 - self.alpha) * (1 - truth))


class AsymmetricConfig(UnweightedConfig):
    """The paper's own values are the defaults."""

    type: str = schema.ProtectedString(ASYMMETRIC)

    gamma_pos: float = schema.NonNegativeFloat(default=0.0, description="Focus on hard positive rows.")

    gamma_neg: float = schema.NonNegativeFloat(default=4.0, description="Focus on hard negative rows.")

    clip: float = schema.FloatRange(
        default=0.05, min=0, max=1, max_inclusive=False, description="Up to this probability a negative row is free."
    )

    @classmethod
    def name(cls) -> str:
        return "Asymmetric binary cross-entropy"


@register(AsymmetricConfig)
class AsymmetricLoss(SetLoss):
    """`-(y (1 - p)^gamma_pos log p + (1 - y) m^gamma_neg log(1 - m))`, m = max(p - clip, 0) (Ridnik et al. 2021).

    The authors' code sums where this takes the mean, and lets no gradient through the two powers.
    """

    clip: Tensor

    def __init__(self, config: AsymmetricConfig) -> None:
        super().__init__()
        self.gamma_pos, self.gamma_neg = config.gamma_pos, config.gamma_neg
        self.register_buffer("clip", torch.tensor(config.clip), persistent=False)

    def terms(self, logits: Tensor, truth: Tensor) -> Tensor:
        present = (self.gamma_pos * logsigmoid(-logits)).exp() * logsigmoid(logits)
        shifted = (torch.sigmoid(logits) - self.clip).clamp(min=TINY)
        # log(1 - m) = log(min(1 - p + clip, 1))
        absent = shifted**self.gamma_neg * torch.logaddexp(logsigmoid(-logits), self.clip.log()).clamp(max=0)
        return -(truth * present + (1 - truth) * absent)
