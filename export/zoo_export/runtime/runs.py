"""Runs of a graph on a set of cases, in every batch size: no reference needed, so that they go beside PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np

from zoo.api.errors import ZooError
from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import RANGE
from zoo.bundle.onnx_file.external_data import Weights
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session
from zoo.models.outputs import Array
from zoo_export.subject.batching import batch_name, batches, group_size, join, split
from zoo_export.subject.large_outputs import kept_small
from zoo_export.subject.ranges import is_range, sequence_axis
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult
from zoo_export.subject.rollout import Rollout

BATCH_SIZES = (7, 1, 2, 3)
"""The largest first: it carries most cases."""
MORE_BATCH_SIZES = (65, 4, 8, 16, 33, 5, 7, 9, 17, 31, 32, 63, 64, 100, 6, 12, 10, 20, 24, 48)
"""Of one group of cases of equal shapes, put together from them again and again; the first matter most."""
MAX_BATCH_ELEMENTS = 1 << 24
"""Numbers that go in and come out of the largest of these batches: 64 MiB in single precision."""
MAX_BATCHES_ELEMENTS = 14_500_000
"""Of all of them together: 93 pictures of 224 pixels."""
LONG_BATCH_SIZES = (65, 9)
"""Of long sequences: what is wrong only where both are large."""
MAX_BATCH_PAIRS = 1 << 23
"""Pairs of positions in such a batch: attention has a number for each."""
SAME = 1e-5
"""Relative difference of the same case in two batches, which rounding does not reach."""
Loaded = Session | Failed


def load(runtime: Runtime, model: bytes, *, title: str, weights: Weights | None = None) -> Loaded:
    """A session, or the sentence in which the runtime refused the graph."""
    try:
        return runtime.session(model, title=title, weights=weights)
    except ZooError as error:
        return Failed(error.message)


def run(runtime: Runtime, session: Loaded, inputs: Outputs) -> RuntimeOutputs:
    """The outputs, or the sentence in which the runtime refused or died."""
    if isinstance(session, Failed):
        return session
    try:
        return kept_small(runtime.run(session, inputs))
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
    repeats: bool = True,
    weights: Weights | None = None,
) -> RuntimeResult:
    """Load a graph, run the cases, close it."""
    session = load(runtime, model, title=title, weights=weights)
    result = run_cases(runtime, session, cases, signature, sizes=sizes, repeats=repeats)
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
    more_sizes: Sequence[int] = (),
    repeats: bool = True,
) -> RuntimeResult:
    """The cases in batches of every size where the graph has a batch axis, one by one where not.

    With `more_sizes`, the cases of one shape go in batches of these sizes, as far as their memory allows, and a long
    sequence in batches of its own.  What a batch gives counts as the answer to a case where the batch gives its first
    case what that gave alone; other cases run alone.  With `repeats` one case runs once more, to see whether the bits
    are the same.
    """
    if isinstance(session, Failed):
        return RuntimeResult(outputs=(session,) * len(cases))
    inputs = [case.inputs for case in cases]
    first: dict[int, RuntimeOutputs] = {}
    by_batch: dict[int, list[tuple[int, RuntimeOutputs]]] = {}

    def add(size: int, indices: Sequence[int]) -> None:
        outputs = _run_batch(runtime, session, [inputs[index] for index in indices], signature)
        by_batch.setdefault(size, []).extend(_different(indices, outputs))
        if not _is_near(outputs[0], first.get(indices[0], outputs[0])):
            return  # this size is wrong, and the cases are not
        for index, row in zip(indices, outputs, strict=True):
            if not isinstance(row, Failed):
                first.setdefault(index, row)

    if batch_name(signature) is not None:
        group = _large_group(cases, signature) if more_sizes else []
        for index in group[:1]:
            add(1, [index])  # how large its outputs are says how many of them a batch may hold
        large = _large_batches(cases, group, first, more_sizes)
        for size, indices in (*large, *_usual_plan(cases, signature, sizes=sizes, large=large)):
            add(size, indices)
    for index, alone in enumerate(inputs):
        if index not in first:
            first[index] = run(runtime, session, alone)
    for size, indices in _long_batches(cases, signature, first) if more_sizes else ():
        add(size, indices)
    return RuntimeResult(
        outputs=tuple(first[index] for index in range(len(cases))),
        by_batch={size: tuple(rows) for size, rows in by_batch.items()},
        repeats_equal=_repeats(runtime, session, inputs[0], signature) if repeats else None,
    )


def _different(indices: Sequence[int], outputs: Sequence[RuntimeOutputs]) -> list[tuple[int, RuntimeOutputs]]:
    """The rows of a batch, but those that repeat what it gave for the same case: equal ones say nothing more."""
    rows: list[tuple[int, RuntimeOutputs]] = []
    for index, row in zip(indices, outputs, strict=True):
        if not any(index == other and _equal(row, known) for other, known in rows):
            rows.append((index, row))
    return rows


def _equal(row: RuntimeOutputs, other: RuntimeOutputs) -> bool:
    if isinstance(row, Failed) or isinstance(other, Failed):
        return row == other
    if row.keys() != other.keys():
        return False
    return all(np.array_equal(value, other[name], equal_nan=value.dtype.kind == "f") for name, value in row.items())


def _is_near(row: RuntimeOutputs, other: RuntimeOutputs) -> bool:
    """The same but for rounding."""
    if isinstance(row, Failed) or isinstance(other, Failed):
        return row == other
    if row.keys() != other.keys():  # a file with an output that the model has not
        return False
    return all(_are_near(value, other[name]) for name, value in row.items())


def _are_near(value: Array, other: Array) -> bool:
    if value.dtype.kind != "f" or value.shape != other.shape:
        return np.array_equal(value, other)
    finite = other[np.isfinite(other)]
    return np.allclose(value, other, rtol=0.0, atol=SAME * float(np.abs(finite).max(initial=0.0)), equal_nan=True)


Plan = list[tuple[int, list[int]]]
"""Sizes of batches with the indices of the cases that go into each."""


def _usual_plan(cases: Sequence[Case], signature: Signature, *, sizes: Sequence[int], large: Plan) -> Plan:
    """The plan of the cases that are of no range; those of `large` batches go in the small sizes alone."""
    usual = [index for index, case in enumerate(cases) if not is_range(case)]
    there = {index for _, indices in large for index in indices}
    done = {size for size, _ in large}
    plan: Plan = []
    for group in batches([cases[index].inputs for index in usual], signature, largest=len(usual)):
        indices = [usual[at] for at in group]
        if group_size(cases[indices[0]].inputs, signature) != 1:
            continue
        if there.isdisjoint(indices):
            plan += _plan(indices, sizes=sizes)
        else:
            others = (size for size in sizes if size > 1 and not min(done) <= size <= max(done))
            plan += [(size, _again(indices, size)) for size in others]
    return plan


def _large_group(cases: Sequence[Case], signature: Signature) -> list[int]:
    """The smallest of the groups of several gating cases of equal shapes, and all others of that shape."""
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for index, case in enumerate(cases):
        if group_size(case.inputs, signature) == 1:
            groups.setdefault(_shape(case), []).append(index)
    usual = {shape: [at for at in group if _is_usual(cases[at])] for shape, group in groups.items()}
    usual = {shape: group for shape, group in usual.items() if group}
    if not usual:
        return []
    shape = max(usual, key=lambda shape: (len(usual[shape]) > 1, -_elements(cases[usual[shape][0]].inputs)))
    return [*usual[shape], *(index for index in groups[shape] if index not in usual[shape])]


def _is_usual(case: Case) -> bool:
    return case.gates and not is_range(case)


def _shape(case: Case) -> tuple[tuple[int, ...], ...]:
    return tuple(value.shape for value in case.inputs.values())


def _large_batches(
    cases: Sequence[Case], group: Sequence[int], first: Mapping[int, RuntimeOutputs], sizes: Sequence[int]
) -> Plan:
    """A group of cases in batches of these sizes, as far as memory allows; the first carries as many as it holds."""
    if not group:
        return []
    elements = _elements(cases[group[0]].inputs) + _elements(first.get(group[0], {}))
    gating = [index for index in group if _is_usual(cases[index])]
    chosen: Plan = []
    total = 0
    for size in sizes:
        needed = size * elements
        if needed <= MAX_BATCH_ELEMENTS and total + needed <= MAX_BATCHES_ELEMENTS:
            chosen.append((size, _again(gating if chosen else group, size)))
            total += needed
    return chosen


def _again(indices: Sequence[int], size: int) -> list[int]:
    """So many of them, from the first on, again and again."""
    return [indices[at % len(indices)] for at in range(size)]


def _long_batches(cases: Sequence[Case], signature: Signature, first: Mapping[int, RuntimeOutputs]) -> Plan:
    """The longest sequence of a range that the memory allows, again and again in one batch."""
    name = sequence_axis(signature)
    if name is None or batch_name(signature) is None:
        return []
    port = next(port for port in signature.inputs if name in port.shape)
    axis = port.shape.index(name)
    long = [(case.inputs[port.name].shape[axis], index) for index, case in enumerate(cases) if case.kind == RANGE]
    plan = []
    for size in LONG_BATCH_SIZES:
        few = [
            (length, index)
            for length, index in long
            if size * length**2 <= MAX_BATCH_PAIRS
            if size * (_elements(cases[index].inputs) + _elements(first[index])) <= MAX_BATCH_ELEMENTS
        ]
        if few:
            plan.append((size, [max(few)[1]] * size))
    return plan


def _elements(arrays: RuntimeOutputs) -> int:
    return 0 if isinstance(arrays, Failed) else sum(value.size for value in arrays.values())


def _plan(group: Sequence[int], *, sizes: Sequence[int]) -> Plan:
    """Which cases of a group go together in which size: all of them once in the largest, a few in every other size."""
    plan: Plan = []
    at = 0
    for size in sizes:
        plan.append((size, [group[(at + step) % len(group)] for step in range(size)]))
        at += size
    planned = {index for _, indices in plan for index in indices}
    return plan + [(1, [index]) for index in group[sizes[0] :] if index not in planned]


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
    return [kept_small(row) for row in split(outputs, signature, [1] * len(inputs))]


def _repeats(runtime: Runtime, session: Session, inputs: Outputs, signature: Signature) -> bool | None:
    """Whether the same inputs give the same bits twice; None where they did not run twice."""
    first, second = run(runtime, session, inputs), run(runtime, session, inputs)
    if isinstance(first, Failed) or isinstance(second, Failed):
        return None
    return all(
        first[port.name].tobytes() == second[port.name].tobytes() for port in signature.outputs if port.name in first
    )
