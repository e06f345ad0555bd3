"""One split of labelled texts, all of it in memory as token ids.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from zoo.api.problem import Problem
from zoo.data.embedding.identity_sampler import pk_order
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.encoding import encoder, unknown
from zoo.data.text.vocabulary import PADDING

if TYPE_CHECKING:
    from zoo.api.task import Batch

BUCKET: Final = 20
"""Batches that are drawn together and sorted by length; more batches mean less padding and less shuffling."""
TEXTS_PER_LABEL: Final = 4
"""Texts of one label in a batch for a contrastive loss."""


class LabelledTexts:
    """Texts of any length; a batch is padded to its own longest."""

    def __init__(self, items: Sequence[TextItem], problem: Problem) -> None:
        encode = encoder(problem)
        texts = [encode(item.text) or [unknown(problem)] for item in items]
        self.lengths = torch.tensor([len(text) for text in texts], dtype=torch.int64)
        self.labels = torch.tensor([item.label for item in items], dtype=torch.int64)
        self.starts = torch.cumsum(self.lengths, 0) - self.lengths
        # four bytes a token, one row after the other: padding a whole split would cost its longest text everywhere
        self.tokens = torch.tensor([token for text in texts for token in text], dtype=torch.int32)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Sequence[int]) -> Batch:
        """tokens int64 [n, longest], lengths, label and index int64 [n]."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        lengths = self.lengths[index]
        column = torch.arange(int(lengths.max()))
        inside = column < lengths[:, None]
        positions = torch.where(inside, self.starts[index][:, None] + column, 0)
        tokens = torch.where(inside, self.tokens[positions].long(), PADDING)
        return {"tokens": tokens, "lengths": lengths, "label": self.labels[index], "index": index}

    def ready(self, batch: Batch) -> Batch:
        """The batch itself: token ids need no preprocessing."""
        return batch

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """In random order, but texts of similar length share a batch, so that little is computed for padding."""
        drawn = torch.randperm(len(self), generator=generator)
        buckets = torch.split(drawn, batch_size * BUCKET)
        pools = [bucket[torch.argsort(self.lengths[bucket], stable=True)] for bucket in buckets]
        batches = [batch for pool in pools for batch in torch.split(pool, batch_size)]
        whole = [batch for batch in batches if len(batch) == batch_size]
        rest = [batch for batch in batches if len(batch) < batch_size]
        shuffled: list[Tensor] = [
            whole[position] for position in torch.randperm(len(whole), generator=generator).tolist()
        ]
        order: list[int] = torch.cat([*shuffled, *rest]).tolist()
        return order


class GroupedTexts(LabelledTexts):
    """Texts for a contrastive loss: every batch holds several texts of each of a few labels."""

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """As many indices as there are items; a label with few texts may show one twice."""
        groups = [torch.nonzero(self.labels == label)[:, 0].tolist() for label in sorted(set(self.labels.tolist()))]
        batches = max(1, len(self) // batch_size)
        return pk_order(groups, batch_size, TEXTS_PER_LABEL, batches=batches, generator=generator)
