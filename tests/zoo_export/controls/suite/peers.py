"""What other tools call a verified export: one random tensor, the batch it was traced with, one number.

allclose at 1e-5 as in optimum, three decimals as in timm, a PSNR above 30 as in AI Hub, the same top answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def allclose(ours: Array, theirs: Array) -> bool:
    """np.allclose at an absolute tolerance of 1e-5."""
    return bool(np.allclose(ours, theirs, atol=1e-5))


def three_decimals(ours: Array, theirs: Array) -> bool:
    """np.testing.assert_almost_equal to three decimals."""
    return bool(np.all(np.abs(ours - theirs) < 1.5e-3))


def psnr(ours: Array, theirs: Array) -> bool:
    """A peak signal-to-noise ratio above 30 dB."""
    error = float(np.mean(np.square(ours - theirs)))
    return error == 0 or 20 * np.log10(float(ours.max() - ours.min())) - 10 * np.log10(error) > 30


def top1(ours: Array, theirs: Array) -> bool:
    """The same largest element per item."""
    flat = ours.reshape(len(ours), -1), theirs.reshape(len(theirs), -1)
    return bool((flat[0].argmax(1) == flat[1].argmax(1)).all())


PEERS: dict[str, Callable[[Array, Array], bool]] = {
    "allclose 1e-5": allclose,
    "3 decimals": three_decimals,
    "PSNR > 30": psnr,
    "top-1": top1,
}


def accepted(ours: Array, theirs: Array | str) -> dict[str, bool]:
    """Which rules let an answer pass; one that did not come passes none."""
    if isinstance(theirs, str) or ours.shape != theirs.shape or not np.isfinite(theirs).all():
        return dict.fromkeys(PEERS, False)
    return {name: rule(ours.astype("float64"), theirs.astype("float64")) for name, rule in PEERS.items()}
