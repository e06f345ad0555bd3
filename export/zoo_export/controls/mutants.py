"""Mutants: copies of the graphs of a bundle with one thing wrong (see `mutations`), and what the runtime gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import onnx

from zoo.api.errors import PluginError, ZooError
from zoo.api.task import GENERIC_CONTROLS, Case, Control
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session
from zoo.models.outputs import Array
from zoo.registry.references import resolve
from zoo_export.capture.capture import GraphFile, Role
from zoo_export.capture.compose import IN, Pipeline
from zoo_export.capture.onnx_graph import copy_of, hash_weights
from zoo_export.capture.torch_export import serialize
from zoo_export.controls.graph_edits import ON_MODEL, ON_PREPROCESS, Mutated, bias, classes, scale, weight
from zoo_export.controls.light_graph import LightGraph, light_graph
from zoo_export.runtime.queue import RuntimeQueue
from zoo_export.runtime.runs import Loaded, run, run_cases, run_graph
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult

MIN_CASES = 2
"""Cases that a mutant of the model is run on."""
MAX_LAYERS = 3
"""So many layers, or pairs of classes, are tried for one whose change shows in some case."""
VISIBLE_ABOVE = {"weight": 0.0, "scale": 1e-5, "bias": 1e-5, "classes": 0.0}
"""By control: a mutant whose outputs move by no more, relative to the largest, changes nothing in these cases.

A whole layer times 1.001 moves what depends on it a hundred times as far; a norm behind it undoes it but for rounding.
"""
LAYERED = {
    "weight": weight,
    "scale": scale,
    "bias": bias,
    "classes": lambda model, layer, _: classes(model, layer),
}
CHEAP_ELEMENTS = 50_000
"""Elements of all inputs together up to which more cases cost nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mutant and what the runtime gave for it."""

    name: str
    """Of the control."""
    role: Role
    detail: str
    """What was changed, in words."""
    model: onnx.ModelProto
    """The mutated graph, of large weights only their digests; of a mutated preprocess that alone."""
    indices: tuple[int, ...]
    """The cases of the unmutated graph that it was run on."""
    result: RuntimeResult
    """Of these cases, in this order."""
    preprocessed: tuple[RuntimeOutputs, ...] = ()
    """What a mutated preprocess makes of those cases, under the names of the model's inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplied:
    """There is no such mutant of this export."""

    name: str
    """Of the control."""
    reason: str


Pending = Future[Mutant | NotApplied]
Postprocess = Callable[[Outputs, Outputs], Outputs]
"""(outputs of the model, raw inputs) -> the answer, in PyTorch."""


# --- submitting ---


def submit_model_mutants(
    queue: RuntimeQueue, file: GraphFile, session: Future[Loaded], controls: Sequence[Control]
) -> dict[str, Pending]:
    """The mutants of the model, by control; `session` is the unmutated model."""
    names = [control.name for control in controls if control.applies and control.name in ON_MODEL]
    indices = alike_cases(file.cases)
    unmutated = (
        queue.submit(lambda runtime: run_unmutated(runtime, session.result(), file, indices))
        if VISIBLE_ABOVE.keys() & set(names)
        else None
    )

    light = queue.submit(lambda _: light_graph(file.model))

    def job(name: str) -> Pending:
        return queue.submit(
            lambda runtime: model_mutant(
                runtime,
                name,
                file,
                indices,
                unmutated=None if unmutated is None else unmutated.result(),
                light=light.result(),
            )
        )

    return {name: job(name) for name in names}


def submit_pipeline_mutants(
    queue: RuntimeQueue,
    file: GraphFile,
    captured: Pipeline,
    controls: Sequence[Control],
    *,
    model: Future[Loaded],
    postprocess: Postprocess,
) -> dict[str, Pending]:
    """The mutants of the preprocess and the task's own, by control; `model` is loaded unmutated."""

    def job(control: Control) -> Pending:
        if control.name in ON_PREPROCESS:
            return queue.submit(
                lambda runtime: preprocess_mutant(
                    runtime,
                    control.name,
                    captured.preprocess,
                    file.cases,
                    model=model.result(),
                    postprocess=postprocess,
                )
            )
        return queue.submit(lambda runtime: pipeline_mutant(runtime, control, captured.shipped.model, file))

    return {control.name: job(control) for control in controls if control.applies and control.name not in ON_MODEL}


