"""Operators of ONNX in double precision, computed by PyTorch, for ONNX's own evaluator.

That evaluator is written in plain numpy: a convolution takes minutes there, and the error function is computed in
single precision.  What an operator means is the same: where an attribute asks for more than PyTorch's kernel knows,
the evaluator's own code runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
import torch.nn.functional as F
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_conv import Conv as PlainConv
from onnx.reference.ops.op_erf import Erf as PlainErf
from onnx.reference.ops.op_max_pool import MaxPool as PlainMaxPool

from zoo.models.outputs import Array

_CONVOLUTIONS: Final = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_MAX_POOLS: Final = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


class Conv(PlainConv):
    """A convolution of one to three dimensions with explicit padding."""

    op_domain = ""

    def _run(self, X: Array, W: Array, B: Array | None = None, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        dimensions = X.ndim - 2
        if attributes.get("auto_pad") not in (None, "NOTSET", b"NOTSET") or dimensions not in _CONVOLUTIONS:
            return super()._run(X, W, B, **attributes)  # type: ignore[no-any-return, no-untyped-call]
        padded = _padded(_tensor(X), attributes.get("pads"), value=0.0)
        result = _CONVOLUTIONS[dimensions](
            padded,
            _tensor(W),
            None if B is None else _tensor(B),
            stride=_of_each(attributes.get("strides"), dimensions),
            dilation=_of_each(attributes.get("dilations"), dimensions),
            groups=attributes.get("group") or 1,
        )
        return (result.numpy(),)


class MaxPool(PlainMaxPool):
    """The largest value under a window, without indices, explicit padding."""

    op_domain = ""

    def _run(self, x: Array, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        dimensions = x.ndim - 2
        plain = attributes.get("auto_pad") in (None, "NOTSET", b"NOTSET") and not attributes.get("ceil_mode")
        if not plain or len(self.output) > 1 or dimensions not in _MAX_POOLS:
            return super()._run(x, **attributes)  # type: ignore[no-any-return, no-untyped-call]
        padded = _padded(_tensor(x), attributes.get("pads"), value=-torch.inf)
        result = _MAX_POOLS[dimensions](
            padded,
            tuple(attributes["kernel_shape"]),
            stride=_of_each(attributes.get("strides"), dimensions),
            dilation=_of_each(attributes.get("dilations"), dimensions),
        )
        return (result.numpy(),)


class Erf(PlainErf):
    """The error function."""

    op_domain = ""

    def _run(self, x: Array) -> tuple[Array, ...]:
        return (torch.erf(_tensor(x)).numpy(),)


OPERATORS: Final[Sequence[type[OpRun]]] = (Conv, MaxPool, Erf)


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def _of_each(values: Sequence[int] | None, dimensions: int) -> tuple[int, ...]:
    return tuple(values) if values else (1,) * dimensions


def _padded(tensor: torch.Tensor, pads: Sequence[int] | None, *, value: float) -> torch.Tensor:
    """With ONNX's padding (all begins, then all ends) in PyTorch's order (pairs, the last axis first)."""
    if not pads or not any(pads):
        return tensor
    half = len(pads) // 2
    pairs = [side for axis in reversed(range(half)) for side in (pads[axis], pads[axis + half])]
    return F.pad(tensor, pairs, value=value)
