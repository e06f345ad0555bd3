"""How outputs are matched with the reference: a strategy, chosen by the module.

Most modules give dense outputs: every number has one position, and is compared with the number at the same position.
Another strategy may match parts of an output by name, or know several outputs that are equally right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from zoo.models.outputs import Array
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs

TIE_NOISE = 10.0
"""Two scores closer than so many times PyTorch's own error have no order."""
Run = Callable[[Outputs], RuntimeOutputs]
"""Inputs of model.onnx to what the file gives for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionCounts:
    """A selection of parts against the right one."""

    parts: int
    """In either, or possible."""
    wrong: int
    """Certain but missing, impossible but there, or there twice."""
    different: int
    """In one of the two only, ties included."""
    tied: int
    """Possible but not certain."""


class Matching(Protocol):
    """How outputs for one input are matched with the reference outputs for it."""

    @property
    def decided(self) -> bool:
        """The reference is the only right answer, position by position."""

    def is_selection(self, name: str) -> bool:
        """Whether this output says which parts were selected, instead of holding numbers."""

    def pair(self, name: str, outputs: Outputs, reference: Outputs) -> tuple[Array, Array]:
        """The numbers of an output that can be compared, and beside them the right ones."""

    def count(self, name: str, outputs: Outputs, reference: Outputs) -> SelectionCounts:
        """Of an output that is a selection: how it differs from the right one."""

    def alternatives(self) -> Iterable[Outputs]:
        """Other outputs, in double precision, that would be as right."""

    def right_for(self, outputs: RuntimeOutputs) -> Sequence[Outputs]:
        """The right outputs, in double precision, for the selection that these outputs made, where it was possible."""


class ReferenceStrategy(Protocol):
    """How the outputs of one module are matched."""

    def matching(self, inputs: Outputs) -> Matching | Failed:
        """Of one input; a failure where too much would be right to compare anything."""

    def moved(self, matching: Matching, inputs: Outputs) -> Matching | Failed:
        """The same for an input that is as right as the one of `matching`."""

    def item_alternatives(self, inputs: Outputs, known: Sequence[Matching], run: Run) -> Iterable[Outputs] | Failed:
        """Other outputs in single precision that are as right for an evaluation item, `known` those of the cases."""


@dataclass(frozen=True, slots=True)
class DenseMatching:
    """Position by position."""

    decided: bool = True

    def is_selection(self, name: str) -> bool:  # noqa: ARG002
        """No output is."""
        return False

    def pair(self, name: str, outputs: Outputs, reference: Outputs) -> tuple[Array, Array]:
        """The whole output and the whole reference."""
        return outputs[name], reference[name]

    def count(self, name: str, outputs: Outputs, reference: Outputs) -> SelectionCounts:
        """Never asked for."""
        raise AssertionError(f"{name} of {len(outputs)} and {len(reference)} outputs is no selection")

    def alternatives(self) -> Iterable[Outputs]:
        """None."""
        return ()

    def right_for(self, outputs: RuntimeOutputs) -> Sequence[Outputs]:  # noqa: ARG002
        """None: there is no selection."""
        return ()


DENSE = DenseMatching()


@dataclass(frozen=True, slots=True)
class DenseStrategy:
    """Every input is matched position by position."""

    def matching(self, inputs: Outputs) -> Matching | Failed:  # noqa: ARG002
        """The same for every input."""
        return DENSE

    def moved(self, matching: Matching, inputs: Outputs) -> Matching | Failed:  # noqa: ARG002
        """As before."""
        return matching

    def item_alternatives(
        self,
        inputs: Outputs,  # noqa: ARG002
        known: Sequence[Matching],  # noqa: ARG002
        run: Run,  # noqa: ARG002
    ) -> Iterable[Outputs] | Failed:
        """None."""
        return ()
