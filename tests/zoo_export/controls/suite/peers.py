"""What other tools call a verified export: one random tensor, the batch it was traced with, one number.

allclose at 1e-5 as in optimum, three decimals as in timm, a PSNR above 30 as in AI Hub, the same top answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def allclose(expected: Array, actual: Array) -> bool:
    """np.allclose at an absolute tolerance of 1e-5."""
    return bool(np.allclose(expected, actual, atol=1e-5))


def three_decimals(expected: Array, actual: Array) -> bool:
    """np.testing.assert_almost_equal to three decimals."""
    return bool(np.all(np.abs(expected - actual) < 1.5e-3))


def psnr(expected: Array, actual: Array) -> bool:
    """A peak signal-to-noise ratio above 30 dB."""
    error = float(np.mean(np.square(expected - actual)))
    return error == 0 or 20 * np.log10(float(expected.max() - expected.min())) - 10 * np.log10(error) > 30


def top1(expected: Array, actual: Array) -> bool:
    """The same largest element per item."""
    best = [values.reshape(len(values), -1).argmax(1) for values in (expected, actual)]
    return bool((best[0] == best[1]).all())


PEERS: dict[str, Callable[[Array, Array], bool]] = {
    "allclose 1e-5": allclose,
    "3 decimals": three_decimals,
    "PSNR > 30": psnr,
    "top-1": top1,
}


def accepted(expected: Array, actual: Array | None) -> dict[str, bool]:
    """Which rules let an output pass; None, for a graph that does not run, passes none."""
    if actual is None or expected.shape != actual.shape or not np.isfinite(actual).all():
        return dict.fromkeys(PEERS, False)
    wide = expected.astype("float64"), actual.astype("float64")
    return {name: bool(rule(*wide)) for name, rule in PEERS.items()}
