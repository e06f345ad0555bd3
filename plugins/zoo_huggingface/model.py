"""Encoders of the library transformers, with a head that classifies or a mean that embeds.

    J. Devlin et al., BERT, arXiv:1810.04805 (2019)
    I. Turc et al., Well-read students learn better, arXiv:1908.08962 (2019): the small sizes
    V. Sanh et al., DistilBERT, arXiv:1910.01108 (2019)
    N. Reimers, I. Gurevych, Sentence-BERT, arXiv:1908.10084 (2019): the mean over a text's tokens as its embedding

An architecture is what the library writes into a config.json.  No code but the library's own is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

Architecture = Mapping[str, Any]

BERT_TINY: Final[Architecture] = {
    "model_type": "bert",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 128,
    "type_vocab_size": 1,
}
# Devlin et al. 2019, table 1; the library's defaults are its numbers
BERT_BASE: Final[Architecture] = {"model_type": "bert"}
# Sanh et al. 2019
DISTILBERT_BASE: Final[Architecture] = {"model_type": "distilbert"}


class Encoder(nn.Module):
    """What the library builds from an architecture, without the pooler that some models have."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        config = AutoConfig.for_model(**architecture)
        self.width: int = config.hidden_size
        self.layers: Any = AutoModel.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
        if getattr(self.layers, "pooler", None) is not None:
            self.layers.pooler = None

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """tokens int64 [batch, length], padded, and lengths [batch] -> states [batch, length, width], inside.

        inside: bool [batch, length], which tokens are text.
        """
        inside = torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None]
        output = self.layers(input_ids=tokens, attention_mask=inside.long())
        return cast("Tensor", output.last_hidden_state), inside


def mean(states: Tensor, inside: Tensor) -> Tensor:
    """The mean over the tokens that are text: states [batch, length, width] -> [batch, width]."""
    kept = inside[:, :, None].to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1)


class Classifier(nn.Module):
    """An encoder, and class scores from its state at the first token, [CLS]."""

    def __init__(self, architecture: Architecture, *, num_classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(architecture)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.width, num_classes)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """int64 tokens [batch, length], padded, and lengths [batch] of at least 1 -> logits [batch, classes]."""
        states, _ = self.encoder(tokens, lengths)
        return cast("Tensor", self.head(self.dropout(states[:, 0])))


class Embedder(nn.Module):
    """An encoder, and the mean of its states over a text."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.encoder = Encoder(architecture)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """int64 tokens [batch, length], padded, and lengths [batch] of at least 1 -> float [batch, width]."""
        return mean(*self.encoder(tokens, lengths))


def bert_tiny(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """A BERT for small data, to the classes of a text."""
    return Classifier({**BERT_TINY, "vocab_size": vocabulary_size}, num_classes=num_classes)


def bert_base(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """BERT of the base size (Devlin et al. 2019), to the classes of a text."""
    return Classifier({**BERT_BASE, "vocab_size": vocabulary_size}, num_classes=num_classes)


def distilbert_base(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """DistilBERT (Sanh et al. 2019), to the classes of a text."""
    return Classifier({**DISTILBERT_BASE, "vocab_size": vocabulary_size}, num_classes=num_classes)


def encoder(*, architecture: Architecture, num_classes: int) -> Classifier:
    """Whatever encoder its configuration describes, to the classes of a text."""
    return Classifier(architecture, num_classes=num_classes)


def sentence_bert_tiny(*, vocabulary_size: int) -> Embedder:
    """A BERT for small data, to one vector for a text."""
    return Embedder({**BERT_TINY, "vocab_size": vocabulary_size})


def sentence_bert_base(*, vocabulary_size: int) -> Embedder:
    """BERT of the base size, to one vector for a text (Reimers and Gurevych 2019)."""
    return Embedder({**BERT_BASE, "vocab_size": vocabulary_size})


def sentence_encoder(*, architecture: Architecture) -> Embedder:
    """Whatever encoder its configuration describes, to one vector for a text."""
    return Embedder(architecture)
