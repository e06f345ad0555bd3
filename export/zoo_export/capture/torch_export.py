"""One module, one ONNX graph: captured once, kept unoptimised for its lineage and optimised for shipping."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from traceback import FrameSummary
from typing import Final

import onnx
import torch
from torch import nn
from torch.utils import _pytree as pytree

from zoo.api.data import counted
from zoo.api.errors import NotProved, PluginError, Refused, UsageError
from zoo.api.task import Port, Signature
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, MAX_WEIGHTS_BYTES, Weights
from zoo.models.outputs import Array, arguments, flatten
from zoo.training.engine.allocator import give_back
from zoo_export.capture.capture_settings import FourAxesAttention, silenced, slow_attention, uncollected
from zoo_export.capture.exporter_registry import remembered_registry
from zoo_export.capture.onnx_graph import module_paths, strip
from zoo_export.capture.shape_guards import guard_lines, guard_violations
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.weights_file import WeightsFile
from zoo_export.subject.choose_cases import Sizes
from zoo_export.subject.state_dict import state_bytes

LOWEST_OPSET: Final = 18
"""What the exporter's own operator library is written in; below it, it silently gives another opset."""
DEFAULT_OPSET: Final = 18
"""The widest support among runtimes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A module as ONNX."""

    signature: Signature
    plain: StoredModel
    """As captured: every parameter under its own name, nothing folded."""
    shipped: StoredModel
    """The same, optimised and without metadata."""
    modules: Mapping[str, str]
    """Value name in `shipped` to the path of the module that made it ("layer3.1.bn2")."""
    guard_violations: tuple[Sizes, ...] = ()
    """Sizes at which a shape guard of the capture does not hold; see `shape_guards`."""
    guard_lines: tuple[FrameSummary, ...] = ()
    """The lines of code that made the guards, as far as torch remembers them."""
    weights: Weights | None = None
    """The file beside both graphs; None where they hold their weights."""
    file: WeightsFile | None = None
    """What keeps it."""


def check_opset(opset: int) -> None:
    """UsageError unless the exporter can write this opset."""
    highest = onnx.defs.onnx_opset_version()
    if not LOWEST_OPSET <= opset <= highest:
        raise UsageError(
            f"opset {opset} is not supported: the exporter writes opsets {LOWEST_OPSET} to {highest}",
            hint=f"leave --opset away for {DEFAULT_OPSET}, which the most runtimes read",
        )


def check_size(module: nn.Module, *, name: str, largest: int = MAX_WEIGHTS_BYTES) -> None:
    """Refused where the numbers of a module are more bytes than zoo writes into a bundle."""
    size = state_bytes(module)
    if size > largest:
        raise Refused(
            f"{name} has {size:,} bytes of parameters, and zoo exports up to {largest:,}",
            hint="export a smaller size of the model, or one in float16 (module.half())",
        )


def export_graph(
    module: nn.Module,
    example: Mapping[str, Array],
    signature: Signature,
    *,
    opset: int,
    name: str,
    one_file: int = MAX_ONNX_BYTES,
) -> Graph:
    """The module as captured on one example, whose named axes become dynamic.

    The weights of a module of more bytes than `one_file` lie in a file beside the graph.

    Refuses a module in training mode.  PluginError tells in the exporter's words why a module cannot be captured.
    """
    check_opset(opset)
    training = [path or "the module itself" for path, part in module.named_modules() if part.training]
    if training:
        raise NotProved(f"{name} is in training mode ({training[0]}); what is exported must be in eval mode")
    program = _capture(module, example, signature, opset=opset, name=name)
    file = WeightsFile.make() if state_bytes(module) > one_file else None
    if file is not None:
        file.take(program.model)
    plain = StoredModel.of(_written(program, name=name))
    if (count := len(program.model.graph.outputs)) != len(signature.outputs):
        names = ", ".join(port.name for port in signature.outputs)
        raise PluginError(
            f"{name} gives {counted(count, 'tensor')} but its signature names "
            f"{len(signature.outputs)} outputs: {names}",
            hint="declare every output in the signature, or return fewer from an adapter",
        )
    with silenced(), uncollected():
        try:
            program.optimize()
        except Exception as error:
            raise PluginError(
                f"the graph of {name} was captured but could not be optimised: {_reason(error)}"
            ) from error
    if file is not None:  # what was folded is in memory
        file.take(program.model)
    shipped = _written(program, name=name)
    modules, sizes = module_paths(shipped), guard_violations(program, signature, example)
    lines = guard_lines(program, signature, example) if sizes else ()
    strip(shipped)
    _assert_opset(shipped, opset=opset, name=name)
    stored = StoredModel.of(shipped)
    del program, shipped
    give_back()
    return Graph(
        signature=signature,
        plain=plain,
        shipped=stored,
        modules=modules,
        guard_violations=sizes,
        guard_lines=lines,
        weights=None if file is None else file.weights(),
        file=file,
    )


