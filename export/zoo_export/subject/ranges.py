"""Cases over the whole declared range of every dynamic axis, a union along each axis.

Along a sequence: 1, 2, both parities, both sides of every power of two, a seeded random size between each two of them,
the maximum; every token of the vocabulary, and padding from none to almost all.  Of pictures: one row, one column, both
sides beyond 1,024 pixels, extreme ratios, one colour, enlarged, and once 12 megapixels.  The batch is assembled by the
runtime alone, from the other cases (`zoo_export.runtime.runs`).

PyTorch runs each of them in plain fp32, and in double precision where that does not decide
(`zoo_export.measure.graph_run`); mutants are not run on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zoo.api.problem import AudioInput, Problem, TokenInput
from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.evidence import RANGE, VALUES
from zoo.models.outputs import Array
from zoo.models.pipeline import without_state
from zoo_export.subject.batching import SPATIAL, batch_name

UNDECLARED: Final = 1_025
"""The largest size along an axis without a declared maximum."""
MAX_WORK: Final = 3e11
"""Multiply-adds that a model of so many parameters does over all sizes of one axis, one for each at each element."""
MAX_POSITIONS: Final = 40_000
"""Positions over all sizes of one axis."""
MAX_ELEMENTS: Final = 4_000_000
"""Numbers in all cases along one axis."""
SEED: Final = 2_024
WIDE: Final = 1_100
MEGAPIXELS: Final = (3_000, 4_000)
"""Height and width of the largest picture; not tried where the answer is as large as the picture."""
COLOUR: Final = (200, 30, 90)
GREYS: Final = {"all black": 0, "all white": 255}
"""Where all numbers are the same they round alike, and the noise of usual pictures says little about that: these are
cases of values beyond the usual."""
PADDED: Final = 130
"""The length in which padded texts lie; one of a single token lies in up to `UNDECLARED`."""


def is_range(case: Case) -> bool:
    """Whether a case is here for its size alone, or for values beyond the usual ones."""
    return case.kind in (RANGE, VALUES)


def declared_maxima(problem: Problem, signature: Signature) -> dict[str, int]:
    """The largest size that the problem's input declares, by axis name."""
    name = sequence_axis(signature)
    if name is None or not isinstance(problem.input, TokenInput):
        return {}
    return {name: problem.input.max_length}


def sequence_axis(signature: Signature) -> str | None:
    """The dynamic axis along which a sequence goes on: the first that is neither the batch nor a side of a picture."""
    batch = batch_name(signature)
    return next((name for name in axis_names(signature) if name != batch and name not in SPATIAL), None)


def axis_names(signature: Signature) -> list[str]:
    """The dynamic axes of the inputs that are no state, each once."""
    ports = without_state(signature).inputs
    return list(dict.fromkeys(size for port in ports for size in port.shape if isinstance(size, str)))


