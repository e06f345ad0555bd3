"""What pipeline.onnx ends with: points in the pixels of the picture that was given.  [torch]"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn


class InPixels(nn.Module):
    """(points [1, k, 2] in 0..1, image uint8 [height, width, 3]) -> points float32 [k, 2], x and y in pixels."""

    raw: Final = ("image",)

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """[1, k, 2] -> [k, 2]."""
        found = points.squeeze(0)
        return torch.stack([found[:, 0] * image.shape[1], found[:, 1] * image.shape[0]], dim=1)
