"""A YOLO of today: CSP backbone, path-aggregation neck, decoupled heads, one box per cell and no anchors.

Backbone: cross-stage partial blocks (Wang et al. 2019, arXiv:1911.11929) ending in spatial pyramid pooling
(He et al. 2014, arXiv:1406.4729).  Neck: feature pyramid (Lin et al. 2017, arXiv:1612.03144) with path
aggregation (Liu et al. 2018, arXiv:1803.01534).  Heads and box code: YOLOX (Ge et al. 2021, arXiv:2107.08430).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES: Final = (8, 16, 32)
"""Pixels between the cells of the three levels."""
MAX_LOG_SIDE: Final = 6.0
"""Box sides are exp(raw) strides; raw is clamped to this, so that no input makes them infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One size of the architecture."""

    widths: tuple[int, int, int, int, int]
    """Channels at strides 2, 4, 8, 16 and 32."""
    depths: tuple[int, int, int, int]
    """Residual blocks at strides 4, 8, 16 and 32."""
    head: int
    """Channels of the heads."""


NANO: Final = Size(widths=(16, 24, 48, 64, 80), depths=(1, 1, 1, 1), head=32)
SMALL_SIZE: Final = Size(widths=(24, 48, 96, 192, 256), depths=(1, 2, 2, 1), head=96)
MEDIUM: Final = Size(widths=(48, 96, 192, 384, 512), depths=(2, 4, 4, 2), head=192)


class Conv(nn.Sequential):
    """Convolution, batch normalisation, SiLU; keeps the size at stride 1, halves it at stride 2."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
            nn.SiLU(inplace=True),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions, added to their input where `shortcut` says so."""

    def __init__(self, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.convs = nn.Sequential(Conv(channels, channels, 3), Conv(channels, channels, 3))
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        changed: Tensor = self.convs(x)
        return x + changed if self.shortcut else changed


class PartialStage(nn.Module):
    """Half of the channels through `depth` residual blocks, half around them, then joined: a CSP stage."""

    def __init__(self, inputs: int, outputs: int, depth: int, *, shortcut: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.through = Conv(inputs, half)
        self.around = Conv(inputs, half)
        self.blocks = nn.Sequential(*(Residual(half, shortcut=shortcut) for _ in range(depth)))
        self.join = Conv(2 * half, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[n, inputs, h, w] -> [n, outputs, h, w]."""
        joined: Tensor = self.join(torch.cat([self.blocks(self.through(x)), self.around(x)], dim=1))
        return joined


class PyramidPooling(nn.Module):
    """Maxima over growing neighbourhoods beside the features themselves; three 5x5 pools in a row see 13x13."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.reduce = Conv(channels, half)
        self.join = Conv(4 * half, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> the same shape."""
        views = [self.reduce(x)]
        for _ in range(3):
            views.append(F.max_pool2d(views[-1], 5, stride=1, padding=2))
        joined: Tensor = self.join(torch.cat(views, dim=1))
        return joined