def sizes(maximum: int, *, budget: float = float("inf")) -> tuple[int, ...]:
    """The sizes along one axis up to its maximum; those that matter most first go, until their sum is the budget."""
    random = int(np.random.default_rng(SEED).integers(max(maximum // 2, 1), maximum + 1))
    powers = [power for power in (1 << bit for bit in range(2, 32)) if power <= maximum]
    steep = [size for power in reversed(powers) for size in (power + 1, power)]
    small = [power - 1 for power in powers if power <= 64]
    inside = [int(np.random.default_rng((SEED, power)).integers(power + 2, 2 * power - 1)) for power in powers[1:]]
    kept: list[int] = []
    for size in dict.fromkeys([1, 2, 3, maximum, random, maximum - 1, *steep, *small, *inside]):
        if 1 <= size <= maximum and sum(kept) + size <= budget:
            kept.append(size)
    return tuple(sorted(kept))


def range_cases(
    cases: Sequence[Case], signature: Signature, problem: Problem, *, parameters: int, without: Iterable[str] = ()
) -> Iterator[Case]:
    """The cases of one graph over its ranges, made from its gating cases; `without` names axes that are covered."""
    ports = without_state(signature).inputs
    first = next((case for case in cases if case.gates), cases[0])
    picture = _picture_port(ports)
    if picture is not None:
        yield from _pictures(first, picture, answer_grows=_answer_grows(signature))
    covered = {batch_name(signature), *(SPATIAL if picture is not None else ()), *without}
    maxima = declared_maxima(problem, signature)
    for name in axis_names(signature):
        if name not in covered:
            along = _Along(
                first=first, ports=ports, name=name, counts=_counts(cases, ports, name), levels=_levels(problem)
            )
            budget = _budget(first, ports, name, parameters)
            yield from _sequence_cases(along, maxima.get(name, UNDECLARED), budget=budget)


# --- sequences ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _Along:
    """Cases along one axis of a sequence, made from the values of one case."""

    first: Case
    ports: Sequence[Port]
    name: str
    """Of the axis."""
    counts: tuple[str, ...]
    """Inputs that say how many elements along the axis count: the lengths of padded texts."""
    levels: int
    """How many different values a whole number along the axis has; 0 where that is not known."""

    def of_size(self, size: int) -> Case:
        """Elements in a random order; whole numbers are drawn from all that there are."""
        return self._case(f"at {self.name} {size}", size, count=size)

    def padded(self, count: int, size: int) -> Case:
        """Zeros behind the first `count` elements."""
        return self._case(f"at {self.name} {count} of {size}", size, count=count)

    def of_values(self, values: range, *, number: int, total: int) -> Case:
        """These whole numbers, each once."""
        title = f"every value, {number} of {total}"
        return self._case(title, len(values), count=len(values), values=np.array(values))

    def _case(self, title: str, size: int, *, count: int, values: Array | None = None) -> Case:
        random = np.random.default_rng((SEED, size))
        inputs = dict(self.first.inputs)
        for port in self.ports:
            if self.name in port.shape:
                inputs[port.name] = self._values(port, size, count, random, values)
            elif port.name in self.counts:
                inputs[port.name] = np.full_like(self.first.inputs[port.name], count)
        return Case(name=title, kind=RANGE, inputs=inputs, origin=f"{self.first.name}, in another order")

    def _values(self, port: Port, size: int, count: int, random: np.random.Generator, values: Array | None) -> Array:
        own, axis = self.first.inputs[port.name], port.shape.index(self.name)
        if not port.dtype.startswith("int") or not self.levels:
            return np.ascontiguousarray(np.take(own, random.integers(0, own.shape[axis], size), axis=axis))
        shape = (*own.shape[:axis], size, *own.shape[axis + 1 :])
        drawn = random.integers(1, max(self.levels, 2), shape) if values is None else np.broadcast_to(values, shape)
        kept = np.moveaxis(drawn.astype(own.dtype), axis, -1)
        kept[..., count:] = 0
        return np.ascontiguousarray(np.moveaxis(kept, -1, axis))


def _sequence_cases(along: _Along, maximum: int, *, budget: float) -> Iterator[Case]:
    """One case of every size, padded ones, and every token once, as far as the budget goes."""
    wanted = sizes(maximum, budget=budget)
    yield from map(along.of_size, wanted)
    longest = max((size for size in wanted if size <= PADDED), default=0)
    if along.counts:
        for count in sorted({1, longest // 2, longest - 1} & set(range(1, longest))):
            yield along.padded(count, longest)
        widest = max((size for size in wanted if size <= UNDECLARED), default=0)
        if widest > longest:
            yield along.padded(1, widest)
    row = max(wanted, default=1)
    rows = [range(at, min(at + row, along.levels)) for at in range(0, along.levels, row)]
    for number, values in enumerate(rows, 1):
        if number * row <= max(budget, row):
            yield along.of_values(values, number=number, total=len(rows))


def _levels(problem: Problem) -> int:
    if isinstance(problem.input, TokenInput):
        return len(problem.vocabulary)
    return problem.input.levels if isinstance(problem.input, AudioInput) else 0


def _counts(cases: Sequence[Case], ports: Sequence[Port], name: str) -> tuple[str, ...]:
    """Whole numbers, one for each item, that are never larger than the size along an axis, and often just that."""
    long = next(port for port in ports if name in port.shape)
    axis = long.shape.index(name)
    several = [case for case in cases if case.gates and case.inputs[long.name].shape[axis] > 2]
    return tuple(
        port.name
        for port in ports
        if len(port.shape) == 1 and port.dtype.startswith("int") and name not in port.shape
        if all((case.inputs[port.name] <= case.inputs[long.name].shape[axis]).all() for case in cases)
        if any((case.inputs[port.name] == case.inputs[long.name].shape[axis]).all() for case in several)
    )


def _budget(case: Case, ports: Sequence[Port], name: str, parameters: int) -> float:
    """How many positions along an axis all sizes may have together."""
    each: float = sum(
        case.inputs[port.name].size / max(case.inputs[port.name].shape[port.shape.index(name)], 1)
        for port in ports
        if name in port.shape
    )
    return min(MAX_POSITIONS, MAX_ELEMENTS / max(each, 1), MAX_WORK / max(parameters, 1))


# --- pictures ---


def _picture_port(ports: Sequence[Port]) -> Port | None:
    """The input that is a picture of any size, uint8 [height, width, 3]."""
    return next((port for port in ports if port.dtype == "uint8" and port.shape[:2] == SPATIAL), None)


def _answer_grows(signature: Signature) -> bool:
    return any(side in port.shape for port in signature.outputs for side in SPATIAL)


def _pictures(first: Case, port: Port, *, answer_grows: bool) -> Iterator[Case]:
    """One picture at sizes and ratios that cameras and crops have."""
    picture = first.inputs[port.name]
    shapes: Mapping[str, tuple[int, int]] = {
        "height 1": (1, 45),
        "width 1": (52, 1),
        "enlarged": (2, 2),
        "wide": (9, WIDE),
        "tall": (WIDE, 8),
    }
    if not answer_grows:
        shapes = {**shapes, "12 megapixels": MEGAPIXELS}
    for title, (height, width) in shapes.items():
        yield _picture(first, port, title, _fitted(picture, height, width))
    shape = (40, 31, picture.shape[2])
    one_colour = np.array(COLOUR, np.uint8)[: picture.shape[2]]
    yield _picture(first, port, "one colour", np.broadcast_to(one_colour, shape).copy())
    for title, grey in GREYS.items():
        yield replace(_picture(first, port, title, np.full(shape, grey, np.uint8)), kind=VALUES)


def _picture(first: Case, port: Port, title: str, pixels: Array) -> Case:
    return replace(
        first,
        name=title,
        kind=RANGE,
        inputs={**first.inputs, port.name: pixels},
        truth=None,
        item=None,
        origin=f"{first.name}, resized",
    )


def _fitted(picture: Array, height: int, width: int) -> Array:
    """The nearest pixels: at every size the picture shows the same."""
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    return np.ascontiguousarray(np.take(np.take(picture, columns, axis=1), rows, axis=0))
