"""Transformers for text: an encoder that classifies, and a decoder that writes with a key/value cache.

    A. Vaswani et al., Attention is all you need, arXiv:1706.03762 (2017)
    normalising first: R. Xiong et al., On layer normalization in the transformer architecture, arXiv:2002.04745 (2020)
    decoder only: A. Radford et al., Language models are unsupervised multitask learners (2019)
    rotary positions: J. Su et al., RoFormer, arXiv:2104.09864 (2021)
    a sliding window with a cache that carries no gradients: Z. Dai et al., Transformer-XL,
    arXiv:1901.02860 (2019); I. Beltagy et al., Longformer, arXiv:2004.05150 (2020)

Written without nn.TransformerEncoder, whose fast path in evaluation gives other values at padded positions than the
graph that is exported from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo import Port, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The numbers of one network."""

    width: int
    heads: int
    layers: int
    feed_forward: int
    window: int = 0
    """How many tokens back a token of a language model sees, itself included."""
    dropout: float = 0.1


def rotate(values: Tensor, positions: Tensor) -> Tensor:
    """Queries or keys [batch, heads, length, depth] rotated by positions [length]: products depend on distances."""
    half = values.shape[-1] // 2
    rates = 10_000.0 ** (-torch.arange(half, device=values.device, dtype=values.dtype) / half)
    angles = positions.to(values.dtype)[:, None] * rates
    cosine, sine = angles.cos(), angles.sin()
    first, second = values[..., :half], values[..., half:]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


class Attention(nn.Module):
    """Attention of several heads with rotary positions."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.dropout = size.dropout
        self.query = nn.Linear(size.width, size.width)
        self.keys_values = nn.Linear(size.width, 2 * size.width)
        self.out = nn.Linear(size.width, size.width)

    def project(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values [batch, length, width] of these positions, as they are cached: not yet rotated."""
        keys, carried = self.keys_values(values).chunk(2, dim=-1)
        return keys, carried

    def forward(self, values: Tensor, keys: Tensor, carried: Tensor, seen: Tensor) -> Tensor:
        """Attention of the last positions to all: values [batch, length, width], keys and carried [batch, all, width].

        seen: bool, broadcast to [batch, heads, length, all]; which positions each may attend to.
        """
        length, all_positions = values.shape[1], keys.shape[1]
        positions = torch.arange(all_positions, device=values.device)
        read = F.scaled_dot_product_attention(
            rotate(self._split(self.query(values)), positions[all_positions - length :]),
            rotate(self._split(keys), positions),
            self._split(carried),
            attn_mask=seen,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out(read.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, values: Tensor) -> Tensor:
        return values.reshape(*values.shape[:2], self.heads, -1).transpose(1, 2)


class Block(nn.Module):
    """Attention, then two layers on every position; each normalised before and added after."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(size.width)
        self.attention = Attention(size)
        self.feed_forward_norm = nn.LayerNorm(size.width)
        self.widen = nn.Linear(size.width, size.feed_forward)
        self.narrow = nn.Linear(size.feed_forward, size.width)
        self.dropout = nn.Dropout(size.dropout)

    def forward(
        self, values: Tensor, seen: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values [batch, length, width], and the keys and values of all positions, the past ones first."""
        normal = self.attention_norm(values)
        keys, carried = self.attention.project(normal)
        if past is not None:
            keys, carried = torch.cat((past[0], keys), dim=1), torch.cat((past[1], carried), dim=1)
        values = values + self.dropout(self.attention(normal, keys, carried, seen))
        inner = F.gelu(self.widen(self.feed_forward_norm(values)))
        return values + self.dropout(self.narrow(self.dropout(inner))), keys, carried


def _initialise(module: nn.Module, size: Size) -> None:
    """Normal weights of deviation sqrt(2 / 5 width), smaller where more layers add to the stream, as GPT-2 does.

    T. Q. Nguyen, J. Salazar, Transformers without tears, arXiv:1910.05895 (2019), section 2.2.
    """
    deviation = (2 / (5 * size.width)) ** 0.5
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear):
            adds = name.endswith((".out", ".narrow"))
            nn.init.normal_(part.weight, std=deviation * (2 * size.layers) ** -0.5 if adds else deviation)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=deviation)


class Classifier(nn.Module):
    """Characters or tokens to class scores, from the mean over all positions."""

    def __init__(self, *, size: Size, vocabulary_size: int, num_classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, size.width)
        self.dropout = nn.Dropout(size.dropout)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, num_classes)
        _initialise(self, size)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """int64 tokens [batch, length], padded, and lengths [batch] of at least 1 -> logits [batch, classes]."""
        inside = torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None]
        values = self.dropout(self.embedding(tokens))
        for block in self.blocks:
            values, _, _ = block(values, inside[:, None, None, :])
        mean = (self.norm(values) * inside[:, :, None]).sum(dim=1) / lengths[:, None]
        return self.head(self.dropout(mean))  # type: ignore[no-any-return]


