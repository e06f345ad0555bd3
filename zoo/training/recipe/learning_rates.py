"""The learning rate of every step, computed before the first step."""

from __future__ import annotations

import math

from zoo.api.recipe import Recipe


def learning_rates(recipe: Recipe, steps: int) -> list[float]:
    """The learning rate of each optimiser step, for parameter groups whose factor is 1."""
    shape = {"onecycle": _onecycle, "cosine": _cosine, "constant": _constant}[recipe.schedule]
    return [recipe.lr * share for share in shape(steps, recipe.warmup)]


def _onecycle(steps: int, warmup: float) -> list[float]:
    """From 1/25 to 1 and down to 1/250,000 along cosines; as torch's OneCycleLR (Smith and Topin, 2017)."""
    start, top = 1 / 25, max(warmup * steps - 1, 0.0)
    low = start / 10_000
    return [
        _cosine_between(start, 1.0, step / top)
        if step < top
        else _cosine_between(1.0, low, (step - top) / max(steps - 1 - top, 1))
        for step in range(steps)
    ]


def _cosine_between(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _cosine(steps: int, warmup: float) -> list[float]:
    """A linear warm-up, then to zero along a cosine (Loshchilov and Hutter, 2017)."""
    rising = round(warmup * steps)
    return _warmup(rising) + [_cosine_between(1.0, 0.0, step / (steps - rising)) for step in range(steps - rising)]


def _constant(steps: int, warmup: float) -> list[float]:
    """A linear warm-up, then constant."""
    rising = round(warmup * steps)
    return _warmup(rising) + [1.0] * (steps - rising)


def _warmup(steps: int) -> list[float]:
    return [(step + 1) / (steps + 1) for step in range(steps)]
