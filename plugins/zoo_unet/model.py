"""U-Net: Ronneberger, Fischer, Brox: Convolutional networks for biomedical image segmentation, MICCAI 2015.

Two differences from the paper, both usual since.  Convolutions are padded, so that every pixel of the picture is
scored; the paper's lose a border of 92 pixels.  A batch norm follows each convolution (Ioffe and Szegedy 2015).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PUBLISHED: Final = (64, 128, 256, 512, 1024)
"""Channels at strides 1, 2, 4, 8 and 16, as in the paper's figure 1."""
TINY: Final = (8, 16, 32, 64)
"""Channels at strides 1, 2, 4 and 8."""


class DoubleConv(nn.Sequential):
    """Twice a 3x3 convolution, a batch norm and a ReLU; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class Up(nn.Module):
    """Features of the next finer stride: enlarged twofold, put beside those of the way down, and convolved."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv(2 * out_channels, out_channels)

    def forward(self, features: Tensor, skipped: Tensor) -> Tensor:
        """[n, in, h, w] and [n, out, 2 h or 2 h - 1, 2 w or 2 w - 1] -> [n, out, height and width of `skipped`]."""
        enlarged = self.enlarge(features)[..., : skipped.shape[-2], : skipped.shape[-1]]
        result: Tensor = self.conv(torch.cat([skipped, enlarged], dim=1))
        return result


class UNet(nn.Module):
    """A way down of double convolutions and poolings, and a way up that takes the features of the way down over."""

    def __init__(self, *, channels: int, num_classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.down = nn.ModuleList(DoubleConv(before, after) for before, after in pairwise((channels, *widths)))
        self.up = nn.ModuleList(Up(before, after) for before, after in pairwise(reversed(widths)))
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # the paper's section 3

    def forward(self, images: Tensor) -> Tensor:
        """Logits of every pixel.  images: float32 [n, channels, h, w] -> float32 [n, num_classes, h, w]."""
        skipped: list[Tensor] = []
        features = images
        for stage in self.down:
            # rounded up, so that the way up has no fewer pixels than the way down at any odd size
            features = stage(F.max_pool2d(features, 2, ceil_mode=True) if skipped else features)
            skipped.append(features)
        for stage, finer in zip(self.up, reversed(skipped[:-1]), strict=True):
            features = stage(features, finer)
        logits: Tensor = self.head(features)
        return logits


def unet(*, channels: int, num_classes: int) -> UNet:
    """The published size: five strides, 31 million parameters."""
    return UNet(channels=channels, num_classes=num_classes, widths=PUBLISHED)


def unet_tiny(*, channels: int, num_classes: int) -> UNet:
    """Four strides from 8 channels, for small pictures: 0.12 million parameters."""
    return UNet(channels=channels, num_classes=num_classes, widths=TINY)
