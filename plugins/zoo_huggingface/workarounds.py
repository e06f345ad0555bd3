"""Declared workarounds: what of the library's networks cannot be exported as it is, and what they get instead.  [torch]

Each says what is wrong upstream.  A test shows the fault, and fails once upstream needs the workaround no more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sized
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers.models.bit.modeling_bit import BitEmbeddings
from transformers.models.d_fine.modeling_d_fine import DFineModel, DFineMultiscaleDeformableAttention
from transformers.models.rt_detr_v2.modeling_rt_detr_v2 import RTDetrV2Model, RTDetrV2MultiscaleDeformableAttention

CHECKS_OFF: Final = "TRANSFORMERS_DISABLE_TORCH_CHECK"
"""The library's own switch; it is read in every call."""
CHECKED: Final = (RTDetrV2MultiscaleDeformableAttention, DFineMultiscaleDeformableAttention)
COUNTED: Final = (RTDetrV2Model, DFineModel)


def apply_workarounds(network: nn.Module) -> nn.Module:
    """The same network, ready to be captured; others stay as they are."""
    for layer in network.modules():
        if isinstance(layer, BitEmbeddings) and isinstance(layer.pad, nn.ConstantPad2d):
            layer.pad = ZeroBorder()  # type: ignore[assignment]  # the library types its own two alone
        if isinstance(layer, CHECKED):
            leave_checks_out(layer)
        if isinstance(layer, COUNTED):
            vars(sys.modules[type(layer).__module__])["len"] = length
    return network


class ZeroBorder(nn.Module):
    """A border of zeros of one pixel, written as a concatenation.

    ONNX Runtime 1.31 fuses a padding with zeros into the max pooling after it, which pads with minus infinity
    (microsoft/onnxruntime#24737).
    """

    def forward(self, maps: Tensor) -> Tensor:
        """float [n, c, h, w] -> float [n, c, h + 2, w + 2]."""
        row = torch.zeros_like(maps[..., :1, :])
        high = torch.cat([row, maps, row], dim=-2)
        column = torch.zeros_like(high[..., :1])
        return torch.cat([column, high, column], dim=-1)


def length(value: Sized) -> int:
    """`len` for the modules of RT-DETR v2 and D-FINE: that of a tensor stays open in a capture.

    They ask `len(source_flatten)` for the number of pictures, and Python's own makes a constant of it.  A search of the
    library's issues found none about it.
    """
    return value.shape[0] if isinstance(value, Tensor) else len(value)


def leave_checks_out(layer: nn.Module) -> None:
    """Have an attention of RT-DETR v2 or D-FINE compute without comparing the sizes of its inputs.

    The library compares them as tensors there, with an operator that ONNX has no form of (`aten._is_all_true`), and
    in Deformable DETR as numbers.  A search of the issues of both projects found none about it.
    """
    layer.register_forward_pre_hook(_checks_off)
    layer.register_forward_hook(_checks_on, always_call=True)


def _checks_off(layer: Any, inputs: object) -> None:  # noqa: ARG001  torch's signature
    layer.checks_before = os.environ.get(CHECKS_OFF)
    os.environ[CHECKS_OFF] = "1"


def _checks_on(layer: Any, inputs: object, output: object) -> None:  # noqa: ARG001  torch's signature
    if layer.checks_before is None:
        del os.environ[CHECKS_OFF]
    else:
        os.environ[CHECKS_OFF] = layer.checks_before
