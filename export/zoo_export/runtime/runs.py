"""Runs of a graph on a set of cases, in every batch size: no reference needed, so that they go beside PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from zoo.api.errors import ZooError
from zoo.api.task import Case, Signature
from zoo.bundle.runtime.sandbox import Runtime, Session
from zoo_export.subject.batching import batch_name, batches, group_size, join, split
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult
from zoo_export.subject.rollout import Rollout

BATCH_SIZES = (7, 1, 2, 3)
"""The largest first: it carries most cases."""
Loaded = Session | Failed


def load(runtime: Runtime, model: bytes, *, title: str) -> Loaded:
    """A session, or the sentence in which the runtime refused the graph."""
    try:
        return runtime.session(model, title=title)
    except ZooError as error:
        return Failed(error.message)


def run(runtime: Runtime, session: Loaded, inputs: Outputs) -> RuntimeOutputs:
    """The outputs, or the sentence in which the runtime refused or died."""
    if isinstance(session, Failed):
        return session
    try:
        return runtime.run(session, inputs)
    except ZooError as error:
        return Failed(error.message)


def run_one_by_one(runtime: Runtime, session: Loaded, cases: Sequence[Case]) -> tuple[RuntimeOutputs, ...]:
    """The outputs for each case alone."""
    return tuple(run(runtime, session, case.inputs) for case in cases)


def run_rollout(runtime: Runtime, session: Loaded, rollout: Rollout) -> RuntimeOutputs:
    """The outputs of all steps of a rollout, the graph fed its own state."""
    if isinstance(session, Failed):
        return session
    try:
        return rollout.run(lambda inputs: runtime.run(session, inputs))
    except ZooError as error:
        return Failed(error.message)
    except KeyError as error:
        return Failed(f"no output {error}")


def run_graph(
    runtime: Runtime,
    model: bytes,
    cases: Sequence[Case],
    signature: Signature,
    *,
    title: str,
    sizes: Sequence[int] = BATCH_SIZES,
) -> RuntimeResult:
    """Load a graph, run the cases, close it."""
    session = load(runtime, model, title=title)
    result = run_cases(runtime, session, cases, signature, sizes=sizes)
    if not isinstance(session, Failed):
        with contextlib.suppress(ZooError):  # a process that died has no sessions left
            runtime.close(session)
    return result


def run_cases(
    runtime: Runtime,
    session: Loaded,
    cases: Sequence[Case],
    signature: Signature,
    *,
    sizes: Sequence[int] = BATCH_SIZES,
) -> RuntimeResult:
    """The cases in batches of every size where the graph has a batch axis, one by one where not."""
    if isinstance(session, Failed):
        return RuntimeResult(outputs=(session,) * len(cases))
    inputs = [case.inputs for case in cases]
    first: dict[int, RuntimeOutputs] = {}
    by_batch: dict[int, list[tuple[int, RuntimeOutputs]]] = {}
    if batch_name(signature) is not None:
        for size, indices in _plan(inputs, signature, sizes=sizes):
            outputs = _run_batch(runtime, session, [inputs[index] for index in indices], signature)
            by_batch.setdefault(size, []).extend(zip(indices, outputs, strict=True))
            for index, row in zip(indices, outputs, strict=True):
                if not isinstance(row, Failed):
                    first.setdefault(index, row)
    for index, alone in enumerate(inputs):
        if index not in first:
            first[index] = run(runtime, session, alone)
    return RuntimeResult(
        outputs=tuple(first[index] for index in range(len(cases))),
        by_batch={size: tuple(rows) for size, rows in by_batch.items()},
        repeats_equal=_repeats(runtime, session, inputs[0], signature),
    )


def _plan(inputs: Sequence[Outputs], signature: Signature, *, sizes: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Which cases go together in which size: all of them once in the largest, then a few in every other size."""
    plan: list[tuple[int, list[int]]] = []
    for group in batches(inputs, signature, largest=len(inputs)):
        if group_size(inputs[group[0]], signature) != 1:
            continue
        at = 0
        for size in sizes:
            indices = [group[(at + step) % len(group)] for step in range(size)]
            plan.append((size, indices))
            at += size
        left = group[sizes[0] :] if len(group) > sizes[0] else []
        planned = {index for _, indices in plan for index in indices}
        plan += [(1, [index]) for index in left if index not in planned]
    return plan


def _run_batch(
    runtime: Runtime, session: Session, inputs: Sequence[Outputs], signature: Signature
) -> list[RuntimeOutputs]:
    outputs = run(runtime, session, join(inputs, signature.inputs))
    if isinstance(outputs, Failed):
        return [outputs] * len(inputs)
    name = batch_name(signature)
    for port in signature.outputs:
        axis = port.shape.index(name) if name in port.shape else 0
        value = outputs.get(port.name)
        if value is None or value.ndim <= axis or value.shape[axis] != len(inputs):
            shape = "nothing" if value is None else list(value.shape)
            return [Failed(f"a batch of {len(inputs)} gives {port.name} of shape {shape}")] * len(inputs)
    return list(split(outputs, signature, [1] * len(inputs)))


def _repeats(runtime: Runtime, session: Session, inputs: Outputs, signature: Signature) -> bool | None:
    """Whether the same inputs give the same bits twice; None where they did not run twice."""
    first, second = run(runtime, session, inputs), run(runtime, session, inputs)
    if isinstance(first, Failed) or isinstance(second, Failed):
        return None
    return all(
        first[port.name].tobytes() == second[port.name].tobytes() for port in signature.outputs if port.name in first
    )
