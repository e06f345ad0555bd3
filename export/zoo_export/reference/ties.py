"""Answers that are as right as PyTorch's own, because a tie may be decided in another way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from zoo.models.outputs import Array
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.reference.postprocess import PipelinePair
from zoo_export.reference.strategy import ReferenceStrategy, Run
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs

PERTURBATIONS = 64
"""Of two equal scores, each is the higher one in half of so many; of three pairs, every combination occurs in some."""


def case_alternatives(
    model: ReferenceOutputs | Failed,
    answer: ReferenceOutputs | Failed,
    outputs: RuntimeOutputs,
    raw: Outputs,
    pipelines: PipelinePair,
) -> list[Outputs]:
    """What is as right for one of the raw cases, in double precision; `outputs` are the file's own raw head for it."""
    alternatives = [] if isinstance(answer, Failed) else list(answer.alternatives)
    if not isinstance(model, Failed):
        alternatives += [pipelines.double.answer_with_margin(right, raw) for right in model.matching.right_for(outputs)]
    return alternatives


def item_alternatives(
    raw: Outputs,
    *,
    model: Sequence[ReferenceOutputs | Failed],
    strategy: ReferenceStrategy,
    pipelines: PipelinePair,
    run: Run,
) -> list[Outputs] | Failed:
    """What eager PyTorch answers to an evaluation item where ties are decided in another way.

    `model` are the references of the cases, and `run` asks the file for its raw head.
    """
    known = [reference.matching for reference in model if not isinstance(reference, Failed)]
    outputs = strategy.item_alternatives(pipelines.single.inputs(raw), known, run)
    if isinstance(outputs, Failed):
        return outputs
    return [pipelines.single.answer_with_margin(alternative, raw) for alternative in outputs]


def answers_within_noise(
    raw: Outputs, *, noise: Mapping[str, float], pipelines: PipelinePair
) -> Iterator[dict[str, Array]]:
    """What eager PyTorch answers where its own outputs are off by their noise."""
    outputs = pipelines.single.outputs(pipelines.single.inputs(raw))
    return (pipelines.single.answer_with_margin(perturbed, raw) for perturbed in perturb(outputs, noise))


def perturb(outputs: Outputs, noise: Mapping[str, float]) -> Iterator[dict[str, Array]]:
    """The outputs of a model many times, each number off by at most the noise of its output.

    Non-maximum suppression keeps the better one of two boxes that overlap: of two equal ones, either.
    """
    random = np.random.default_rng(PERTURBATIONS)
    for _ in range(PERTURBATIONS):
        yield {
            name: (value + random.uniform(-noise[name], noise[name], value.shape)).astype(value.dtype)
            if name in noise
            else value
            for name, value in outputs.items()
        }
