"""Parameters as a small file keeps them: the large matrices at half precision, everything else as it is.  [torch]

Half precision has eleven significant bits.  A weight matrix forgives the twelfth; a bias, a norm or a running statistic
is a few numbers that are worth their bytes.  Reading gives float32 again, exactly the numbers that were stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import torch
from torch import Tensor

from zoo.api.errors import UsageError

Dtype = Literal["float32", "float16"]
MATRIX: Final = 2
"""Dimensions from which a tensor counts as a matrix."""


def stored(state: Mapping[str, Tensor], dtype: Dtype) -> dict[str, Tensor]:
    """The tensors as they are written; UsageError when one holds a number that `dtype` has no room for."""
    if dtype == "float32":
        return dict(state)
    return {name: _half(name, tensor) if _is_matrix(tensor) else tensor for name, tensor in state.items()}


def _is_matrix(tensor: Tensor) -> bool:
    return tensor.dtype == torch.float32 and tensor.ndim >= MATRIX


def _half(name: str, tensor: Tensor) -> Tensor:
    rounded = tensor.half()
    if not torch.equal(rounded.isfinite(), tensor.isfinite()):
        raise UsageError(
            f"{name} holds {tensor.abs().max().item():.6g}, and float16 ends at 65504", hint="--dtype float32"
        )
    return rounded