class Backbone(nn.Module):
    """A picture to features at strides 8, 16 and 32."""

    def __init__(self, channels: int, size: Size) -> None:
        super().__init__()
        widths = size.widths
        self.stem = Conv(channels, widths[0], 3, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(Conv(before, after, 3, 2), PartialStage(after, after, depth, shortcut=True))
            for before, after, depth in zip(widths[:-1], widths[1:], size.depths, strict=True)
        )
        self.pool = PyramidPooling(widths[-1])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[n, c, h, w] -> [n, widths[2], h/8, w/8] and so on."""
        features = [self.stem(images)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[2], features[3], self.pool(features[4])


class Neck(nn.Module):
    """Context flows down to the fine level and position back up to the coarse one."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        fine, middle, coarse = size.widths[2:]
        depth = size.depths[-1]
        self.reduce_coarse = Conv(coarse, middle)
        self.down_middle = PartialStage(2 * middle, middle, depth, shortcut=False)
        self.reduce_middle = Conv(middle, fine)
        self.down_fine = PartialStage(2 * fine, fine, depth, shortcut=False)
        self.shrink_fine = Conv(fine, fine, 3, 2)
        self.up_middle = PartialStage(2 * fine, middle, depth, shortcut=False)
        self.shrink_middle = Conv(middle, middle, 3, 2)
        self.up_coarse = PartialStage(2 * middle, coarse, depth, shortcut=False)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three levels to three levels of the same shapes."""
        from_coarse = self.reduce_coarse(coarse)
        middle = self.down_middle(torch.cat([_double(from_coarse), middle], dim=1))
        from_middle = self.reduce_middle(middle)
        fine = self.down_fine(torch.cat([_double(from_middle), fine], dim=1))
        middle = self.up_middle(torch.cat([self.shrink_fine(fine), from_middle], dim=1))
        coarse = self.up_coarse(torch.cat([self.shrink_middle(middle), from_coarse], dim=1))
        return fine, middle, coarse


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Head(nn.Module):
    """One level's two branches: what it is, and where."""

    def __init__(self, inputs: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.stem = Conv(inputs, width)
        self.what = nn.Sequential(Conv(width, width, 3), nn.Conv2d(width, num_classes, 1))
        self.where = nn.Sequential(Conv(width, width, 3), Conv(width, width, 3), nn.Conv2d(width, 4, 1))
        bias = self.what[-1].bias
        assert isinstance(bias, Tensor)
        # as if one cell in a hundred held each class: focal loss's prior (Lin et al. 2017, arXiv:1708.02002)
        nn.init.constant_(bias, -math.log(99.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[n, c, h, w] -> raw boxes [n, h*w, 4] and logits [n, h*w, classes], rows first."""
        x = self.stem(x)
        return self.where(x).flatten(2).transpose(1, 2), self.what(x).flatten(2).transpose(1, 2)


class Yolo(nn.Module):
    """Pictures float32 [n, channels, h, w], sides a multiple of 32, to (boxes, logits).

    boxes float32 [n, cells, 4]: left, top, right, bottom in pixels.  logits float32 [n, cells, classes].
    The cells are those of strides 8, 16 and 32, row by row.
    """

    def __init__(self, size: Size, *, num_classes: int, channels: int) -> None:
        super().__init__()
        self.backbone = Backbone(channels, size)
        self.neck = Neck(size)
        self.heads = nn.ModuleList(Head(width, size.head, num_classes) for width in size.widths[2:])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Decoded boxes and class logits of every cell."""
        levels = self.neck(*self.backbone(images))
        # coarse to fine: the graph ends in the layers that most answers come from
        answers = [head(level) for head, level in zip(reversed(self.heads), reversed(levels), strict=True)][::-1]
        raw = torch.cat([boxes for boxes, _ in answers], dim=1)
        logits = torch.cat([logits for _, logits in answers], dim=1)
        centres, strides = cells([(level.shape[-2], level.shape[-1]) for level in levels], like=images)
        return decode(raw.to(images.dtype), centres, strides), logits.to(images.dtype)


def cells(sizes: Sequence[tuple[int, int]], *, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres [cells, 2] (x, y) and strides [cells, 1], both in pixels, of levels of these heights and widths."""
    centres, strides = [], []
    for stride, (height, width) in zip(STRIDES, sizes, strict=True):
        y = torch.arange(height, device=like.device).to(like.dtype) + 0.5
        x = torch.arange(width, device=like.device).to(like.dtype) + 0.5
        grid = torch.stack([x.repeat(height), y.repeat_interleave(width)], dim=1)
        centres.append(grid * stride)
        strides.append(torch.full_like(grid[:, :1], float(stride)))
    return torch.cat(centres), torch.cat(strides)


def decode(raw: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Raw (dx, dy, log w, log h) in strides, [n, cells, 4], to corners in pixels."""
    middle = centres + raw[..., :2] * strides
    half = raw[..., 2:].clamp(max=MAX_LOG_SIDE).exp() * (strides * 0.5)
    return torch.cat([middle - half, middle + half], dim=-1)


def yolo_nano(*, num_classes: int, channels: int) -> Yolo:
    """The size for the smallest devices."""
    return Yolo(NANO, num_classes=num_classes, channels=channels)


def yolo_small(*, num_classes: int, channels: int) -> Yolo:
    """About ten times the nano."""
    return Yolo(SMALL_SIZE, num_classes=num_classes, channels=channels)


def yolo_medium(*, num_classes: int, channels: int) -> Yolo:
    """About fifty times the nano."""
    return Yolo(MEDIUM, num_classes=num_classes, channels=channels)
