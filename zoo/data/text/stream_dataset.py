"""One split of running text, all of it in memory as one long row of token numbers.  [torch]

For training the row is cut into chunks, and an epoch goes through it in as many lanes as a batch has rows, each lane
on and on through its own part, so that a trainer can carry the state from chunk to chunk.  For measuring, every
stretch is read with the tokens before it as context, and only the stretch itself counts; no order is needed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from zoo.api.problem import Problem, TokenInput
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.vocabulary import PADDING, UNKNOWN, numbers, pieces

if TYPE_CHECKING:
    from zoo.api.task import Batch

IGNORED: Final = -100
"""A target that does not count."""
MEASURED: Final = 4
"""Chunks in a stretch that is measured; one more is its context."""
BREAK: Final = "\n"
"""Every text begins after a line break and ends with one."""


class TokenRow:
    """All texts of a split, one after the other."""

    def __init__(self, items: Sequence[TextItem], problem: Problem) -> None:
        facts, places = problem.input, numbers(problem.vocabulary)
        assert isinstance(facts, TokenInput)
        cut = [piece for text in whole_lines(items) for piece in pieces(text, facts.unit)]
        first = places.get(BREAK, UNKNOWN)
        self.tokens = torch.tensor([first, *(places.get(piece, UNKNOWN) for piece in cut)], dtype=torch.int32)
        self.characters = torch.tensor([0, *(len(piece) for piece in cut)], dtype=torch.int32)
        self.chunk = facts.chunk

    @property
    def targets(self) -> int:
        """Tokens that are predicted: all but the first."""
        return len(self.tokens) - 1


def whole_lines(items: Sequence[TextItem]) -> list[str]:
    """The texts, each ending with one line break."""
    return [item.text.rstrip(BREAK) + BREAK for item in items]


class TrainingChunks:
    """Chunks to learn from; item k follows item k - 1 in the text."""

    def __init__(self, row: TokenRow) -> None:
        self.row = row

    def __len__(self) -> int:
        return self.row.targets // self.row.chunk

    def batch(self, indices: Sequence[int]) -> Batch:
        """tokens and targets int64 [n, chunk], at int64 [n]: where in the text each chunk begins."""
        at = torch.as_tensor(indices, dtype=torch.int64) * self.row.chunk
        places = at[:, None] + torch.arange(self.row.chunk)
        return {"tokens": self.row.tokens[places].long(), "targets": self.row.tokens[places + 1].long(), "at": at}

    def ready(self, batch: Batch) -> Batch:
        """The batch as it is: numbers need no preparing."""
        return batch

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """Lane by lane through the text, from a place that differs from epoch to epoch."""
        steps = max(1, len(self) // batch_size)
        start = int(torch.randint(len(self), (), generator=generator))
        lanes = torch.arange(batch_size)[None] * steps + torch.arange(steps)[:, None]
        order: list[int] = ((lanes.flatten() + start) % len(self)).tolist()
        return order[: len(self)]


class MeasuredStretches:
    """The whole text in stretches with context."""

    def __init__(self, row: TokenRow) -> None:
        self.row = row
        self.stretch = MEASURED * row.chunk

    def __len__(self) -> int:
        return (self.row.targets + self.stretch - 1) // self.stretch

    def batch(self, indices: Sequence[int]) -> Batch:
        """tokens and targets int64 [n, context + stretch], characters int64 [n]: of the targets that count."""
        rows = [self._one(index) for index in indices]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def ready(self, batch: Batch) -> Batch:
        """The batch as it is."""
        return batch

    def _one(self, index: int) -> dict[str, Tensor]:
        first = index * self.stretch
        begin = max(0, first - self.row.chunk)
        end = min(first + self.stretch, self.row.targets)
        length = self.row.chunk + self.stretch
        tokens = torch.full((length,), PADDING, dtype=torch.int64)
        targets = torch.full((length,), IGNORED, dtype=torch.int64)
        tokens[: end - begin] = self.row.tokens[begin:end]
        targets[first - begin : end - begin] = self.row.tokens[first + 1 : end + 1].long()
        return {"tokens": tokens, "targets": targets, "characters": self.row.characters[first + 1 : end + 1].sum()}