# --- cases ---


def choose_cases(cases: Sequence[Case], count: int) -> tuple[int, ...]:
    """Indices of a few gating cases of different kinds and sizes, the largest among them; none of a whole range."""
    gating = [index for index, case in enumerate(cases) if case.gates and not is_range(case)]
    by_size = sorted(gating, key=lambda index: -sum(value.size for value in cases[index].inputs.values()))
    different = list({cases[index].kind: index for index in reversed(gating)}.values())
    return tuple(dict.fromkeys([*by_size[:1], *reversed(different), *gating]))[:count]


def alike_cases(cases: Sequence[Case]) -> tuple[int, ...]:
    """The first few that fit into one batch, and more where they are small: two pictures may not use every filter."""
    indices = choose_cases(cases, len(cases))
    shapes = [tuple(value.shape for value in cases[index].inputs.values()) for index in indices]
    alike = tuple(index for index, shape in zip(indices, shapes, strict=True) if shape == shapes[0])
    elements = sum(value.size for value in cases[alike[0]].inputs.values())
    return alike[: max(MIN_CASES, CHEAP_ELEMENTS // max(elements, 1))]


# --- the model ---


def run_unmutated(runtime: Runtime, session: Loaded, file: GraphFile, indices: Sequence[int]) -> RuntimeResult | Failed:
    """The unmutated model on the cases of its mutants, in one batch; a failure where it does not load."""
    if isinstance(session, Failed):
        return session
    cases = [file.cases[index] for index in indices]
    return run_cases(runtime, session, cases, file.signature, sizes=(len(cases),), repeats=False)


def model_mutant(
    runtime: Runtime,
    name: str,
    file: GraphFile,
    indices: tuple[int, ...],
    *,
    unmutated: RuntimeResult | Failed | None = None,
    light: LightGraph | None = None,
) -> Mutant | NotApplied:
    """The model with one thing wrong, run on a few cases; `light` is its graph.

    A single weight may belong to a unit that is zero in all of them, a norm undoes the scale of what comes before it, a
    softmax a shift of all its inputs, and two classes may be the same; that says nothing about the proof.  Where a
    mutant stays below its kill threshold against `unmutated`, another layer is mutated instead.
    """
    graph = light or light_graph(file.model)
    if name not in VISIBLE_ABOVE:
        return mutant_of(runtime, name, ON_MODEL[name](graph.model), file, indices, light=graph)
    mutant = mutant_of(runtime, name, LAYERED[name](graph.model, 0, graph.weights), file, indices, light=graph)
    for layer in range(1, MAX_LAYERS):
        if isinstance(mutant, NotApplied) or isinstance(unmutated, Failed) or unmutated is None:
            break
        if not _below_threshold(mutant, unmutated):
            break
        mutated = LAYERED[name](graph.model, layer, graph.weights)
        if mutated is None:
            break
        noted = replace(mutated, detail=f"{mutated.detail} (the same in other layers changes no case)")
        mutant = mutant_of(runtime, name, noted, file, indices, light=graph)
    return mutant


def mutant_of(
    runtime: Runtime,
    name: str,
    mutated: Mutated | None,
    file: GraphFile,
    indices: tuple[int, ...],
    *,
    light: LightGraph,
) -> Mutant | NotApplied:
    """A mutated model as the runtime ran it on these cases."""
    if mutated is None:
        return NotApplied(name=name, reason=f"this graph has nothing that {name} could change")
    cases = [file.cases[index] for index in indices]
    sizes = (1, 3) if name == "batch" else (len(cases),)
    data = mutated.model.SerializeToString()
    repeats = name == "training"  # the others draw no random numbers
    result = run_graph(
        runtime,
        data,
        cases,
        file.signature,
        title=f"control {name}",
        sizes=sizes,
        repeats=repeats,
        weights=light.weights or file.weights,
    )
    light.hash(mutated.model)
    return Mutant(name=name, role="model", detail=mutated.detail, model=mutated.model, indices=indices, result=result)


def _below_threshold(mutant: Mutant, unmutated: RuntimeResult) -> bool:
    """The mutant gives what the unmutated model gives in every case: to the bit, or but for rounding."""
    threshold = VISIBLE_ABOVE[mutant.name]
    return all(
        not isinstance(before, Failed)
        and not isinstance(after, Failed)
        and all(_near(value, after[name], threshold) for name, value in before.items())
        for before, after in zip(unmutated.outputs, mutant.result.outputs, strict=True)
    )


def _near(value: Array, other: Array, share: float) -> bool:
    """Equal bits, or nowhere further apart than a share of the largest value."""
    if value.tobytes() == other.tobytes():
        return True
    if not share or not np.issubdtype(value.dtype, np.floating) or value.shape != other.shape:
        return False
    return bool(np.abs(value - other).max(initial=0.0) <= share * np.abs(value).max(initial=0.0))


# --- preprocess and pipeline ---


def preprocess_mutant(
    runtime: Runtime,
    name: str,
    preprocess: onnx.ModelProto,
    cases: Sequence[Case],
    *,
    model: Loaded,
    postprocess: Postprocess,
) -> Mutant | NotApplied:
    """The pipeline with a mutated preprocess, run on a few raw cases; the loaded model is shared."""
    if isinstance(model, Failed):
        return NotApplied(name=name, reason=model.reason)
    mutated = ON_PREPROCESS[name](preprocess)
    if mutated is None:
        return NotApplied(name=name, reason=f"this preprocess has nothing that {name} could change")
    indices = choose_cases(cases, MIN_CASES + 1)
    try:
        session = runtime.session(serialize(mutated.model), title=f"control {name}")
        rows = [_preprocess_to_answer(runtime, session, model, cases[index].inputs, postprocess) for index in indices]
        runtime.close(session)
    except (ZooError, onnx.checker.ValidationError) as error:
        rows = [(Failed(str(error)), Failed(str(error)))] * len(indices)
    return Mutant(
        name=name,
        role="pipeline",
        detail=mutated.detail,
        model=mutated.model,
        indices=indices,
        result=RuntimeResult(outputs=tuple(answer for _, answer in rows)),
        preprocessed=tuple(inputs for inputs, _ in rows),
    )


def _preprocess_to_answer(
    runtime: Runtime, preprocess: Session, model: Session, raw: Outputs, postprocess: Postprocess
) -> tuple[RuntimeOutputs, RuntimeOutputs]:
    """The inputs of the model under its own names, and the answer."""
    prefixed = run(runtime, preprocess, raw)
    inputs = _then(prefixed, lambda arrays: {name.removeprefix(IN): value for name, value in arrays.items()})
    outputs = _then(inputs, lambda arrays: run(runtime, model, arrays))
    return inputs, _then(outputs, lambda arrays: postprocess(arrays, raw))


def _then(outputs: RuntimeOutputs, step: Callable[[Outputs], RuntimeOutputs]) -> RuntimeOutputs:
    return outputs if isinstance(outputs, Failed) else step(outputs)


def pipeline_mutant(runtime: Runtime, control: Control, pipeline: onnx.ModelProto, file: GraphFile) -> Mutant:
    """The whole pipeline mutated by the task's own edit, run on a case of every kind: only some may show it."""
    if control.edit is None:
        raise PluginError(f"the control {control.name!r} is none of {', '.join(GENERIC_CONTROLS)} and names no edit")
    edit = cast("Callable[[onnx.ModelProto, int], onnx.ModelProto]", resolve(control.edit))
    model = edit(copy_of(pipeline), 0)
    cases, signature = file.cases, file.signature
    indices = choose_cases(cases, 1 + len({case.kind for case in cases if case.gates and not is_range(case)}))
    chosen = [cases[index] for index in indices]
    data = model.SerializeToString()
    result = run_graph(runtime, data, chosen, signature, title=f"control {control.name}", weights=file.weights)
    hash_weights(model)
    return Mutant(name=control.name, role="pipeline", detail=control.edit, model=model, indices=indices, result=result)
