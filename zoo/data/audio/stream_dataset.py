"""One split of recordings, all in memory as mu-law codes, each begun by silence.  [torch]

For training every recording is cut into chunks, and an epoch goes through them, in an order drawn anew, in as many
lanes as a batch has rows, so that a trainer can carry the state from chunk to chunk.  For measuring, every stretch is
read with the samples before it as context, and only the stretch itself counts; no order is needed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from zoo.data.audio.mu_law import SILENCE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from zoo.api.task import Batch

IGNORED: Final = -100
"""A target that does not count."""
MEASURED: Final = 4
"""Chunks in a stretch that is measured; two more are its context."""
CONTEXT: Final = 2


class Recordings:
    """Codes uint8 [1 + samples] and the class of each; what is cut from them has one length."""

    def __init__(self, codes: Sequence[npt.NDArray[np.uint8]], labels: Sequence[int], *, chunk: int) -> None:
        silence = torch.tensor([SILENCE], dtype=torch.uint8)
        self.codes = [torch.cat((silence, torch.as_tensor(one))) for one in codes]
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.chunk = chunk

    def pieces(self, length: int) -> list[tuple[int, int]]:
        """(recording, first sample) of every piece of so many samples, the last of each recording perhaps shorter."""
        sizes = [len(one) - 1 for one in self.codes]
        return [(number, start) for number, size in enumerate(sizes) for start in range(0, size, length)]

    def cut(self, number: int, *, begin: int, first: int, length: int) -> tuple[Tensor, Tensor]:
        """samples from `begin` on and what follows each, int64 [length]; targets before `first` do not count."""
        part = self.codes[number][begin : begin + length + 1].long()
        samples = torch.full((length,), SILENCE, dtype=torch.int64)
        targets = torch.full((length,), IGNORED, dtype=torch.int64)
        samples[: len(part) - 1] = part[:-1]
        targets[first - begin : len(part) - 1] = part[1 + first - begin :]
        return samples, targets


class TrainingChunks:
    """Chunks to learn from; those of one recording follow each other."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.chunks = recordings.pieces(recordings.chunk)
        self.first = [place for place, (_, start) in enumerate(self.chunks) if start == 0]

    def __len__(self) -> int:
        return len(self.chunks)

    def batch(self, indices: Sequence[int]) -> Batch:
        """samples and targets int64 [n, chunk], condition int64 [n], at int64 [n]: a place of its own for each."""
        chunk = self.recordings.chunk
        found = [self.chunks[index] for index in indices]
        rows = [self.recordings.cut(number, begin=start, first=start, length=chunk) for number, start in found]
        # one place is left free between two recordings, so that none goes on where another ends
        at = torch.tensor([(index + self.chunks[index][0]) * chunk for index in indices], dtype=torch.int64)
        samples, targets = (torch.stack(column) for column in zip(*rows, strict=True))
        return {
            "samples": samples,
            "targets": targets,
            "condition": self.recordings.labels[[number for number, _ in found]],
            "at": at,
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch as it is: codes need no preparing."""
        return batch

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """Recordings at random, and through them lane by lane."""
        ends = [*self.first[1:], len(self)]
        drawn = torch.randperm(len(self.first), generator=generator).tolist()
        row = torch.tensor([place for one in drawn for place in range(self.first[one], ends[one])])
        steps = max(1, len(self) // batch_size)
        lanes = torch.arange(batch_size)[None] * steps + torch.arange(steps)[:, None]
        order: list[int] = row[lanes.flatten() % len(self)].tolist()
        return order[: len(self)]


class MeasuredStretches:
    """Every recording in stretches with context."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.stretch = MEASURED * recordings.chunk
        self.stretches = recordings.pieces(self.stretch)

    def __len__(self) -> int:
        return len(self.stretches)

    def batch(self, indices: Sequence[int]) -> Batch:
        """samples and targets int64 [n, context + stretch], condition int64 [n]."""
        context = CONTEXT * self.recordings.chunk
        found = [self.stretches[index] for index in indices]
        rows = [
            self.recordings.cut(number, begin=max(0, first - context), first=first, length=self._end(first, context))
            for number, first in found
        ]
        length = context + self.stretch
        samples = torch.full((len(rows), length), SILENCE, dtype=torch.int64)
        targets = torch.full((len(rows), length), IGNORED, dtype=torch.int64)
        for place, (given, wanted) in enumerate(rows):
            samples[place, : len(given)], targets[place, : len(wanted)] = given, wanted
        return {
            "samples": samples,
            "targets": targets,
            "condition": self.recordings.labels[[number for number, _ in found]],
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch as it is."""
        return batch

    def _end(self, first: int, context: int) -> int:
        """Samples from the beginning of the context to the end of the stretch."""
        return min(first, context) + self.stretch
