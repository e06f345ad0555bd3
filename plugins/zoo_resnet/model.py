"""Residual networks for small pictures, of any size and number of channels.

`resnet8` is the image classification reference of MLPerf Tiny (Banbury et al., MLPerf Tiny Benchmark, NeurIPS 2021).
`resnet20`, `resnet32` and `resnet56` are the CIFAR-10 series of He, Zhang, Ren, Sun: Deep residual learning for image
recognition, CVPR 2016, section 4.2, with its parameter-free shortcuts (option A).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

Shortcut = Literal["projection", "pad"]
WIDTHS = (16, 32, 64)


class PadShortcut(nn.Module):
    """Every second row and column, and zeros for the channels that are new; no parameters."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.missing = out_channels - in_channels

    def forward(self, images: Tensor) -> Tensor:
        """float32 [n, in_channels, height, width] -> [n, out_channels, ceil(height / 2), ceil(width / 2)]."""
        before = self.missing // 2
        return F.pad(images[:, :, ::2, ::2], (0, 0, 0, 0, before, self.missing - before))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: relu(bn(conv(relu(bn(conv(x))))) + shortcut(x))."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module
        if stride == 1:
            self.shortcut = nn.Identity()
        elif shortcut == "projection":
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride)
        else:
            self.shortcut = PadShortcut(in_channels, out_channels)

    def forward(self, images: Tensor) -> Tensor:
        """float32 [n, in_channels, height, width] -> [n, out_channels, height / stride, width / stride], rounded up."""
        features = F.relu(self.bn1(self.conv1(images)), inplace=True)
        return F.relu(self.bn2(self.conv2(features)) + self.shortcut(images), inplace=True)


class SmallResNet(nn.Module):
    """A 3x3 stem without pooling, three stages of 16, 32 and 64 channels, average pooling and a head."""

    def __init__(self, *, channels: int, num_classes: int, blocks: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU(inplace=True)
        )
        stages: list[nn.Module] = []
        in_channels = WIDTHS[0]
        for width in WIDTHS:
            for index in range(blocks):
                stride = 2 if index == 0 and width != WIDTHS[0] else 1
                stages.append(BasicBlock(in_channels, width, stride=stride, shortcut=shortcut))
                in_channels = width
        self.features = nn.Sequential(*stages)
        self.head = nn.Linear(in_channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Logits.  images: float32 [n, channels, height, width] -> float32 [n, num_classes]."""
        features = self.features(self.stem(images))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


def resnet8(*, channels: int, num_classes: int) -> SmallResNet:
    """One block a stage, projections as shortcuts: 78,000 parameters."""
    return SmallResNet(channels=channels, num_classes=num_classes, blocks=1, shortcut="projection")


def resnet20(*, channels: int, num_classes: int) -> SmallResNet:
    """Three blocks a stage: 0.27 million parameters."""
    return SmallResNet(channels=channels, num_classes=num_classes, blocks=3, shortcut="pad")


def resnet32(*, channels: int, num_classes: int) -> SmallResNet:
    """Five blocks a stage: 0.46 million parameters."""
    return SmallResNet(channels=channels, num_classes=num_classes, blocks=5, shortcut="pad")


def resnet56(*, channels: int, num_classes: int) -> SmallResNet:
    """Nine blocks a stage: 0.85 million parameters."""
    return SmallResNet(channels=channels, num_classes=num_classes, blocks=9, shortcut="pad")
