"""How a picture of any size becomes what a model takes: one module for training, evaluation and pipeline.onnx.  [torch]

`geometry` ends in whole grey levels, so that its result can be kept as uint8 without loss; `normalise` is the
rest.  Resizing is Pillow's: antialiased, half-pixel centres.  Every operation here has an exact ONNX
counterpart at opset 18; torchvision's own transforms do not (they export a wrong resize without a word).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput

if TYPE_CHECKING:
    from zoo.api.task import Batch

LUMA: Final = (19595.0, 38470.0, 7471.0)
"""ITU-R 601 in 65536ths, as in Pillow's convert("L"); all sums stay below 2**24, so float32 is exact."""
ROUND: Final = {"bilinear": 0.505, "bicubic": 0.5005}
"""Added before flooring.  A little over a half, so that exact halves, which bilinear resizing makes by the
thousand, go up on every runtime; bicubic makes few, and its negative weights would enlarge the difference."""


class ImagePrepare(nn.Module):
    """uint8 [height, width, 3] to float32 [1, channels, *size].

    Its two buffers, `mean` and `std`, are in grey levels (0..255), float32 [1, channels, 1, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(self, image: ImageInput) -> None:
        super().__init__()
        _check(image)
        self.size = image.size
        self.resize = image.resize
        self.interpolation = image.interpolation
        self.channels = image.channels
        self.register_buffer("mean", _levels(image.mean, image.channels))
        self.register_buffer("std", _levels(image.std, image.channels))

    def forward(self, image: Tensor) -> Tensor:
        """uint8 [height, width, 3] -> float32 [1, channels, *size]."""
        return self.normalise(self.geometry(image))

    def geometry(self, image: Tensor) -> Tensor:
        """uint8 [height, width, 3] -> whole levels 0..255 as float [1, channels, *size].

        Two runtimes may round one pixel in a thousand to neighbouring levels; never further apart.
        """
        # contiguous: a permuted view is exported as if it were not permuted
        levels = image.permute(2, 0, 1).contiguous().to(self.mean.dtype).unsqueeze(0)
        return self.fit(luma(levels) if self.channels == 1 else levels)

    def fit(self, levels: Tensor) -> Tensor:
        """Levels [n, c, height, width] resized, rounded and cropped to [n, c, *size]; for c = 1 and any other."""
        height, width = levels.shape[-2:]
        if self.resize is None:
            return _resize(levels, self.size, self.interpolation)
        short = torch.sym_min(height, width)
        # symbolic while exporting: int() would freeze them
        scaled = cast(tuple[int, int], (self.resize * height // short, self.resize * width // short))
        return _centre_crop(_resize(levels, scaled, self.interpolation), self.size)

    def normalise(self, levels: Tensor) -> Tensor:
        """Levels [n, c, h, w] (uint8 or float) -> (level / 255 - mean) / std; one channel is repeated where
        the model takes three."""
        return (levels.to(self.mean.dtype) - self.mean) / self.std

    def ready(self, batch: Batch) -> Batch:
        """A batch with `input`: its `image` (levels [n, c, h, w]) as the model takes it, on the images' own device."""
        image = batch["image"]
        if self.mean.device != image.device:
            self.to(image.device)
        return {**batch, "input": self.normalise(image)}


class NoisyPrepare(ImagePrepare):
    """The same for models that take noise beside the picture."""

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """uint8 [height, width, 3] and float32 [size] -> float32 [1, channels, *size] and [1, size]."""
        return self.normalise(self.geometry(image)), noise.unsqueeze(0)


def luma(levels: Tensor) -> Tensor:
    """Colour levels [n, 3, h, w] -> grey levels [n, 1, h, w], each exactly as Pillow's; equal channels stay."""
    red, green, blue = levels.unbind(1)
    total = red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]
    return torch.floor((total + 32768.0) / 65536.0).unsqueeze(1)


def _resize(levels: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    if interpolation == "nearest":
        return F.interpolate(levels, size, mode="nearest-exact")
    # as Pillow: first the rows, rounded and clipped to levels, then the columns
    for step in ((levels.shape[-2], size[1]), size):
        smooth = F.interpolate(levels, step, mode=interpolation, antialias=True)
        levels = torch.floor(smooth + ROUND[interpolation]).clamp(0.0, 255.0)
    return levels


def _centre_crop(levels: Tensor, size: tuple[int, int]) -> Tensor:
    top = _offset(levels.shape[-2] - size[0])
    left = _offset(levels.shape[-1] - size[1])
    # gathered, so that the exported size is a number; a slice with a computed start loses it
    rows = torch.arange(size[0], device=levels.device) + top
    columns = torch.arange(size[1], device=levels.device) + left
    return levels.index_select(-2, rows).index_select(-1, columns)


def _offset(spare: int) -> int:
    """Half of the spare pixels, halves to the even number: torchvision's int(round(spare / 2))."""
    half = spare // 2
    return half + (spare % 2) * (half % 2)


def _levels(values: tuple[float, ...], channels: int) -> Tensor:
    wide = values * channels if len(values) == 1 else values
    return (torch.tensor(wide, dtype=torch.float64) * 255.0).float().reshape(1, channels, 1, 1)


def _check(image: ImageInput) -> None:
    for name, values in (("mean", image.mean), ("std", image.std)):
        if len(values) not in (1, image.channels):
            raise UsageError(f"the image input has {image.channels} channels and {len(values)} values of {name}")
    if image.channels not in (1, 3):
        raise UsageError(f"images have one or three channels, not {image.channels}")
    if image.resize is not None and image.resize < max(image.size):
        raise UsageError(
            f"the image input resizes the shorter side to {image.resize} and then crops {image.size}",
            hint="resize must be at least as large as size",
        )
