"""Reads the batches of a dataset, ahead of time in threads where asked; moves them to the device."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from zoo.api.task import Batch, Dataset


def read_batches(
    dataset: Dataset, batches: Sequence[list[int]], *, workers: int, pinned: bool = False
) -> Iterator[Batch]:
    """The batches of these indices, in order; `workers` threads read ahead.  Any number of them gives the same.

    `pinned` batches lie in memory that a GPU copies from by itself, while the process goes on.
    """

    def read(indices: list[int]) -> Batch:
        return _pinned(dataset.batch(indices)) if pinned else dataset.batch(indices)

    if workers == 0:
        yield from map(read, batches)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="zoo-read") as pool:
        ahead = deque(pool.submit(read, indices) for indices in batches[: 2 * workers])
        try:
            for position in range(len(batches)):
                batch = ahead.popleft().result()
                if position + 2 * workers < len(batches):
                    ahead.append(pool.submit(read, batches[position + 2 * workers]))
                yield batch
        finally:
            for future in ahead:
                future.cancel()


def _pinned(batch: Batch) -> Batch:
    return {name: value.pin_memory() if isinstance(value, torch.Tensor) else value for name, value in batch.items()}


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with every tensor on the device."""
    if device.type == "cpu":
        return batch
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for name, value in batch.items()
    }


def channels_last(batch: Batch) -> Batch:
    """The batch with its images in channels-last memory format, in which convolutions are fastest."""
    return {
        name: value.contiguous(memory_format=torch.channels_last)
        if isinstance(value, torch.Tensor) and value.ndim == 4 and value.is_floating_point()
        else value
        for name, value in batch.items()
    }
