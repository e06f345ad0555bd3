"""A graph that is kept as the bytes of its file, on disk where they are many, and parsed when it is asked for.

A proof holds four graphs with the weights in each of them; in memory, and as files once more, they would be the largest
part of what an export of a convolutional network takes.
"""

from __future__ import annotations

import hashlib
import tempfile
from threading import Lock
from typing import Final

import onnx

LARGE: Final = 4 << 20
"""Bytes from which on a graph is kept in a file."""


class StoredModel:
    """The bytes of a graph; large ones lie in a temporary file without a name, so that nothing stays behind."""

    def __init__(self, data: bytes) -> None:
        self.bytes = len(data)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._small = data if len(data) < LARGE else None
        self._model: onnx.ModelProto | None = None
        self._lock = Lock()
        if self._small is None:
            self._file = tempfile.TemporaryFile(prefix="zoo-")  # noqa: SIM115  closed with the last reference
            self._file.write(data)
            self._file.flush()

    @classmethod
    def of(cls, model: onnx.ModelProto) -> StoredModel:
        """The same graph always gives the same bytes."""
        return cls(model.SerializeToString(deterministic=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredModel) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def data(self) -> bytes:
        """The bytes, read anew where they are many."""
        if self._small is not None:
            return self._small
        with self._lock:  # PyTorch's side and the runtime's read the same graph
            self._file.seek(0)
            return self._file.read()

    @property
    def model(self) -> onnx.ModelProto:
        """What the bytes hold, parsed anew where they are many; whoever asks does not change it."""
        if self._small is None:
            parsed: onnx.ModelProto = onnx.ModelProto.FromString(self.data)
            return parsed
        if self._model is None:
            self._model = onnx.ModelProto.FromString(self._small)
        return self._model
