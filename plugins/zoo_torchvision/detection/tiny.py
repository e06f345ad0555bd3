"""A small backbone under torchvision's SSD (Liu et al. 2016, arXiv:1512.02325)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.ops import Conv2dNormActivation

WIDTHS: Final = (16, 32, 64, 96, 128)
"""Channels at strides 2, 4, 8, 16 and 32."""
DEPTHS: Final = (0, 1, 2, 1, 1)
"""Further convolutions at each stride."""
SCALES: Final = (0.15, 0.25, 0.45, 0.8)
"""Sides of the default boxes at strides 8, 16 and 32, in shares of the picture; the last one ends the series."""
RATIOS: Final = ((2, 3), (2, 3), (2,))


class TinyFeatures(nn.Module):
    """Stages of 3x3 convolutions, the first of each halving the size."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                Conv2dNormActivation(before, after, 3, 2),
                *(Conv2dNormActivation(after, after, 3) for _ in range(depth)),
            )
            for before, after, depth in zip(inputs, WIDTHS, (0, 1, 2, 1, 1), strict=True)
        )
        self.out_channels = list(WIDTHS[2:])

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """[n, 3, h, w] -> features at strides 8, 16 and 32."""
        features: OrderedDict[str, Tensor] = OrderedDict()
        for number, stage in enumerate(self.stages):
            images = stage(images)
            if number >= 2:
                features[str(number)] = images
        return features


def tiny_ssd(*, num_classes: int, image_size: tuple[int, int]) -> SSD:
    """The network; `num_classes` counts the background."""
    boxes = DefaultBoxGenerator([list(ratios) for ratios in RATIOS], scales=list(SCALES))
    return SSD(TinyFeatures(), boxes, (image_size[1], image_size[0]), num_classes)
