"""The networks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from zoo import Port, Signature


class Segmenter(nn.Module):
    """input [n, 3, h, w] -> logits [n, classes, h, w]."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 12, 3, stride=2, padding=1)
        self.score = nn.Conv2d(12, num_classes, 1)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of every class for every pixel of the input."""
        scores = self.score(F.relu(self.features(input)))
        return F.interpolate(scores, scale_factor=2.0, mode="bilinear", align_corners=False)


class Writer(nn.Module):
    """tokens [batch, length] and state [batch, 1, 16] -> logits [batch, length, vocabulary] and the state after."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, 8)
        self.recurrent = nn.GRU(8, 16, batch_first=True)
        self.head = nn.Linear(16, vocabulary_size)

    @property
    def signature(self) -> Signature:
        """tokens and state in, logits and state out."""
        shape = ("batch", 1, 16)
        return Signature(
            inputs=(
                Port(name="tokens", dtype="int64", shape=("batch", "length")),
                Port(name="state", dtype="float32", shape=shape),
            ),
            outputs=(
                Port(name="logits", dtype="float32", shape=("batch", "length", self.head.out_features)),
                Port(name="state_out", dtype="float32", shape=shape, feeds="state"),
            ),
        )

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the next token after each, and the state."""
        values, after = self.recurrent(self.embedding(tokens), state.transpose(0, 1).contiguous())
        return self.head(values), after.transpose(0, 1)


def segmenter(*, num_classes: int) -> Segmenter:
    """The segmenter from random numbers."""
    return Segmenter(num_classes)


def writer(*, vocabulary_size: int) -> Writer:
    """The language model from random numbers."""
    return Writer(vocabulary_size)
