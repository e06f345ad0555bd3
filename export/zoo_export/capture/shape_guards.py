"""What the exporter took for granted about sizes: it takes one side of a branch on a size, and says nothing of it.

`if length % 4 == 0`, `if height == width` and `if batch > 8` are captured as they are for the example alone.  The
captured program still knows what it assumed, so sizes where that is wrong can be named, and tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy  # type: ignore[import-untyped]
import torch

from zoo.api.task import Signature
from zoo_export.subject.module_io import Array

LARGEST = 4096
"""Above it a limit is the machine's (an index of 32 bits), not the code's."""
NEAR = 20
"""How far from the example's size every size is looked at."""
SMALL = 32
"""What the other axes are cut to, where that changes nothing: a picture of one column is made a large one."""


def elsewhere(
    program: torch.onnx.ONNXProgram, signature: Signature, example: Mapping[str, Array]
) -> tuple[dict[str, int], ...]:
    """For each assumption of a capture, axes and sizes at which it does not hold, the nearest to the example's."""
    axes, sizes, bounds = _axes(program, signature, example)
    if not axes:
        return ()
    assumed = [one for one in (*bounds, *_deferred(axes)) if one.free_symbols]
    found = [_outside(one, assumed, sizes) for one in assumed]
    named = [{axes[symbol][0]: size for symbol, size in one.items()} for one in found if one]
    for names in axes.values():  # two axes that share a symbol are taken for one
        named += [{other: example_size(signature, example, other) + 1} for other in names[1:]]
    return tuple({tuple(sorted(one.items())): one for one in named}.values())


def example_size(signature: Signature, example: Mapping[str, Array], name: str) -> int:
    """The size of a named axis in the example."""
    port = next(port for port in signature.inputs if name in port.shape)
    return int(example[port.name].shape[port.shape.index(name)])


def _axes(
    program: torch.onnx.ONNXProgram, signature: Signature, example: Mapping[str, Array]
) -> tuple[_Axes, dict[sympy.Symbol, int], list[sympy.Basic]]:
    """The named axes by symbol, the example's sizes, and the bounds that the program has for them."""
    axes = _Axes()
    sizes: dict[sympy.Symbol, int] = {}
    bounds: list[sympy.Basic] = []
    captured = program.exported_program
    if captured is None:
        return axes, sizes, bounds
    values = {node.name: node.meta.get("val") for node in captured.graph.nodes}
    for given, port in zip(captured.graph_signature.user_inputs, signature.inputs, strict=False):
        for axis, size in zip(port.shape, getattr(values.get(str(given)), "shape", ()), strict=False):
            if not isinstance(axis, str) or isinstance(size, int) or not size.node.expr.is_Symbol:
                continue
            symbol = size.node.expr
            axes.environment = size.node.shape_env
            axes.setdefault(symbol, [])
            axes[symbol] += [axis] if axis not in axes[symbol] else []
            sizes[symbol] = example_size(signature, example, axis)
            known = captured.range_constraints.get(symbol)
            if known is not None and known.lower.is_Integer:
                bounds.append(sympy.Ge(symbol, known.lower))
            if known is not None and known.upper.is_Integer and known.upper <= LARGEST:
                bounds.append(sympy.Le(symbol, known.upper))
    return axes, sizes, list(dict.fromkeys(bounds))


class _Axes(dict[sympy.Symbol, list[str]]):
    """Axis names by symbol, and where the exporter keeps what it assumed of them."""

    environment: Any = None


def _deferred(axes: _Axes) -> Iterator[sympy.Basic]:
    """What was left to be checked when the program runs, and is not in the file."""
    for several in axes.environment.deferred_runtime_asserts.values():
        for one in several:
            told = one.expr.xreplace(dict(axes.environment.replacements))
            if told.free_symbols <= axes.keys():
                yield told


def _outside(
    one: sympy.Basic, assumed: Sequence[sympy.Basic], sizes: Mapping[sympy.Symbol, int]
) -> dict[sympy.Symbol, int]:
    """Sizes of which this does not hold, and all the rest if that can be; empty where nothing is found.

    One axis is changed, and others are made smaller where that makes no difference.
    """
    others = [other for other in assumed if other is not one]
    spare: dict[sympy.Symbol, int] = {}
    for symbol in sorted(one.free_symbols, key=str):
        for size in _candidates(one, sizes[symbol], list(sizes.values())):
            tried = {**sizes, symbol: size}
            if _holds(one, tried):
                continue
            if all(_holds(other, tried) for other in others):
                return {symbol: size, **_smaller(one, others, tried, symbol)}
            spare = spare or {symbol: size}
    return spare


def _smaller(
    one: sympy.Basic, others: Sequence[sympy.Basic], sizes: dict[sympy.Symbol, int], changed: sympy.Symbol
) -> dict[sympy.Symbol, int]:
    """Axes that may be cut short: this still does not hold then, and the rest does."""
    cut: dict[sympy.Symbol, int] = {}
    for symbol, size in sizes.items():
        tried = {**sizes, **cut, symbol: SMALL}
        if symbol != changed and size > SMALL and not _holds(one, tried) and all(_holds(o, tried) for o in others):
            cut[symbol] = SMALL
    return cut


def _candidates(one: sympy.Basic, size: int, others: Sequence[int]) -> list[int]:
    """Sizes around the example's, around every number that the assumption names, their sums, and their quotients."""
    numbers = [int(number) for number in one.atoms(sympy.Integer)]
    sums = {a + b for a in numbers for b in numbers}
    parts = {number // other for number in numbers for other in others if other}
    near = {number + step for number in {*numbers, *sums, *parts, *others} for step in (-1, 0, 1)}
    wanted = {*range(1, 9), *range(size - NEAR, size + NEAR + 1), *near}
    return sorted((n for n in wanted if 1 <= n <= LARGEST), key=lambda n: (abs(n - size), n))


def _holds(one: sympy.Basic, sizes: Mapping[sympy.Symbol, int]) -> bool:
    """False only where it is known to be wrong."""
    return _told(one, tuple((symbol, sizes[symbol]) for symbol in sorted(one.free_symbols, key=str)))


@lru_cache(maxsize=4096)
def _told(one: sympy.Basic, sizes: tuple[tuple[sympy.Symbol, int], ...]) -> bool:
    return bool(one.xreplace({symbol: sympy.Integer(size) for symbol, size in sizes}) != sympy.false)