class LanguageModel(nn.Module):
    """The next token after each, and the cache after the last: text in pieces gives what the whole text gives.

    A token sees itself and the `window - 1` before it, however the text is cut.  The cache therefore has one size:
    keys and values of the last `window - 1` tokens, and how many of them are real.
    """

    def __init__(self, *, size: Size, vocabulary_size: int) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(vocabulary_size, size.width)
        self.dropout = nn.Dropout(size.dropout)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, vocabulary_size, bias=False)
        _initialise(self, size)

    @property
    def signature(self) -> Signature:
        """tokens and the cache in, logits and the cache out."""
        tokens = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers")
        logits = Port(name="logits", dtype="float32", shape=("batch", "length", self.head.out_features))
        cache = ("batch", self.size.layers, self.size.window - 1, self.size.width)
        state = {"keys": cache, "values": cache, "seen": ("batch", self.size.window - 1)}
        before = (Port(name=name, dtype="float32", shape=shape, doc="zeros at first") for name, shape in state.items())
        after = (Port(name=f"{name}_out", dtype="float32", shape=state[name], feeds=name) for name in state)
        return Signature(inputs=(tokens, *before), outputs=(logits, *after))

    def forward(self, tokens: Tensor, keys: Tensor, values: Tensor, seen: Tensor) -> tuple[Tensor, ...]:
        """Tokens int64 [batch, length] and the state -> logits [batch, length, vocabulary] and the state.

        keys, values: [batch, layers, window - 1, width]; seen: [batch, window - 1], 1 where the cache is real.
        """
        past, length = self.size.window - 1, tokens.shape[1]
        query = torch.arange(length, device=tokens.device)[:, None] + past
        key = torch.arange(past + length, device=tokens.device)[None]
        real = torch.cat((seen, seen.new_ones(1, 1).expand(tokens.shape)), dim=1)
        mask = ((key <= query) & (key > query - self.size.window))[None, None] & (real > 0.5)[:, None, None, :]
        stream = self.dropout(self.embedding(tokens))
        all_keys, all_values = [], []
        for layer, block in enumerate(self.blocks):
            stream, block_keys, block_values = block(stream, mask, (keys[:, layer], values[:, layer]))
            all_keys.append(block_keys[:, -past:])
            all_values.append(block_values[:, -past:])
        logits = self.head(self.norm(stream))
        return logits, torch.stack(all_keys, dim=1), torch.stack(all_values, dim=1), real[:, -past:]


# --- sizes -----------------------------------------------------------------------------------------

SMALL_SIZE: Final = Size(width=128, heads=4, layers=2, feed_forward=256, dropout=0.2)
# Vaswani et al. 2017
BASE: Final = Size(width=512, heads=8, layers=6, feed_forward=2048)
BIG: Final = Size(width=1024, heads=16, layers=6, feed_forward=4096, dropout=0.3)
WRITER: Final = Size(width=96, heads=3, layers=3, feed_forward=256, window=32, dropout=0.0)
# Radford et al. 2019
SMALL_WRITER: Final = Size(width=768, heads=12, layers=12, feed_forward=3072, window=1024)
MEDIUM_WRITER: Final = Size(width=1024, heads=16, layers=24, feed_forward=4096, window=1024)


def transformer(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """A small encoder, to the classes of a text."""
    return Classifier(size=SMALL_SIZE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def transformer_base(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """An encoder of the base size of Vaswani et al. (2017), to the classes of a text."""
    return Classifier(size=BASE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def transformer_big(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """An encoder of the big size of Vaswani et al. (2017), to the classes of a text."""
    return Classifier(size=BIG, vocabulary_size=vocabulary_size, num_classes=num_classes)


def transformer_lm(*, vocabulary_size: int) -> LanguageModel:
    """A small decoder with a window of 32 tokens, to the next token."""
    return LanguageModel(size=WRITER, vocabulary_size=vocabulary_size)


def transformer_lm_small(*, vocabulary_size: int) -> LanguageModel:
    """A decoder of the small size of Radford et al. (2019), to the next token."""
    return LanguageModel(size=SMALL_WRITER, vocabulary_size=vocabulary_size)


def transformer_lm_medium(*, vocabulary_size: int) -> LanguageModel:
    """A decoder of the medium size of Radford et al. (2019), to the next token."""
    return LanguageModel(size=MEDIUM_WRITER, vocabulary_size=vocabulary_size)
