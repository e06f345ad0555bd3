"""Checks of every runtime, in the sandbox: a small graph that was made up, and files that are none."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from zoo.api.errors import SandboxError
from zoo.api.runtime import RuntimeSpec
from zoo.bundle.sandbox.installed_runtime import find_runtime
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing

Entry = RegistryEntry[RuntimeSpec]
TOLERANCE: Final = {"float32": 1e-5, "tf32": 5e-3, "bfloat16": 5e-2, "float16": 5e-3, "int8": 2e-1}
"""Relative to the largest output, by the precision that the runtime declares."""
BATCHES: Final = (1, 3)


def runs(context: CheckContext, entry: Entry) -> str:
    """It executes a graph of two outputs at several batch sizes: names, dtypes, shapes and numbers are ONNX's."""
    model, rng = _linear(), np.random.default_rng(0)
    with Runtime(engine=find_runtime(entry.full_name, context.catalog)) as runtime:
        session = runtime.session(model.SerializeToString(), title="linear.onnx")
        if [port.name for port in session.outputs] != ["sums", "signs"]:
            raise Failing(f"outputs are {[port.name for port in session.outputs]}, where ['sums', 'signs'] belong")
        for batch in BATCHES:
            rows = rng.standard_normal((batch, 4), dtype=np.float32)
            _compare(runtime.run(session, {"rows": rows}), rows, TOLERANCE[entry.spec.precision])
        return f"{runtime.title} {runtime.versions()[runtime.engine]}, {runtime.provider()}"


def repeats(context: CheckContext, entry: Entry) -> str:
    """The same input gives the same bits twice, in two sessions."""
    rows = np.random.default_rng(1).standard_normal((2, 4), dtype=np.float32)
    model = _linear().SerializeToString()
    with Runtime(engine=find_runtime(entry.full_name, context.catalog)) as runtime:
        answers = [runtime.run(runtime.session(model), {"rows": rows}) for _ in range(2)]
    if any(answers[0][name].tobytes() != answers[1][name].tobytes() for name in answers[0]):
        raise Failing("the same input gives other bits in a second session")
    return "equal bits"


def refuses(context: CheckContext, entry: Entry) -> str:
    """A file that is no graph is refused with a sentence, and the process goes on."""
    with Runtime(engine=find_runtime(entry.full_name, context.catalog)) as runtime:
        try:
            runtime.session(b"no graph", title="broken.onnx")
        except RuntimeRefused:
            pass
        except SandboxError as error:
            raise Failing(f"a broken file ends its process: {error.message}", next_step="raise an exception") from error
        else:
            raise Failing("it loads a file that is no graph", next_step="raise an exception in `load`")
        runtime.session(_linear().SerializeToString(), title="linear.onnx")
    return "refused, and alive"


def _linear() -> onnx.ModelProto:
    """rows float32 [n, 4] -> sums float32 [n, 2], signs int64 [n, 2]."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [4, 2], [1, -2, 3, -4, 5, -6, 7, -8])
    nodes = [
        helper.make_node("MatMul", ["rows", "weights"], ["sums"], name="product"),
        helper.make_node("Sign", ["sums"], ["sign"], name="sign"),
        helper.make_node("Cast", ["sign"], ["signs"], name="cast", to=TensorProto.INT64),
    ]
    inputs = [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", 4])]
    outputs = [
        helper.make_tensor_value_info("sums", TensorProto.FLOAT, ["batch", 2]),
        helper.make_tensor_value_info("signs", TensorProto.INT64, ["batch", 2]),
    ]
    graph = helper.make_graph(nodes, "linear", inputs, outputs, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _compare(answers: dict[str, Any], rows: Any, tolerance: float) -> None:
    """Failing with the output that is not as ONNX says."""
    sums = rows @ np.array([[1, -2], [3, -4], [5, -6], [7, -8]], np.float32)
    expected = {"sums": sums, "signs": np.sign(sums).astype(np.int64)}
    for name, value in expected.items():
        actual = answers[name]
        if (actual.dtype, actual.shape) != (value.dtype, value.shape):
            raise Failing(
                f"{name} is {actual.dtype} {list(actual.shape)}, where {value.dtype} {list(value.shape)} belongs"
            )
    error = float(np.abs(answers["sums"] - sums).max()) / float(np.abs(sums).max())
    if not error <= tolerance:
        raise Failing(f"sums is off by {error:.2g} of its largest value, {tolerance:g} is allowed")
    if not np.array_equal(answers["signs"], expected["signs"]):
        raise Failing("signs are not those of sums")
