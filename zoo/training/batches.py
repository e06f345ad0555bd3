"""Batches of a dataset, read here or by other processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch.utils import data

from zoo.task import Batch, Dataset


def read_batches(dataset: Dataset, batches: Sequence[list[int]], *, workers: int) -> Iterator[Batch]:
    """The batches of these indices, in order; the same for any number of workers."""
    if workers == 0:
        yield from map(dataset.batch, batches)
        return
    loader = data.DataLoader(
        cast("data.Dataset[Batch]", _Reader(dataset)),
        sampler=batches,
        batch_size=None,
        num_workers=workers,
        worker_init_fn=_one_thread,
        generator=torch.Generator(),
    )
    yield from loader


class _Reader:
    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __getitem__(self, indices: list[int]) -> Batch:
        return self._dataset.batch(indices)


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with every tensor on the device."""
    if device.type == "cpu":
        return batch
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for name, value in batch.items()
    }


def channels_last(batch: Batch) -> Batch:
    """The batch with its pictures' channels innermost in memory, which is how convolutions are fastest."""
    return {
        name: value.contiguous(memory_format=torch.channels_last)
        if isinstance(value, torch.Tensor) and value.ndim == 4 and value.is_floating_point()
        else value
        for name, value in batch.items()
    }
