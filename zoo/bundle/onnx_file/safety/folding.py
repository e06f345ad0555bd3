"""What is known of a tensor before anything runs: the values of small constants, and sizes that follow from them.

A few operators that people make sizes with are computed here: onnx's reference implementation takes 3 ms a node, and
a hostile file has 200,000.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.bundle.onnx_file.safety.known import (
    MAX_FOLLOWED_ELEMENTS,
    UNKNOWN,
    Array,
    Attributes,
    Known,
    Shape,
    broadcast,
    constant,
    integers,
    sized,
)
from zoo.bundle.onnx_file.safety.layers import LAYERS


def fold(op: str, inputs: Sequence[Known], attributes: Attributes, *, outputs: int = 1) -> list[Known]:
    """What is known of an operator's outputs, the first ones."""
    try:
        if op in SEVERAL:
            arrays = [known.values for known in inputs if known.values is not None]
            whole = len(arrays) == len(inputs)
            return [constant(array) for array in SEVERAL[op](*arrays, attributes, outputs)] if whole else [UNKNOWN]
        known = SIZES[op](inputs, attributes) if op in SIZES else UNKNOWN
        values = _values(op, inputs, attributes) if known.elements <= MAX_FOLLOWED_ELEMENTS else None
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError, AttributeError):
        return [UNKNOWN]  # a malformed node, which the runtime refuses
    return [known if values is None else constant(values)]


def _values(op: str, inputs: Sequence[Known], attributes: Attributes) -> Array | None:
    if op == "Shape":
        return _shape_values(inputs[0].shape, attributes)
    if op == "Size":
        known = inputs[0].shape
        return None if known is None or None in known else np.array(inputs[0].elements)
    arrays = [known.values for known in inputs]
    if op not in VALUES or any(array is None for array in arrays):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(VALUES[op](*arrays, attributes))


def _shape_values(shape: Shape | None, attributes: Attributes) -> Array | None:
    if shape is None:
        return None
    chosen = shape[attributes.get("start", 0) : attributes.get("end", len(shape))]
    return None if None in chosen else np.array(chosen, np.int64)


# --- values ---


def _plain(compute: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: compute(*arguments[:-1])


def _variadic(compute: Callable[..., Any]) -> Callable[..., Any]:
    def all_of(first: Array, *others: Any) -> Any:
        for other in others[:-1]:
            first = compute(first, other)
        return first

    return all_of


def _divide(a: Array, b: Array, _: Attributes) -> Any:
    return np.trunc(np.divide(a, b)).astype(a.dtype) if a.dtype.kind in "iu" else np.divide(a, b)


def _axes(given: Sequence[Any]) -> tuple[int, ...] | None:
    """Of an operator that takes them as an attribute, or since opset 13 or 18 as its last input."""
    *axes, attributes = given
    chosen = axes[0].ravel().tolist() if axes else attributes.get("axes")
    return None if chosen is None else tuple(int(axis) for axis in chosen)


def _reduce(compute: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, *given: compute(a, axis=_axes(given), keepdims=bool(given[-1].get("keepdims", 1)))


def _slice(a: Array, *given: Any) -> Array:
    *arrays, attributes = given
    lists = [array.ravel().tolist() for array in arrays]
    starts, ends = lists[:2] if lists else (attributes["starts"], attributes["ends"])
    axes = lists[2] if len(lists) > 2 else attributes.get("axes", range(len(starts)))
    steps = lists[3] if len(lists) > 3 else [1] * len(starts)
    chosen = [slice(None)] * a.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # before the first element means for a step backwards that the first is taken, too
        chosen[axis] = slice(start, None if step < 0 and end < -a.shape[axis] else end, step)
    return a[tuple(chosen)]


def _reshape(a: Array, shape: Array, attributes: Attributes) -> Array:
    sizes = shape.ravel().tolist()
    if not attributes.get("allowzero"):
        sizes = [a.shape[index] if size == 0 else size for index, size in enumerate(sizes)]
    return a.reshape(sizes)


def _cast(a: Array, attributes: Attributes) -> Array:
    from onnx import helper  # noqa: PLC0415  this file is imported where only listing is wanted

    return a.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))


