"""A subject whose pictures all have one size: captured, it has no dynamic axis, and is proved like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from zoo.api.data import DataCard
from zoo.api.errors import Refused, UsageError
from zoo.api.parts import Signatures, TaskAnswers, TaskGraphs
from zoo.api.problem import Problem
from zoo.api.task import BoundaryCase, Case, Port, Purpose, Signature
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.subject.batching import SPATIAL, batch_name
from zoo_export.subject.choose_cases import Sizes, stretched
from zoo_export.subject.subject import Subject


def with_sizes(signature: Signature, sizes: Sizes) -> Signature:
    """The signature with these axes at one size each."""

    def fixed(port: Port) -> Port:
        return replace(port, shape=tuple(sizes.get(n, n) if isinstance(n, str) else n for n in port.shape))

    return Signature(inputs=tuple(map(fixed, signature.inputs)), outputs=tuple(map(fixed, signature.outputs)))


def takes_pictures(signature: Signature) -> bool:
    """Whether a pipeline takes pictures of any size."""
    return any(port.dtype == "uint8" and all(side in port.shape for side in SPATIAL) for port in signature.inputs)


def check_takes_pictures(subject: Subject) -> None:
    """UsageError for a model of texts, sounds or noise: a size of a picture says nothing about these."""
    signature = subject.pipeline_signature
    if takes_pictures(signature):
        return
    words = ", ".join(f"{port.name} {list(port.shape)}" for port in signature.inputs)
    lengths = any(port.name == "lengths" for port in signature.inputs)
    raise UsageError(
        f"--fixed-size is for models that take pictures, and {subject.model} takes {words}",
        hint="fill up the tokens of a shorter text, and say its own length in lengths: pipeline.onnx is proved so"
        if lengths
        else "leave --fixed-size out",
    )


def fixed_subject(subject: Subject, sizes: Sizes, example: Mapping[str, Array]) -> Subject:
    """The subject with all pictures at these sizes, `height` and `width`; `example` is one raw input.

    Refused where the model does not take such a picture.
    """
    pipeline = subject.torch_pipeline()
    raw = stretched_to(example, pipeline.signature, sizes)
    answers, graphs = subject.task.answers, subject.task.graphs
    prepared = _model_sizes(pipeline, raw, sizes, model=subject.model)
    task = replace(
        subject.task,
        make_graphs=lambda: cast("TaskGraphs", _FixedGraphs(graphs, sizes)),
        make_answers=lambda: cast("TaskAnswers", _FixedAnswers(answers, subject, {**prepared, **sizes})),
    )
    return replace(subject, task=task, ports=with_sizes(pipeline.model_signature, prepared))


def stretched_to(inputs: Mapping[str, Array], signature: Signature, sizes: Sizes) -> dict[str, Array]:
    """The same values, repeated or cut to these sizes."""
    changed = dict(inputs)
    ports = [port for port in signature.inputs if port.name in inputs]
    for name, size in sizes.items():
        changed = stretched(changed, ports, name, size)
    return changed


def _model_sizes(pipeline: TorchPipeline, raw: Mapping[str, Array], sizes: Sizes, *, model: str) -> dict[str, int]:
    """The size of each axis of the model but its batch, as the preprocess gives it for such a picture."""
    words = "x".join(str(sizes[side]) for side in SPATIAL)
    try:
        prepared = pipeline.inputs(raw)
        pipeline.outputs(prepared)
    except Exception as error:  # a module raises whatever it likes
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Refused(f"{model} does not take pictures of {words}: {reason}"[:300]) from error
    batch = batch_name(pipeline.model_signature)
    return {
        name: int(size)
        for port in pipeline.model_signature.inputs
        for name, size in zip(port.shape, prepared[port.name].shape, strict=True)
        if isinstance(name, str) and name != batch
    }


class _FixedGraphs:
    """The graphs of a task, their pictures at one size."""

    def __init__(self, graphs: TaskGraphs, sizes: Sizes) -> None:
        self._graphs, self._sizes = graphs, sizes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graphs, name)

    def signatures(self, problem: Problem) -> Signatures:
        """Those of the task; the model's own are the subject's `ports`."""
        signatures = self._graphs.signatures(problem)
        return replace(signatures, pipeline=with_sizes(signatures.pipeline, self._sizes))


class _FixedAnswers:
    """The answers of a task, its cases repeated or cut to one size; what is true of them is no longer known."""

    def __init__(self, answers: TaskAnswers, subject: Subject, sizes: Sizes) -> None:
        self._answers, self._sizes = answers, sizes
        self._signatures = dict.fromkeys(Purpose, subject.pipeline_signature)
        self._signatures[Purpose.MODEL] = subject.signature

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Those of the task, each picture once."""
        seen = set[bytes]()
        for case in self._answers.cases(card, problem, purpose, limit=limit):
            inputs = stretched_to(case.inputs, self._signatures[purpose], self._sizes)
            digest = b"".join(np.ascontiguousarray(value).tobytes() for value in inputs.values())
            if digest not in seen:
                seen.add(digest)
                yield replace(case, inputs=inputs, truth=None, item=None, real=None)

    def boundary_cases(self, problem: Problem, outputs: Sequence[Port]) -> Sequence[BoundaryCase]:
        """Those of the task, for pictures of this size."""
        signature = self._signatures[Purpose.PIPELINE]
        cases = self._answers.boundary_cases(problem, outputs)
        return [replace(case, raw=stretched_to(case.raw, signature, self._sizes)) for case in cases]
