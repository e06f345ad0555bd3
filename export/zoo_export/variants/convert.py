"""Ways to store a model in fewer bits, and ONNX Runtime's quantiser, which does it."""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import onnx

from zoo.api.data import counted
from zoo.api.errors import describe_error
from zoo.bundle.judge.cases import some
from zoo.bundle.judge.variant_evidence import Bits
from zoo.models.outputs import Array
from zoo_export.capture.onnx_graph import copy_of, nodes, strip
from zoo_export.subject.results import Failed
from zoo_export.variants.calibration import ItemReader, tensor_bytes

PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
DYNAMIC = ("MatMul", "Gemm", "LSTM")
"""A convolution with ranges found while it runs takes three times as long as one in fp32."""
TABLES = ("Gather", "EmbedLayerNormalization")
"""Rows looked up in a weight."""
RECURRENT = ("LSTM", "GRU", "RNN")
"""In half precision ONNX Runtime crashes in them."""
BLOCK_SIZE = 32
"""Weights of 4 bits that share a scale."""
STORES: dict[Bits, str] = {
    "int8": f"the weights of {', '.join((*PRODUCTS, 'LSTM'))}",
    "fp16": "every weight",
    "int4": "the weights of MatMul",
}
"""What each precision can hold."""
Kind = Literal["static", "dynamic", "half", "blocks"]
Calibrator = Literal["minmax", "percentile", "entropy"]
Arithmetic = Literal["U8S8", "U8S7", "U8U8"]
"""Unsigned activations with signed weights of 8 or 7 bits, or with unsigned weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to convert."""

    kind: Kind
    arithmetic: Arithmetic = "U8S8"
    calibrator: Calibrator = "minmax"
    products_only: bool = False
    """Only convolutions and matrix products; else every operator that has a form in bytes."""
    in_float: tuple[str, ...] = ()
    """Names of nodes that stay in float."""

    @property
    def name(self) -> str:
        """In words."""
        match self.kind:
            case "half":
                words = "half precision"
            case "blocks":
                words = f"4 bits a weight, {BLOCK_SIZE} weights a scale"
            case "dynamic":
                words = f"dynamic, {self.arithmetic}"
            case "static":
                scope = "products only" if self.products_only else "all operators"
                words = f"static, {self.arithmetic}, per channel, {self.calibrator}, {scope}"
        return words + (f", {counted(len(self.in_float), 'node')} in float" if self.in_float else "")

    @property
    def may_saturate(self) -> bool:
        """Whether its products of unsigned and signed bytes need VNNI to be exact."""
        return self.kind in ("static", "dynamic") and self.arithmetic == "U8S8"

    def keeping(self, names: Sequence[str]) -> Way:
        """The same with these nodes in float as well."""
        return replace(self, in_float=(*self.in_float, *names))


def ways(bits: Bits, model: onnx.ModelProto, *, saturates: bool) -> tuple[Way, ...]:
    """The candidates for a model, on a machine whose byte products saturate or do not."""
    ops = Counter(node.op_type for node in nodes(model.graph))
    if bits == "fp16":
        return (Way(kind="half"),)
    if bits == "int4":
        return (Way(kind="blocks"),) if ops["MatMul"] else ()
    arithmetics: tuple[Arithmetic, ...] = ("U8S7", "U8U8") if saturates else ("U8S8",)
    found = [Way(kind="dynamic", arithmetic=arithmetics[0])] if any(ops[op] for op in DYNAMIC) else []
    if any(ops[op] for op in PRODUCTS):
        calibrators: tuple[Calibrator, ...] = ("minmax", "percentile", "entropy")
        found += [
            Way(kind="static", arithmetic=arithmetic, calibrator=calibrator, products_only=products_only)
            for arithmetic in arithmetics
            for calibrator in calibrators
            for products_only in (False, True)
        ]
    return tuple(found)


def left_in_float(model: onnx.ModelProto, modules: Mapping[str, str]) -> str:
    """The operators that hold weights, each with the modules that it is of; `modules` is by the value made."""
    weights = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) > 1}
    found: dict[str, list[str]] = {}
    for node in model.graph.node:
        if weights.intersection(node.input):
            found.setdefault(node.op_type, []).append(module_of(node, modules) or node.name)
    return "; ".join(f"{op} ({some(list(dict.fromkeys(names)))})" for op, names in found.items())


def module_of(node: onnx.NodeProto, modules: Mapping[str, str]) -> str:
    """The module that a node is of; empty where nobody knows."""
    return next((modules[name] for name in node.output if modules.get(name)), "")


def convertible(model: onnx.ModelProto) -> dict[str, str]:
    """The nodes that a search may keep in float: their operators by name."""
    known = {*PRODUCTS, *DYNAMIC, *TABLES}
    return {node.name: node.op_type for node in model.graph.node if node.op_type in known}


