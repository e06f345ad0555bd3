"""Declared workarounds: what of timm's networks cannot be captured as it is, and what they get instead.  [torch]

Each says what is wrong upstream.  A test captures a network without it, and fails once that works.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from timm.layers.cond_conv2d import CondConv2d
from timm.layers.conv2d_same import conv2d_same
from torch import Tensor, nn
from torch.nn import functional


def apply_workarounds(model: nn.Module) -> nn.Module:
    """The same network, ready to be captured; others stay as they are."""
    for module in model.modules():
        if hasattr(module, "attention_bias_cache"):
            gather_biases_anew(module)
        if hasattr(module, "get_rel_indices"):
            fill_positions(module, model)
        if isinstance(module, CondConv2d):
            mix_outputs(module)
    return model


def gather_biases_anew(module: nn.Module) -> None:
    """Gather the biases of an attention of LeViT's kind in every call.

    In eval mode timm keeps what it gathered first in a dictionary, `attention_bias_cache` (timm/models/levit.py and
    four other modules).  torch.export makes a constant of it: the parameter is lost from the file, and weights that are
    loaded into a network that has answered already change nothing.  huggingface/pytorch-image-models#2795 would empty
    the dictionary in `eval()`; a capture of a network that has answered since would still make a constant of it.
    """
    module.get_attention_biases = MethodType(_gathered_biases, module)  # type: ignore[assignment]


def fill_positions(module: Any, model: Any) -> None:
    """Fill the distances between patches that an attention of ConViT otherwise computes in its first call.

    timm begins with a buffer for a single patch and replaces it in `forward` (timm/models/convit.py): a capture of a
    network that has not answered yet computes the distances in the file, and the buffer is missing there.  A search of
    timm's issues found none about it.
    """
    module.rel_indices = module.get_rel_indices(model.patch_embed.num_patches)


def mix_outputs(module: CondConv2d) -> None:
    """Have a capture of a conditional convolution mix the outputs of its experts instead of their weights.

    timm makes one convolution of a batch, with as many groups as pictures (timm/layers/cond_conv2d.py): that number is
    open in a capture, and an ONNX file holds the groups as a constant.  A convolution is linear in its weights, so the
    mixed outputs are the same but for rounding.  Outside of a capture timm's own way stays.  A search of timm's issues
    found none about it.
    """
    module.forward = MethodType(_mixed_outputs, module)  # type: ignore[method-assign]


def _mixed_outputs(module: Any, x: Tensor, routing_weights: Tensor) -> Tensor:
    """What timm's forward gives, float32 [n, channels, height, width]; `routing_weights` are [n, experts]."""
    if not torch.compiler.is_exporting():
        mixed: Tensor = type(module).forward(module, x, routing_weights)
        return mixed
    convolution = conv2d_same if module.dynamic_padding else functional.conv2d
    outputs = []
    for expert, share in enumerate(routing_weights.unbind(dim=1)):
        bias = None if module.bias is None else module.bias[expert]
        output = convolution(
            x,
            module.weight[expert].view(module.weight_shape),
            bias,
            stride=module.stride,
            padding=module.padding,
            dilation=module.dilation,
            groups=module.groups,
        )
        outputs.append(share[:, None, None, None] * output)
    return torch.stack(outputs).sum(dim=0)


def _gathered_biases(module: Any, device: torch.device) -> Tensor:  # noqa: ARG001  timm's signature
    """The bias of each pair of positions, float32 [heads, n, n]."""
    biases: Tensor = module.attention_biases[:, module.attention_bias_idxs]
    return biases
