"""Inception-ResNet-v1 that gives an embedding: `facenet`, and `facenet_tiny` of the same blocks.

Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the impact of residual connections on learning,
2016 (figures 10 to 14 and the stem of figure 14); Schroff, Kalenichenko, Philbin: FaceNet, 2015.  The modules are
called as in David Sandberg's and Tim Esler's published networks, so that their parameters fit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-3
"""Of every batch norm, as in the published networks."""


class BasicConv2d(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(
        self,
        inside: int,
        outside: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel_size, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outside, eps=EPSILON)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """float32 [n, inside, h, w] -> [n, outside, h', w']."""
        out: Tensor = self.relu(self.bn(self.conv(maps)))
        return out


class Residual(nn.Module):
    """Branches side by side, brought back to the width of the input by a 1x1 convolution, scaled and added to it."""

    def __init__(
        self, width: int, branches: tuple[nn.Module, ...], inside: int, *, scale: float, relu: bool = True
    ) -> None:
        super().__init__()
        self.scale = scale
        self.count = len(branches)
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch)
        self.conv2d = nn.Conv2d(inside, width, 1)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """float32 [n, width, h, w] -> the same shape."""
        sides = torch.cat([self.get_submodule(f"branch{number}")(maps) for number in range(self.count)], 1)
        out: Tensor = self.relu(self.conv2d(sides) * self.scale + maps)
        return out


def block35(width: int = 256, inner: int = 32, *, scale: float = 0.17) -> Residual:
    """Inception-ResNet-A, for maps of 35x35: 1x1; 3x3; two 3x3."""
    single = BasicConv2d(width, inner, 1)
    double = nn.Sequential(BasicConv2d(width, inner, 1), BasicConv2d(inner, inner, 3, padding=1))
    triple = nn.Sequential(
        BasicConv2d(width, inner, 1), BasicConv2d(inner, inner, 3, padding=1), BasicConv2d(inner, inner, 3, padding=1)
    )
    return Residual(width, (single, double, triple), 3 * inner, scale=scale)


def block17(width: int = 896, inner: int = 128, *, scale: float = 0.10) -> Residual:
    """Inception-ResNet-B, for maps of 17x17: 1x1; 1x7 and 7x1."""
    return Residual(width, (BasicConv2d(width, inner, 1), _crossed(width, inner, 7)), 2 * inner, scale=scale)


def block8(width: int = 1792, inner: int = 192, *, scale: float = 0.20, relu: bool = True) -> Residual:
    """Inception-ResNet-C, for maps of 8x8: 1x1; 1x3 and 3x1."""
    branches = (BasicConv2d(width, inner, 1), _crossed(width, inner, 3))
    return Residual(width, branches, 2 * inner, scale=scale, relu=relu)


def _crossed(width: int, inner: int, length: int) -> nn.Sequential:
    return nn.Sequential(
        BasicConv2d(width, inner, 1),
        BasicConv2d(inner, inner, (1, length), padding=(0, length // 2)),
        BasicConv2d(inner, inner, (length, 1), padding=(length // 2, 0)),
    )


class Reduction(nn.Module):
    """Branches that each halve the maps, and a pooling beside them."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.count = len(branches) + 1
        for number, branch in enumerate((*branches, nn.MaxPool2d(3, stride=2))):
            self.add_module(f"branch{number}", branch)

    def forward(self, maps: Tensor) -> Tensor:
        """float32 [n, inside, h, w] -> [n, of all branches, (h - 1) // 2, (w - 1) // 2]."""
        return torch.cat([self.get_submodule(f"branch{number}")(maps) for number in range(self.count)], 1)


def mixed_6a() -> Reduction:
    """256 maps to 896."""
    return Reduction(
        BasicConv2d(256, 384, 3, stride=2),
        nn.Sequential(
            BasicConv2d(256, 192, 1), BasicConv2d(192, 192, 3, padding=1), BasicConv2d(192, 256, 3, stride=2)
        ),
    )


def mixed_7a() -> Reduction:
    """896 maps to 1792."""
    return Reduction(
        nn.Sequential(BasicConv2d(896, 256, 1), BasicConv2d(256, 384, 3, stride=2)),
        nn.Sequential(BasicConv2d(896, 256, 1), BasicConv2d(256, 256, 3, stride=2)),
        nn.Sequential(
            BasicConv2d(896, 256, 1), BasicConv2d(256, 256, 3, padding=1), BasicConv2d(256, 256, 3, stride=2)
        ),
    )


class FaceNet(nn.Module):
    """Inception-ResNet-v1 up to the embedding, which is not yet of unit length."""

    def __init__(self, *, channels: int, embedding: int, dropout: float = 0.6) -> None:
        super().__init__()
        self.conv2d_1a = BasicConv2d(channels, 32, 3, stride=2)
        self.conv2d_2a = BasicConv2d(32, 32, 3)
        self.conv2d_2b = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = BasicConv2d(64, 80, 1)
        self.conv2d_4a = BasicConv2d(80, 192, 3)
        self.conv2d_4b = BasicConv2d(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(block35() for _ in range(5)))
        self.mixed_6a = mixed_6a()
        self.repeat_2 = nn.Sequential(*(block17() for _ in range(10)))
        self.mixed_7a = mixed_7a()
        self.repeat_3 = nn.Sequential(*(block8() for _ in range(5)))
        self.block8 = block8(scale=1.0, relu=False)
        self.avgpool_1a = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.last_linear = nn.Linear(1792, embedding, bias=False)
        self.last_bn = nn.BatchNorm1d(embedding, eps=EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """float32 [batch, channels, height, width], 75 pixels or more -> features float32 [batch, embedding]."""
        maps = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(images)))
        maps = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(self.maxpool_3a(maps))))
        maps = self.repeat_2(self.mixed_6a(self.repeat_1(maps)))
        maps = self.block8(self.repeat_3(self.mixed_7a(maps)))
        pooled = self.dropout(self.avgpool_1a(maps)).flatten(1)
        features: Tensor = self.last_bn(self.last_linear(pooled))
        return features


class TinyFaceNet(nn.Module):
    """The same blocks, narrow and few, for pictures of 28 pixels or more."""

    def __init__(self, *, channels: int, embedding: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            BasicConv2d(channels, 16, 3, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
            BasicConv2d(16, 32, 3, padding=1),
        )
        self.repeat_1 = nn.Sequential(block35(32, 8, scale=0.5))
        self.mixed_6a = Reduction(BasicConv2d(32, 32, 3, stride=2))
        self.repeat_2 = nn.Sequential(block17(64, 16, scale=0.5))
        self.mixed_7a = Reduction(nn.Sequential(BasicConv2d(64, 32, 1), BasicConv2d(32, 64, 3, stride=2)))
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.last_linear = nn.Linear(512, embedding, bias=False)
        self.last_bn = nn.BatchNorm1d(embedding, eps=EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """float32 [batch, channels, height, width] -> features float32 [batch, embedding]."""
        maps = self.repeat_1(self.stem(images))
        maps = self.mixed_7a(self.repeat_2(self.mixed_6a(maps)))
        features: Tensor = self.last_bn(self.last_linear(self.pool(maps).flatten(1)))
        return features


def facenet(*, channels: int, embedding: int) -> FaceNet:
    """The published network: 23.5 million parameters at 512 numbers."""
    return FaceNet(channels=channels, embedding=embedding)


def facenet_tiny(*, channels: int, embedding: int) -> TinyFaceNet:
    """For the embedded digits and other small pictures."""
    return TinyFaceNet(channels=channels, embedding=embedding)
