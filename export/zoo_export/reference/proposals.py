"""The strategy for modules that select proposals by score and look further into these, as two-stage detectors do.

A selection is a step function: of two proposals with equal scores either may be taken, and a different one changes the
rows after it.  So rows are compared by the name of their proposal, wherever they stand; and of the selection itself it
is asked that every certain proposal is in it and no impossible one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo.models.outputs import Array, arguments
from zoo_export.reference.backends import CHANNELS_LAST, Backends, in_channels_last, without_onednn
from zoo_export.reference.strategy import TIE_NOISE, Matching, Run, SelectionCounts
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs

NONE = -1
"""The name of a proposal that is not there."""
MAX_UNCERTAIN_PROPOSALS = 24
"""So many proposals that may or may not be selected are tried one by one."""
TOO_MANY = Failed("too many proposals have scores within the noise of each other")


@runtime_checkable
class SelectsProposals(Protocol):
    """An adapter whose outputs are rows [1, k, …], one for each selected proposal, in an order without meaning."""

    keys: str
    """The int64 output [1, k] that names the proposals; -1 is none, and its row is zero."""

    def selection_scores(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The numbers that the selection depends on."""

    def possible(self, *inputs: torch.Tensor, off: Sequence[float]) -> tuple[torch.Tensor, ...] | None:
        """The outputs with a row for every proposal that some selection could hold, were each of the selection scores
        off by `off` at most; and, after them, bool [1, k]: which proposals every such selection holds.  None where they
        are too many to say."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """Every row that could be among the right ones, for one input."""

    keys: str
    """The output that names the rows."""
    outputs: Mapping[str, Array]
    """In double precision."""
    certain: Array
    """bool [k]: those that must be there."""
    slack: tuple[float, ...] = ()
    """How far off each of the selection scores may be."""

    @property
    def decided(self) -> bool:
        """There is only one selection."""
        return bool(self.certain.all())

    def is_selection(self, name: str) -> bool:
        """Whether this is the output that names the rows."""
        return name == self.keys

    def pair(self, name: str, outputs: Outputs, reference: Outputs) -> tuple[Array, Array]:
        """The rows of an output whose names are known, and beside them what is right for each."""
        if self.keys not in outputs:
            return outputs[name], reference[name]
        row_of = {int(key): row for row, key in enumerate(self.outputs[self.keys][0]) if key != NONE}
        known = [(row, row_of[int(key)]) for row, key in enumerate(outputs[self.keys][0]) if int(key) in row_of]
        actual, expected = ([pair[side] for pair in known] for side in (0, 1))
        return outputs[name][0][actual], self.outputs[name][0][expected]

    def count(self, name: str, outputs: Outputs, reference: Outputs) -> SelectionCounts:
        """The selection compared by names; a row without a name that is not zero is wrong as well."""
        counts, unnamed = compare_selections(outputs[name], reference[name], self), unnamed_rows(self.keys, outputs)
        return SelectionCounts(
            parts=counts.parts + unnamed,
            wrong=counts.wrong + unnamed,
            different=counts.different + unnamed,
            tied=counts.tied,
        )

    def alternatives(self) -> Iterator[dict[str, Array]]:
        """Selections that could have been made, as outputs; none where there is only one.

        All rows, and the certain rows alone.  Then for each uncertain proposal, `MAX_UNCERTAIN_PROPOSALS` at most: all
        rows without it, and the certain rows with it, because one row may suppress another in the answer.
        """
        if self.decided:
            return
        yield self._rows(np.ones_like(self.certain))
        yield self._rows(self.certain)
        for row in np.flatnonzero(~self.certain)[:MAX_UNCERTAIN_PROPOSALS]:
            this_row = np.arange(len(self.certain)) == row
            yield self._rows(~this_row)
            yield self._rows(self.certain | this_row)

    def right_for(self, outputs: RuntimeOutputs) -> Sequence[Outputs]:
        """The right rows for the proposals that these outputs selected, if they could be selected."""
        if isinstance(outputs, Failed) or self.keys not in outputs:
            return ()
        keys = outputs[self.keys]
        if compare_selections(keys, keys, self).wrong:
            return ()
        return (self._rows(np.isin(self.outputs[self.keys][0], [*_names(keys)])),)

    def _rows(self, rows: Array) -> dict[str, Array]:
        """These rows, bool [k]."""
        return {name: value[:, rows] for name, value in self.outputs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalStrategy:
    """How the outputs of a module that selects proposals are matched."""

    backends: Backends

    def matching(self, inputs: Outputs) -> Matching | Failed:
        """The proposals that PyTorch could select, its selection scores being as far off as they are."""
        double, module = self.backends.double, self.backends.module
        single = [self._scores(module, inputs)]
        with without_onednn():
            single.append(self._scores(module, inputs))
        if CHANNELS_LAST in self.backends.facts.backends:
            single.append(self._scores(module, inputs, channels_last=True))
        return self._proposals(inputs, _slack(self._scores(double, inputs, double=True), single))

    def moved(self, matching: Matching, inputs: Outputs) -> Matching | Failed:
        """The proposals of other inputs under the same error of the scores."""
        assert isinstance(matching, Proposals)
        return self._proposals(inputs, matching.slack)

    def item_alternatives(self, inputs: Outputs, known: Sequence[Matching], run: Run) -> Iterable[Outputs] | Failed:
        """What is right for the file's own selection, and for the others that could have been made."""
        slacks = [matching.slack for matching in known if isinstance(matching, Proposals) and matching.slack]
        if not slacks:
            return ()
        slack = tuple(max(column) for column in zip(*slacks, strict=True))
        proposals = _possible(self.backends.module, inputs, self.backends.signature, slack=slack, double=False)
        if isinstance(proposals, Failed):
            return proposals
        return (*proposals.right_for(run(inputs)), *proposals.alternatives())

    def _proposals(self, inputs: Outputs, slack: tuple[float, ...]) -> Proposals | Failed:
        return _possible(self.backends.double, inputs, self.backends.signature, slack=slack, double=True)

    def _scores(
        self, module: nn.Module | None, inputs: Outputs, *, double: bool = False, channels_last: bool = False
    ) -> list[torch.Tensor]:
        assert isinstance(module, SelectsProposals)
        tensors = arguments(inputs, self.backends.signature, double=double)
        with torch.no_grad():
            scores = module.selection_scores(*(in_channels_last(*tensors) if channels_last else tensors))
            return [score.contiguous() for score in scores]


