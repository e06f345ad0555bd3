"""Recurrent networks for text: a bidirectional classifier, and a language model that carries its state.

rnn   J. L. Elman, Finding structure in time, Cognitive Science 14 (1990)
lstm  S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997)
gru   K. Cho et al., Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078 (2014)
both ways: M. Schuster, K. K. Paliwal, Bidirectional recurrent neural networks, IEEE Trans. Signal Proc. 45 (1997)
dropout between the layers and large language models: W. Zaremba et al., arXiv:1409.2329 (2014)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from zoo import Port, Signature

Cell = Literal["rnn", "gru", "lstm"]
CELLS: Final[dict[Cell, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]]] = {
    "rnn": nn.RNN,
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The numbers of one network."""

    embedding: int
    hidden: int
    """Per direction."""
    layers: int = 1
    dropout: float = 0.0
    """On the embedding, between the layers and before the head."""


class Recurrent(nn.Module):
    """Layers of one direction each: [batch, length, width] and their lengths to [batch, length, 2 x hidden].

    A backward layer reads every sequence from its own last token to its first.  In training and evaluation the
    sequences are packed, so that nothing is computed for the padding.  An exported graph has no packing; there the
    sequences are reversed by their lengths, which is the same function.
    """

    def __init__(self, cell: Cell, width: int, size: Size) -> None:
        super().__init__()
        widths = [width, *[2 * size.hidden] * (size.layers - 1)]
        self.forwards = nn.ModuleList(CELLS[cell](wide, size.hidden, batch_first=True) for wide in widths)
        self.backwards = nn.ModuleList(CELLS[cell](wide, size.hidden, batch_first=True) for wide in widths)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Every position with both directions; positions after the end of a sequence have no meaning."""
        reverse = _reversed_positions(values.shape[1], lengths)
        for layer, (forwards, backwards) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            inputs = self.dropout(values) if layer else values
            ahead = _read(forwards, inputs, lengths)
            back = _take(_read(backwards, _take(inputs, reverse), lengths), reverse)
            values = torch.cat((ahead, back), dim=2)
        return values


def _reversed_positions(length: int, lengths: Tensor) -> Tensor:
    """The positions of the reversed sequences, int64 [batch, length]; padding keeps its positions."""
    position = torch.arange(length, device=lengths.device)[None]
    mirrored = lengths[:, None] - 1 - position
    return torch.where(mirrored >= 0, mirrored, position)


def _take(values: Tensor, positions: Tensor) -> Tensor:
    return values.gather(1, positions[:, :, None].expand(-1, -1, values.shape[2]))


def _read(layer: nn.Module, values: Tensor, lengths: Tensor) -> Tensor:
    if torch.compiler.is_exporting():
        if isinstance(layer, nn.RNN):
            return _exported(layer, values, values.new_zeros(1, values.shape[0], layer.hidden_size))[0]
        return layer(values)[0]  # type: ignore[no-any-return]
    packed = pack_padded_sequence(values, lengths.cpu(), batch_first=True, enforce_sorted=False)
    # padded back to the same length, also where no sequence is as long as the padding
    return pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=values.shape[1])[0]


def _exported(layer: nn.RNN, values: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """A plain layer as a GRU whose gates are open, because the exporter knows no plain recurrent operator.

    With the reset gate at 1 and the update gate at 0, a GRU computes tanh(W x + b + U h + c), which is Elman's layer.
    """
    parameters = []
    for number in range(layer.num_layers):
        for kind in ("ih", "hh"):
            weight = getattr(layer, f"weight_{kind}_l{number}")
            parameters.append(torch.cat((weight.new_zeros(2 * layer.hidden_size, weight.shape[1]), weight)))
        gates = values.new_full((layer.hidden_size,), 50.0)
        parameters.append(torch.cat((gates, -gates, getattr(layer, f"bias_ih_l{number}"))))
        parameters.append(torch.cat((torch.zeros_like(gates).repeat(2), getattr(layer, f"bias_hh_l{number}"))))
    return torch.gru(values, state, parameters, True, layer.num_layers, 0.0, False, False, True)


class Classifier(nn.Module):
    """Characters or tokens to class scores, from the mean and the maximum of the layers' outputs over all positions."""

    def __init__(self, *, cell: Cell, size: Size, vocabulary_size: int, num_classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, size.embedding)
        self.recurrent = Recurrent(cell, size.embedding, size)
        self.dropout = nn.Dropout(size.dropout)
        self.head = nn.Linear(4 * size.hidden, num_classes)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """int64 tokens [batch, length], padded, and lengths [batch] of at least 1 -> logits [batch, classes]."""
        read = self.recurrent(self.dropout(self.embedding(tokens)), lengths)
        inside = (torch.arange(tokens.shape[1], device=tokens.device)[None] < lengths[:, None])[:, :, None]
        mean = (read * inside).sum(dim=1) / lengths[:, None]
        largest = read.masked_fill(~inside, -torch.inf).amax(dim=1)
        return self.head(self.dropout(torch.cat((mean, largest), dim=1)))  # type: ignore[no-any-return]


