"""Outputs that are kept in a file and read when they are asked for.

The logits of a segmenter take 45 MB a picture in double precision, and a proof compares dozens of pictures, each in
several arithmetics: held in memory, they would be the largest part of what an export takes.
"""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from threading import Lock, RLock
from typing import IO, Any, Final

import numpy as np

from zoo.models.outputs import Array
from zoo_export.subject.results import Outputs

LARGE: Final = 4 << 20
"""Bytes of one output from which on it is kept in a file."""


def kept_small(outputs: Outputs) -> Outputs:
    """The same outputs; large ones are read from a temporary file each time that they are asked for.

    All lie in one file, so that few files are open.  It has no name, so that nothing stays behind however the process
    ends.
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
    """One array in the file of all; as long as somebody holds it, it is not read again."""

    def __init__(self, value: Array) -> None:
        self._dtype, self._shape = value.dtype, value.shape
        self._lock = Lock()
        self._held: weakref.ref[Array] | None = None
        data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
        self._start = _FILE.write(data)
        weakref.finalize(self, _FILE.free, self._start, data.nbytes).atexit = False

    def read(self) -> Array:
        with self._lock:  # PyTorch's side and the runtime's read the same outputs
            value = None if self._held is None else self._held()
            if value is None:
                value = _FILE.read(self._start, self._dtype, math.prod(self._shape)).reshape(self._shape)
                value.flags.writeable = False
                self._held = weakref.ref(value)
            return value


class _SharedFile:
    """One temporary file for the arrays of a process: a proof keeps hundreds, and a system lets few files be open.

    The place of an array that nobody needs any more goes to the next one of as many bytes; after the last the file is
    closed.
    """

    def __init__(self) -> None:
        self._lock = RLock()  # an array may be dropped while another is written
        self._file: IO[bytes] | None = None
        self._end, self._used = 0, 0
        self._free: dict[int, list[int]] = {}

    def write(self, data: memoryview) -> int:
        """Where the bytes begin; OSError with the system's reason where they cannot be written."""
        with self._lock:
            if self._file is None:
                # without a buffer, which would keep what could not be written; closed with the last array
                self._file = tempfile.TemporaryFile(prefix="zoo-", buffering=0)  # noqa: SIM115
            self._used += 1
            places = self._free.get(data.nbytes)
            start = places.pop() if places else self._end
            self._end = max(self._end, start + data.nbytes)
            try:
                self._file.seek(start)
                rest = data
                while rest:  # tofile hides a full disk
                    rest = rest[self._file.write(rest) :]
            except OSError:
                self.free(start, data.nbytes)
                raise
            return start

    def read(self, start: int, dtype: np.dtype[Any], count: int) -> Array:
        """So many elements from there."""
        with self._lock:
            assert self._file is not None, "an array lies in it"
            self._file.seek(start)
            return np.fromfile(self._file, dtype, count)

    def free(self, start: int, nbytes: int) -> None:
        """The place may be used again."""
        with self._lock:
            self._used -= 1
            self._free.setdefault(nbytes, []).append(start)
            if not self._used and self._file is not None:
                self._file.close()
                self._file, self._end, self._free = None, 0, {}


_FILE: Final = _SharedFile()
