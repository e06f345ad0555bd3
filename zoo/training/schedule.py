"""The learning rate of every step, computed before the first."""

from __future__ import annotations

import math

from zoo.api.recipe import Recipe


def learning_rates(recipe: Recipe, steps: int) -> list[float]:
    """The rate of each optimiser step, of groups whose factor is 1."""
    shape = {"onecycle": _onecycle, "cosine": _cosine, "constant": _constant}[recipe.schedule]
    return [recipe.lr * share for share in shape(steps, recipe.warmup)]


def _onecycle(steps: int, warmup: float) -> list[float]:
    """Up along a cosine from 1/25, down to a ten-thousandth of that; as torch's OneCycleLR (Smith and Topin, 2017)."""
    start, top = 1 / 25, max(warmup * steps - 1, 0.0)
    low = start / 10_000
    return [
        _bend(start, 1.0, step / top) if step < top else _bend(1.0, low, (step - top) / max(steps - 1 - top, 1))
        for step in range(steps)
    ]


def _bend(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _cosine(steps: int, warmup: float) -> list[float]:
    """Up in a straight line, down to zero along a cosine (Loshchilov and Hutter, 2017)."""
    rising = round(warmup * steps)
    return _line(rising) + [_bend(1.0, 0.0, step / (steps - rising)) for step in range(steps - rising)]


def _constant(steps: int, warmup: float) -> list[float]:
    """Up in a straight line, then level."""
    rising = round(warmup * steps)
    return _line(rising) + [1.0] * (steps - rising)


def _line(steps: int) -> list[float]:
    return [(step + 1) / (steps + 1) for step in range(steps)]
