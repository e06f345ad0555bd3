"""Shape guards: what the exporter takes for granted about sizes, and sizes at which that is wrong.

`if length % 4 == 0`, `if height == width` and `if batch > 8` are captured as they are for the example alone, and the
exporter does not say so.  The captured program still knows what it assumed, so sizes that violate it can be tried.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from zoo.api.task import Signature
from zoo.models.outputs import Array
from zoo_export.subject.choose_cases import Sizes

if TYPE_CHECKING:
    import sympy  # type: ignore[import-untyped]

LARGEST = 4096
"""Above it a limit is the machine's (an index of 32 bits), not the code's."""
NEAR = 20
"""How far from the example's size every size is tried."""
SHORT = 32
"""What the other axes are cut to, where that changes nothing: a picture of one column is made a large one."""


def guard_violations(
    program: torch.onnx.ONNXProgram, signature: Signature, example: Mapping[str, Array]
) -> tuple[Sizes, ...]:
    """For each guard of a capture, axes and sizes at which it does not hold, the nearest to the example's."""
    axes, sizes, bounds = _axes(program, signature, example)
    if not axes.names:
        return ()
    guards = [guard for guard in (*bounds, *_deferred(axes)) if guard.free_symbols]
    violations = [_violation(guard, guards, sizes) for guard in guards]
    named = [
        {axes.names[symbol][0]: size for symbol, size in violation.items()} for violation in violations if violation
    ]
    for names in axes.names.values():  # two axes that share a symbol are taken for one
        named += [{other: example_size(signature, example, other) + 1} for other in names[1:]]
    return tuple({tuple(sorted(by_name.items())): by_name for by_name in named}.values())


def guard_lines(
    program: torch.onnx.ONNXProgram, signature: Signature, example: Mapping[str, Array]
) -> tuple[traceback.FrameSummary, ...]:
    """The lines of code, torch's among them, that made the bounds of the axes; as far as torch remembers them."""
    axes, _, _ = _axes(program, signature, example)
    remembered = getattr(axes.environment, "var_to_range_sloc", {})
    limits = [remembered[symbol] for symbol in axes.names if symbol in remembered]
    places = [getattr(side, "framework_loc", None) for limit in limits for side in (limit.lower, limit.upper)]
    return tuple(place for place in places if isinstance(place, traceback.FrameSummary))


def example_size(signature: Signature, example: Mapping[str, Array], name: str) -> int:
    """The size of a named axis in the example."""
    port = next(port for port in signature.inputs if name in port.shape)
    return int(example[port.name].shape[port.shape.index(name)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """The named axes of a program."""

    names: Mapping[sympy.Symbol, list[str]]
    """Axis names by symbol."""
    environment: Any
    """Where the exporter keeps what it assumed of the symbols."""


def _axes(
    program: torch.onnx.ONNXProgram, signature: Signature, example: Mapping[str, Array]
) -> tuple[_Axes, dict[sympy.Symbol, int], list[sympy.Basic]]:
    """The named axes by symbol, the example's sizes, and the bounds that the program has for them."""
    import sympy  # noqa: PLC0415  slow to import, and a kept graph needs none

    names: dict[sympy.Symbol, list[str]] = {}
    environment: Any = None
    sizes: dict[sympy.Symbol, int] = {}
    bounds: list[sympy.Basic] = []
    captured = program.exported_program
    if captured is None:
        return _Axes(names=names, environment=None), sizes, bounds
    values = {node.name: node.meta.get("val") for node in captured.graph.nodes}
    for user_input, port in zip(captured.graph_signature.user_inputs, signature.inputs, strict=False):
        for axis, size in zip(port.shape, getattr(values.get(str(user_input)), "shape", ()), strict=False):
            if not isinstance(axis, str) or isinstance(size, int) or not size.node.expr.is_Symbol:
                continue
            symbol = size.node.expr
            environment = size.node.shape_env
            names.setdefault(symbol, [])
            names[symbol] += [axis] if axis not in names[symbol] else []
            sizes[symbol] = example_size(signature, example, axis)
            known = captured.range_constraints.get(symbol)
            if known is not None and known.lower.is_Integer:
                bounds.append(sympy.Ge(symbol, known.lower))
            if known is not None and known.upper.is_Integer and known.upper <= LARGEST:
                bounds.append(sympy.Le(symbol, known.upper))
    return _Axes(names=names, environment=environment), sizes, list(dict.fromkeys(bounds))


def _deferred(axes: _Axes) -> Iterator[sympy.Basic]:
    """What was left to be checked when the program runs, and is not in the file."""
    for asserts in axes.environment.deferred_runtime_asserts.values():
        for deferred in asserts:
            guard = deferred.expr.xreplace(dict(axes.environment.replacements))
            if guard.free_symbols <= axes.names.keys():
                yield guard


def _violation(
    guard: sympy.Basic, guards: Sequence[sympy.Basic], sizes: Mapping[sympy.Symbol, int]
) -> dict[sympy.Symbol, int]:
    """Sizes that violate this guard, and keep all others if that can be; empty where none are found.

    One axis is changed, and others are made shorter where that makes no difference.
    """
    others = [other for other in guards if other is not guard]
    spare: dict[sympy.Symbol, int] = {}
    for symbol in sorted(guard.free_symbols, key=str):
        for size in _candidates(guard, sizes[symbol], list(sizes.values())):
            tried = {**sizes, symbol: size}
            if _holds(guard, tried):
                continue
            if all(_holds(other, tried) for other in others):
                return {symbol: size, **_shortened(guard, others, tried, symbol)}
            spare = spare or {symbol: size}
    return spare


def _shortened(
    guard: sympy.Basic, others: Sequence[sympy.Basic], sizes: dict[sympy.Symbol, int], changed: sympy.Symbol
) -> dict[sympy.Symbol, int]:
    """Axes that may be cut short: the guard is still violated then, and the others hold."""
    cut: dict[sympy.Symbol, int] = {}
    for symbol, size in sizes.items():
        tried = {**sizes, **cut, symbol: SHORT}
        if symbol == changed or size <= SHORT or _holds(guard, tried):
            continue
        if all(_holds(other, tried) for other in others):
            cut[symbol] = SHORT
    return cut


def _candidates(guard: sympy.Basic, size: int, others: Sequence[int]) -> list[int]:
    """Sizes around the example's, around every number in the guard, their sums, and their quotients."""
    import sympy  # noqa: PLC0415

    numbers = [int(number) for number in guard.atoms(sympy.Integer)]
    sums = {a + b for a in numbers for b in numbers}
    quotients = {number // other for number in numbers for other in others if other}
    near = {number + step for number in {*numbers, *sums, *quotients, *others} for step in (-1, 0, 1)}
    wanted = {*range(1, 9), *range(size - NEAR, size + NEAR + 1), *near}
    return sorted((n for n in wanted if 1 <= n <= LARGEST), key=lambda n: (abs(n - size), n))


def _holds(guard: sympy.Basic, sizes: Mapping[sympy.Symbol, int]) -> bool:
    """False only where the guard is known to be violated."""
    return _holds_at(guard, tuple((symbol, sizes[symbol]) for symbol in sorted(guard.free_symbols, key=str)))


@lru_cache(maxsize=4096)
def _holds_at(guard: sympy.Basic, sizes: tuple[tuple[sympy.Symbol, int], ...]) -> bool:
    import sympy  # noqa: PLC0415

    try:
        return bool(guard.xreplace({symbol: sympy.Integer(size) for symbol, size in sizes}) != sympy.false)
    except ZeroDivisionError:  # a window of a length of nothing: what the guard says there is not known
        return True
