"""Made-up outputs of a model for the postprocess alone: the task's own, or random ones of several sizes.

A proof of the whole pipeline meets a threshold only where some picture happens to lie at it.  The postprocess alone is
a small graph, and can be asked at every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from zoo.api.errors import PluginError
from zoo.api.task import BoundaryCase, Case, Port
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, raw_inputs, without_state
from zoo_export.subject.subject import Subject

FACTORS: Final = (1 / 64, 1.0, 8.0, 32.0)
"""Sizes of random outputs, in units of the usual ones."""
PEAK: Final = 16.0
"""The one element of an output that is not zero, in units of the usual size."""
SEED: Final = 20_25
MAX_ELEMENTS: Final = 1 << 20
"""Of all outputs of a model, for random ones."""


def boundary_cases(subject: Subject, pipeline: TorchPipeline, raw: Sequence[Case]) -> tuple[BoundaryCase, ...]:
    """The cases of a subject; none where the postprocess gives back what it gets, or a state is carried through it.

    `raw` are raw inputs of the proof.  A task without the tag `has_boundary` gets random outputs where the sizes of its
    answers follow from those of the inputs.
    """
    if subject.signature.feedback or not raw:
        return ()
    try:
        example = pipeline.outputs(pipeline.inputs(raw[0].inputs))
    except Exception:  # the proof says next that the model does not run, and where
        return ()
    ports = [replace(port, shape=tuple(example[port.name].shape)) for port in pipeline.model_signature.outputs]
    if subject.task.tags.has_boundary:
        cases = tuple(subject.task.answers.boundary_cases(subject.problem, ports))
        _check(subject, cases, ports)
        return tuple(replace(case, outputs={**example, **case.outputs}) for case in cases)
    if _is_passed_on(pipeline, example, raw[0].inputs) or _has_free_sizes(pipeline):
        return ()
    return _random_cases(pipeline, example, raw)


def _check(subject: Subject, cases: Sequence[BoundaryCase], ports: Sequence[Port]) -> None:
    """PluginError where a task's case does not have the shapes that it was told."""
    shapes = {port.name: port.shape for port in ports}
    for case in cases:
        for name, value in case.outputs.items():
            if name not in shapes or tuple(value.shape) != shapes[name]:
                raise PluginError(
                    f"{subject.task.name}: the boundary case {case.name!r} gives {name} the shape "
                    f"{list(value.shape)}; the model gives {list(shapes.get(name, ()))}"
                )


def _is_passed_on(pipeline: TorchPipeline, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> bool:
    """Whether the answer is the model's outputs as they are."""
    answer = [value.tobytes() for value in pipeline.answer(outputs, raw).values()]
    return answer == [value.tobytes() for value in outputs.values()]


def _has_free_sizes(pipeline: TorchPipeline) -> bool:
    """Whether the sizes of an answer depend on values."""
    signature = without_state(pipeline.signature)
    known = {size for port in signature.inputs for size in port.shape}
    return any(isinstance(size, str) and size not in known for port in signature.outputs for size in port.shape)


def _random_cases(
    pipeline: TorchPipeline, example: Mapping[str, Array], raw: Sequence[Case]
) -> tuple[BoundaryCase, ...]:
    """Random outputs, and one element alone; each beside another raw input, where the postprocess reads one."""
    floats = {name: value for name, value in example.items() if np.issubdtype(value.dtype, np.floating)}
    if not floats or sum(value.size for value in example.values()) > MAX_ELEMENTS:
        return ()
    read = raw_inputs(pipeline.postprocess)
    sizes = {name: float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))) or 1.0 for name, value in floats.items()}
    random = np.random.default_rng(SEED)

    def case(number: int, name: str, values: Mapping[str, Array]) -> BoundaryCase:
        beside = {port: value for port, value in raw[number % len(raw)].inputs.items() if port in read}
        return BoundaryCase(name=name, outputs={**example, **values}, raw=beside)

    drawn = {name: random.standard_normal(value.shape) for name, value in floats.items()}
    cases = [
        case(number, f"random outputs x {factor:g}", {n: _single(drawn[n], factor * sizes[n]) for n in floats})
        for number, factor in enumerate(FACTORS)
    ]
    peaks = {}
    for name, value in floats.items():
        peaks[name] = np.zeros(value.shape, np.float32)
        peaks[name].flat[value.size // 3] = PEAK * sizes[name]
    return (*cases, case(len(FACTORS), "one element alone", peaks))


def _single(values: Any, size: float) -> Array:
    return np.asarray(values * size, np.float32)
