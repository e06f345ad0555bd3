"""One split of running text, all of it in memory as one long row of token ids.  [torch]

For training, the row is cut into chunks.  An epoch visits them as parallel streams, one for each row of the batch; each
stream reads its own part in order, so that a trainer can carry the state from chunk to chunk.  For evaluation, the row
is cut into windows.  A window is read after the tokens before it, its context, and only its own targets count; the
order does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from zoo.api.problem import Problem, TokenInput
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.vocabulary import PADDING, UNKNOWN, pieces, token_ids

if TYPE_CHECKING:
    from zoo.api.task import Batch

IGNORE_INDEX: Final = -100
"""A target that does not count."""
WINDOW_CHUNKS: Final = 4
"""Chunks in a window of an evaluation; one more is its context."""
BREAK: Final = "\n"
"""Every text begins after a line break and ends with one."""


class TokenRow:
    """All texts of a split, one after the other."""

    def __init__(self, items: Sequence[TextItem], problem: Problem) -> None:
        facts, ids = problem.input, token_ids(problem.vocabulary)
        assert isinstance(facts, TokenInput)
        cut = [piece for text in whole_lines(items) for piece in pieces(text, facts.unit)]
        first = ids.get(BREAK, UNKNOWN)
        self.tokens = torch.tensor([first, *(ids.get(piece, UNKNOWN) for piece in cut)], dtype=torch.int32)
        self.characters = torch.tensor([0, *(len(piece) for piece in cut)], dtype=torch.int32)
        self.chunk = facts.chunk

    @property
    def targets(self) -> int:
        """Number of tokens that are predicted: all but the first."""
        return len(self.tokens) - 1


def whole_lines(items: Sequence[TextItem]) -> list[str]:
    """The texts, each ending with one line break."""
    return [item.text.rstrip(BREAK) + BREAK for item in items]


class TrainingChunks:
    """Chunks for training; chunk k follows chunk k - 1 in the text."""

    def __init__(self, row: TokenRow) -> None:
        self.row = row

    def __len__(self) -> int:
        return self.row.targets // self.row.chunk

    def batch(self, indices: Sequence[int]) -> Batch:
        """tokens and targets int64 [n, chunk], at int64 [n]: where in the text each chunk begins."""
        at = torch.as_tensor(indices, dtype=torch.int64) * self.row.chunk
        positions = at[:, None] + torch.arange(self.row.chunk)
        return {"tokens": self.row.tokens[positions].long(), "targets": self.row.tokens[positions + 1].long(), "at": at}

    def ready(self, batch: Batch) -> Batch:
        """The batch itself: token ids need no preprocessing."""
        return batch

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """Parallel streams through the text, from a start that differs from epoch to epoch."""
        steps = max(1, len(self) // batch_size)
        start = int(torch.randint(len(self), (), generator=generator))
        streams = torch.arange(batch_size)[None] * steps + torch.arange(steps)[:, None]
        order: list[int] = ((streams.flatten() + start) % len(self)).tolist()
        return order[: len(self)]


class EvaluationWindows:
    """The whole text as windows with context, for evaluation."""

    def __init__(self, row: TokenRow) -> None:
        self.row = row
        self.window = WINDOW_CHUNKS * row.chunk

    def __len__(self) -> int:
        return (self.row.targets + self.window - 1) // self.window

    def batch(self, indices: Sequence[int]) -> Batch:
        """tokens and targets int64 [n, context + window], characters int64 [n]: of the targets that count."""
        rows = [self._window(index) for index in indices]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def ready(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch

    def _window(self, index: int) -> dict[str, Tensor]:
        first = index * self.window
        begin = max(0, first - self.row.chunk)
        end = min(first + self.window, self.row.targets)
        length = self.row.chunk + self.window
        tokens = torch.full((length,), PADDING, dtype=torch.int64)
        targets = torch.full((length,), IGNORE_INDEX, dtype=torch.int64)
        tokens[: end - begin] = self.row.tokens[begin:end]
        targets[first - begin : end - begin] = self.row.tokens[first + 1 : end + 1].long()
        return {"tokens": tokens, "targets": targets, "characters": self.row.characters[first + 1 : end + 1].sum()}
