"""A TF-IDF text encoder that learns: Ludwig's own divides counts by the padded length and leaves out the rest.

Weights follow scikit-learn's `TfidfVectorizer(sublinear_tf=True)` (Manning, Raghavan and Schütze 2008, ch. 6):
`(1 + ln tf) * (ln((1 + n) / (1 + df)) + 1)`, then each row divided by its Euclidean length.
"""

import math
from typing import Any

import torch
from ludwig.constants import ENCODER_OUTPUT, MODEL_ECD, TEXT
from ludwig.encoders.base import Encoder
from ludwig.encoders.registry import register_encoder
from ludwig.schema.encoders.text_encoders import TfIdfEncoderConfig
from ludwig.schema.encoders.utils import register_encoder_config
from ludwig.schema.utils import ProtectedString

NAME = "sublinear_tf_idf"
SPECIAL_SYMBOLS = 4
"""Ludwig's vocabularies begin with <EOS>, <SOS>, <PAD> and <UNK>, which are no words."""
SMALLEST_LENGTH = 1e-12
"""Keeps the row of an empty text at zero."""


@register_encoder_config(NAME, TEXT, model_types=[MODEL_ECD])
class SublinearTfIdfConfig(TfIdfEncoderConfig):
    """Ludwig's `tf_idf` settings under our name; it has Ludwig count document frequencies."""

    type: str = ProtectedString(NAME)


@register_encoder(NAME, [TEXT])
class SublinearTfIdf(Encoder):
    """Token ids `[batch, length]` to unit rows `[batch, vocabulary]`; an empty text is the zero row."""

    idf: torch.Tensor

    def __init__(
        self,
        max_sequence_length: int,
        str2idf: dict[str, float] | None = None,
        vocab: list[str] | None = None,
        vocab_size: int = 0,
        encoder_config: SublinearTfIdfConfig | None = None,
        **_: Any,
    ) -> None:
        """Without `str2idf` and `vocab`, as on reload, the weights file brings what `vocab_size` words weigh."""
        super().__init__()
        self.max_sequence_length = max_sequence_length
        idf = torch.zeros(vocab_size) if vocab is None or str2idf is None else torch.tensor(smooth_idf(vocab, str2idf))
        self.register_buffer("idf", idf)
        self.config = encoder_config
        if encoder_config is not None:
            # What the buffer holds need not be in the saved configuration too, where Ludwig could not read it back.
            encoder_config.str2idf = None  # type: ignore[assignment]
            encoder_config.vocab = None  # type: ignore[assignment]

    def forward(self, inputs: torch.Tensor, training: Any = None, mask: Any = None) -> dict[str, torch.Tensor]:
        tokens = inputs.long()
        rows = torch.zeros(len(tokens), len(self.idf), device=tokens.device)
        counts = rows.scatter_add(1, tokens, torch.ones_like(tokens, dtype=rows.dtype)).gather(1, tokens)
        weights = (1 + counts.log()) * self.idf[tokens]
        # A word that stands c times is c of these weights, and one entry of the row.
        lengths = (weights.square() / counts).sum(1, keepdim=True).sqrt().clamp(min=SMALLEST_LENGTH)
        return {ENCODER_OUTPUT: rows.scatter_(1, tokens, weights / lengths)}

    @staticmethod
    def get_schema_cls() -> type[SublinearTfIdfConfig]:
        return SublinearTfIdfConfig

    @property
    def input_shape(self) -> torch.Size:
        return torch.Size([self.max_sequence_length])

    @property
    def output_shape(self) -> torch.Size:
        return torch.Size([len(self.idf)])


def smooth_idf(vocab: list[str], ludwig_idf: dict[str, float]) -> list[float]:
    """`ln((1 + n) / (1 + df)) + 1` per word, 0 for special symbols.

    Ludwig keeps `ln(len(vocab) / (1 + df))`, from which `1 + df` follows; it does not keep the number of documents
    n, for which the document frequency of the commonest word stands.
    """
    documents = [len(vocab) / math.exp(ludwig_idf[word]) for word in vocab[SPECIAL_SYMBOLS:]]
    most = max(documents, default=1.0)
    return [0.0] * min(SPECIAL_SYMBOLS, len(vocab)) + [math.log(most / frequency) + 1 for frequency in documents]
