"""Inputs of a model beyond the usual values: a clip at six, or a table that ends too early, is met by no usual picture.

They gate where PyTorch is well conditioned, and inform elsewhere (`zoo.bundle.judge.parity_rule`).  Tokens need none:
the range of a sequence holds every token of the vocabulary once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import VALUES
from zoo.models.outputs import Array
from zoo.models.pipeline import without_state

FACTOR: Final = 8.0
"""How far beyond the usual values."""
FAR: Final = 2.0**20
"""How far once more: a clip at a thousand is met.  A power of two rounds nothing."""


def values_beyond(cases: Sequence[Case], signature: Signature) -> tuple[Case, ...]:
    """The first gating case, with its floats (no state) scaled, saturated, constant, one-hot and huge."""
    names = [port.name for port in without_state(signature).inputs if port.dtype.startswith("float")]
    first = next((case for case in cases if case.gates), cases[0])
    if not any(first.inputs[name].size for name in names):
        return ()
    return tuple(
        replace(
            first,
            name=title,
            kind=VALUES,
            inputs={**first.inputs, **{name: change(first.inputs[name]) for name in names}},
            truth=None,
            item=None,
            origin=f"{first.name}, other values",
        )
        for title, change in CHANGES.items()
    )


def _scaled(values: Array, *, factor: float = FACTOR) -> Array:
    with np.errstate(over="ignore"):  # float16 has nothing as large; a case of infinite answers is left out
        scaled: Array = (values * values.dtype.type(factor)).astype(values.dtype)
    return scaled


def _saturated(values: Array) -> Array:
    """Every element at the end of the range that it is nearer to."""
    if not values.size:
        return values
    low, high = values.min(), values.max()
    middle = low + (high - low) / 2
    return np.where(values > middle, _end(high), _end(low)).astype(values.dtype)


def _end(value: Array) -> Array:
    return value * FACTOR / 2


def _constant(values: Array) -> Array:
    return np.full_like(values, _peak(values) * FACTOR / 2)


def _one_hot(values: Array) -> Array:
    """Zero, but for one element in the middle of each item."""
    changed = np.zeros_like(values)
    flat = changed.reshape(len(values), -1) if len(values) else changed.reshape(1, -1)
    flat[:, flat.shape[1] // 2] = _peak(values) * FACTOR
    return changed


def _peak(values: Array) -> float:
    """The largest absolute value; one where all are zero."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


CHANGES: Final[dict[str, Callable[[Array], Array]]] = {
    f"{FACTOR:g} times the usual values": _scaled,
    "saturated values": _saturated,
    "one value everywhere": _constant,
    "one element alone": _one_hot,
    f"{FAR:,.0f} times the usual values": partial(_scaled, factor=FAR),
}
