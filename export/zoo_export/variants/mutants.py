"""Mutants of a variant: its graph with one thing wrong, of the kinds that conversions and hands get wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import onnx
from onnx import numpy_helper

from zoo.bundle.judge.evidence import MutantResult
from zoo.bundle.judge.variant_evidence import OutputFidelity, VariantEvidence
from zoo.bundle.judge.variant_rule import killing_variant_gates
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import Array
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.subject.results import Failed
from zoo_export.variants.measure import Baseline, Executed, execute, fidelity
from zoo_export.variants.weights import weight_fidelity

PLACES = 3
"""Of each kind: the first, the middle and the last place in the graph."""
INPUTS = 8
"""Held-out inputs that a mutant runs on."""
WEIGHT_ENDINGS = ("_quantized", "_Q4", "_Q4G")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One wrong thing at one place."""

    name: str
    place: str
    edit: Callable[[onnx.ModelProto], None]


def score_mutants(
    variant: onnx.ModelProto, evidence: VariantEvidence, executed: Executed, baseline: Baseline, runtime: Runtime
) -> tuple[MutantResult, ...]:
    """What the gates say to every mutant; `executed` is the variant itself on the held-out inputs."""
    model = baseline.proof.exported.graph.shipped.model
    results = []
    for mutation in mutations(variant):
        mutant = copy_of(variant)
        mutation.edit(mutant)
        data = mutant.SerializeToString(deterministic=True)
        if data == variant.SerializeToString(deterministic=True):
            results.append(MutantResult(name=mutation.name, applied=False, detail=f"{mutation.place} stays as it is"))
            continue
        outputs = _outputs(data, evidence, executed, baseline, runtime)
        measured = replace(evidence, outputs=outputs, weights=weight_fidelity(model, mutant), mutants=())
        killed = killing_variant_gates(measured)
        results.append(
            MutantResult(name=mutation.name, applied=True, graph="model.onnx", detail=mutation.place, killed_by=killed)
        )
    return tuple(results)


def _outputs(
    data: bytes, evidence: VariantEvidence, executed: Executed, baseline: Baseline, runtime: Runtime
) -> tuple[OutputFidelity, ...]:
    """The mutant as it runs against the float arithmetic of the variant itself."""
    inputs = baseline.inputs[:INPUTS]
    run = execute(runtime, data, inputs, title="a mutant")
    if isinstance(run, Failed):
        return tuple(replace(output, execution_error=None) for output in evidence.outputs)
    return fidelity(baseline.outputs[:INPUTS], run.actual, executed.in_float[:INPUTS], baseline.floats)


def mutations(variant: onnx.ModelProto) -> tuple[Mutation, ...]:
    """The mutations that this graph has places for."""
    return (*_of_weights(variant), *_of_activations(variant), *_of_nodes(variant))


