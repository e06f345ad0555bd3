"""Weights beside a graph: ONNX's external data, which a model of more than 2 GB needs, because a message ends there.

They lie in one file in the folder of the graph, and nowhere else.  A runtime gets a copy of both in a folder of zoo's
own, compared with their hashes, and maps the weights into memory from there: graphs share them, and take no memory.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.errors import BadFile
from zoo.bundle.onnx_file.graph import ParsedModel

if TYPE_CHECKING:
    import onnx

WEIGHTS = "model.onnx.data"
"""In a bundle; both of its graphs read it."""
MAX_ONNX_BYTES = 1_900_000_000
"""Of a graph: a protobuf message ends at 2 GB."""
MAX_WEIGHTS_BYTES = 8_000_000_000
"""Of the weights beside it: a proof holds them in double precision as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of weights that was read once."""

    path: Path
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> Weights:
        """The file as it is now; BadFile where it is none, a link, or too large."""
        if reason := unsafe(path):
            raise BadFile(f"{path} {reason}")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path=path, sha256=digest, bytes=path.stat().st_size)


def copied(source: Path, target: Path) -> str:
    """The sha256 of the bytes that were copied."""
    digest = hashlib.sha256()
    with source.open("rb") as file, target.open("wb") as copy:
        while chunk := file.read(1 << 24):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalTensor:
    """Where one tensor lies in the file of weights."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    bytes: int


def unsafe(path: Path) -> str:
    """Why a file beside a graph is not read, as the end of a sentence; empty where it may be."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return "is missing"
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if not stat.S_ISREG(found.st_mode):
        return "is no file"
    if found.st_nlink > 1:
        return "is a hard link to a file that has another name too"
    return f"has {found.st_size:,} bytes" if found.st_size > MAX_WEIGHTS_BYTES else ""


def is_external(tensor: onnx.TensorProto) -> bool:
    """Whether the numbers of a tensor lie outside the file."""
    return bool(tensor.external_data) or tensor.data_location == tensor.EXTERNAL


def locations(model: onnx.ModelProto) -> tuple[str, ...]:
    """The files that a graph names, as it writes them; "" where it names none for a tensor."""
    tensors = (tensor for tensor in ParsedModel(model).tensors if is_external(tensor))
    return tuple(dict.fromkeys(_entries(tensor).get("location", "") for tensor in tensors))


def external_tensors(model: onnx.ModelProto, weights: Weights, *, title: str) -> tuple[ExternalTensor, ...]:
    """Where every tensor outside a graph lies in the file of weights; BadFile where one cannot lie there."""
    if strange := sorted({*locations(model)} - {weights.path.name}):
        raise BadFile(f"{title} keeps weights in {strange[0]!r}, not in {weights.path.name}")
    outside = [tensor for tensor in model.graph.initializer if is_external(tensor)]
    if len(outside) < sum(map(is_external, ParsedModel(model).tensors)):
        raise BadFile(f"{title} keeps tensors of its inner graphs outside the file, where no runtime finds them")
    tensors = tuple(_external(tensor, title) for tensor in outside)
    for tensor in tensors:
        if tensor.offset + tensor.bytes > weights.bytes:
            raise BadFile(f"{title} says that {tensor.name!r} lies beyond the {weights.bytes:,} bytes of its weights")
    return tensors


def _external(tensor: onnx.TensorProto, title: str) -> ExternalTensor:
    from onnx import helper  # noqa: PLC0415  this file is imported where only listing is wanted

    entries = _entries(tensor)
    try:
        offset, kind = int(entries.get("offset", "0")), helper.tensor_dtype_to_np_dtype(tensor.data_type)
        size = int(entries.get("length", kind.itemsize * math.prod(tensor.dims)))
    except (ValueError, KeyError) as error:
        raise BadFile(f"{title} does not say where {tensor.name!r} lies: {error}") from error
    if offset < 0 or any(dim < 0 for dim in tensor.dims) or size != kind.itemsize * math.prod(tensor.dims):
        raise BadFile(f"{title} says that {tensor.name!r} lies in {size:,} bytes from {offset:,} on; it cannot")
    return ExternalTensor(name=tensor.name, dtype=kind.name, shape=tuple(tensor.dims), offset=offset, bytes=size)


def _entries(tensor: onnx.TensorProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def weights_beside(path: Path, model: onnx.ModelProto) -> Weights | None:
    """The weights of a graph in a file, None where they are in the file itself; BadFile where they lie elsewhere."""
    names = locations(model)
    if not names:
        return None
    if len(names) > 1 or not is_plain(names[0]):
        raise BadFile(f"{path} keeps its weights in {', '.join(map(repr, names[:4]))}; one file beside it is read")
    return Weights.of(path.parent / names[0])


def is_plain(location: str) -> bool:
    """Whether a graph names a file in its own folder."""
    return location not in ("", ".", "..") and not set(location) & set("/\\:\0")


def numbers(tensor: onnx.TensorProto, weights: Weights | None) -> Any:
    """The numbers of a tensor as an array, those outside the graph from the file of weights without a copy."""
    import numpy as np  # noqa: PLC0415
    from onnx import numpy_helper  # noqa: PLC0415

    if not is_external(tensor):
        return numpy_helper.to_array(tensor)
    if weights is None:
        raise BadFile(f"the tensor {tensor.name!r} lies outside the graph, and no file of weights was given")
    place = _external(tensor, "the graph")
    return np.memmap(weights.path, place.dtype, "r", place.offset, place.shape)
