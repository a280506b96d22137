"""A timm encoder of which only the last layers train: how deep a model is tuned, as one setting."""

from dataclasses import field
from typing import Any

import torch
from ludwig.constants import IMAGE
from ludwig.encoders.image.timm import TimmEncoder
from ludwig.encoders.registry import register_encoder
from ludwig.schema import utils as schema
from ludwig.schema.encoders.image.timm import TimmEncoderConfig
from ludwig.schema.encoders.utils import register_encoder_config

NAME, ALL = "timm_layers", "all"


class NumberOrAll(schema.SchemaField):
    """A number from 0, or the word all: Ludwig's own fields leave such a choice unchecked."""

    def _jsonschema_type_mapping(self) -> dict[str, Any]:
        return {"type": ["integer", "string"], "minimum": 0, "pattern": f"^{ALL}$", "default": ALL}

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        return value


@register_encoder_config(NAME, IMAGE)
class TimmLayersConfig(TimmEncoderConfig):
    """Ludwig's `timm` settings, and how many of the last layers train: a number from 0, or all."""

    type: str = schema.ProtectedString(NAME)

    trainable_layers: int | str = field(default=ALL, metadata={"marshmallow_field": NumberOrAll()})


@register_encoder(NAME, IMAGE)
class TimmLayersEncoder(TimmEncoder):
    """A layer is a module with parameters of its own (a convolution, a normalisation), in the order timm builds them.

    Layers that do not train stay as they are: their batch normalisations keep their running statistics, too.
    """

    def __init__(self, trainable_layers: int | str = ALL, trainable: bool = True, **settings: Any) -> None:
        super().__init__(trainable=trainable, **settings)
        layers = layers_of(self.model)
        trained = 0 if not trainable else len(layers) if trainable_layers == ALL else int(trainable_layers)
        if trained > len(layers):
            raise ValueError(f"trainable_layers: {settings.get('model_name')} has {len(layers)} layers, not {trained}")
        self.frozen = layers[: len(layers) - trained]
        for layer in self.frozen:
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> "TimmLayersEncoder":
        super().train(mode)
        for layer in self.frozen:
            layer.training = False  # not eval(), which would reach the layers within it
        return self

    @staticmethod
    def get_schema_cls() -> type[TimmLayersConfig]:
        return TimmLayersConfig


def layers_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The modules with parameters of their own."""
    return [module for module in model.modules() if any(True for _ in module.parameters(recurse=False))]
