"""Identities for training, in batches of a few, and pictures with pairs for verification.  [torch]"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from zoo.api.data import DataCard, Split
from zoo.data.embedding.identity_sampler import pk_order
from zoo.data.embedding.verification import verification_pairs
from zoo.data.image.dataset import PictureDataset

if TYPE_CHECKING:
    from zoo.api.task import Batch

IMAGES: Final = "images_per_identity"
"""The trainer's option that says how many pictures of one identity a batch holds."""


class IdentityDataset(PictureDataset):
    """Pictures for training; every batch holds several of each of a few identities (PK, Hermans et al. 2017)."""

    def __init__(self, whole: PictureDataset, *, images_per_identity: int = 4) -> None:
        super().__init__(whole.samples, whole.levels, whole.prepare, whole.targets)
        self.images_per_identity = images_per_identity
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for index, sample in enumerate(whole.samples):
            groups[sample.label].append(index)
        self.groups = list(groups.values())

    def adjusted(self, options: Mapping[str, float | int | str | bool]) -> IdentityDataset:
        """The same pictures, with as many of one identity in a batch as the trainer's option says, if it has one."""
        count = int(options.get(IMAGES, self.images_per_identity))
        return IdentityDataset(self, images_per_identity=count)

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """As many indices as there are items; an identity with few pictures may show one twice."""
        batches = max(1, len(self) // batch_size)
        return pk_order(self.groups, batch_size, self.images_per_identity, batches=batches, generator=generator)


class VerificationDataset(PictureDataset):
    """Pictures for verification; every batch also carries all pairs, by the indices of their pictures in the split."""

    def __init__(self, whole: PictureDataset, *, pairs: torch.Tensor) -> None:
        super().__init__(whole.samples, whole.levels, whole.prepare, whole.targets)
        self.pairs = pairs

    def batch(self, indices: Sequence[int]) -> Batch:
        """A batch of pictures, with `pairs` int64 [pairs, 3]: two indices, and 1 for one identity or 0 for two."""
        return {**super().batch(indices), "pairs": self.pairs}


def with_identities(whole: PictureDataset, card: DataCard, split: Split) -> PictureDataset:
    """A split in batches of a few identities for training; with pairs of its pictures for validation and test."""
    if split == "train":
        return IdentityDataset(whole)
    named = card.facts.get("pairs") if split == "test" else None
    labels = np.array([sample.label for sample in whole.samples], np.int64)
    pairs = np.array(named, np.int64) if named else verification_pairs(labels)
    return VerificationDataset(whole, pairs=torch.from_numpy(pairs))