def _constant_of_shape(shape: Array, attributes: Attributes) -> Array:
    from onnx import numpy_helper  # noqa: PLC0415

    value = numpy_helper.to_array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(shape.ravel().tolist(), value.ravel()[0])


def _clipped(a: Array, *given: Any) -> Array:
    *bounds, attributes = given
    low, high = bounds if len(bounds) == 2 else (attributes.get("min"), attributes.get("max"))
    return np.asarray(a if low is None and high is None else np.clip(a, low, high))


def _summed(a: Array, axis: Array, attributes: Attributes) -> Array:
    """The running sum, from the end where asked, without the element itself where asked."""
    along = int(axis.ravel()[0])
    turned = np.flip(a, along) if attributes.get("reverse") else a
    total = np.cumsum(turned, axis=along) - (turned if attributes.get("exclusive") else 0)
    return np.flip(total, along) if attributes.get("reverse") else total


def _picked(a: Array, index: Array, attributes: Attributes) -> Array:
    """Of GatherND without batches."""
    if attributes.get("batch_dims"):
        raise ValueError("batches are not followed")
    return np.asarray(a[tuple(np.moveaxis(index, -1, 0))])


def _scattered(a: Array, index: Array, updates: Array, attributes: Attributes) -> Array:
    if attributes.get("reduction", b"none") != b"none":
        raise ValueError("reductions are not followed")
    copied = a.copy()
    np.put_along_axis(copied, index, updates, attributes.get("axis", 0))
    return copied


def _shift(a: Array, b: Array, attributes: Attributes) -> Any:
    return np.left_shift(a, b) if attributes["direction"] == b"LEFT" else np.right_shift(a, b)


