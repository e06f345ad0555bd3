"""Two sets of made pictures compared: the same latents must give the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from zoo.api.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "images"
MIN_SHARE_NEAR: Final = 0.999
"""The share of pixels that must be within one grey level."""
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """An item agrees when 99.9 % of its pixels are within one level; nothing is undecided, and nothing is scored:
    a latent has no right picture."""
    del noise  # levels are integers: rounding noise moves them by one level, which is allowed
    wrong: list[tuple[float, str]] = []
    for expected, actual, case in zip(reference, candidate, cases, strict=True):
        if expected[OUTPUT].shape != actual[OUTPUT].shape:
            wrong.append((1.0, f"{case.name}: {list(actual[OUTPUT].shape)} instead of {list(expected[OUTPUT].shape)}"))
            continue
        difference = np.abs(expected[OUTPUT].astype(int) - actual[OUTPUT].astype(int))
        far = float((difference > 1).mean())
        if far > 1 - MIN_SHARE_NEAR:
            where = case.origin or case.name
            wrong.append(
                (far, f"{where}: {far:.2%} of the pixels are more than one level away, up to {difference.max()}")
            )
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=len(cases) - len(wrong),
        undecided=0,
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )
