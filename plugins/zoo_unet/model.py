"""U-Net: Ronneberger, Fischer, Brox: Convolutional networks for biomedical image segmentation, MICCAI 2015.

Two differences from the paper, both usual since.  Convolutions are padded, so that every pixel of the picture is
scored; the paper's lose a border of 92 pixels.  A batch norm follows each convolution (Ioffe and Szegedy 2015).

The small size differs in two more, which make it learn in minutes.  Its first convolution takes every second pixel,
and the scores are enlarged twofold at the end.  Its way up has a shortcut beside each double convolution, as in Zhang,
Liu and Wang: Road extraction by deep residual U-Net, arXiv:1711.10684; without it the classes are learnt late, long
after what is background.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PUBLISHED: Final = (64, 128, 256, 512, 1024)
"""Channels at strides 1, 2, 4, 8 and 16, as in the paper's figure 1."""
TINY: Final = (16, 32, 64)
"""Channels at strides 2, 4 and 8."""


class DoubleConv(nn.Sequential):
    """Twice a 3x3 convolution, a batch norm and a ReLU; at the stride 1 height and width stay."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1, last_relu: bool = True) -> None:
        super().__init__(
            he_conv(in_channels, out_channels, stride=stride),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            he_conv(out_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True) if last_relu else nn.Identity(),
        )


def he_conv(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Conv2d:
    """A padded 3x3 convolution with the weights of the paper's section 3: He et al., arXiv:1502.01852."""
    layer = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


class Up(nn.Module):
    """Features of the next finer stride: enlarged twofold, put beside those of the way down, and convolved."""

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        nn.init.kaiming_normal_(self.enlarge.weight, nonlinearity="relu")
        self.conv = DoubleConv(2 * out_channels, out_channels, last_relu=not residual)
        self.shortcut = nn.Conv2d(2 * out_channels, out_channels, 1) if residual else None

    def forward(self, features: Tensor, skipped: Tensor) -> Tensor:
        """[n, in, h, w] and [n, out, 2 h or 2 h - 1, 2 w or 2 w - 1] -> [n, out, height and width of `skipped`]."""
        both = torch.cat([skipped, cropped(self.enlarge(features), skipped)], dim=1)
        result: Tensor = self.conv(both)
        return result if self.shortcut is None else result + self.shortcut(both)


class UNet(nn.Module):
    """A way down of double convolutions and poolings, and a way up that takes the features of the way down over.

    `small`: every second pixel is taken first, and the way up has shortcuts.
    """

    def __init__(self, *, channels: int, num_classes: int, widths: tuple[int, ...], small: bool = False) -> None:
        super().__init__()
        first = DoubleConv(channels, widths[0], stride=2 if small else 1)
        self.down = nn.ModuleList([first, *(DoubleConv(before, after) for before, after in pairwise(widths))])
        self.up = nn.ModuleList(Up(before, after, residual=small) for before, after in pairwise(reversed(widths)))
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        self.enlarge = doubling(num_classes) if small else None

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
        return logits if self.enlarge is None else cropped(self.enlarge(logits), images)


def cropped(enlarged: Tensor, finer: Tensor) -> Tensor:
    """Of an odd side one pixel more came out than the finer maps have: it is cut off."""
    return enlarged[..., : finer.shape[-2], : finer.shape[-1]]


def doubling(classes: int) -> nn.ConvTranspose2d:
    """A deconvolution that enlarges every class's scores twofold, bilinearly until it learns better."""
    layer = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[range(classes), range(classes)] = tent[:, None] * tent[None]
    return layer


def unet(*, channels: int, num_classes: int) -> UNet:
    """The published size: five strides, 31 million parameters."""
    return UNet(channels=channels, num_classes=num_classes, widths=PUBLISHED)


def unet_tiny(*, channels: int, num_classes: int) -> UNet:
    """Strides 2, 4 and 8 from 16 channels, for small pictures: 0.12 million parameters."""
    return UNet(channels=channels, num_classes=num_classes, widths=TINY, small=True)
