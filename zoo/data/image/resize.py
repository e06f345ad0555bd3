"""Pillow's antialiased resize from operators on which all runtimes agree.  [torch]

ONNX's Resize has an attribute `antialias` that several runtimes ignore without a word.  Here each output row is a
weighted sum of the few input rows around it (its taps), as in Pillow: gathered, and mixed by a small matrix product.
`BLOCK` output rows share one window of input rows, which keeps the product small and the gather contiguous.
Positions are whole numbers until the last division, so that the weights do not depend on a runtime's rounding.
"""

from __future__ import annotations

from typing import Final, Literal, cast

import torch
from torch import Tensor

Filter = Literal["bilinear", "bicubic"]

BLOCK: Final = 16
"""Output rows that share one window of input rows."""
RADIUS: Final = {"bilinear": 1, "bicubic": 2}
"""Of the filter, in input rows when enlarging, in output rows when shrinking."""
ROUND: Final = {"bilinear": 0.505, "bicubic": 0.5005}
"""Added before flooring.  A little over a half, so that exact halves, which bilinear resizing makes by the
thousand, go up on every runtime; bicubic makes few, and its negative weights would enlarge the difference."""
CUBIC: Final = -0.5
"""Pillow's parameter of the bicubic filter (Keys 1981)."""


def resize_rows(levels: Tensor, *, rows: int, first: int, count: int, filter: Filter) -> Tensor:
    """Some rows of a resized array, in whole levels 0..255.

    Args:
        levels: float [length, m].
        rows: how many rows the `length` rows are resized to.
        first: the first of them that is wanted.
        count: how many are wanted; a number that is known when the graph is captured.
        filter: bilinear (a triangle) or bicubic; both are antialiased.

    Returns:
        float [count, m].
    """
    length = levels.shape[0]
    blocks = -(-count // BLOCK)
    # all positions are in units of 1 / (2 * rows) of an input row
    widest = cast(int, torch.sym_max(length, rows))  # symbolic while exporting
    reach = RADIUS[filter] * widest
    window = ((BLOCK - 1) * length + 2 * reach) // rows + 2
    wanted = torch.arange(blocks * BLOCK, device=levels.device).reshape(blocks, BLOCK) + first
    centre = (2 * wanted + 1) * length
    start = (centre[:, 0] - 2 * reach + rows).clamp(min=0) // (2 * rows)
    taps = start[:, None] + torch.arange(window, device=levels.device)
    distance = ((2 * taps + 1) * rows)[:, None, :] - centre[:, :, None]
    weights = _kernel(distance.to(levels.dtype) / (2 * widest), filter)
    weights = torch.where((taps < length)[:, None, :], weights, torch.zeros_like(weights))
    # rows that only fill up the last block have no taps
    weights = weights / weights.sum(2, keepdim=True).clamp(min=1e-6)
    windows = levels.index_select(0, taps.clamp(max=length - 1).reshape(-1)).reshape(blocks, window, -1)
    mixed = torch.matmul(weights, windows).reshape(blocks * BLOCK, -1)[:count]
    return torch.floor(mixed + ROUND[filter]).clamp(0.0, 255.0)


def _kernel(distance: Tensor, filter: Filter) -> Tensor:
    """The weight of a tap so far from the centre of an output row; the radius of the filter is its unit."""
    far = distance.abs()
    if filter == "bilinear":
        return (1.0 - far).clamp(min=0.0)
    inner = ((CUBIC + 2.0) * far - (CUBIC + 3.0)) * far * far + 1.0
    outer = (((far - 5.0) * far + 8.0) * far - 4.0) * CUBIC
    return torch.where(far < 1.0, inner, torch.where(far < 2.0, outer, torch.zeros_like(far)))
