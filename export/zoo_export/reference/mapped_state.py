"""A module whose numbers lie in a file, and in memory only while it computes."""

from __future__ import annotations

import mmap
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import nn

LARGE: Final = 1 << 16
"""Bytes from which on a tensor lies in the file."""
ALIGNMENT: Final = 64


class MappedState:
    """The large parameters and buffers of a module in a temporary file without a name, mapped into memory.

    The module computes as before.  What it read stays in memory until `release`, and is read again when it is needed.
    """

    def __init__(self, module: nn.Module) -> None:
        tensors = _own_storage([tensor for tensor in _tensors(module) if _can_be_mapped(tensor)])
        self._mapping: mmap.mmap | None = None
        if not tensors:
            return
        with tempfile.TemporaryFile(prefix="zoo-") as file:
            offsets = []
            for tensor in tensors:
                file.write(bytes(-file.tell() % ALIGNMENT))
                offsets.append(file.tell())
                file.write(tensor.detach().reshape(-1).view(torch.uint8).numpy().data)
            file.flush()
            mapping = mmap.mmap(file.fileno(), 0)
        for tensor, offset in zip(tensors, offsets, strict=True):
            flat = torch.frombuffer(mapping, dtype=tensor.dtype, count=tensor.numel(), offset=offset)
            tensor.data = flat.reshape(tensor.shape)
        self._mapping = mapping

    def release(self) -> None:
        """Give the memory back; the numbers stay in the file."""
        if self._mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED)


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _own_storage(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Those that share their storage with no other."""
    count = Counter(tensor.data_ptr() for tensor in tensors)
    return [tensor for tensor in tensors if count[tensor.data_ptr()] == 1]


def _can_be_mapped(tensor: torch.Tensor) -> bool:
    """Whether nothing but its own numbers in their usual order lies in its storage."""
    plain = type(tensor) in (torch.Tensor, nn.Parameter) and tensor.layout == torch.strided
    return (
        plain
        and tensor.device.type == "cpu"
        and tensor.is_contiguous()
        and tensor.nbytes >= LARGE
        and tensor.untyped_storage().nbytes() == tensor.nbytes
    )
