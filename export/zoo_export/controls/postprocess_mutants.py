"""Mutants of the postprocess alone, on the boundary cases; see `postprocess_edits`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

import onnx

from zoo.api.errors import ZooError
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.torch_export import serialize
from zoo_export.controls.graph_edits import Mutated
from zoo_export.controls.mutants import Mutant, NotApplied, Pending
from zoo_export.controls.postprocess_edits import ON_POSTPROCESS
from zoo_export.measure.boundary import Postprocess
from zoo_export.runtime.queue import RuntimeQueue
from zoo_export.runtime.runs import load, run
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult

PREFIX = "postprocess: "
"""Of the names of these mutants: a task may have controls of the same name."""


def submit_postprocess_mutants(queue: RuntimeQueue, postprocess: Postprocess | Failed) -> dict[str, Pending]:
    """The mutants that the structure of a postprocess allows, by name; none without cases."""
    if isinstance(postprocess, Failed) or not postprocess.inputs:
        return {}
    edited = {name: edit(postprocess.model) for name, edit in ON_POSTPROCESS.items()}
    jobs = {name: partial(_mutant, name, mutated, postprocess.inputs) for name, mutated in edited.items() if mutated}
    return {PREFIX + name: queue.submit(job) for name, job in jobs.items()}


def _mutant(name: str, mutated: Mutated, inputs: Sequence[Outputs], runtime: Runtime) -> Mutant | NotApplied:
    outputs = run_alone(runtime, mutated.model, inputs, title=f"control {PREFIX}{name}")
    failures = [row.reason for row in outputs if isinstance(row, Failed)]
    if len(failures) == len(outputs):
        return NotApplied(name=PREFIX + name, reason=f"{mutated.detail}: the runtime refuses it: {failures[0]}")
    return Mutant(
        name=PREFIX + name,
        role="pipeline",
        detail=mutated.detail,
        model=mutated.model,
        indices=(),
        result=RuntimeResult(outputs=outputs),
    )


def run_boundary(runtime: Runtime, postprocess: Postprocess | Failed, count: int) -> tuple[RuntimeOutputs, ...]:
    """What a postprocess gives for its cases, of which there are `count`."""
    if isinstance(postprocess, Failed):
        return (postprocess,) * count
    if not postprocess.inputs:
        return ()
    return run_alone(runtime, postprocess.model, postprocess.inputs, title="the postprocess")


def run_alone(
    runtime: Runtime, model: onnx.ModelProto, inputs: Sequence[Outputs], *, title: str
) -> tuple[RuntimeOutputs, ...]:
    """A small graph, loaded, run and closed."""
    session = load(runtime, serialize(model), title=title)
    outputs = tuple(run(runtime, session, arrays) for arrays in inputs)
    if not isinstance(session, Failed):
        with contextlib.suppress(ZooError):  # a process that died has no sessions left
            runtime.close(session)
    return outputs
