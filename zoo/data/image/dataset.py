"""One split of pictures, batch by batch: in memory where it fits, else decoded when asked for.  [torch]"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import torch
from torch import Tensor

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.problem import ImageInput
from zoo.data.formats.samples import Sample
from zoo.data.image.preprocess import ImagePrepare, luma
from zoo.data.image.reading import Pixels, reader, stacked

if TYPE_CHECKING:
    from zoo.api.task import Batch

S = TypeVar("S")

MAX_MEMORY_SHARE: Final = 0.25
"""A split is held in memory where its resized pictures take at most this share of the free memory."""
CHUNK: Final = 256
"""Pictures that are processed at a time."""
THREADS: Final = min(8, os.cpu_count() or 1)


class ImageDataset:
    """A split; images are kept as whole grey levels, so that nothing is lost before `ready`."""

    def __init__(self, samples: Sequence[Sample], levels: Levels, prepare: ImagePrepare) -> None:
        self.samples = samples
        self.levels = levels
        self.prepare = prepare
        self.labels = torch.tensor([sample.label for sample in samples], dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w] (one channel where all are grey), label and index int64 [n], n names."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        names = [self.samples[i].name for i in indices]
        return {"image": self.levels.take(index), "label": self.labels[index], "index": index, "name": names}

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        return self.prepare.ready(batch)


class Resident:
    """All pictures of a split in one tensor."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def take(self, index: Tensor) -> Tensor:
        """uint8 [n, channels, h, w] of the samples at these indices."""
        return self.images[index]


class OnDemand(Generic[S]):
    """Pictures decoded in threads when they are asked for."""

    def __init__(self, samples: Sequence[S], read: Callable[[S], Pixels], prepare: ImagePrepare, *, grey: bool) -> None:
        self.samples = samples
        self.read = read
        self.prepare = prepare
        self.grey = grey
        self.pool = ThreadPoolExecutor(THREADS)

    def take(self, index: Tensor) -> Tensor:
        """uint8 [n, channels, h, w] of the samples at these indices."""
        return torch.stack(list(self.pool.map(self._levels_of, index.tolist())))

    def _levels_of(self, index: int) -> Tensor:
        pixels = torch.from_numpy(self.read(self.samples[index]))
        levels = pixels[..., :1].permute(2, 0, 1).contiguous().float().unsqueeze(0)
        whole = self.prepare.fit(levels) if self.grey else self.prepare.geometry(pixels)
        return whole[0].to(torch.uint8)


Levels = Resident | OnDemand[Any]


@torch.no_grad()
def open_split(card: DataCard, split: Split, image: ImageInput) -> ImageDataset:
    """One split of a checked card, resized for a model's input."""
    samples = card.splits.get(split)
    if not samples:
        raise DataError(f"{card.source.request.source} has no {split} split")
    prepare = ImagePrepare(image).requires_grad_(False)
    grey = card.facts.get("channels") == 1
    levels = open_levels(samples, reader(card), prepare, grey=grey, stacked=lambda: stacked(card, split))
    return ImageDataset(samples, levels, prepare)


def open_levels(
    samples: Sequence[S],
    read: Callable[[S], Pixels],
    prepare: ImagePrepare,
    *,
    grey: bool,
    stacked: Callable[[], Pixels | None],
) -> Levels:
    """The pictures of a split at the model's size: in memory where they fit, decoded when asked for otherwise.

    `stacked` gives all of them as one array where the source holds them so, uint8 [n, h, w] or [n, h, w, 3].  A card
    may hold fewer samples than its source: ValueError where the array has another number of pictures.
    """
    levels = OnDemand(samples, read, prepare, grey=grey)
    channels = 1 if grey else prepare.channels
    if len(samples) * channels * prepare.size[0] * prepare.size[1] > MAX_MEMORY_SHARE * free_memory():
        return levels
    pixels = stacked()
    if pixels is not None and len(pixels) != len(samples):
        raise ValueError(f"the source gives {len(pixels)} pictures for {len(samples)} samples")
    return Resident(_decoded(levels, len(samples)) if pixels is None else _fitted(pixels, prepare))


def _decoded(levels: OnDemand[Any], count: int) -> Tensor:
    first = levels.take(torch.tensor([0]))
    images = first.new_empty((count, *first.shape[1:]))
    for start in range(0, count, CHUNK):
        indices = torch.arange(start, min(start + CHUNK, count))
        images[indices] = levels.take(indices)
    return images


def _fitted(pixels: Pixels, prepare: ImagePrepare) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] as the model's size, one channel where there is one."""
    whole = []
    for start in range(0, len(pixels), CHUNK):
        part = torch.tensor(pixels[start : start + CHUNK], dtype=torch.float32)
        levels = part.unsqueeze(1) if part.ndim == 3 else part.permute(0, 3, 1, 2).contiguous()
        grey = prepare.channels == 1 and levels.shape[1] == 3
        whole.append(prepare.fit(luma(levels) if grey else levels).to(torch.uint8))
    return torch.cat(whole)


def free_memory() -> int:
    """Bytes of memory that are available; half of all memory where the system does not say."""
    try:
        with open("/proc/meminfo") as table:  # noqa: PTH123  a file of the kernel
            lines = dict(line.split(":", 1) for line in table)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
