"""One split of pictures, batch by batch: in memory where it fits, else decoded when asked for.  [torch]"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.problem import ImageInput
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


class PictureDataset:
    """A split with what the data say of each picture.

    Images are kept as whole grey levels, so that nothing is lost before `ready`.  `targets` has the values of all
    samples by name: a tensor [samples, ...], a sequence of tensors of any shapes, or pictures.
    """

    def __init__(
        self, samples: Sequence[Any], levels: Levels, prepare: ImagePrepare, targets: Mapping[str, Values]
    ) -> None:
        self.samples = samples
        self.levels = levels
        self.prepare = prepare
        self.targets = targets

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w] (one channel where all are grey), targets, index int64 [n] and n names."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        targets = {name: _taken(values, index) for name, values in self.targets.items()}
        names = [self.samples[i].name for i in indices]
        return {"image": self.levels.take(index), **targets, "index": index, "name": names}

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


@runtime_checkable
class Takes(Protocol):
    """What gives its values when they are asked for, as pictures do."""

    def take(self, index: Tensor) -> Tensor:
        """Those of the samples at these indices, [n, ...]."""


Values = Tensor | Sequence[Tensor] | Takes
"""What the data say of all samples of a split."""


def _taken(values: Values, index: Tensor) -> Tensor | list[Tensor]:
    """The values at these indices."""
    if isinstance(values, Tensor):  # which has a `take` of another meaning
        return values[index]
    return values.take(index) if isinstance(values, Takes) else [values[i] for i in index.tolist()]


@torch.no_grad()
def open_pictures(
    card: DataCard,
    split: Split,
    image: ImageInput,
    *,
    read: Callable[[Any], Pixels],
    stacked: Callable[[], Pixels | None],
    targets: Callable[[], Mapping[str, Values]],
) -> PictureDataset:
    """One split of a checked card, resized for a model's input; DataError where the data have no such split."""
    samples = card.splits.get(split)
    if not samples:
        raise DataError(f"{card.source.request.source} has no {split} split")
    prepare = ImagePrepare(image).requires_grad_(False)
    levels = open_levels(samples, read, prepare, grey=card.facts.get("channels") == 1, stacked=stacked)
    return PictureDataset(samples, levels, prepare, targets())


def labels(card: DataCard, split: Split) -> Tensor:
    """The indices of the classes of a split, int64 [samples]."""
    return torch.tensor([sample.label for sample in card.splits[split]], dtype=torch.int64)


def open_split(card: DataCard, split: Split, image: ImageInput) -> PictureDataset:
    """One split in a format of zoo's own, with `label` int64 [n]."""
    return open_pictures(
        card,
        split,
        image,
        read=reader(card),
        stacked=lambda: stacked(card, split),
        targets=lambda: {"label": labels(card, split)},
    )


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
