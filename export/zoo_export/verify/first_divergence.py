"""Where a file first leaves PyTorch: the earliest tensor whose error stands out of the noise, and its module.

The fresh export of the same module knows which module made which value; a file that zoo made has the same value
names.  All of them are asked for in one run, and compared with the modules' own outputs in double and single precision.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import nn

from zoo.api.errors import ZooError
from zoo.api.task import Case, Signature
from zoo.bundle.judge.parity_rule import FLOOR, K, judge_output
from zoo.bundle.onnx_file.external_data import Weights
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import Array, arguments
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import IN, OUTER
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.measure.preprocess import compare_preprocessed
from zoo_export.proof.prove import Progress, Proof
from zoo_export.reference.oracle import magnitude

PREPROCESSED = f"{OUTER}{IN}"


@dataclass(frozen=True, slots=True)
class Step:
    """One module's output: how far the file is off, and how far PyTorch's fp32 is, both relative to its size."""

    path: str
    value: str
    error: float
    noise: float

    @property
    def stands_out(self) -> bool:
        """The rule, applied inside the graph."""
        return not self.error <= K * max(self.noise, FLOOR)


def explain(proof: Proof, *, progress: Progress = lambda _: None) -> tuple[str, ...]:
    """Sentences about the first divergence in each file, or that there is none."""
    progress("looking for the first tensor that leaves the noise")
    sentences = []
    beside = proof.exported.weights
    with torch.no_grad(), Runtime(limits=Limits.beside(0 if beside is None else beside.bytes)) as runtime:
        if MODEL in proof.exported.names:
            sentences.append(_in_model(proof, runtime))
        if PIPELINE in proof.exported.names:
            sentences.append(_in_preprocess(proof, runtime))
    return tuple(sentences)


def _in_model(proof: Proof, runtime: Runtime) -> str:
    graph = proof.evidence.graphs[0]
    case = _worst(proof.inputs.model, {compared.name: compared for compared in graph.cases})
    model, signature = proof.exported.file(MODEL).model, proof.subject.signature
    wanted = _values(model, proof.exported.graph.modules)
    if not wanted:
        return f"{MODEL}: its values have other names than in zoo's own export, so their modules are unknown"
    try:
        values = _values_of(runtime, model, case, list(wanted.values()), proof.exported.weights)
    except ZooError as error:
        return f"{MODEL}: does not run ({error.message})"
    steps = list(_steps(proof.subject.module, case, signature, wanted, values))
    return _first(steps, MODEL, case)


def _first(steps: list[Step], name: str, case: Case) -> str:
    for before, step in zip([None, *steps], steps, strict=False):
        if step.stands_out:
            where = f"the first tensor that leaves the noise is {step.value}, made by {step.path or 'the model itself'}"
            earlier = f"{before.error:.1e} before it (after {before.path})" if before else "nothing before it"
            return (
                f"{name}, case {case.name}: {where}: relative error {step.error:.1e}, {earlier}; "
                f"PyTorch's own is {step.noise:.1e}"
            )
    return f"{name}, case {case.name}: none of {len(steps)} tensors leaves the noise"


def _worst(cases: tuple[Case, ...], compared: Mapping[str, object]) -> Case:
    def ratio(case: Case) -> float:
        outputs = getattr(compared.get(case.name), "outputs", ())
        return max((judge_output(output).ratio or 0.0 for output in outputs), default=0.0)

    return max((case for case in cases if case.gates), key=ratio)


def _values(model: onnx.ModelProto, modules: Mapping[str, str]) -> dict[str, str]:
    """Module path to the last value that it made, in graph order."""
    last: dict[str, str] = {}
    for node in model.graph.node:
        for value in node.output:
            if modules.get(value):
                last.pop(modules[value], None)
                last[modules[value]] = value
    return last


def _values_of(
    runtime: Runtime, model: onnx.ModelProto, case: Case, values: list[str], weights: Weights | None
) -> dict[str, Array]:
    """The graph's own values on one case."""
    opened = copy_of(model)
    known = {value.name for value in opened.graph.output}
    opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in values if name not in known)
    session = runtime.session(opened.SerializeToString(), title="the opened graph", weights=weights)
    return runtime.run(session, case.inputs, outputs=values)


def _steps(
    module: nn.Module, case: Case, signature: Signature, wanted: Mapping[str, str], values: Mapping[str, Array]
) -> Iterator[Step]:
    double = _outputs(copy.deepcopy(module).double(), case, signature, double=True)
    single = _outputs(module, case, signature, double=False)
    for path, name in wanted.items():
        expected, narrow, actual = double.get(path), single.get(path), values.get(name)
        if expected is None or narrow is None or actual is None or expected.shape != actual.shape:
            continue
        size = magnitude(expected).rms or 1.0
        error, noise = magnitude(actual - expected).rms, magnitude(narrow - expected).rms
        yield Step(path, name, float("inf") if error is None else error / size, (noise or 0.0) / size)


def _outputs(module: nn.Module, case: Case, signature: Signature, *, double: bool) -> dict[str, Array]:
    """The output of every module that is called exactly once, by path."""
    seen: dict[str, list[Array]] = {}

    def remember(path: str) -> object:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, torch.Tensor) and output.is_floating_point():
                seen.setdefault(path, []).append(output.double().numpy().copy())

        return hook

    handles = [part.register_forward_hook(remember(path)) for path, part in module.named_modules() if path]
    try:
        module(*arguments(case.inputs, signature, double=double))
    finally:
        for handle in handles:
            handle.remove()
    return {path: values[0] for path, values in seen.items() if len(values) == 1}


def _in_preprocess(proof: Proof, runtime: Runtime) -> str:
    """Whether pipeline.onnx gives its model the inputs of training."""
    subject = proof.subject
    graph = proof.evidence.graphs[-1]
    case = _worst(proof.inputs.raw, {compared.name: compared for compared in graph.cases})
    names = [PREPROCESSED + port.name for port in subject.signature.inputs]
    try:
        values = _values_of(runtime, proof.exported.file(PIPELINE).model, case, names, proof.exported.weights)
    except ZooError as error:
        return f"{PIPELINE}: does not run, or has no {', '.join(names)} ({error.message})"
    expected = subject.torch_pipeline().inputs(case.inputs)
    actual = {name.removeprefix(PREPROCESSED): value for name, value in values.items()}
    levels = compare_preprocessed(actual, expected, subject.problem)
    if levels is not None and (levels.far or levels.differing > 0.01 * levels.elements):
        return (
            f"{PIPELINE}, case {case.name}: already the preprocessed picture differs: {levels.differing} of "
            f"{levels.elements} values, {levels.far} by more than one grey level"
        )
    if levels is None and any(not np.allclose(actual[name], value, rtol=1e-5) for name, value in expected.items()):
        return f"{PIPELINE}, case {case.name}: already the preprocessed input differs"
    return f"{PIPELINE}, case {case.name}: the preprocessed input is that of training"
