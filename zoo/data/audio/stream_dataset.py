"""One split of recordings, all in memory as mu-law codes, each with a sample of silence before it.  [torch]

For training, every recording is cut into chunks.  An epoch visits them in a new random order of recordings, as
parallel streams, one for each row of the batch, so that a trainer can carry the state from chunk to chunk.  For
evaluation, every recording is cut into windows.  A window is read after the samples before it, its context, and only
its own targets count; the order does not matter.
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

IGNORE_INDEX: Final = -100
"""A target that does not count."""
WINDOW_CHUNKS: Final = 4
"""Chunks in a window of an evaluation."""
CONTEXT_CHUNKS: Final = 2
"""Chunks that are read before a window."""


class Recordings:
    """The codes of each recording, uint8 [1 + samples], and its class."""

    def __init__(self, codes: Sequence[npt.NDArray[np.uint8]], labels: Sequence[int], *, chunk: int) -> None:
        silence = torch.tensor([SILENCE], dtype=torch.uint8)
        self.codes = [torch.cat((silence, torch.as_tensor(recording))) for recording in codes]
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.chunk = chunk

    def pieces(self, length: int) -> list[tuple[int, int]]:
        """(index of the recording, first sample) of every piece of `length` samples; the last may be shorter."""
        sizes = [len(codes) - 1 for codes in self.codes]
        return [(index, start) for index, size in enumerate(sizes) for start in range(0, size, length)]

    def cut(self, index: int, *, begin: int, first: int, length: int) -> tuple[Tensor, Tensor]:
        """Samples from `begin` on and the target of each, int64 [length]; targets before `first` are ignored."""
        part = self.codes[index][begin : begin + length + 1].long()
        samples = torch.full((length,), SILENCE, dtype=torch.int64)
        targets = torch.full((length,), IGNORE_INDEX, dtype=torch.int64)
        samples[: len(part) - 1] = part[:-1]
        targets[first - begin : len(part) - 1] = part[1 + first - begin :]
        return samples, targets


class TrainingChunks:
    """Chunks for training; those of one recording follow each other."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.chunks = recordings.pieces(recordings.chunk)
        self.first = [index for index, (_, start) in enumerate(self.chunks) if start == 0]

    def __len__(self) -> int:
        return len(self.chunks)

    def batch(self, indices: Sequence[int]) -> Batch:
        """samples and targets int64 [n, chunk], condition int64 [n], at int64 [n]: the position of each chunk."""
        chunk = self.recordings.chunk
        chunks = [self.chunks[index] for index in indices]
        rows = [self.recordings.cut(number, begin=start, first=start, length=chunk) for number, start in chunks]
        # one position is left free between two recordings, so that no chunk seems to continue another recording
        at = torch.tensor([(index + self.chunks[index][0]) * chunk for index in indices], dtype=torch.int64)
        samples, targets = (torch.stack(column) for column in zip(*rows, strict=True))
        return {
            "samples": samples,
            "targets": targets,
            "condition": self.recordings.labels[[number for number, _ in chunks]],
            "at": at,
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch itself: codes need no preprocessing."""
        return batch

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """The recordings in random order, as parallel streams."""
        ends = [*self.first[1:], len(self)]
        recordings = torch.randperm(len(self.first), generator=generator).tolist()
        row = torch.tensor([index for number in recordings for index in range(self.first[number], ends[number])])
        steps = max(1, len(self) // batch_size)
        streams = torch.arange(batch_size)[None] * steps + torch.arange(steps)[:, None]
        order: list[int] = row[streams.flatten() % len(self)].tolist()
        return order[: len(self)]


class EvaluationWindows:
    """Every recording as windows with context, for evaluation."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.window = WINDOW_CHUNKS * recordings.chunk
        self.windows = recordings.pieces(self.window)

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, indices: Sequence[int]) -> Batch:
        """samples and targets int64 [n, context + window], condition int64 [n]."""
        context = CONTEXT_CHUNKS * self.recordings.chunk
        windows = [self.windows[index] for index in indices]
        rows = [
            self.recordings.cut(number, begin=max(0, first - context), first=first, length=self._end(first, context))
            for number, first in windows
        ]
        length = context + self.window
        samples = torch.full((len(rows), length), SILENCE, dtype=torch.int64)
        targets = torch.full((len(rows), length), IGNORE_INDEX, dtype=torch.int64)
        for row, (row_samples, row_targets) in enumerate(rows):
            samples[row, : len(row_samples)], targets[row, : len(row_targets)] = row_samples, row_targets
        return {
            "samples": samples,
            "targets": targets,
            "condition": self.recordings.labels[[number for number, _ in windows]],
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch

    def _end(self, first: int, context: int) -> int:
        """Number of samples from the beginning of the context to the end of the window."""
        return min(first, context) + self.window
