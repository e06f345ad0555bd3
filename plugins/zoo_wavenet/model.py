"""WaveNet: a sound written sample by sample by dilated causal convolutions.

    A. van den Oord et al., WaveNet: a generative model for raw audio, arXiv:1609.03499 (2016)
    queues instead of a new computation for each sample: T. Le Paine et al., Fast WaveNet generation
    algorithm, arXiv:1611.09482 (2016)

Every convolution looks one step back, in each layer twice as far as in the one below.  What a layer has to remember
for the next sample is therefore the last `dilation` values that went into it: its queue.  The queues of all layers go
in and out side by side as one tensor of state, so the same network reads a whole recording at once or a sample at a
time, and gives the same answers.  Queues of zeros are the zeros that a causal convolution is padded with.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo import Port, Signature

LEVELS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The numbers of one network."""

    residual: int
    """Channels of the stream that the layers add to, and of the gates."""
    skip: int
    """Channels of the skip connections."""
    stacks: int
    doublings: int
    """Layers of a stack, with the dilations 1, 2, 4, …"""
    condition: int = 4
    """Numbers that a class is embedded in."""

    @property
    def dilations(self) -> tuple[int, ...]:
        """Of every layer, the first first."""
        return tuple(2**power for power in range(self.doublings)) * self.stacks

    @property
    def receptive_field(self) -> int:
        """How many samples, the last one included, the next one depends on."""
        return sum(self.dilations) + 2


class Causal(nn.Module):
    """A convolution over the present and `dilation` samples ago, which it takes from its queue."""

    def __init__(self, channels: int, out: int, *, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.conv = nn.Conv1d(channels, out, kernel_size=2, dilation=dilation)

    def forward(self, values: Tensor, queue: Tensor) -> tuple[Tensor, Tensor]:
        """values [batch, channels, length], queue [batch, channels, dilation] -> [batch, out, length], the queue."""
        seen = torch.cat((queue, values), dim=2)
        return self.conv(seen), seen[:, :, -self.dilation :]


class Layer(nn.Module):
    """A gated activation unit (section 2.3), added to the stream and given to the output (section 2.4)."""

    def __init__(self, size: Size, *, dilation: int, conditioned: bool, last: bool) -> None:
        super().__init__()
        self.dilated = Causal(size.residual, 2 * size.residual, dilation=dilation)
        self.condition = nn.Linear(size.condition, 2 * size.residual, bias=False) if conditioned else None
        self.residual = None if last else nn.Conv1d(size.residual, size.residual, kernel_size=1)
        self.skip = nn.Conv1d(size.residual, size.skip, kernel_size=1)

    def forward(self, stream: Tensor, queue: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """The stream [batch, residual, length] after it, its skip connection [batch, skip, length], and its queue."""
        both, queue = self.dilated(stream, queue)
        if self.condition is not None and condition is not None:
            both = both + self.condition(condition)[:, :, None]
        signal, gate = both.chunk(2, dim=1)
        gated = torch.tanh(signal) * torch.sigmoid(gate)
        if self.residual is not None:
            stream = stream + self.residual(gated)
        return stream, self.skip(gated), queue


class WaveNet(nn.Module):
    """The next sample after each, as scores of 256 mu-law codes, and the queues after the last."""

    inputs: tuple[Port, ...] = (
        Port(name="samples", dtype="int64", shape=("batch", "length"), doc="mu-law codes, 0 to 255"),
    )

    def __init__(self, *, size: Size, conditioned: bool = False) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(LEVELS, size.residual)
        self.front = Causal(size.residual, size.residual, dilation=1)
        last = len(size.dilations) - 1
        self.layers = nn.ModuleList(
            Layer(size, dilation=dilation, conditioned=conditioned, last=number == last)
            for number, dilation in enumerate(size.dilations)
        )
        self.hidden = nn.Conv1d(size.skip, size.skip, kernel_size=1)
        self.head = nn.Conv1d(size.skip, LEVELS, kernel_size=1)

    @property
    def signature(self) -> Signature:
        """Samples, condition and queues in, logits and queues out."""
        shape = ("batch", self.size.residual, 1 + sum(self.size.dilations))
        before = Port(name="queues", dtype="float32", shape=shape, doc="of all layers side by side; zeros at first")
        after = Port(name="queues_out", dtype="float32", shape=shape, feeds="queues")
        logits = Port(name="logits", dtype="float32", shape=("batch", "length", LEVELS), doc="of the sample after each")
        return Signature(inputs=(*self.inputs, before), outputs=(logits, after))

    def forward(self, samples: Tensor, queues: Tensor) -> tuple[Tensor, Tensor]:
        """samples int64 [batch, length], queues [batch, residual, 1 + sum of dilations] -> logits, queues.

        logits: [batch, length, 256].
        """
        return self.run(samples, queues, None)

    def run(self, samples: Tensor, queues: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """The same with the embedding of the class, [batch, condition], where there is one."""
        ends = tuple(accumulate((1, *self.size.dilations)))
        first, *parts = (queues[:, :, start:end] for start, end in zip((0, *ends), ends, strict=False))
        stream, queue = self.front(self.embedding(samples).transpose(1, 2), first)
        after, skips = [queue], []
        for layer, part in zip(self.layers, parts, strict=True):
            stream, skip, queue = layer(stream, part, condition)
            skips.append(skip)
            after.append(queue)
        logits = self.head(F.relu(self.hidden(F.relu(sum(skips[1:], skips[0])))))
        return logits.transpose(1, 2), torch.cat(after, dim=2)


class ConditionedWaveNet(WaveNet):
    """The same for sounds of several classes, with global conditioning of every gate (section 2.5)."""

    inputs = (*WaveNet.inputs, Port(name="condition", dtype="int64", shape=("batch",), doc="number of the class"))

    def __init__(self, *, size: Size, num_classes: int) -> None:
        super().__init__(size=size, conditioned=True)
        self.classes = nn.Embedding(num_classes, size.condition)

    def forward(self, samples: Tensor, condition: Tensor, queues: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """As a WaveNet, of the classes int64 [batch]."""
        return self.run(samples, queues, self.classes(condition))


def build(size: Size, *, num_classes: int) -> WaveNet:
    """A network of a size, conditioned where there are classes."""
    return ConditionedWaveNet(size=size, num_classes=num_classes) if num_classes else WaveNet(size=size)


# --- sizes -----------------------------------------------------------------------------------------

TINY: Final = Size(residual=24, skip=32, stacks=2, doublings=7)
# three stacks of 1 to 512 are van den Oord et al.'s; the paper does not give the channels
FULL: Final = Size(residual=32, skip=512, stacks=3, doublings=10)


def wavenet_tiny(*, num_classes: int) -> WaveNet:
    """14 layers with a receptive field of 256 samples."""
    return build(TINY, num_classes=num_classes)


def wavenet(*, num_classes: int) -> WaveNet:
    """30 layers in three stacks with a receptive field of 3071 samples, as in van den Oord et al. (2016)."""
    return build(FULL, num_classes=num_classes)