_UNARY: dict[str, Callable[..., Any]] = {
    **{"Identity": np.asarray, "Neg": np.negative, "Abs": np.abs, "Sign": np.sign, "Floor": np.floor, "Ceil": np.ceil},
    **{"Round": np.round, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Reciprocal": np.reciprocal},
    **{"Relu": lambda a: np.maximum(a, 0), "Dropout": np.asarray, "IsNaN": np.isnan, "IsInf": np.isinf},
    **{"Not": np.logical_not, "BitwiseNot": np.invert},
}
_BINARY: dict[str, Callable[..., Any]] = {
    **{"GreaterOrEqual": np.greater_equal, "LessOrEqual": np.less_equal, "MatMul": np.matmul},
    **{"Sub": np.subtract, "Pow": np.power, "Equal": np.equal, "Less": np.less, "Greater": np.greater},
    **{"BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor},
    **{"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor},
}
_VARIADIC: dict[str, Callable[..., Any]] = {
    **{"Add": np.add, "Sum": np.add, "Mul": np.multiply, "Min": np.minimum, "Max": np.maximum},
}
VALUES: dict[str, Callable[..., Any]] = {
    **{name: _plain(compute) for name, compute in {**_UNARY, **_BINARY}.items()},
    **{name: _variadic(compute) for name, compute in _VARIADIC.items()},
    **{"ReduceProd": _reduce(np.prod), "ReduceSum": _reduce(np.sum)},
    **{"ReduceMean": _reduce(np.mean), "ReduceL1": _reduce(lambda a, **how: np.sum(np.abs(a), **how))},
    **{"ReduceSumSquare": _reduce(lambda a, **how: np.sum(a * a, **how))},
    **{"ReduceL2": _reduce(lambda a, **how: np.sqrt(np.sum(a * a, **how)))},
    **{"ReduceMax": _reduce(np.max), "ReduceMin": _reduce(np.min)},
    "Div": _divide,
    "Mod": lambda a, b, attributes: np.fmod(a, b) if attributes.get("fmod") else np.mod(a, b),
    "BitShift": _shift,
    "Clip": _clipped,
    "CumSum": _summed,
    "GatherElements": lambda a, index, attributes: np.take_along_axis(a, index, attributes.get("axis", 0)),
    "GatherND": _picked,
    "ScatterElements": _scattered,
    "Where": lambda condition, a, b, _: np.where(condition, a, b),
    "Cast": _cast,
    "CastLike": lambda a, like, _: a.astype(like.dtype),
    "Concat": lambda *given: np.concatenate(given[:-1], axis=given[-1]["axis"]),
    "Gather": lambda a, index, attributes: np.take(a, index, axis=attributes.get("axis", 0)),
    "Slice": _slice,
    "Squeeze": lambda a, *given: np.squeeze(a, axis=_axes(given)),
    "Unsqueeze": lambda a, *given: np.expand_dims(a, _axes(given) or ()),
    "Reshape": _reshape,
    "Flatten": lambda a, attributes: a.reshape(math.prod(a.shape[: attributes.get("axis", 1)]), -1),
    "Transpose": lambda a, attributes: np.transpose(a, attributes.get("perm")),
    "ConstantOfShape": _constant_of_shape,
    "Expand": lambda a, shape, _: np.broadcast_to(a, np.broadcast_shapes(a.shape, tuple(shape.ravel().tolist()))),
    "Tile": lambda a, repeats, _: np.tile(a, repeats.ravel().tolist()),
    "Range": lambda start, limit, step, _: np.arange(start, limit, step),
}


def _split(a: Array, *given: Any) -> list[Array]:
    *sizes, attributes, outputs = given
    parts = sizes[0].ravel().tolist() if sizes else attributes.get("split")
    axis = attributes.get("axis", 0)
    if parts is None:
        part = -(-a.shape[axis] // outputs)
        parts = [part] * outputs
    return np.split(a, np.cumsum(parts)[:-1], axis=axis)


def _largest(a: Array, count: Array, attributes: Attributes, _: int) -> list[Array]:
    axis = attributes.get("axis", -1)
    order = np.argsort(-a if attributes.get("largest", 1) else a, axis=axis, kind="stable")
    index = np.take(order, range(int(count.ravel()[0])), axis=axis)
    return [np.take_along_axis(a, index, axis), index]


SEVERAL: dict[str, Callable[..., list[Array]]] = {"Split": _split, "TopK": _largest}
"""The values of operators with several outputs."""


# --- sizes ---


def _elementwise(inputs: Sequence[Known], _: Attributes) -> Known:
    shapes = [known.shape for known in inputs if known.shape is not None]
    if len(shapes) == len(inputs):
        return sized(functools.reduce(broadcast, shapes))
    return Known(elements=max(known.elements for known in inputs))


def _expanded(inputs: Sequence[Known], _: Attributes) -> Known:
    sizes = integers(inputs[1])
    if sizes is None:
        return Known(elements=inputs[0].elements)
    if inputs[0].shape is None:
        return Known(elements=max(math.prod(sizes), inputs[0].elements))
    return sized(broadcast(inputs[0].shape, sizes))


def _tiled(inputs: Sequence[Known], _: Attributes) -> Known:
    repeats, shape = integers(inputs[1]), inputs[0].shape
    if repeats is None:
        return UNKNOWN
    if shape is None:
        return Known(elements=math.prod(repeats) * inputs[0].elements)
    tiled = tuple(None if size is None else size * times for size, times in zip(shape, repeats, strict=True))
    return Known(tiled, math.prod(repeats) * inputs[0].elements)


def _concatenated(inputs: Sequence[Known], attributes: Attributes) -> Known:
    elements = sum(known.elements for known in inputs)
    shapes = [known.shape for known in inputs if known.shape is not None]
    if len(shapes) < len(inputs):
        return Known(elements=elements)
    first, axis = shapes[0], attributes["axis"] % len(shapes[0])
    sizes = [shape[axis] for shape in shapes if shape[axis] is not None]
    total = sum(size or 0 for size in sizes) if len(sizes) == len(shapes) else None
    return Known((*first[:axis], total, *first[axis + 1 :]), elements)


def _padded(inputs: Sequence[Known], attributes: Attributes) -> Known:
    pads = integers(inputs[1]) if len(inputs) > 1 else tuple(attributes["pads"])
    if pads is None:
        return UNKNOWN
    half = len(pads) // 2
    added = [before + after for before, after in zip(pads[:half], pads[half:], strict=True)]
    if len(inputs) > 3 or inputs[0].shape is None:  # some axes only, or who knows of how many
        return Known(elements=math.prod(max(1, size) for size in added))
    pairs = zip(inputs[0].shape, added, strict=True)
    elements = math.prod(max(1, size) if old is None else old + size for old, size in pairs)
    return Known(None, elements)


def _resized(inputs: Sequence[Known], _: Attributes) -> Known:
    if len(inputs) > 3 and (sizes := integers(inputs[3])) is not None:
        return Known(elements=math.prod(sizes))
    scales = inputs[2].values if len(inputs) > 2 else inputs[1].values
    if scales is None or not scales.size:
        return UNKNOWN
    return Known(elements=int(inputs[0].elements * math.prod(scales.ravel().tolist())))


def _counted(inputs: Sequence[Known], _: Attributes) -> Known:
    """Of Range; the last element is before the limit."""
    if any(known.values is None for known in inputs):
        return UNKNOWN
    start, limit, step = (known.values.ravel()[0].item() for known in inputs if known.values is not None)
    return sized((max(0, math.ceil((limit - start) / step)),))


def _one_hot(inputs: Sequence[Known], _: Attributes) -> Known:
    depth = integers(inputs[1])
    return UNKNOWN if depth is None else Known(elements=depth[0] * inputs[0].elements)


def _rearranged(op: str) -> Callable[[Sequence[Known], Attributes], Known]:
    """Of an operator that gives a view: the shape of one of an array that takes no memory."""

    def of(inputs: Sequence[Known], attributes: Attributes) -> Known:
        others = [known.values for known in inputs[1:]]
        shape = [size for size in inputs[0].shape or (None,) if size is not None]
        if inputs[0].shape is None or len(shape) < len(inputs[0].shape) or any(array is None for array in others):
            return Known(elements=1 if op == "Slice" else inputs[0].elements)
        return sized(VALUES[op](np.broadcast_to(np.zeros(()), shape), *others, attributes).shape)

    return of


def _reshaped(inputs: Sequence[Known], _: Attributes) -> Known:
    sizes = integers(inputs[1])
    shape = None if sizes is None else tuple(size if size > 0 else None for size in sizes)
    return Known(shape, inputs[0].elements)


SIZES: dict[str, Callable[[Sequence[Known], Attributes], Known]] = {
    **dict.fromkeys((*_UNARY, *_BINARY, *_VARIADIC, "Div", "Mod", "BitShift", "Where", "Cast"), _elementwise),
    **dict.fromkeys(("Sigmoid", "Tanh", "PRelu", "EyeLike", "RandomNormalLike", "RandomUniformLike"), _elementwise),
    **dict.fromkeys(("Mean",), _elementwise),
    **LAYERS,
    **dict.fromkeys(("RandomNormal", "RandomUniform"), lambda _, attributes: sized(tuple(attributes["shape"]))),
    **{op: _rearranged(op) for op in ("Slice", "Squeeze", "Unsqueeze", "Transpose")},
    "ConstantOfShape": lambda inputs, _: sized(integers(inputs[0])),
    "Expand": _expanded,
    "Tile": _tiled,
    "Concat": _concatenated,
    "Pad": _padded,
    "Reshape": _reshaped,
    "Resize": _resized,
    "Upsample": _resized,
    "Range": _counted,
    "OneHot": _one_hot,
}
FOLLOWED = frozenset({*VALUES, *SEVERAL, *SIZES, "Shape", "Size"})
"""The operators of whose outputs something may be known."""