def proposal_strategy(backends: Backends) -> ProposalStrategy | None:
    """The strategy for these backends, where the module asks for it."""
    selects = isinstance(backends.module, SelectsProposals) and isinstance(backends.double, SelectsProposals)
    return ProposalStrategy(backends=backends) if selects else None


def compare_selections(actual: Array, expected: Array, proposals: Proposals) -> SelectionCounts:
    """Two selections [1, k] by the names of their proposals."""
    keys = proposals.outputs[proposals.keys]
    selected, right, possible = _names(actual), _names(expected), _names(keys)
    certain = set(keys[0][proposals.certain].tolist()) - {NONE}
    twice = int(np.count_nonzero(actual != NONE)) - len(selected)
    return SelectionCounts(
        parts=len(selected | right | possible) + twice,
        wrong=len(selected - possible) + len(certain - selected) + twice,
        different=len(selected ^ right) + twice,
        tied=len(possible - certain),
    )


def unnamed_rows(keys: str, outputs: Outputs) -> int:
    """Rows without a name that are not zero."""
    unnamed = outputs[keys] == NONE
    not_zero = np.zeros_like(unnamed)
    for name, value in outputs.items():
        if name != keys and value.shape[:2] == unnamed.shape:
            not_zero |= (value.reshape(*unnamed.shape, -1) != 0).any(-1)
    return int(np.count_nonzero(not_zero & unnamed))


def _names(keys: Array) -> set[int]:
    return set(keys[0].tolist()) - {NONE}


def _slack(double: Sequence[torch.Tensor], singles: Iterable[Sequence[torch.Tensor]]) -> tuple[float, ...]:
    """How far each of the scores may be off: two of them differ by `TIE_NOISE` times PyTorch's own error at most."""
    largest = [
        [float((narrow.double() - wide).abs().max()) for narrow, wide in zip(single, double, strict=True)]
        for single in singles
    ]
    return tuple(TIE_NOISE / 2 * max(errors) for errors in zip(*largest, strict=True))


def _possible(
    module: nn.Module | None, inputs: Outputs, signature: Signature, *, slack: tuple[float, ...], double: bool
) -> Proposals | Failed:
    """What could be selected from one input."""
    assert isinstance(module, SelectsProposals)
    with torch.no_grad():
        possible = module.possible(*arguments(inputs, signature, double=double), off=slack)
    if possible is None:
        return TOO_MANY
    *outputs, certain = possible
    named = dict(zip((port.name for port in signature.outputs), (tensor.numpy() for tensor in outputs), strict=True))
    return Proposals(module.keys, named, certain[0].numpy(), slack)
