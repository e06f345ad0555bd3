"""How a picture of any size becomes what a model takes: one module for training, evaluation and pipeline.onnx.  [torch]

`geometry` ends in whole grey levels, so that its result can be kept as uint8 without loss; `normalise` is the
rest.  Resizing is Pillow's: antialiased, half-pixel centres, from operators on which all runtimes agree (see
`resize`).  Every operation here has an exact ONNX counterpart at opset 18; torchvision's own transforms do not (they
export a wrong resize without a word).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput
from zoo.data.image.resize import resize_rows

if TYPE_CHECKING:
    from zoo.api.task import Batch

LUMA: Final = (19595.0, 38470.0, 7471.0)
"""ITU-R 601 in 65536ths, as in Pillow's convert("L"); all sums stay below 2**24, so float32 is exact."""
LARGE: Final = 4 * 10**6
"""Pixels from which on a picture is resized one channel after the other: as floats all take 24 bytes a pixel."""


class ImagePrepare(nn.Module):
    """uint8 [height, width, 3] to float32 [1, channels, *size].

    Its two buffers, `mean` and `std`, are in grey levels (0..255), float32 [1, channels, 1, 1].

    Examples:
        >>> prepare = zoo.ImagePrepare(zoo.ImageInput(size=(8, 8), channels=1, mean=(0.5,), std=(0.5,)))
        >>> prepare(torch.zeros(20, 30, 3, dtype=torch.uint8)).shape
        torch.Size([1, 1, 8, 8])
    """

    mean: Tensor
    """In grey levels, float32 [1, channels, 1, 1]."""
    std: Tensor
    """In grey levels, float32 [1, channels, 1, 1]."""

    def __init__(self, image: ImageInput) -> None:
        super().__init__()
        _check(image)
        self.size = image.size
        self.resize = image.resize
        self.stretch = image.stretch
        self.crop_rounding = image.crop_rounding
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
        if not torch.compiler.is_exporting() and tuple(image.shape[:2]) == self.size and self._keeps_size():
            levels = image.permute(2, 0, 1).unsqueeze(0).to(self.mean.dtype)
            return luma(levels) if self.channels == 1 else levels  # as resizing would leave it
        if not torch.compiler.is_exporting() and self.channels > 1 and image.shape[0] * image.shape[1] > LARGE:
            return torch.cat([self._columns(image[..., c : c + 1]) for c in range(self.channels)], 1)
        return self._columns(image)

    def _columns(self, image: Tensor) -> Tensor:
        """uint8 [height, width, c] -> whole levels [1, c, *size]; one channel of three where the model takes one."""
        # contiguous: a permuted view is exported as if it were not permuted
        columns = image.permute(1, 2, 0).contiguous().to(self.mean.dtype).unsqueeze(1)
        return self._fit(luma(columns, channels=2) if self.channels == 1 else columns)

    def fit(self, levels: Tensor) -> Tensor:
        """Levels [n, c, height, width] resized, rounded and cropped to [n, c, *size]; for c = 1 and any other."""
        if not torch.compiler.is_exporting() and levels.shape[-2:] == self.size and self._keeps_size():
            return levels  # as resizing would leave it
        return self._fit(levels.permute(3, 0, 1, 2).contiguous())

    def _keeps_size(self) -> bool:
        """Whether a picture of the model's size is neither resized nor cropped."""
        return self.resize in (None, min(self.size))

    def _fit(self, columns: Tensor) -> Tensor:
        """The same of columns [width, n, c, height]: resizing takes rows and columns as the first axis."""
        width, number, channels, height = columns.shape
        high, wide = self.scaled(height, width)
        top, left = self.crop_start(high, wide)
        if self.interpolation == "nearest":
            levels = F.interpolate(columns.permute(1, 2, 3, 0), (high, wide), mode="nearest-exact")
            return _crop(levels, top, left, self.size)
        # as Pillow: first along the rows, rounded and clipped to levels, then along the columns
        columns = columns.reshape(width, number * channels * height)
        columns = resize_rows(columns, rows=wide, first=left, count=self.size[1], filter=self.interpolation)
        rows = columns.reshape(self.size[1], number * channels, height).permute(2, 1, 0).reshape(height, -1)
        rows = resize_rows(rows, rows=high, first=top, count=self.size[0], filter=self.interpolation)
        return rows.reshape(self.size[0], number, channels, self.size[1]).permute(1, 2, 0, 3)

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after resizing, before the crop; symbolic while exporting: int() would freeze them."""
        if self.resize is None:
            return self.size
        if self.stretch:
            return self.resize, self.resize
        short = torch.sym_min(height, width)
        return cast(tuple[int, int], (self.resize * height // short, self.resize * width // short))

    def crop_start(self, high: int, wide: int) -> tuple[int, int]:
        """The first row and column of the crop of a resized picture."""
        spare = high - self.size[0], wide - self.size[1]
        top, left = spare if self.crop_rounding == "even" else (side - side % 2 for side in spare)
        return crop_offset(top), crop_offset(left)

    def normalise(self, levels: Tensor) -> Tensor:
        """Levels [n, c, h, w] (uint8 or float) -> (level / 255 - mean) / std; one channel is repeated where
        the model takes three."""
        return (levels.to(self.mean.dtype) - self.mean) / self.std

    def ready(self, batch: Batch) -> Batch:
        """A batch with `input`: its `image` (levels [n, c, h, w]) as the model takes it, on the images' own device."""
        image = batch["image"]
        if self.mean.device != image.device:
            self.to(image.device)
        if image.dtype == torch.uint8 and image.shape[1] == self.channels:
            # the same numbers as `normalise` gives, without two more arrays of their size
            return {**batch, "input": image.to(self.mean.dtype).sub_(self.mean).div_(self.std)}
        return {**batch, "input": self.normalise(image)}


class NoisyPrepare(ImagePrepare):
    """The same for models that take noise beside the picture."""

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """uint8 [height, width, 3] and float32 [size] -> float32 [1, channels, *size] and [1, size]."""
        return self.normalise(self.geometry(image)), noise.unsqueeze(0)


def luma(levels: Tensor, *, channels: int = 1) -> Tensor:
    """Colour levels -> grey levels, each exactly as Pillow's; equal channels stay.

    The axis `channels` has three entries in `levels`, and one in what is returned.
    """
    red, green, blue = levels.unbind(channels)
    total = red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]
    return torch.floor((total + 32768.0) / 65536.0).unsqueeze(channels)


def _crop(levels: Tensor, top: int, left: int, size: tuple[int, int]) -> Tensor:
    """`size` pixels from `top` and `left` on."""
    # gathered, so that the exported size is a number; a slice with a computed start loses it
    rows = torch.arange(size[0], device=levels.device) + top
    columns = torch.arange(size[1], device=levels.device) + left
    return levels.index_select(-2, rows).index_select(-1, columns)


def crop_offset(spare: int) -> int:
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
