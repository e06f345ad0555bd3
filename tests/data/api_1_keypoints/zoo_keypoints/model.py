"""Two small networks: a finder of points by heat maps, and a classifier of depthwise separable convolutions."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def convolved(
    before: int, after: int, *, stride: int = 1, dilation: int = 1, groups: int = 1, side: int = 3
) -> nn.Module:
    """A convolution that keeps the size but for its stride, normalised, with a ReLU."""
    padding = dilation * (side // 2)
    layer = nn.Conv2d(before, after, side, stride, padding, dilation, groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(after), nn.ReLU())


class Finder(nn.Module):
    """float32 [n, channels, h, w] -> points [n, k, 2], x and y in 0..1: each the centre of gravity of a heat map.

    Nibali et al., Numerical coordinate regression with convolutional neural networks, arXiv:1801.07372.
    """

    def __init__(self, points: int, channels: int, width: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolved(channels, width // 2),
            convolved(width // 2, width, stride=2),
            convolved(width, width),
            convolved(width, width, stride=2),
            convolved(width, width, dilation=2),
            convolved(width, width, dilation=4),
            convolved(width, width),
        )
        self.maps = nn.Conv2d(width, points, 1, bias=False)  # a softmax undoes a bias

    def forward(self, images: Tensor) -> Tensor:
        """[n, channels, h, w] -> [n, k, 2]."""
        maps = self.maps(self.body(images))
        heat = torch.softmax(maps.flatten(2), dim=2).view_as(maps)
        x = (heat.sum(2) * _centres(maps.shape[3], maps)).sum(2)
        y = (heat.sum(3) * _centres(maps.shape[2], maps)).sum(2)
        return torch.stack([x, y], dim=2)


def _centres(count: int, like: Tensor) -> Tensor:
    """The middles of `count` cells between 0 and 1, and a little beyond, so that edges can be reached."""
    places = (torch.arange(count, dtype=like.dtype, device=like.device) + 0.5) / count
    return places * 1.25 - 0.125


class Pocket(nn.Module):
    """float32 [n, channels, h, w] -> logits [n, classes]."""

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        widths = (8, 16, 32, 64)
        layers = [convolved(channels, widths[0])]
        for before, after in pairwise(widths):
            layers += [convolved(before, before, stride=2, groups=before), convolved(before, after, side=1)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """[n, channels, h, w] -> [n, classes]."""
        logits: Tensor = self.head(self.body(images).mean((2, 3)))
        return logits


def finder(*, num_classes: int, channels: int) -> nn.Module:
    """A finder of as many points as there are names."""
    return Finder(num_classes, channels)


def pocket(*, num_classes: int, channels: int) -> nn.Module:
    """A classifier."""
    return Pocket(num_classes, channels)
