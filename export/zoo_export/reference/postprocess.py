"""What is right for pipeline.onnx: training-time preprocess, the model in every arithmetic, the postprocess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from zoo.api.task import Case
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.reference.oracle import BackendRuns, DoubleOutputs
from zoo_export.subject.batching import batches, join, split
from zoo_export.subject.large_outputs import kept_small
from zoo_export.subject.results import Failed, Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePair:
    """One pipeline in both precisions; its answers carry their margin."""

    single: TorchPipeline
    double: TorchPipeline

    def answers(self, runs: BackendRuns | Failed, raw: Outputs) -> BackendRuns | Failed:
        """The answers that follow from the model's outputs for a raw input."""
        if isinstance(runs, Failed):
            return runs
        variants = () if runs.double is None else runs.double.matching.alternatives()
        return BackendRuns(
            double=self._double(runs.double, raw),
            single={
                name: kept_small(self.single.answer_with_margin(outputs, raw)) for name, outputs in runs.single.items()
            },
            unmoved=self._double(runs.unmoved, raw),
            alternatives=tuple(kept_small(self.double.answer_with_margin(outputs, raw)) for outputs in variants),
        )

    def _double(self, outputs: DoubleOutputs | None, raw: Outputs) -> DoubleOutputs | None:
        if outputs is None:
            return None
        return DoubleOutputs(outputs=kept_small(self.double.answer_with_margin(outputs.outputs, raw)))


def pipeline_pair(pipeline: TorchPipeline, double: nn.Module | None) -> PipelinePair:
    """The pipeline in single precision beside itself in double; `double` is its model there, where that runs."""
    return PipelinePair(single=pipeline, double=pipeline.in_double(double or pipeline.model))


def batched_answers(cases: Sequence[Case], pipeline: TorchPipeline) -> list[dict[str, Array]]:
    """Plain eager PyTorch from raw input to answer; the model is given batches where it takes them."""
    signature = pipeline.model_signature
    inputs = [pipeline.inputs(case.inputs) for case in cases]
    answers: dict[int, dict[str, Array]] = {}
    for indices in batches(inputs, signature, largest=64):
        outputs = pipeline.outputs(join([inputs[index] for index in indices], signature.inputs))
        rows = split(outputs, signature, [1] * len(indices)) if len(indices) > 1 else [outputs]
        for index, row in zip(indices, rows, strict=True):
            answers[index] = pipeline.answer_with_margin(row, cases[index].inputs)
    return [answers[index] for index in range(len(cases))]
