"""The weights of a large model in a file beside its graph: a protobuf message ends at 2 GB."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from zoo.bundle.onnx_file.external_data import WEIGHTS, Weights
from zoo.runs.scratch import ScratchFolder

if TYPE_CHECKING:
    import onnx_ir as ir

EXTERNAL_FROM_BYTES: Final = 4096
"""A tensor of so many bytes lies in the file, smaller ones stay in the graph."""
ALIGNMENT: Final = 4096


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class WeightsFile:
    """A file that is there as long as something refers to this."""

    path: Path

    @classmethod
    def make(cls) -> WeightsFile:
        """An empty one."""
        folder = ScratchFolder.make()
        made = cls(folder.path / WEIGHTS)
        made.path.touch()
        weakref.finalize(made, folder.remove)
        return made

    def take(self, model: ir.Model) -> None:
        """Put the large tensors of a captured graph into the file; those that are there already stay."""
        import onnx_ir as ir  # noqa: PLC0415  it loads sympy, which a proof of kept captures does without

        with self.path.open("ab") as file:
            for value in model.graph.initializers.values():
                tensor = value.const_value
                if tensor is None or isinstance(tensor, ir.ExternalTensor) or tensor.nbytes < EXTERNAL_FROM_BYTES:
                    continue
                file.write(bytes(-file.tell() % ALIGNMENT))
                offset = file.tell()
                file.write(
                    np.ascontiguousarray(tensor.numpy()).data if tensor.dtype.name in PLAIN else tensor.tobytes()
                )
                value.const_value = ir.ExternalTensor(
                    WEIGHTS,
                    offset,
                    tensor.nbytes,
                    tensor.dtype,
                    shape=ir.Shape(tensor.shape.numpy()),
                    name=value.name or "",
                    base_dir=self.path.parent,
                )

    def weights(self) -> Weights:
        """The file as it is now."""
        return Weights.of(self.path)


PLAIN: Final = frozenset({"FLOAT", "DOUBLE", "INT64", "INT32"})
"""Of these the array is written as it lies in memory, without a copy."""
