"""Identities for training, in batches of a few, and pictures with pairs for verification.  [torch]"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from zoo.api.data import DataCard, Split
from zoo.api.problem import ImageInput
from zoo.data.embedding.identity_sampler import pk_order
from zoo.data.embedding.verification import verification_pairs
from zoo.data.formats.samples import Sample
from zoo.data.image.dataset import ImageDataset, Levels, open_split
from zoo.data.image.preprocess import ImagePrepare

if TYPE_CHECKING:
    from zoo.api.task import Batch

IMAGES: Final = "images_per_identity"
"""The trainer's option that says how many pictures of one identity a batch holds."""


class IdentityDataset(ImageDataset):
    """Pictures for training; every batch holds several of each of a few identities (PK, Hermans et al. 2017)."""

    def __init__(
        self, samples: Sequence[Sample], levels: Levels, prepare: ImagePrepare, *, images_per_identity: int = 4
    ) -> None:
        super().__init__(samples, levels, prepare)
        self.images_per_identity = images_per_identity
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for index, sample in enumerate(samples):
            groups[sample.label].append(index)
        self.groups = list(groups.values())

    def adjusted(self, options: Mapping[str, float | int | str | bool]) -> IdentityDataset:
        """The same pictures, with as many of one identity in a batch as the trainer's option says, if it has one."""
        count = int(options.get(IMAGES, self.images_per_identity))
        return IdentityDataset(self.samples, self.levels, self.prepare, images_per_identity=count)

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """As many indices as there are items; an identity with few pictures may show one twice."""
        batches = max(1, len(self) // batch_size)
        return pk_order(self.groups, batch_size, self.images_per_identity, batches=batches, generator=generator)


class VerificationDataset(ImageDataset):
    """Pictures for verification; every batch also carries all pairs, by the indices of their pictures in the split."""

    def __init__(
        self, samples: Sequence[Sample], levels: Levels, prepare: ImagePrepare, *, pairs: torch.Tensor
    ) -> None:
        super().__init__(samples, levels, prepare)
        self.pairs = pairs

    def batch(self, indices: Sequence[int]) -> Batch:
        """A batch of pictures, with `pairs` int64 [pairs, 3]: two indices, and 1 for one identity or 0 for two."""
        return {**super().batch(indices), "pairs": self.pairs}


def open_identities(card: DataCard, split: Split, image: ImageInput) -> ImageDataset:
    """One split: identities for training, pictures with pairs for validation and test."""
    whole = open_split(card, split, image)
    if split == "train":
        return IdentityDataset(whole.samples, whole.levels, whole.prepare)
    named = card.facts.get("pairs") if split == "test" else None
    pairs = np.array(named, np.int64) if named else verification_pairs(whole.labels.numpy())
    return VerificationDataset(whole.samples, whole.levels, whole.prepare, pairs=torch.from_numpy(pairs))
