"""A fully convolutional network for small pictures (Long, Shelhamer and Darrell 2015, arXiv:1411.4038).

The coarsest features score every class; each finer stride adds its own scores to the coarser ones, enlarged by a
learnt deconvolution that starts as bilinear interpolation.  The paper fuses strides 32, 16 and 8 of large photos;
here it is 8, 4 and 2, because what is to be seen is a few pixels thin.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

WIDTHS: Final = (16, 32, 56)
"""Channels at strides 2, 4 and 8."""
DEPTHS: Final = (1, 1, 2)
"""Further convolutions at each stride."""


class TinyFcn(nn.Module):
    """input [n, 3, h, w] -> logits [n, classes, h, w]."""

    def __init__(self, *, num_classes: int) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                Conv2dNormActivation(before, after, 3, 2),
                *(Conv2dNormActivation(after, after, 3) for _ in range(depth)),
            )
            for before, after, depth in zip(inputs, WIDTHS, DEPTHS, strict=True)
        )
        self.scores = nn.ModuleList(nn.Conv2d(width, num_classes, 1) for width in WIDTHS)
        self.enlarge = nn.ModuleList(doubling(num_classes) for _ in WIDTHS)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of every class for every pixel of the input."""
        sizes, scores = [input], []
        features = input
        for stage, score in zip(self.stages, self.scores, strict=True):
            features = stage(features)
            sizes.append(features)
            scores.append(score(features))
        fused: Tensor = scores[-1]
        for finer, enlarge in zip(reversed(range(len(scores))), self.enlarge, strict=True):
            # of an odd side half a pixel more came out than the finer one has
            fused = enlarge(fused)[..., : sizes[finer].shape[-2], : sizes[finer].shape[-1]]
            if finer:
                fused = fused + scores[finer - 1]
        return fused


def doubling(classes: int) -> nn.ConvTranspose2d:
    """A deconvolution that enlarges every class's scores twofold, bilinearly until it learns better."""
    layer = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[range(classes), range(classes)] = tent[:, None] * tent[None]
    return layer


def fcn_tiny(*, num_classes: int) -> TinyFcn:
    """The network from random numbers."""
    return TinyFcn(num_classes=num_classes)
