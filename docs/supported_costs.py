"""What a proof takes, estimated from the proofs that were measured: CPU seconds and memory over three sizes of a model.

Each cost is a constant and a share for the parameters, the multiply-adds and the activations, none of them negative:
the least squares of the relative errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MIN_ROWS = 8
"""Fewer measured models give no estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is known of a model without building it."""

    mparams: float
    """Millions of parameters."""
    gmacs: float
    """Billions of multiply-adds for one picture."""
    macts: float
    """Millions of activations for one picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """One cost as a function of the sizes."""

    shares: tuple[float, ...]
    """Of 1, mparams, gmacs and macts."""
    error: float
    """Half of the measured models are off by at most this share."""

    def estimate(self, sizes: Sizes) -> float:
        """The cost of a model of these sizes."""
        return float(_row(sizes) @ np.array(self.shares))


def fit(sizes: Sequence[Sizes], costs: Sequence[float]) -> CostModel | None:
    """The function that fits measured costs; None for too few of them."""
    if len(costs) < MIN_ROWS:
        return None
    features, expected = np.stack([_row(model) for model in sizes]), np.array(costs, dtype=np.float64)
    relative = features / expected[:, None]
    shares = min(_solutions(relative), key=lambda solution: float(np.square(relative @ solution - 1).sum()))
    return CostModel(shares=tuple(map(float, shares)), error=median(np.abs(relative @ shares - 1).tolist()))


def _solutions(relative: Floats) -> list[Floats]:
    """The least squares over every subset of the columns whose shares are not negative; the best one is among them."""
    width = relative.shape[1]
    solutions: list[Floats] = []
    for count in range(1, width + 1):
        for columns in combinations(range(width), count):
            part: Any = np.linalg.lstsq(relative[:, columns], np.ones(len(relative)), rcond=None)[0]
            if (part >= 0).all():
                solution = np.zeros(width)
                solution[list(columns)] = part
                solutions.append(solution)
    return solutions


def _row(sizes: Sizes) -> Floats:
    return np.array([1.0, sizes.mparams, sizes.gmacs, sizes.macts])