def convert(
    model: onnx.ModelProto, way: Way, *, inputs: Sequence[Mapping[str, Array]], ranges: Path
) -> onnx.ModelProto | Failed:
    """The converted model, or why the library cannot make it; `ranges` is a folder where calibrated ranges are kept."""
    plain = copy_of(model)
    strip(plain)
    try:
        with _silent(), tempfile.TemporaryDirectory(prefix="zoo-") as folder:
            converted = _CONVERT[way.kind](plain, way, inputs, ranges, Path(folder) / "converted.onnx")
            _in_order(converted)
    except Exception as error:  # the library raises whatever it likes of a graph that it does not know
        return Failed(f"ONNX Runtime's quantiser cannot convert it: {describe_error(error)}"[:300])
    strip(converted)
    return converted


@contextmanager
def _silent() -> Iterator[None]:
    """The library prints every step, and logs advice that does not hold here."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it is read when the library is loaded
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


def _in_order(model: onnx.ModelProto) -> None:
    """Nodes after those that they read, each once and under a name of its own.

    The library puts new nodes at the end, and casts a value twice that two nodes read which stay in float.
    """
    from onnxruntime.transformers.onnx_model import OnnxModel  # noqa: PLC0415  it loads the runtime

    first = {name: index for index, node in reversed(list(enumerate(model.graph.node))) for name in node.output if name}
    twice = [
        node for index, node in enumerate(model.graph.node) if any(first[name] < index for name in node.output if name)
    ]
    for node in twice:
        model.graph.node.remove(node)
    OnnxModel.graph_topological_sort(model.graph)
    seen = Counter[str]()
    for node in model.graph.node:
        seen[node.name] += 1
        if seen[node.name] > 1:
            node.name = f"{node.name}/{seen[node.name]}"


def _static(
    model: onnx.ModelProto, way: Way, inputs: Sequence[Mapping[str, Array]], ranges: Path, output: Path
) -> onnx.ModelProto:
    from onnxruntime import quantization as ort  # noqa: PLC0415  it loads the runtime

    reader = ItemReader(inputs, item_bytes=tensor_bytes(model, inputs[0]))
    method = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}[way.calibrator]
    ort.quantize_static(
        model,
        str(output),
        reader,
        per_channel=True,
        reduce_range=way.arithmetic == "U8S7",
        activation_type=ort.QuantType.QUInt8,
        weight_type=ort.QuantType.QUInt8 if way.arithmetic == "U8U8" else ort.QuantType.QInt8,
        op_types_to_quantize=list(PRODUCTS) if way.products_only else None,
        nodes_to_exclude=list(way.in_float),
        calibrate_method=ort.CalibrationMethod[method],
        extra_options={"CalibStridedMinMax": reader.group},
        calibration_cache_path=str(ranges / f"{way.calibrator}-{way.products_only}-{len(way.in_float)}.json"),
    )
    return onnx.load(str(output))


def _dynamic(
    model: onnx.ModelProto, way: Way, inputs: Sequence[Mapping[str, Array]], ranges: Path, output: Path
) -> onnx.ModelProto:
    from onnxruntime import quantization as ort  # noqa: PLC0415  it loads the runtime

    del inputs, ranges
    ort.quantize_dynamic(
        model,
        str(output),
        per_channel=True,
        reduce_range=way.arithmetic == "U8S7",
        weight_type=ort.QuantType.QUInt8 if way.arithmetic == "U8U8" else ort.QuantType.QInt8,
        op_types_to_quantize=[*DYNAMIC, *TABLES],
        nodes_to_exclude=list(way.in_float),
    )
    return onnx.load(str(output))


def _half(
    model: onnx.ModelProto, way: Way, inputs: Sequence[Mapping[str, Array]], ranges: Path, output: Path
) -> onnx.ModelProto:
    from onnxruntime.transformers import float16  # noqa: PLC0415  it loads the runtime

    del inputs, ranges, output
    blocked = [*float16.DEFAULT_OP_BLOCK_LIST, *RECURRENT]
    converted: onnx.ModelProto = float16.convert_float_to_float16(
        model, keep_io_types=True, op_block_list=blocked, node_block_list=list(way.in_float)
    )
    return converted


def _blocks(
    model: onnx.ModelProto, way: Way, inputs: Sequence[Mapping[str, Array]], ranges: Path, output: Path
) -> onnx.ModelProto:
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer  # noqa: PLC0415

    del inputs, ranges, output
    quantizer: Any = MatMulNBitsQuantizer(
        model, bits=4, block_size=BLOCK_SIZE, is_symmetric=True, nodes_to_exclude=list(way.in_float)
    )
    quantizer.process()
    converted: onnx.ModelProto = quantizer.model.model
    return converted


_CONVERT = {"static": _static, "dynamic": _dynamic, "half": _half, "blocks": _blocks}
