"""A graph whose large weights lie in a file beside it, so that a mutant of it is a small message.

A copy of a graph, its bytes and what the runtime makes of them are each as large as all weights.  Mutants of one graph
share them: the runtime maps the file into memory, and only the tensor that a mutant changes is in its own message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import onnx

from zoo.bundle.onnx_file.external_data import Weights, is_external
from zoo_export.capture.onnx_graph import LARGE_BYTES, copy_of, hash_weights
from zoo_export.capture.weights_file import ALIGNMENT, WeightsFile

MIN_BYTES: Final = 1 << 20
"""Of the large weights together: of smaller graphs a copy costs less than a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightGraph:
    """A graph, and where its large weights lie."""

    model: onnx.ModelProto
    weights: Weights | None = None
    """None where the graph holds them itself."""
    hashed: Mapping[str, onnx.TensorProto]
    """By name the weights that were taken out, with their digests in the place of their numbers."""
    file: WeightsFile | None = None
    """What keeps the weights."""

    def hash(self, mutant: onnx.ModelProto) -> None:
        """Put digests in the place of the large weights of a mutant, as `hash_weights` does with the whole graph."""
        for tensor in mutant.graph.initializer:
            if is_external(tensor) and tensor.name in self.hashed:
                tensor.CopyFrom(self.hashed[tensor.name])
        hash_weights(mutant)


def light_graph(model: onnx.ModelProto) -> LightGraph:
    """The graph with its large weights in a file; the graph itself where these are few, or lie in a file already."""
    large = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) > LARGE_BYTES]
    if sum(len(tensor.raw_data) for tensor in large) < MIN_BYTES:
        return LightGraph(model=model, hashed={})
    taken = WeightsFile.make()
    light = copy_of(model)
    hashed: dict[str, onnx.TensorProto] = {}
    digest = hashlib.sha256()
    with taken.path.open("wb") as file:
        for tensor in light.graph.initializer:
            data = tensor.raw_data
            if len(data) <= LARGE_BYTES:
                continue
            tensor.raw_data = hashlib.sha256(data).digest()
            hashed[tensor.name] = onnx.TensorProto.FromString(tensor.SerializeToString())
            padding = bytes(-file.tell() % ALIGNMENT)
            _put_outside(tensor, taken.path.name, offset=file.tell() + len(padding), size=len(data))
            for part in (padding, data):
                file.write(part)
                digest.update(part)
        weights = Weights(path=taken.path, sha256=digest.hexdigest(), bytes=file.tell())
    return LightGraph(model=light, weights=weights, hashed=hashed, file=taken)


def _put_outside(tensor: onnx.TensorProto, location: str, *, offset: int, size: int) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", size)):
        tensor.external_data.add(key=key, value=str(value))
