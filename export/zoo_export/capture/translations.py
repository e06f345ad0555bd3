"""Operators that zoo writes in another way than torch's exporter does, and why; a test fails once torch's does as well.

torch writes group norm as InstanceNormalization (below opset 21), and a variance with means over several axes at once.
ONNX Runtime 1.31 adds the numbers of such a mean up in one sum, so that equal numbers all round alike: in a picture of
one colour, 25,000 of them, the mean is wrong in its fourth digit, and PyTorch's in its seventh.  Here a mean is that of
the means of rows, so that no sum is long.  Upstream: pytorch/pytorch#60582.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from onnxscript import opset18

op: Final[Any] = opset18
"""Whatever an operator of onnxscript takes: its types know constants alone."""


def group_norm(  # noqa: PLR0917  the operator's own signature
    input: Any,
    num_groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,  # noqa: ARG001
) -> Any:
    """float [n, channels, *spatial], [channels], [channels] -> float [n, channels, *spatial]."""
    spatial = len(input.shape) - 2
    shape = op.Shape(input)
    groups = op.Constant(value_ints=[0, num_groups, -1])
    grouped = op.Reshape(input, op.Concat(groups, op.Shape(input, start=2), axis=0) if spatial else groups)
    axes = list(range(2, spatial + 3))
    centred = op.Sub(grouped, _mean(grouped, axes))
    variance = _mean(op.Mul(centred, centred), axes)
    deviation = op.Sqrt(op.Add(variance, op.CastLike(op.Constant(value_float=eps), variance)))
    result = op.Reshape(op.Div(centred, deviation), shape)
    behind = op.Constant(value_ints=list(range(1, spatial + 1)))
    if weight is not None:
        result = op.Mul(result, op.Unsqueeze(weight, behind) if spatial else weight)
    if bias is not None:
        result = op.Add(result, op.Unsqueeze(bias, behind) if spatial else bias)
    return result


def variance(
    self: Any, dim: Sequence[int] | None = None, correction: float | None = None, keepdim: bool = False
) -> Any:
    """`aten.var.correction`: squared distances from the mean over `dim`, divided by their number less correction."""
    rank = len(self.shape)
    axes = sorted(axis % rank for axis in dim) if dim else list(range(rank))
    centred = op.Sub(self, _mean(self, axes))
    result = _mean(op.Mul(centred, centred), axes)
    less = 1.0 if correction is None else float(correction)
    if less:
        sizes = op.Gather(op.Shape(self), op.Constant(value_ints=axes))
        count = op.CastLike(op.ReduceProd(sizes, keepdims=0), result)
        result = op.Mul(result, op.Div(count, op.Sub(count, op.CastLike(op.Constant(value_float=less), result))))
    return result if keepdim else op.Squeeze(result, op.Constant(value_ints=axes))


def variance_over(self: Any, dim: Sequence[int] | None = None, unbiased: bool = True, keepdim: bool = False) -> Any:
    """`aten.var.dim`: the same, divided by the number less 1 or by the number itself."""
    return variance(self, dim, correction=1.0 if unbiased else 0.0, keepdim=keepdim)


def _mean(values: Any, axes: Sequence[int]) -> Any:
    """The mean over these axes, which stay with the size 1; one axis after the other, the last first."""
    for axis in reversed(axes):
        values = op.ReduceMean(values, op.Constant(value_ints=[axis]), keepdims=1)
    return values


TRANSLATIONS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    torch.ops.aten.group_norm.default: group_norm,
    torch.ops.aten.var.correction: variance,
    torch.ops.aten.var.dim: variance_over,
}
"""By operator of PyTorch, as `torch.onnx.export` takes it."""
