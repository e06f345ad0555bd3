"""Postprocessing of pictures' models in pipeline.onnx: from raw outputs to probabilities and pictures.  [torch]"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.api.problem import ImageInput
from zoo.data.image.preprocess import ImagePrepare


class Probabilities(nn.Module):
    """Logits float32 [1, classes] to probabilities float32 [classes]."""

    def forward(self, logits: Tensor) -> Tensor:
        """[1, classes] -> [classes], summing to one."""
        return torch.softmax(logits, dim=1).squeeze(0)


class Picture(nn.Module):
    """A reconstruction in the space of the model's input, float32 [1, channels, h, w], to uint8 [h, w, channels]."""

    mean: Tensor
    std: Tensor

    def __init__(self, image: ImageInput) -> None:
        super().__init__()
        prepare = ImagePrepare(image)
        self.register_buffer("mean", prepare.mean)
        self.register_buffer("std", prepare.std)

    def levels(self, reconstruction: Tensor) -> Tensor:
        """Normalised values [n, c, h, w] -> grey levels 0..255, not rounded."""
        return (reconstruction * self.std + self.mean).clamp(0.0, 255.0)

    def forward(self, reconstruction: Tensor) -> Tensor:
        """[1, channels, h, w] -> uint8 [h, w, channels]."""
        whole = torch.round(self.levels(reconstruction))
        return whole.to(torch.uint8).squeeze(0).permute(1, 2, 0)


class Pictures(Picture):
    """Generated pictures, normalised float32 [n, channels, h, w], to uint8 [n, h, w, channels]."""

    def forward(self, generated: Tensor) -> Tensor:
        """[n, channels, h, w] -> uint8 [n, h, w, channels]."""
        return torch.round(self.levels(generated)).to(torch.uint8).permute(0, 2, 3, 1)
