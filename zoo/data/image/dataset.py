"""One split of pictures, batch by batch: in memory where it fits, else from the disk or decoded anew.  [torch]

Whoever trains says so (`for_training`): then pictures are resized by faster kernels, within one grey level of what
`preprocess` gives, and only those that are used are decoded.  Everybody else gets what pipeline.onnx is fed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeVar, runtime_checkable

import PIL
import torch
from torch import Tensor

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.problem import ImageInput
from zoo.data.image.fast_decode import fast_files
from zoo.data.image.fast_resize import fast_fit, fast_geometry
from zoo.data.image.picture_cache import PictureRows, open_rows
from zoo.data.image.preprocess import ImagePrepare, luma
from zoo.data.image.reading import PictureFiles, Pixels, reader, stacked
from zoo.data.memory import free_memory

if TYPE_CHECKING:
    from zoo.api.task import Batch

S = TypeVar("S")

MAX_MEMORY_SHARE: Final = 0.25
"""A split is held in memory where its resized pictures take at most this share of the free memory."""
LAYOUT: Final = "1"
"""Of the kept pictures; another number where they would come out otherwise."""
CHUNK_BYTES: Final = 64 << 20
"""Pictures that are processed at a time take so much as float32, unless one alone takes more."""
THREADS: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Reading = Literal["", "fast", "reduced"]
"""As `preprocess` does, by faster kernels, or by these from JPEG files that are decoded at a part of their size."""
ABOUT: Final[Mapping[Reading, str]] = {"": "", "fast": ", for training", "reduced": ", for training, from a part"}
_TRAINING: ContextVar[Reading] = ContextVar("training", default="")


@contextmanager
def for_training(*, reduced: bool = False) -> Iterator[None]:
    """The splits that are opened inside are for training: read faster, and only as far as they are used.

    `reduced` decodes large JPEG files at a part of their size, which is no longer within one grey level.
    """
    token = _TRAINING.set("reduced" if reduced else "fast")
    try:
        yield
    finally:
        _TRAINING.reset(token)


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
    """All pictures of a split in one tensor; those that are still missing are taken from `missing` when asked for."""

    def __init__(self, images: Tensor, missing: OnDemand[Any] | None = None) -> None:
        self.images = images
        self._missing = missing
        self._present = torch.zeros(len(images), dtype=torch.bool)

    def take(self, index: Tensor) -> Tensor:
        """uint8 [n, channels, h, w] of the samples at these indices."""
        if self._missing is not None:
            wanted = index[~self._present[index]]
            if len(wanted):
                self.images[wanted] = self._missing.take(wanted)
                self._present[wanted] = True
        return self.images[index]


class OnDemand(Generic[S]):
    """Pictures decoded in threads when they are asked for; kept on the disk where their contents are known."""

    def __init__(
        self,
        samples: Sequence[S],
        read: Callable[[S], Pixels],
        prepare: ImagePrepare,
        *,
        grey: bool,
        fast: bool = False,
        rows: PictureRows | None = None,
    ) -> None:
        self.samples = samples
        self.read = read
        self.prepare = prepare
        self.grey = grey
        self.fast = fast
        self.rows = rows
        self.shape = (1 if grey else prepare.channels, *prepare.size)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="zoo-decode")

    @torch.no_grad()
    def take(self, index: Tensor) -> Tensor:
        """uint8 [n, channels, h, w] of the samples at these indices."""
        images = torch.empty((len(index), *self.shape), dtype=torch.uint8)
        missing = []
        for row, number in enumerate(index.tolist()):
            if self.rows is None or not self.rows.read(number, images[row].numpy()):
                missing.append((row, number))
        # a thread takes a part of them, not one: handing a small picture over takes longer than decoding it
        list(
            self.pool.map(lambda part: self._fill(images, part), [missing[first::THREADS] for first in range(THREADS)])
        )
        return images

    @torch.no_grad()  # which holds for one thread
    def _fill(self, images: Tensor, missing: Sequence[tuple[int, int]]) -> None:
        """Decode the pictures of these numbers into these rows."""
        for row, number in missing:
            images[row] = self._decoded(number)

    def _decoded(self, index: int) -> Tensor:
        levels = self._levels_of(torch.from_numpy(self.read(self.samples[index])))
        if self.rows is not None:
            self.rows.write(index, levels.numpy())
        return levels

    def _levels_of(self, pixels: Tensor) -> Tensor:
        """uint8 [height, width, 3] -> uint8 [channels, *size]."""
        if self.fast:
            return fast_fit(self.prepare, pixels[..., :1]) if self.grey else fast_geometry(self.prepare, pixels)
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

    Args:
        samples: The samples of a split.
        read: A sample to its picture, uint8 [height, width, 3].
        prepare: What resizes and crops.
        grey: Keep one channel.
        stacked: All pictures in one array, or None.

    Returns:
        An object whose `take` gives uint8 [n, channels, height, width] for indices int64 [n].

    Raises:
        ValueError: The array has another number of pictures.

    Examples:
        >>> prepare = zoo.ImagePrepare(zoo.ImageInput(size=(8, 8)))
        >>> read = lambda sample: np.zeros((10, 12, 3), np.uint8)
        >>> levels = zoo.open_levels(["a", "b"], read, prepare, grey=False, stacked=lambda: None)
        >>> levels.take(torch.tensor([0, 1])).shape
        torch.Size([2, 3, 8, 8])
    """
    training = _TRAINING.get()
    rows = _kept_rows(samples, read, prepare, grey=grey, reading=training)
    reads: Callable[[Any], Pixels] = read
    if training and isinstance(read, PictureFiles):
        least = max(prepare.resize or 0, *prepare.size) if training == "reduced" else None
        reads = fast_files(read, least=least)
    levels = OnDemand(samples, reads, prepare, grey=grey, fast=bool(training), rows=rows)
    count = len(samples)
    if count * math.prod(levels.shape) > MAX_MEMORY_SHARE * free_memory():
        return levels
    pixels = stacked()
    if pixels is not None:
        if len(pixels) != count:
            raise ValueError(f"the source gives {len(pixels)} pictures for {count} samples")
        return Resident(_fitted(pixels, prepare))
    resident = Resident(torch.empty((count, *levels.shape), dtype=torch.uint8), levels)
    if not training:
        chunk = _chunk(prepare)
        for start in range(0, count, chunk):
            resident.take(torch.arange(start, min(start + chunk, count)))
    return resident