class LanguageModel(nn.Module):
    """The next token after each, and the state after the last: text in pieces gives what the whole text gives."""

    def __init__(self, *, cell: Cell, size: Size, vocabulary_size: int) -> None:
        super().__init__()
        self.cell = cell
        self.size = size
        self.embedding = nn.Embedding(vocabulary_size, size.embedding)
        self.recurrent = CELLS[cell](
            size.embedding,
            size.hidden,
            size.layers,
            batch_first=True,
            dropout=size.dropout if size.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(size.dropout)
        self.head = nn.Linear(size.hidden, vocabulary_size)

    @property
    def signature(self) -> Signature:
        """tokens and the state of every layer in, logits and the state out."""
        tokens = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers")
        logits = Port(name="logits", dtype="float32", shape=("batch", "length", self.head.out_features))
        names = ("state", "cell") if self.cell == "lstm" else ("state",)
        shape = ("batch", self.size.layers, self.size.hidden)
        before = (Port(name=name, dtype="float32", shape=shape, doc="zeros at first") for name in names)
        after = (Port(name=f"{name}_out", dtype="float32", shape=shape, feeds=name) for name in names)
        return Signature(inputs=(tokens, *before), outputs=(logits, *after))

    def forward(self, tokens: Tensor, state: Tensor, cell: Tensor | None = None) -> tuple[Tensor, ...]:
        """Tokens int64 [batch, length], state [batch, layers, hidden] -> logits [batch, length, vocabulary], state.

        An lstm has two tensors of state; `cell` is the second.
        """
        # torch's state has the layers first; every input and output of the model has the batch first
        before = state.transpose(0, 1).contiguous()
        initial = before if cell is None else (before, cell.transpose(0, 1).contiguous())
        values = self.dropout(self.embedding(tokens))
        if isinstance(self.recurrent, nn.RNN) and torch.compiler.is_exporting():
            read, after = _exported(self.recurrent, values, before)
        else:
            read, after = self.recurrent(values, initial)
        parts = after if isinstance(after, tuple) else (after,)
        return self.head(self.dropout(read)), *(part.transpose(0, 1) for part in parts)


# --- sizes -----------------------------------------------------------------------------------------

SMALL_SIZE: Final = Size(embedding=48, hidden=96, dropout=0.3)
LARGE: Final = Size(embedding=256, hidden=512, layers=2, dropout=0.5)
WRITER: Final = Size(embedding=64, hidden=256, dropout=0.15)
# Zaremba et al. 2014, written for words
MEDIUM_WRITER: Final = Size(embedding=650, hidden=650, layers=2, dropout=0.5)
LARGE_WRITER: Final = Size(embedding=1500, hidden=1500, layers=2, dropout=0.65)


def rnn(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """Elman's recurrence (1990), 96 units, to the classes of a text."""
    return Classifier(cell="rnn", size=SMALL_SIZE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def gru(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """Gated recurrent units (Cho et al. 2014), 96 of them, to the classes of a text."""
    return Classifier(cell="gru", size=SMALL_SIZE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def gru_large(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """Two layers of 512 gated recurrent units, to the classes of a text."""
    return Classifier(cell="gru", size=LARGE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def lstm(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """Long short-term memory (Hochreiter and Schmidhuber 1997), 96 units, to the classes of a text."""
    return Classifier(cell="lstm", size=SMALL_SIZE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def lstm_large(*, vocabulary_size: int, num_classes: int) -> Classifier:
    """Two layers of 512 LSTM units, to the classes of a text."""
    return Classifier(cell="lstm", size=LARGE, vocabulary_size=vocabulary_size, num_classes=num_classes)


def rnn_lm(*, vocabulary_size: int) -> LanguageModel:
    """Elman's recurrence, 256 units, to the next token."""
    return LanguageModel(cell="rnn", size=WRITER, vocabulary_size=vocabulary_size)


def gru_lm(*, vocabulary_size: int) -> LanguageModel:
    """256 gated recurrent units, to the next token."""
    return LanguageModel(cell="gru", size=WRITER, vocabulary_size=vocabulary_size)


def lstm_lm(*, vocabulary_size: int) -> LanguageModel:
    """256 LSTM units, to the next token."""
    return LanguageModel(cell="lstm", size=WRITER, vocabulary_size=vocabulary_size)


def lstm_lm_medium(*, vocabulary_size: int) -> LanguageModel:
    """The medium model of Zaremba et al. (2014): two layers of 650 LSTM units, to the next token."""
    return LanguageModel(cell="lstm", size=MEDIUM_WRITER, vocabulary_size=vocabulary_size)


def lstm_lm_large(*, vocabulary_size: int) -> LanguageModel:
    """The large model of Zaremba et al. (2014): two layers of 1500 LSTM units, to the next token."""
    return LanguageModel(cell="lstm", size=LARGE_WRITER, vocabulary_size=vocabulary_size)
