"""What a runtime gave for a set of cases, and the failure that stands in the place of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zoo.models.outputs import Array

Outputs = Mapping[str, Array]
"""The outputs of a graph by name."""


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no result."""

    reason: str
    """A sentence, in the words of whoever failed."""


RuntimeOutputs = Outputs | Failed
"""What the runtime gave for one input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeResult:
    """What the runtime gave for all cases of one graph."""

    outputs: tuple[RuntimeOutputs, ...]
    """Per case, in order."""
    by_batch: Mapping[int, tuple[tuple[int, RuntimeOutputs], ...]] = field(default_factory=dict)
    """Per batch size: (index of the case, its outputs) of every run of that size."""
    repeats_equal: bool | None = None
    """The same input twice gave the same bits; None where it did not run twice."""

    def on(self, indices: Sequence[int]) -> RuntimeResult:
        """The result of these cases alone, in this order."""
        position = {index: at for at, index in enumerate(indices)}
        by_batch = {
            size: tuple((position[index], outputs) for index, outputs in rows if index in position)
            for size, rows in self.by_batch.items()
        }
        outputs = tuple(self.outputs[index] for index in indices)
        return RuntimeResult(outputs=outputs, by_batch=by_batch, repeats_equal=self.repeats_equal)