def _kept_rows(
    samples: Sequence[Any], read: Callable[[Any], Pixels], prepare: ImagePrepare, *, grey: bool, reading: Reading
) -> PictureRows | None:
    """Where the resized pictures of these samples are kept; None where their contents are not known."""
    contents = [getattr(sample, "content", "") for sample in samples]
    if not isinstance(read, PictureFiles) or not all(contents):
        return None
    crop = (prepare.resize, prepare.stretch, prepare.crop_rounding)
    geometry = (prepare.size, *crop, prepare.interpolation, prepare.channels, grey, read.white, reading)
    versions = (PIL.__version__, torch.__version__ if reading else "")
    height, width = prepare.size
    about = f"{read.root.resolve()}, {width} x {height} pixels{ABOUT[reading]}"
    row_bytes = (1 if grey else prepare.channels) * height * width
    key = (LAYOUT, repr(geometry), *versions, *contents)
    return open_rows(key, about=about, count=len(samples), row_bytes=row_bytes)


def _fitted(pixels: Pixels, prepare: ImagePrepare) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] as the model's size, one channel where there is one."""
    whole = []
    chunk = _chunk(prepare)
    for start in range(0, len(pixels), chunk):
        part = torch.tensor(pixels[start : start + chunk], dtype=torch.float32)
        levels = part.unsqueeze(1) if part.ndim == 3 else part.permute(0, 3, 1, 2).contiguous()
        grey = prepare.channels == 1 and levels.shape[1] == 3
        whole.append(prepare.fit(luma(levels) if grey else levels).to(torch.uint8))
    return torch.cat(whole)


def _chunk(prepare: ImagePrepare) -> int:
    """How many pictures are processed at a time."""
    return max(1, CHUNK_BYTES // (4 * prepare.channels * math.prod(prepare.size)))
