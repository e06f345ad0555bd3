"""Encoders of the library transformers, with a head that classifies or a mean that embeds.

    J. Devlin et al., BERT, arXiv:1810.04805 (2019)
    I. Turc et al., Well-read students learn better, arXiv:1908.08962 (2019): the small sizes
    V. Sanh et al., DistilBERT, arXiv:1910.01108 (2019)
    N. Reimers, I. Gurevych, Sentence-BERT, arXiv:1908.10084 (2019): the mean over a text's tokens as its embedding

An architecture is what the library writes into a config.json.  No code but the library's own is ever run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from zoo import BadFile
from zoo_huggingface.cards import cards

Architecture = Mapping[str, Any]

MAX_REASON: Final = 300
"""Letters of what the library says; it may go on with all families that it has."""
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


def configuration(architecture: Architecture) -> Any:
    """The library's configuration; BadFile where a value is none that it takes."""
    try:
        return AutoConfig.for_model(**architecture)
    except Exception as error:  # the library has a dozen, and each family its own
        raise _refused(architecture["model_type"], error) from error


def library_network(kind: Any, config: Any, **options: str) -> Any:
    """What one of the library's Auto classes builds from a configuration; BadFile where it builds nothing from it."""
    try:
        return kind.from_config(config, trust_remote_code=False, **options)
    except Exception as error:  # a size of -1, heads that do not divide the width, a family without such a head
        raise _refused(config.model_type, error) from error


def _refused(family: str, error: Exception) -> BadFile:
    reason = (str(error).strip() or type(error).__name__).splitlines()
    return BadFile(f"no {family} has this configuration: {' '.join(reason)[:MAX_REASON]}")


class Encoder(nn.Module):
    """What the library builds from an architecture, without the pooler that some models have."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        config = configuration(architecture)
        self.width: int = config.hidden_size
        self.padding = max(int(getattr(config, "pad_token_id", None) or 0), 0)
        self.layers: Any = library_network(AutoModel, config)
        if getattr(self.layers, "pooler", None) is not None:
            self.layers.pooler = nn.Identity()  # some call it, whether it is there or not

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """tokens int64 [batch, length], padded, and lengths [batch] -> states [batch, length, width], inside.

        inside: bool [batch, length], which tokens are text.
        """
        inside = torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None]
        if self.padding:  # zoo pads with 0, and some families look at the padding's id or convolve over it
            tokens = torch.where(inside, tokens, self.padding)
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


class TextClassifier(nn.Module):
    """A classifier of the library with its own head, as somebody trained it."""

    def __init__(self, architecture: Architecture, *, num_classes: int) -> None:
        super().__init__()
        config = configuration({key: value for key, value in architecture.items() if key not in LABELS})
        config.num_labels = num_classes
        self.network: Any = library_network(AutoModelForSequenceClassification, config)
        self.padding = int(config.pad_token_id or 0)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """int64 tokens [batch, length], padded, and lengths [batch] of at least 1 -> logits [batch, classes]."""
        inside = torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None]
        known = torch.where(inside, tokens, self.padding)
        return cast("Tensor", self.network(input_ids=known, attention_mask=inside.long()).logits)


LABELS: Final = ("id2label", "label2id", "num_labels")
"""Keys of a configuration that zoo sets itself."""


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


def text_classifier(*, architecture: Architecture, num_classes: int) -> TextClassifier:
    """Whatever classifier of texts its configuration describes, with its own head."""
    return TextClassifier(architecture, num_classes=num_classes)


SPECIAL: Final[Architecture] = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3}
"""The ids in a vocabulary of zoo's word pieces."""


def _built(name: str, *, vocabulary_size: int, num_classes: int) -> Classifier:
    """The encoder of a card, with a new head."""
    card = cards()[name]
    ends = {"bos_token_id": 2, "eos_token_id": 3}
    architecture = {"model_type": card["family"], **SPECIAL, **ends, **card["config"], "vocab_size": vocabulary_size}
    return Classifier(architecture, num_classes=num_classes)


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """The builder of a card."""
    if name not in cards() or cards()[name]["task"] != "text-classification":
        raise AttributeError(name)
    return partial(_built, name)
