"""Graphs that look further into some of many parts, as a two-stage detector into regions, chosen by score.

A choice is a step: of two parts as good as each other either may be taken, and one that is taken otherwise changes
places, or is there where the other was not.  What can be compared is each part by its name, wherever it stands; and
of the choice itself, that everything certain was chosen and nothing impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo_export.subject.module_io import Array, arguments

TIED = 10.0
"""Two scores closer than so many times PyTorch's own error have no order."""
NONE = -1
"""The name of a part that is not there."""
ALONE = 24
"""So many parts that may or may not be there are looked at one by one."""


@runtime_checkable
class Selecting(Protocol):
    """An adapter whose outputs are rows [1, k, …], one for each chosen part, in no order that means anything."""

    keys: str
    """The int64 output [1, k] that tells the rows apart; -1 is none, and its row is zero."""

    def grounds(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The numbers that the choice rests on."""

    def possible(self, *inputs: torch.Tensor, off: Sequence[float]) -> tuple[torch.Tensor, ...] | None:
        """The outputs with a row for every part that some choice could have, were each of the grounds off by `off` at
        most; and, after them, bool [1, k]: which parts every such choice has.  None where they are too many to say."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row that could be among the right ones."""

    keys: str
    """The output that names the rows."""
    outputs: Mapping[str, Array]
    """In double precision."""
    certain: Array
    """bool [k]: those that must be there."""

    @property
    def decided(self) -> bool:
        """There is only one choice."""
        return bool(self.certain.all())

    def ways(self) -> Iterator[dict[str, Array]]:
        """Choices that could have been made; none where there is only one.

        All the rows, and only those that must be there; then, since what one row adds another may take away again,
        each of the others missing from those and added to these, up to `ALONE` of them.
        """
        if self.decided:
            return
        yield self._of(np.ones_like(self.certain))
        yield self._of(self.certain)
        for row in np.flatnonzero(~self.certain)[:ALONE]:
            alone = np.arange(len(self.certain)) == row
            yield self._of(~alone)
            yield self._of(self.certain | alone)

    def chosen(self, keys: Array) -> dict[str, Array] | None:
        """What is right where just these parts [1, k] were chosen; None where no choice could have been that."""
        found = compared(keys, keys, self)
        names = self.outputs[self.keys][0]
        return None if found.wrong else self._of(np.isin(names, [*_named(keys)]))

    def _of(self, rows: Array) -> dict[str, Array]:
        """These rows, bool [k]."""
        return {name: value[:, rows] for name, value in self.outputs.items()}

    def paired(self, name: str, given: Mapping[str, Array]) -> tuple[Array, Array]:
        """The given rows of an output whose names are known, and beside them what is right for each."""
        known = {int(key): row for row, key in enumerate(self.outputs[self.keys][0]) if key != NONE}
        pairs = [(row, known[int(key)]) for row, key in enumerate(given[self.keys][0]) if int(key) in known]
        ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
        return given[name][0][ours], self.outputs[name][0][theirs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A choice against the right one, in parts."""

    parts: int
    """In either, or possible."""
    wrong: int
    """Certain but not there, impossible but there, or there twice."""
    other: int
    """In one of the two only, ties included."""
    tied: int
    """May or may not be there."""


def compared(given: Array, right: Array, rows: Rows) -> Chosen:
    """Two choices [1, k] by the names of their parts."""
    ours, theirs, may = (_named(keys) for keys in (given, right, rows.outputs[rows.keys]))
    must = set(rows.outputs[rows.keys][0][rows.certain].tolist()) - {NONE}
    twice = int(np.count_nonzero(given != NONE)) - len(ours)
    return Chosen(
        parts=len(ours | theirs | may) + twice,
        wrong=len(ours - may) + len(must - ours) + twice,
        other=len(ours ^ theirs) + twice,
        tied=len(may - must),
    )


def unnamed(keys: str, given: Mapping[str, Array]) -> int:
    """Rows without a name that are not zero."""
    none = given[keys] == NONE
    said = np.zeros_like(none)
    for name, value in given.items():
        if name != keys and value.shape[:2] == none.shape:
            said |= (value.reshape(*none.shape, -1) != 0).any(-1)
    return int(np.count_nonzero(said & none))


def _named(keys: Array) -> set[int]:
    return set(keys[0].tolist()) - {NONE}


def slack(double: Sequence[torch.Tensor], singles: Iterable[Sequence[torch.Tensor]]) -> tuple[float, ...]:
    """How far each of the grounds may be off: the difference of two of them by `TIED` times PyTorch's own error."""
    largest = [
        [float((one.double() - wide).abs().max()) for one, wide in zip(single, double, strict=True)]
        for single in singles
    ]
    return tuple(TIED / 2 * max(errors) for errors in zip(*largest, strict=True))


def grounds(
    module: Selecting, inputs: Mapping[str, Array], signature: Signature, *, double: bool = False
) -> list[torch.Tensor]:
    """Those of one input."""
    with torch.no_grad():
        return [one.contiguous() for one in module.grounds(*arguments(inputs, signature, double=double))]


def possible_rows(
    module: nn.Module, inputs: Mapping[str, Array], signature: Signature, *, off: Sequence[float], double: bool = True
) -> Rows | None:
    """What could be chosen from one input; None where that cannot be said."""
    assert isinstance(module, Selecting)
    with torch.no_grad():
        found = module.possible(*arguments(inputs, signature, double=double), off=off)
    if found is None:
        return None
    *outputs, certain = found
    named = dict(zip((port.name for port in signature.outputs), (one.numpy() for one in outputs), strict=True))
    return Rows(module.keys, named, certain[0].numpy())
