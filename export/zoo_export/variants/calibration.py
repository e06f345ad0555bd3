"""What a conversion is calibrated with: a seeded sample of the train split, prepared as the pipeline prepares it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from zoo.api.task import Purpose
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.subject.results import Failed
from zoo_export.subject.rollout import with_carried_state
from zoo_export.subject.subject import Subject

ITEMS = 128
MIN_ITEMS = 16
"""With fewer the range of a tensor is that of a few pictures."""
WHOLE = 16
"""The number of items is a multiple of this one, so that they can be divided into groups."""
GROUP_BYTES = 512 << 20
"""Of the tensors of a group of items, which are held in memory at once."""
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Inputs of model.onnx, one item each; lengths may differ."""

    inputs: tuple[Mapping[str, Array], ...]
    words: str
    """As in "128 items of the train split of digits, seed 0"."""


def calibration_inputs(subject: Subject, pipeline: TorchPipeline) -> Calibration | Failed:
    """Items of the train split, chosen by the seed; why there are none, where that is so."""
    card = subject.card or subject.evaluation
    if card is None:
        return Failed("there are no data at hand to calibrate with")
    samples = card.splits.get("train", ())
    source = card.source.request.source
    generative = subject.task.tags.generative  # whose items are windows of few texts or recordings
    if not samples or (len(samples) < MIN_ITEMS and not generative):
        return Failed(f"{source} has {len(samples)} items to calibrate with, {MIN_ITEMS} are needed")
    order = np.random.default_rng(SEED).permutation(len(samples))[:ITEMS]
    chosen = replace(card, splits={**card.splits, "test": tuple(samples[index] for index in sorted(order))})
    cases = tuple(subject.task.answers.cases(chosen, subject.problem, Purpose.EVALUATION, limit=ITEMS))
    if len(cases) < MIN_ITEMS:
        return Failed(f"{source} gives {len(cases)} items to calibrate with, {MIN_ITEMS} are needed")
    inputs = whole_groups(tuple(pipeline.inputs(case.inputs) for case in with_carried_state(cases, pipeline)))
    return Calibration(inputs=inputs, words=f"{len(inputs)} items of the train split of {source}, seed {SEED}")


def whole_groups(inputs: tuple[Mapping[str, Array], ...]) -> tuple[Mapping[str, Array], ...]:
    """The first inputs, as many as make whole groups; all of them where their shapes differ."""
    count = len(inputs) // WHOLE * WHOLE
    return inputs[:count] if count and _equal_shapes(inputs) else inputs


def _equal_shapes(inputs: Sequence[Mapping[str, Array]]) -> bool:
    return len({tuple((name, array.shape) for name, array in given.items()) for given in inputs}) == 1


def tensor_bytes(model: onnx.ModelProto, inputs: Mapping[str, Array]) -> int:
    """Bytes of all tensors that the graph makes of one item, as far as their shapes can be told before it runs."""
    shaped = onnx.ModelProto()
    shaped.CopyFrom(model)
    for port in shaped.graph.input:
        if port.name in inputs:
            dims = port.type.tensor_type.shape.dim
            for dim, size in zip(dims, inputs[port.name].shape, strict=True):
                dim.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(shaped, data_prop=True).graph.value_info
    shapes = [[dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in inferred]
    return sum(4 * math.prod(shape) for shape in shapes)


class ItemReader:
    """Calibration items as ONNX Runtime's calibrators read them: by ranges of `group` items."""

    def __init__(self, inputs: Sequence[Mapping[str, Array]], *, item_bytes: int) -> None:
        self._inputs = inputs
        self._item_bytes = item_bytes
        self._items: Iterator[Mapping[str, Array]] = iter(inputs)

    @property
    def group(self) -> int:
        """How many items are read at once: one where shapes differ, because their histograms need equal shapes.

        The first group sets the width of a histogram's bins, so the group is as large as the memory allows. One item
        alone, in which a tensor is nearly zero, would make bins so narrow that the next items need millions of them.
        """
        if not _equal_shapes(self._inputs):
            return 1
        count = len(self._inputs)
        most = min(max(GROUP_BYTES // max(self._item_bytes, 1), 1), count)
        return max((size for size in range(1, most + 1) if count % size == 0), default=1)

    def __len__(self) -> int:
        return len(self._inputs)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Read these items next."""
        self._items = iter(self._inputs[start_index:end_index])

    def get_next(self) -> dict[str, Array] | None:
        """The next item; None at the end of the range."""
        item = next(self._items, None)
        return None if item is None else dict(item)
