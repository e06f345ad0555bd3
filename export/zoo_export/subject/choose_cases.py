"""Which inputs a proof is made with: raw ones for the pipeline; the same preprocessed, and others, for the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.api.errors import PluginError
from zoo.api.task import Case, Port, Purpose, Signature
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo_export.subject.batching import batch_name
from zoo_export.subject.rollout import with_carried_state, with_initial_state
from zoo_export.subject.subject import Subject

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
    golden: tuple[Case, ...]
    """Those of `raw` that travel with the bundle; `bundle.golden_files` adds what is not among the raw ones."""


def collect(subject: Subject, pipeline: TorchPipeline, *, evaluate: int, golden_of_users: bool = True) -> Inputs:
    """The cases of a proof; PluginError when a task offers too few.

    Cases travel: as golden ones, step by step, as pictures of the report.  Where none may be the user's, all of them
    are made without the data, and the evaluation items, which never travel, lose their names.
    """
    task, problem, card = subject.task, subject.problem, subject.card
    shown = card if golden_of_users else None
    signature = subject.signature
    raw = with_carried_state(tuple(task.answers.cases(shown, problem, Purpose.PIPELINE, limit=RAW_CASES)), pipeline)
    few = GOLDEN_CASES - 2 if signature.feedback else GOLDEN_CASES - 1
    golden = with_initial_state(tuple(task.answers.cases(shown, problem, Purpose.GOLDEN, limit=few)), signature)
    known = {case.name for case in raw}
    raw += tuple(case for case in golden if case.name not in known)
    if not raw:
        raise PluginError(f"the task {problem.task} offers no cases for its pipeline, so nothing can be proved")
    preprocessed = [replace(case, inputs=pipeline.inputs(case.inputs)) for case in raw]
    offered = task.answers.cases(shown, problem, Purpose.MODEL, limit=MODEL_CASES)
    ready = [under_own_names(case, subject) for case in _of_other_kinds(offered, {case.kind for case in raw})]
    model = [*preprocessed, *with_initial_state(ready, signature)]
    model += _other_sizes(model, signature)
    known_data = card is not None or subject.trained  # published weights may come with embedded data
    items = (
        tuple(task.answers.cases(card, problem, Purpose.EVALUATION, limit=evaluate)) if known_data and evaluate else ()
    )
    if not golden_of_users:
        items = tuple(replace(case, name=f"item {n}", origin="") for n, case in enumerate(items, 1))
    return Inputs(raw=raw, model=tuple(_unique(model)), items=with_initial_state(items, signature), golden=golden)


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
        if name == batch or len({_size(case.inputs, signature.inputs, name) for case in cases}) > 2:
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
