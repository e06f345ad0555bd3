"""Outputs that are kept in a file and read when they are asked for.

The logits of a segmenter take 45 MB a picture in double precision, and a proof compares dozens of pictures, each in
several arithmetics: held in memory, they would be the largest part of what an export takes.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Final

import numpy as np

from zoo.models.outputs import Array
from zoo_export.subject.results import Outputs

LARGE: Final = 4 << 20
"""Bytes of one output from which on it is kept in a file."""


def kept_small(outputs: Outputs) -> Outputs:
    """The same outputs; large ones are read from a temporary file each time that they are asked for.

    The file has no name, so that nothing stays behind however the process ends.
    """
    if isinstance(outputs, _FromFiles) or all(value.nbytes < LARGE for value in outputs.values()):
        return outputs
    return _FromFiles({name: value if value.nbytes < LARGE else _ArrayFile(value) for name, value in outputs.items()})


class _FromFiles(Mapping[str, Array]):
    """Arrays by name, some of them in files."""

    def __init__(self, values: Mapping[str, Array | _ArrayFile]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Array:
        value = self._values[name]
        return value.read() if isinstance(value, _ArrayFile) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class _ArrayFile:
    """One array in a file of its own; as long as somebody holds it, it is not read again."""

    def __init__(self, value: Array) -> None:
        self._dtype, self._shape = value.dtype, value.shape
        self._file = tempfile.TemporaryFile(prefix="zoo-")  # noqa: SIM115  closed with the last reference
        self._lock = Lock()
        self._held: weakref.ref[Array] | None = None
        self._file.write(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)  # tofile hides a full disk
        self._file.flush()

    def read(self) -> Array:
        with self._lock:  # PyTorch's side and the runtime's read the same outputs
            value = None if self._held is None else self._held()
            if value is None:
                self._file.seek(0)
                value = np.fromfile(self._file, self._dtype).reshape(self._shape)
                value.flags.writeable = False
                self._held = weakref.ref(value)
            return value
