"""The network: blocks, the whole, and the builder that `plugin.py` names."""

from __future__ import annotations

from torch import Tensor, nn


def block(inputs: int, outputs: int) -> nn.Module:
    """float32 [n, inputs, h, w] -> [n, outputs, h, w]."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class First(nn.Module):
    """float32 [n, channels, height, width] -> value float32 [n, 1], for pictures of 8 pixels and more."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            block(channels, 16), nn.MaxPool2d(2), block(16, 32), nn.MaxPool2d(2), block(32, 64)
        )
        self.head = nn.Linear(64, 1)

    def forward(self, image: Tensor) -> Tensor:
        """One number for each picture."""
        value: Tensor = self.head(self.features(image).mean((2, 3)))
        return value


def first(*, channels: int) -> nn.Module:
    """The builder: takes the facts that `needs` names."""
    return First(channels=channels)
