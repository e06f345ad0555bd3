"""MNN on the processor, in single precision; it has a file of its own, and integers of at most 32 bits."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.runtime import EngineSettings, UnsupportedOperator

_UNSUPPORTED = re.compile(r"(?:These Op Not Support|Not Support|unsupport\w*)[^:]*:\s*(?:ONNX::)?(\w+)", re.I)
_NARROW = {"int64": np.int32, "uint64": np.int32, "uint32": np.int32, "float64": np.float32, "bool": np.int32}
"""What MNN takes in place of the types that it has not."""


class MnnEngine:
    """`zoo.RuntimeEngine` with MNN."""

    provider = "CPU, float32"

    def __init__(self, settings: EngineSettings) -> None:
        import MNN  # noqa: PLC0415  in the sandboxed process alone

        self.mnn = MNN
        self.version = str(MNN.version())
        options = {"backend": "CPU", "precision": "high", "numThread": settings.threads}
        self.manager = MNN.nn.create_runtime_manager((options,))

    def convert(self, model: Path, folder: Path) -> Path:
        """MODEL.mnn, and MODEL.json with names, types and ranks of the ports, which the file itself does not order."""
        import _tools  # noqa: PLC0415  MNN.tools.mnnconvert would install a library that reports every conversion
        import onnx  # noqa: PLC0415

        graph = onnx.load(model, load_external_data=False).graph
        weights = {tensor.name for tensor in graph.initializer}
        ports = {
            "inputs": [_port(value) for value in graph.input if value.name not in weights],
            "outputs": [_port(value) for value in graph.output],
        }
        path, log, copied = folder / f"{model.stem}.mnn", folder / "convert.log", folder / "copied.onnx"
        if _shared(graph):
            onnx.save(_with_own_outputs(onnx.load(model)), copied)
        source = copied if copied.exists() else model
        words = ["MNNConvert", "-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(path), "--bizCode", "zoo"]
        with _printed(log):
            _tools.mnnconvert(words)
        said = log.read_text(errors="replace")
        log.unlink()
        copied.unlink(missing_ok=True)
        if match := _UNSUPPORTED.search(said):
            raise UnsupportedOperator(match[1])
        if not path.is_file():
            raise RuntimeError(f"its converter wrote no file: {' '.join(said.split())[-300:]}")
        path.with_suffix(".json").write_text(json.dumps(ports))
        return path

    def load(self, model: Path) -> MnnGraph:
        """The graph of MODEL.mnn."""
        ports = json.loads(model.with_suffix(".json").read_text())
        names = [[name for name, _, _ in ports[side]] for side in ("inputs", "outputs")]
        module = self.mnn.nn.load_module_from_file(str(model), *names, runtime_manager=self.manager)
        return MnnGraph(self.mnn, module, ports["inputs"], ports["outputs"])


class MnnGraph:
    """One module of MNN."""

    def __init__(
        self, mnn: Any, module: Any, inputs: Sequence[tuple[str, str, int]], outputs: Sequence[tuple[str, str, int]]
    ) -> None:
        self.mnn, self.module, self.ports = mnn, module, outputs
        self.inputs, self.outputs = [name for name, _, _ in inputs], [name for name, _, _ in outputs]

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name, in the types of the ONNX graph."""
        values = [self._variable(np.asarray(feeds[name])) for name in self.inputs]
        answers = self.module.forward(values)
        answers = answers if isinstance(answers, list | tuple) else [answers]
        if len(answers) != len(self.outputs):
            raise RuntimeError(f"it gives {len(answers)} outputs where the graph has {', '.join(self.outputs)}")
        return {
            name: _of_rank(np.array(self._read(answer)), rank).astype(dtype)
            for (name, dtype, rank), answer in zip(self.ports, answers, strict=True)
        }

    def _variable(self, value: Any) -> Any:
        narrow = _NARROW.get(value.dtype.name)
        value = np.ascontiguousarray(value if narrow is None else value.astype(narrow))
        expr = self.mnn.expr
        types = {"float32": expr.float, "int32": expr.int, "uint8": expr.uint8, "int8": expr.int8}
        if value.dtype.name not in types:
            raise TypeError(f"it takes no {value.dtype.name}")
        return expr.const(value, list(value.shape), expr.NCHW, types[value.dtype.name])

    def _read(self, answer: Any) -> Any:
        if answer.data_format == self.mnn.expr.NC4HW4:
            answer = self.mnn.expr.convert(answer, self.mnn.expr.NCHW)
        return answer.read()


def _with_own_outputs(model: Any) -> Any:
    """The model with every output that a node reads given under its name by a node of its own.

    Where a node reads an output, MNN 3.6 may write the node's result into the same memory.
    """
    import onnx  # noqa: PLC0415

    graph = model.graph
    shared = _shared(graph)
    nodes = []
    for node in graph.node:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.input[:] = [_inner(name) if name in shared else name for name in node.input]
        copied.output[:] = [_inner(name) if name in shared else name for name in node.output]
        nodes.append(copied)
        for name in shared & {*node.output}:
            rank = next(_port(value)[2] for value in graph.output if value.name == name)
            shape = onnx.helper.make_tensor(f"{name}/sizes", onnx.TensorProto.INT64, [rank], [0] * rank)
            graph.initializer.append(shape)  # zeros keep each size; an identity would be taken out
            nodes.append(onnx.helper.make_node("Reshape", [_inner(name), shape.name], [name], name=f"{name}/own"))
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _shared(graph: Any) -> set[str]:
    """The outputs that a node gives and another one reads."""
    given, read = ({name for node in graph.node for name in getattr(node, side)} for side in ("output", "input"))
    return {value.name for value in graph.output} & given & read


def _inner(name: str) -> str:
    return f"{name}/inner"


def _of_rank(value: Any, rank: int) -> Any:
    """Without the axes of length one at the end that a matrix product has where it became a convolution."""
    return value.reshape(value.shape[:rank]) if value.ndim > rank and set(value.shape[rank:]) == {1} else value


def _port(value: Any) -> tuple[str, str, int]:
    import onnx  # noqa: PLC0415

    tensor = value.type.tensor_type
    return value.name, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name, len(tensor.shape.dim)


@contextlib.contextmanager
def _printed(path: Path) -> Iterator[None]:
    """What the library prints meanwhile goes to a file: its converter tells mistakes in no other way."""
    kept = [os.dup(number) for number in (1, 2)]
    try:
        with path.open("wb") as file:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
