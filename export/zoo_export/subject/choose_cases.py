"""Which inputs a proof is made with: raw ones for the pipeline; the same preprocessed, and others, for the model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.api.errors import PluginError
from zoo.api.task import BoundaryCase, Case, Port, Purpose, Signature
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo_export.subject.batching import batch_name
from zoo_export.subject.boundary import boundary_cases
from zoo_export.subject.golden_cases import stand_ins, without_own_data
from zoo_export.subject.large_outputs import kept_small
from zoo_export.subject.ranges import range_cases
from zoo_export.subject.results import Outputs
from zoo_export.subject.rollout import with_carried_state, with_initial_state
from zoo_export.subject.subject import Subject
from zoo_export.subject.values import values_beyond

RAW_CASES = 6
GOLDEN_CASES = 5
"""That travel with the bundle, one ready input of model.onnx and, of a graph with state, one roll-out among them."""
MODEL_CASES = 7
LENGTHS = (1, 5, 33)
"""Sizes tried along a dynamic axis that no case varies, as far as PyTorch itself runs at them."""


Sizes = Mapping[str, int]
"""Size per axis name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All inputs of one proof."""

    raw: tuple[Case, ...]
    """Inputs of pipeline.onnx."""
    model: tuple[Case, ...]
    """Inputs of model.onnx; the first ones are the raw ones, preprocessed by the training-time code in PyTorch."""
    items: tuple[Case, ...]
    """Evaluation items with their truth, as raw inputs; empty where there are no data."""
    boundary: tuple[BoundaryCase, ...]
    """Outputs of the model, made up for the postprocess alone."""
    golden: tuple[Case, ...]
    """Those of `raw` that travel with the bundle; `bundle.golden_files` adds what is not among the raw ones."""
    notes: tuple[str, ...] = ()
    """Sentences for the user."""


def collect(
    subject: Subject,
    pipeline: TorchPipeline,
    *,
    evaluate: int,
    golden_of_users: bool = True,
    preprocess: Callable[[Outputs], Outputs] | None = None,
) -> Inputs:
    """The cases of a proof; PluginError when a task offers too few.

    `preprocess` prepares the cases over the range of raw inputs, instead of the pipeline itself.

    Cases travel: as golden ones, step by step, as pictures of the report.  Where none may be the user's, the proof is
    made with them nevertheless, but they lose their names, and golden cases of other material stand in for them.
    """
    task, problem, card = subject.task, subject.problem, subject.card
    signature = subject.signature
    raw = tuple(task.answers.cases(card, problem, Purpose.PIPELINE, limit=RAW_CASES))
    notes: tuple[str, ...] = ()
    few = GOLDEN_CASES - 2 if signature.feedback else GOLDEN_CASES - 1
    if card is None or golden_of_users:
        golden = with_initial_state(tuple(task.answers.cases(card, problem, Purpose.GOLDEN, limit=few)), signature)
        raw = _joined(with_carried_state(raw, pipeline), golden)
    else:
        own = without_own_data(raw, subject)
        chosen = stand_ins(subject, pipeline, count=few)
        # golden ones first: a roll-out is made of the first case that is long enough, and travels as well
        golden, raw = chosen.cases, _joined(chosen.cases, with_carried_state(own, pipeline))
        notes = (chosen.note,) if chosen.note else ()
    if not raw:
        raise PluginError(f"the task {problem.task} offers no cases for its pipeline, so nothing can be proved")
    boundary = boundary_cases(subject, pipeline, raw)
    preprocessed = [replace(case, inputs=pipeline.inputs(case.inputs)) for case in raw]
    ranges = range_cases(raw, pipeline.signature, problem, parameters=subject.parameters)
    for case in (*ranges, *values_beyond(raw, pipeline.signature)):
        with contextlib.suppress(Exception):  # a size that PyTorch's own preprocess does not take is in no range
            preprocessed.append(replace(case, inputs=(preprocess or pipeline.inputs)(case.inputs)))
            raw += (replace(case, inputs=kept_small(case.inputs)),)
    offered = task.answers.cases(card if golden_of_users else None, problem, Purpose.MODEL, limit=MODEL_CASES)
    ready = [under_own_names(case, subject) for case in _of_other_kinds(offered, {case.kind for case in raw})]
    model = [*preprocessed, *with_initial_state(ready, signature)]
    beyond = values_beyond(model, signature)
    varied = [name for name in _names(signature.inputs) if len(_sizes(model, signature, name)) > 2]
    model += _other_sizes(model, signature)
    model += range_cases(model, signature, problem, parameters=subject.parameters, without=varied)
    model += beyond
    measured = subject.evaluation or card
    known_data = measured is not None or subject.trained  # published weights may come with embedded data
    items = (
        tuple(task.answers.cases(measured, problem, Purpose.EVALUATION, limit=evaluate))
        if known_data and evaluate
        else ()
    )
    if not golden_of_users:
        items = tuple(replace(case, name=f"item {n}", origin="") for n, case in enumerate(items, 1))
    return Inputs(
        raw=raw,
        model=tuple(_unique(model)),
        items=with_initial_state(items, signature),
        boundary=boundary,
        golden=golden,
        notes=notes,
    )


def _joined(cases: Sequence[Case], others: Sequence[Case]) -> tuple[Case, ...]:
    """The cases, and those of the others that have another name."""
    known = {case.name for case in cases}
    return (*cases, *(case for case in others if case.name not in known))


def _of_other_kinds(cases: Iterable[Case], kinds: set[str]) -> Iterator[Case]:
    """One case of every kind that is not there yet: each costs a run in every arithmetic."""
    seen = set(kinds)
    for case in cases:
        if case.kind not in seen:
            seen.add(case.kind)
            yield case


def under_own_names(case: Case, subject: Subject) -> Case:
    """A ready case of the task under the port names of the module, which may have its own."""
    ports = without_state(subject.signature).inputs
    if set(case.inputs) == {port.name for port in ports}:
        return case
    offered = subject.task.model_signature(subject.problem).inputs
    names = {port.name: own.name for port, own in zip(offered, ports, strict=True)}
    return replace(case, inputs={names[name]: value for name, value in case.inputs.items()})


def _unique(cases: Sequence[Case]) -> Iterator[Case]:
    """Every case under a name of its own."""
    seen: dict[str, int] = {}
    for case in cases:
        seen[case.name] = seen.get(case.name, 0) + 1
        yield case if seen[case.name] == 1 else replace(case, name=f"{case.name} ({seen[case.name]})")


def _other_sizes(cases: Sequence[Case], signature: Signature) -> list[Case]:
    """A gating case stretched along every dynamic axis that the cases leave at one size."""
    batch = batch_name(signature)
    first = next((case for case in cases if case.gates), cases[0])
    others = []
    for name in _names(signature.inputs):
        if name == batch or len(_sizes(cases, signature, name)) > 2:
            continue
        size = _size(first.inputs, signature.inputs, name)
        sizes = (size + 13, 2 * size + 5) if size > max(LENGTHS) else tuple(s for s in LENGTHS if s != size)
        others += [
            Case(
                name=f"{name} {other}",
                kind="size",
                inputs=stretched(first.inputs, signature.inputs, name, other),
                origin=f"{first.name}, repeated",
            )
            for other in sizes
        ]
    return others


def cases_of_sizes(cases: Sequence[Case], ports: Sequence[Port], sizes: Sequence[Sizes]) -> tuple[Case, ...]:
    """A gating case stretched to each of these sizes."""
    first = next((case for case in cases if case.gates), cases[0])
    stretched_cases = []
    for by_name in sizes:
        inputs = dict(first.inputs)
        for name, size in by_name.items():
            inputs = stretched(inputs, ports, name, size)
        title = ", ".join(f"{name} {size}" for name, size in by_name.items())
        stretched_cases.append(Case(name=title, kind="size", inputs=inputs, origin=f"{first.name}, repeated"))
    return tuple(stretched_cases)


def _names(ports: Sequence[Port]) -> list[str]:
    return list(dict.fromkeys(size for port in ports for size in port.shape if isinstance(size, str)))


def _sizes(cases: Sequence[Case], signature: Signature, name: str) -> set[int]:
    return {_size(case.inputs, signature.inputs, name) for case in cases}


def _size(inputs: Mapping[str, Array], ports: Sequence[Port], name: str) -> int:
    port = next(port for port in ports if name in port.shape)
    return int(inputs[port.name].shape[port.shape.index(name)])


def stretched(inputs: Mapping[str, Array], ports: Sequence[Port], name: str, size: int) -> dict[str, Array]:
    """The same values, repeated or cut along every axis of this name."""
    changed = dict(inputs)
    for port in ports:
        if name in port.shape:
            axis = port.shape.index(name)
            indices = np.arange(size) % inputs[port.name].shape[axis]
            changed[port.name] = np.ascontiguousarray(np.take(inputs[port.name], indices, axis=axis))
    return changed