def _capture(
    module: nn.Module, example: Mapping[str, Array], signature: Signature, *, opset: int, name: str
) -> torch.onnx.ONNXProgram:
    from zoo_export.capture.translations import TRANSLATIONS  # noqa: PLC0415  onnxscript: a capture alone needs it

    inputs = arguments(example, signature)
    names = [port.name for port in signature.outputs]
    if len(names) > 1:  # a dict may have them in another order
        with torch.no_grad():
            names = output_order(module(*inputs), signature.outputs)
    shapes = tuple(_dynamic_axes(port) or None for port in signature.inputs)
    variadic = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(module.forward).parameters.values())
    try:
        with silenced(), uncollected(), slow_attention(), FourAxesAttention(), remembered_registry():
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                verbose=False,
                optimize=False,
                opset_version=opset,
                input_names=[port.name for port in signature.inputs],
                output_names=names,
                dynamic_shapes=((shapes,) if variadic else shapes) if any(shapes) else None,
                custom_translation_table=TRANSLATIONS,
            )
    except Exception as error:
        raise PluginError(
            f"{name} cannot be captured by the exporter: {_reason(error)}",
            hint="the model's plugin can declare an adapter, or say in its ExportSpec why it is not exportable",
        ) from error
    if program is None:
        raise PluginError(f"{name} cannot be captured by the exporter: it gave no program")
    return program


def output_order(outputs: object, ports: Sequence[Port]) -> list[str]:
    """Port names in the order in which the exporter flattens these outputs."""
    by_identity: dict[int, list[str]] = {}
    for name, tensor in flatten(outputs, ports).items():
        by_identity.setdefault(id(tensor), []).append(name)  # one tensor may go out under two names
    return [by_identity[id(leaf)].pop(0) for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]


def _dynamic_axes(port: Port) -> dict[int, str]:
    """Axis number to axis name for the dynamic axes of a port."""
    return {axis: size for axis, size in enumerate(port.shape) if isinstance(size, str)}


def _written(program: torch.onnx.ONNXProgram, *, name: str) -> onnx.ModelProto:
    """The graph with its weights; PluginError where one of them has no numbers."""
    try:
        return program.model_proto
    except Exception as error:
        raise PluginError(f"the graph of {name} was captured but could not be written: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The innermost cause's first line: the exporter wraps the sentence that matters in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _assert_opset(model: onnx.ModelProto, *, opset: int, name: str) -> None:
    written = {entry.domain: entry.version for entry in model.opset_import}
    if written.get("") != opset:
        raise UsageError(
            f"opset {opset} was asked for, but the exporter wrote opset {written.get('')} for {name}",
            hint=f"ask for opset {LOWEST_OPSET} or leave --opset away",
        )


def serialize(model: onnx.ModelProto) -> bytes:
    """The file's bytes: the same graph gives the same bytes; PluginError when it is no valid graph."""
    data: bytes = model.SerializeToString(deterministic=True)
    check_graph(data)
    return data


def check_graph(data: bytes, weights: Weights | None = None) -> None:
    """PluginError unless the bytes of a graph are a valid one.

    `weights` are those beside it: the check reads how large the file is.
    """
    try:
        if weights is None:
            onnx.checker.check_model(data, full_check=True)
        else:
            _check_beside(data, weights)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise PluginError(
            f"what was captured is no valid graph: {_reason(error)}",
            hint="an output that is an input, or another output, is given as a copy: clone() it",
        ) from error


def _check_beside(data: bytes, weights: Weights) -> None:
    """The check of a graph whose weights lie in a file: it must lie there too."""
    path = weights.path.with_name("checked.onnx")
    path.write_bytes(data)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    finally:
        path.unlink()
