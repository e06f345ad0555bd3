"""Two reconstructions compared as their users would: the same pictures, and equally close to the originals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "image_out"
MIN_SHARE_NEAR: Final = 0.999
"""The share of pixels that must be within one grey level."""
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """An item agrees when 99.9 % of its pixels are within one level; rounding leaves nothing undecided."""
    del noise  # levels are integers: rounding noise moves them by one level, which is allowed
    wrong: list[tuple[float, str]] = []
    for expected, actual, case in zip(reference, candidate, cases, strict=True):
        difference = np.abs(expected[OUTPUT].astype(int) - actual[OUTPUT].astype(int))
        far = float((difference > 1).mean())
        if far > 1 - MIN_SHARE_NEAR:
            where, distance = case.origin or case.name, f"more than one level away, up to {difference.max()}"
            wrong.append((far, f"{where}: {far:.2%} of the pixels are {distance}"))
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=len(cases) - len(wrong),
        undecided=0,
        reference_metrics=scores(reference, cases),
        candidate_metrics=scores(candidate, cases),
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """PSNR in decibels over the cases whose original is known, all pixels together; the original is `truth`."""
    errors = [
        _squared(answer[OUTPUT], case.truth)
        for answer, case in zip(answers, cases, strict=True)
        if case.truth is not None
    ]
    mean = float(np.mean(errors)) if errors else 0.0
    return {"psnr": float(10 * np.log10(255.0**2 / mean))} if mean > 0 else {}


def _squared(actual: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    return float(((actual.astype(float) - expected.astype(float)) ** 2).mean())
