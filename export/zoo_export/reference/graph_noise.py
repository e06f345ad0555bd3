"""The rounding of a graph's own operators: what the file gives in single precision, against itself in double.

PyTorch may answer more exactly than any chain of operators can: its Fourier transform is one kernel, it may add up in
double precision, and one case in a hundred is exact by chance.  The rule then calls a sound file wrong.  Where the
file, computed in double precision, gives what PyTorch gives there, it computes the same function, and its own rounding
is the noise.  A wrong file gives another answer in double precision as well, and the rule is as strict with that.

Where PyTorch itself does not run in double precision, its single precision is compared, which is as far off as a file
may be: that is measured by the file's own rounding as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.bundle.judge.evidence import Magnitude
from zoo.bundle.judge.parity_rule import FLOOR, K
from zoo.models.outputs import Array
from zoo_export.capture.compose import OUTER, ancestors
from zoo_export.capture.onnx_graph import copy_of, nodes
from zoo_export.reference.oracle import ReferenceOutputs, distance, larger, magnitude
from zoo_export.subject.results import Outputs

MAX_PREPROCESSED: Final = 40_000
"""Numbers of a raw input up to which its preprocess is evaluated, too: resizing is slow there."""
MAX_ELEMENTS: Final = 1_000_000
"""Of all inputs of a case."""
MAX_PARAMETERS: Final = 100_000_000
SLOW: Final = frozenset(
    {"ConvTranspose", "DeformConv", "GridSample", "Loop", "NonMaxSuppression", "Resize", "RoiAlign"}
)
"""Operators that the evaluator computes number by number."""
MAX_ELEMENTS_SLOW: Final = 40_000
MAX_PARAMETERS_SLOW: Final = 2_000_000
FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def in_double(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a graph whose floats are doubles."""
    copy = copy_of(model)
    for tensor in copy.graph.initializer:
        _widen(tensor)
    for node in nodes(copy.graph):
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _widen(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == FLOAT:
                attribute.i = DOUBLE
    for value in (*copy.graph.input, *copy.graph.output):
        if value.type.tensor_type.elem_type == FLOAT:
            value.type.tensor_type.elem_type = DOUBLE
    return copy


def _widen(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == FLOAT:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def without_preprocess(
    model: onnx.ModelProto, inputs: Outputs, preprocessed: Outputs
) -> tuple[onnx.ModelProto, Outputs]:
    """A pipeline from its preprocessed inputs on, and those inputs: a picture of 12 megapixels becomes a small one."""
    joints = {f"{OUTER}{name}": value for name, value in preprocessed.items()}
    before = ancestors(model.graph, joints)
    left = copy_of(model)
    kept = [node for index, node in enumerate(model.graph.node) if index not in before]
    read = {name for node in kept for name in node.input}
    ports = [value for value in model.graph.input if value.name in read]
    ports += [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), None)
        for name, value in joints.items()
    ]
    del left.graph.node[:], left.graph.input[:]
    left.graph.node.extend(kept)
    left.graph.input.extend(ports)
    names = {port.name for port in ports}
    return left, {name: value for name, value in {**inputs, **joints}.items() if name in names}


def own_rounding(
    model: onnx.ModelProto,
    inputs: Outputs,
    outputs: Outputs,
    expected: ReferenceOutputs,
    *,
    preprocessed: Outputs | None = None,
) -> Mapping[str, Magnitude] | None:
    """Per float output, how far the file is from itself in double precision; None where that is another function.

    `preprocessed` is what the file's own preprocess makes of these inputs; large ones are left out then.
    """
    if preprocessed is not None and sum(value.size for value in inputs.values()) > MAX_PREPROCESSED:
        model, inputs = without_preprocess(model, inputs, preprocessed)
    if not _is_affordable(model, inputs):
        return None
    try:
        wide = _run(in_double(model), inputs)
    except Exception:  # an operator that the evaluator lacks, or not in double precision
        return None
    floats = [name for name, value in outputs.items() if np.issubdtype(value.dtype, np.floating)]
    if not floats or any(wide[name].dtype != np.float64 for name in floats):
        return None
    noise = {name: distance(outputs[name].astype(np.float64), wide[name]) for name in floats}
    for name in floats:
        off, known = distance(wide[name], expected.reference[name]), expected.noise[name]
        if name not in expected.typical:  # nothing in double precision: PyTorch is off as well, by nobody knows what
            known, noise[name] = larger(known, noise[name]), larger(off, noise[name])
        if not _is_within(off, known, magnitude(expected.reference[name])):
            return None
    return noise


def _is_affordable(model: onnx.ModelProto, inputs: Outputs) -> bool:
    """Whether the evaluator takes seconds, and not minutes."""
    slow = any(node.op_type in SLOW for node in nodes(model.graph))
    parameters = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    elements = sum(value.size for value in inputs.values())
    if slow:
        return parameters <= MAX_PARAMETERS_SLOW and elements <= MAX_ELEMENTS_SLOW
    return parameters <= MAX_PARAMETERS and elements <= MAX_ELEMENTS


def _run(model: onnx.ModelProto, inputs: Outputs) -> dict[str, Array]:
    feeds = {name: value.astype(np.float64) if value.dtype == np.float32 else value for name, value in inputs.items()}
    names = [value.name for value in model.graph.output]
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415  it reads the schemas of all operators, rarely needed

    from zoo_export.reference.double_operators import OPERATORS  # noqa: PLC0415  likewise

    evaluator = ReferenceEvaluator(model, new_ops=list(OPERATORS))
    return dict(zip(names, evaluator.run(names, feeds), strict=True))


def _is_within(off: Magnitude, noise: Magnitude, scale: Magnitude) -> bool:
    """The rule, applied to the file in double precision: it may be off by what its constants are rounded by."""
    return (
        off.rms is not None
        and off.max is not None
        and off.rms <= K * max(noise.rms or 0.0, FLOOR * (scale.rms or 0.0))
        and off.max <= K * max(noise.max or 0.0, FLOOR * (scale.max or 0.0))
    )
