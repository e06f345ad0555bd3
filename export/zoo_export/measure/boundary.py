"""The postprocess alone at the boundaries of what it decides by: what is right, and what a graph gave.

The outputs of the model are known to the bit here, so that nothing is a tie: the same number of boxes, the same
classes, the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from zoo.api.errors import PluginError
from zoo.api.task import BoundaryCase, Case, Signature
from zoo.bundle.judge.evidence import BOUNDARY, CaseEvidence
from zoo_export.capture.postprocess_graph import joint_names, postprocess_of
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.backends import DEFAULT
from zoo_export.reference.oracle import BackendRuns, DoubleOutputs, ReferenceOutputs, reference_outputs
from zoo_export.reference.postprocess import PipelinePair
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Postprocess:
    """The postprocess of a file, and the inputs that it is run on."""

    model: onnx.ModelProto
    """The postprocess as a graph of its own."""
    inputs: tuple[Outputs, ...]
    """Per case, under the names of the graph."""


def cut_postprocess(
    pipeline: onnx.ModelProto, model: Signature, answer: Signature, cases: Sequence[BoundaryCase], *, raw: Outputs
) -> Postprocess | Failed:
    """The postprocess of a whole graph with the inputs of the cases; a failure where it cannot be cut out.

    `raw` is an input of the pipeline: the postprocess of the file may read what PyTorch's does not.
    """
    try:
        cut = postprocess_of(pipeline, model, [port.name for port in answer.outputs])
    except PluginError as error:
        return Failed(error.message)
    names = joint_names(pipeline, model)
    read = {value.name for value in cut.graph.input}
    inputs = [{**raw, **{names[name]: value for name, value in case.outputs.items()}, **case.raw} for case in cases]
    return Postprocess(
        model=cut, inputs=tuple({name: value for name, value in arrays.items() if name in read} for arrays in inputs)
    )


def boundary_references(
    cases: Sequence[BoundaryCase], pipelines: PipelinePair
) -> tuple[ReferenceOutputs | Failed, ...]:
    """What PyTorch's own postprocess gives; a failure where its two precisions give another number of answers."""
    return tuple(_reference(case, pipelines) for case in cases)


def _reference(case: BoundaryCase, pipelines: PipelinePair) -> ReferenceOutputs | Failed:
    runs = BackendRuns(double=DoubleOutputs(outputs=case.outputs), single={DEFAULT: case.outputs})
    try:
        reference = reference_outputs(pipelines.answers(runs, case.raw))
    except Exception as error:  # a postprocess of a plugin may raise anything
        return Failed(f"{type(error).__name__}: {error}".splitlines()[0])
    if isinstance(reference, Failed):
        return reference
    unlike = [name for name, value in reference.single.items() if value.shape != reference.reference[name].shape]
    if unlike:
        return Failed(f"{', '.join(unlike)} of another length in single than in double precision")
    return reference


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryRun:
    """The cases with what is right and what a postprocess gave."""

    cases: tuple[BoundaryCase, ...]
    signature: Signature
    """Of the pipeline."""
    references: tuple[ReferenceOutputs | Failed, ...]
    outputs: tuple[RuntimeOutputs, ...]

    def giving(self, outputs: Sequence[RuntimeOutputs]) -> BoundaryRun:
        """The same cases, answered by another postprocess."""
        return replace(self, outputs=tuple(outputs))

    def evidence(self) -> tuple[CaseEvidence, ...]:
        """Every case compared, number by number."""
        rows = zip(self.cases, self.outputs, self.references, strict=True)
        return tuple(
            compare_case(_as_case(case), actual, expected, self.signature, exact=True)
            for case, actual, expected in rows
        )

    def equals(self, outputs: Sequence[RuntimeOutputs]) -> bool:
        """Whether other outputs are the same, bit for bit."""
        return all(_equal(row, other) for row, other in zip(self.outputs, outputs, strict=True))


def _as_case(case: BoundaryCase) -> Case:
    return Case(name=case.name, kind=BOUNDARY, inputs={**case.outputs, **case.raw}, origin="synthetic")


def _equal(row: RuntimeOutputs, other: RuntimeOutputs) -> bool:
    if isinstance(row, Failed) or isinstance(other, Failed):
        return row == other
    return all(
        value.shape == other[name].shape and np.array_equal(value, other[name], equal_nan=value.dtype.kind == "f")
        for name, value in row.items()
    )
