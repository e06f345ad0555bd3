"""A graph that is kept as the bytes of its file, on disk where they are many, and parsed when it is asked for.

A proof holds four graphs with the weights in each of them; in memory, and as files once more, they would be the largest
part of what an export of a convolutional network takes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from threading import Lock
from typing import Final

import onnx

from zoo_export.capture.message_parts import serialized

LARGE: Final = 4 << 20
"""Bytes from which on a graph is kept in a file."""


class StoredModel:
    """The bytes of a graph; large ones lie in a temporary file without a name, so that nothing stays behind."""

    def __init__(self, data: bytes | Iterable[bytes]) -> None:
        parts = [data] if isinstance(data, bytes) else data
        digest = hashlib.sha256()
        self._file = tempfile.SpooledTemporaryFile(LARGE, prefix="zoo-")  # noqa: SIM115  closed with the last reference
        for part in parts:
            digest.update(part)
            self._file.write(part)
        self.bytes, self.sha256 = self._file.tell(), digest.hexdigest()
        self._file.flush()
        self._model: onnx.ModelProto | None = None
        self._lock = Lock()

    @classmethod
    def of(cls, model: onnx.ModelProto) -> StoredModel:
        """The same graph always gives the same bytes."""
        return cls(serialized(model))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredModel) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def data(self) -> bytes:
        """The bytes, read anew."""
        with self._lock:  # PyTorch's side and the runtime's read the same graph
            self._file.seek(0)
            return self._file.read()

    @property
    def model(self) -> onnx.ModelProto:
        """What the bytes hold, parsed anew where they are many; whoever asks does not change it."""
        if self.bytes > LARGE:
            parsed: onnx.ModelProto = onnx.ModelProto.FromString(self.data)
            return parsed
        if self._model is None:
            self._model = onnx.ModelProto.FromString(self.data)
        return self._model