def _spread(places: Sequence[str]) -> list[str]:
    """The first, the middle and the last."""
    chosen = [places[0], places[len(places) // 2], places[-1]] if places else []
    return list(dict.fromkeys(chosen))[:PLACES]


# --- weights ---


def _of_weights(variant: onnx.ModelProto) -> Iterator[Mutation]:
    held = {tensor.name: tensor for tensor in variant.graph.initializer}
    quantised = [name for name in held if name.endswith(WEIGHT_ENDINGS) and len(held[name].dims) > 1]
    halves = [name for name, t in held.items() if t.data_type == onnx.TensorProto.FLOAT16 and len(t.dims) > 1]
    for name in _spread(quantised or halves):
        yield _array_mutation("two channels swapped", name, _swapped)
        yield _array_mutation("a channel zeroed", name, _zeroed)
        yield _array_mutation("a sign", name, _negated)
    weights = tuple(name.removesuffix("_quantized").partition("_Q4")[0] for name in quantised)
    scales = [name for name in held if name.endswith(("_scale", "_scales")) and name.startswith(weights)]
    for name in _spread(scales if quantised else []):
        yield _array_mutation("a weight's scale", name, lambda array: _first(array, lambda value: value * 1.1))
    zeros = [f"{name}_zero_point" for name in weights if f"{name}_zero_point" in held]
    for name in _spread(zeros):
        yield _array_mutation("a weight's zero point", name, lambda array: _first(array, lambda value: value + 3))


def _array_mutation(kind: str, name: str, change: Callable[[Array], Array]) -> Mutation:
    def edit(model: onnx.ModelProto) -> None:
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(change(array.copy()).astype(array.dtype), name))

    return Mutation(name=kind, place=name, edit=edit)


def _swapped(array: Array) -> Array:
    return np.roll(array, 1, axis=0) if array.shape[0] > 1 else np.roll(array, 1, axis=-1)


def _zeroed(array: Array) -> Array:
    largest = int(np.abs(array.reshape(array.shape[0], -1).astype(np.float64)).sum(1).argmax())
    array[largest] = 0
    return array


def _negated(array: Array) -> Array:
    flat = array.reshape(-1)
    at = int(np.abs(flat.astype(np.float64)).argmax())
    flat[at] = -flat[at] if array.dtype.kind != "u" else 255 - flat[at]
    return array


def _first(array: Array, change: Callable[[Array], Array]) -> Array:
    flat = array.reshape(-1)
    flat[:1] = change(flat[:1])
    return array


# --- activations ---


def _of_activations(variant: onnx.ModelProto) -> Iterator[Mutation]:
    """Of the pairs that round an activation: the scale or the zero point of one of both, and the range of both."""
    held = {tensor.name for tensor in variant.graph.initializer}
    back = [n.name for n in variant.graph.node if n.op_type == "DequantizeLinear" and n.input[0] not in held]
    for name in _spread(back):
        yield _input_mutation("the scale back to float", name, 1, lambda array: (array * 1.2).astype(array.dtype))
        yield _input_mutation("the zero point back to float", name, 2, _moved)
    ranges = list(dict.fromkeys(n.input[1] for n in variant.graph.node if n.op_type == "QuantizeLinear"))
    for name in _spread([name for name in ranges if name in held]):
        yield _array_mutation("a range cut to a quarter", name, lambda array: array / 4)


def _moved(array: Array) -> Array:
    return (array.astype(np.int64) + (16 if int(array.max()) < 200 else -16)).astype(array.dtype)


def _input_mutation(kind: str, node_name: str, index: int, change: Callable[[Array], Array]) -> Mutation:
    """One node reads a changed copy of an initialiser that others share."""

    def edit(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == node_name)
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[index])
        name = f"{node.input[index]}/mutant"
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(change(numpy_helper.to_array(tensor))), name))
        node.input[index] = name

    return Mutation(name=kind, place=node_name, edit=edit)


# --- nodes ---

SWAPS = {"MaxPool": "AveragePool", "Relu": "Abs", "Add": "Sub", "Sigmoid": "Tanh", "Tanh": "Sigmoid", "Mul": "Add"}


def _of_nodes(variant: onnx.ModelProto) -> Iterator[Mutation]:
    held = {tensor.name for tensor in variant.graph.initializer}
    pools = [n.name for n in variant.graph.node if n.op_type in SWAPS and not held.issuperset(n.input)]
    for name in _spread(pools):
        yield Mutation(name="a wrong operator", place=name, edit=partial(_swap_operator, name=name))
    products = [n.name for n in variant.graph.node if n.op_type in ("Conv", "Gemm") and len(n.input) > 2 and n.input[2]]
    for name in _spread(products):
        yield Mutation(name="a bias left out", place=name, edit=partial(_drop_bias, name=name))


def _swap_operator(model: onnx.ModelProto, *, name: str) -> None:
    node = next(node for node in model.graph.node if node.name == name)
    node.op_type = SWAPS[node.op_type]
    if node.op_type == "AveragePool":
        kept = [attribute for attribute in node.attribute if attribute.name not in ("dilations", "storage_order")]
        del node.attribute[:]
        node.attribute.extend(kept)


def _drop_bias(model: onnx.ModelProto, *, name: str) -> None:
    del next(node for node in model.graph.node if node.name == name).input[2]
