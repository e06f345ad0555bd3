"""How far the answers move with the rounding of the model: the noise of its outputs, carried through the postprocess.

Answers of free length, such as boxes, cannot be compared position by position: where rounding exchanges two rows, the
distance of the whole arrays says nothing about either.  The postprocess amplifies as well, as when a small picture's
boxes become those of a large one.  So the outputs are moved by a thousandth of their noise, which hardly ever changes
what is decided, and the answers move by a thousandth of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from zoo.bundle.judge.evidence import Magnitude
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.reference.oracle import ReferenceOutputs, magnitude
from zoo_export.subject.results import Outputs

STEP: Final = 1e-3
"""In units of the noise."""
DIRECTIONS: Final = 3
SEED: Final = 20_27
Directions = Callable[[int], Iterator[Array]]
"""Signs for the positions of a last axis of this length, one set after the other."""


def answer_noise(
    expected: ReferenceOutputs, raw: Outputs, pipeline: TorchPipeline, names: Sequence[str]
) -> dict[str, float]:
    """Per answer of `names` how far it moves at most; as `carried_noise`."""
    return {
        name: size.max or 0.0 for name, size in carried_noise(expected, raw, pipeline, names, directions=alike).items()
    }


def carried_noise(
    expected: ReferenceOutputs,
    raw: Outputs,
    pipeline: TorchPipeline,
    names: Sequence[str],
    *,
    directions: Directions,
) -> dict[str, Magnitude]:
    """Per answer of `names` how far it moves, where the model's outputs are off by their noise.

    `expected` is what is right for the model, and `pipeline` computes in double precision.  Nothing is returned where
    every step decides otherwise.
    """
    right = pipeline.answer(expected.reference, raw)
    moved = {name: Magnitude(rms=0.0, max=0.0) for name in names}
    for output, error in expected.noise.items():
        if not error.max:
            continue
        steps = [
            _moved(expected.reference, output, STEP * signs * error.max)
            for signs in directions(math.prod(expected.reference[output].shape[-1:]))
        ]
        answers = [
            answer for answer in (pipeline.answer(outputs, raw) for outputs in steps) if _same_rows(right, answer)
        ]
        if not answers:
            return {}
        for name in names:
            moved[name] = _sum(moved[name], [magnitude(answer[name] - right[name]) for answer in answers])
    return moved


def alike(length: int) -> Iterator[Array]:
    """Few signs, the same for every row, so that rows of equal scores mostly keep their order."""
    yield np.ones(length)
    random = np.random.default_rng(SEED)
    yield from (random.choice((-1.0, 1.0), length) for _ in range(DIRECTIONS - 1))


def pairwise(length: int) -> Iterator[Array]:
    """Signs among which any two positions differ once: what a softmax answers depends on differences alone."""
    positions = np.arange(length)
    yield np.ones(length)
    yield from (np.where(positions >> bit & 1, 1.0, -1.0) for bit in range((length - 1).bit_length()))


def _moved(outputs: Outputs, name: str, by: Array) -> dict[str, Array]:
    return {**outputs, name: (outputs[name] + by).reshape(outputs[name].shape)}


def _same_rows(right: Mapping[str, Array], answer: Mapping[str, Array]) -> bool:
    """Whether two answers have the same rows: the same lengths, and the same whole numbers."""
    return all(
        value.shape == answer[name].shape and (value.dtype.kind == "f" or np.array_equal(value, answer[name]))
        for name, value in right.items()
    )


def _sum(moved: Magnitude, steps: Sequence[Magnitude]) -> Magnitude:
    """With the largest step, in units of the whole noise."""
    rms, most = (max(getattr(step, what) or 0.0 for step in steps) / STEP for what in ("rms", "max"))
    return Magnitude(rms=(moved.rms or 0.0) + rms, max=(moved.max or 0.0) + most)
