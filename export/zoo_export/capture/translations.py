"""Operators that zoo writes in another way than torch's exporter does, and why; a test fails once torch's does as well.

`GROUP_NORM`: torch writes group norm as InstanceNormalization (below opset 21).  ONNX Runtime 1.31 adds the numbers of
such a group up in one sum, so that equal numbers all round alike: in a picture of one colour, 25,000 of them, the mean
is wrong in its fourth digit, and PyTorch's in its seventh.  Here a mean is that of the means of rows, so that no sum is
long.  Upstream: pytorch/pytorch#60582.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from onnxscript import opset18 as op


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
    centred = op.Sub(grouped, _mean(grouped, spatial))
    variance = _mean(op.Mul(centred, centred), spatial)
    deviation = op.Sqrt(op.Add(variance, op.CastLike(op.Constant(value_float=eps), variance)))
    result = op.Reshape(op.Div(centred, deviation), shape)
    axes = op.Constant(value_ints=list(range(1, spatial + 1)))
    if weight is not None:
        result = op.Mul(result, op.Unsqueeze(weight, axes) if spatial else weight)
    if bias is not None:
        result = op.Add(result, op.Unsqueeze(bias, axes) if spatial else bias)
    return result


def _mean(values: Any, spatial: int) -> Any:
    """[n, groups, channels of a group, *spatial] -> [n, groups, 1, ...]; one axis after the other, the last first."""
    for axis in range(spatial + 2, 1, -1):
        values = op.ReduceMean(values, op.Constant(value_ints=[axis]), keepdims=1)
    return values


TRANSLATIONS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {torch.ops.aten.group_norm.default: group_norm}
"""By operator of PyTorch, as `torch.onnx.export` takes it."""
