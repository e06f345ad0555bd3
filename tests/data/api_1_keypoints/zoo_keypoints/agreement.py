"""Two sets of points compared as their users would: the same places, and equally near to the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from zoo import Agreement, Case

NEAR: Final = 0.05
"""A point counts as found when it is nearer than this share of the picture's longer side (PCK@0.05)."""
SAME: Final = 0.001
"""Two answers are the same where every point differs by less than this share of the longer side."""
SHOWN: Final = 12

Arrays = Mapping[str, np.ndarray[Any, Any]]


def agreement(reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case]) -> Agreement:
    """A picture agrees when every point is at the same place; nothing is undecided."""
    wrong: list[tuple[float, str]] = []
    for ours, theirs, case in zip(reference, candidate, cases, strict=True):
        away = _distance(ours["points"], theirs["points"])
        share = float(away.max()) / _side(case)
        if share >= SAME:
            wrong.append(
                (share, f"{case.origin or case.name}: point {away.argmax() + 1} is {away.max():.2f} pixels away")
            )
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
    """pck and error over the cases whose points are known; `truth` is [k, 2] in pixels."""
    pairs = [(answer, case) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]
    if not pairs:
        return {}
    away = [_distance(answer["points"], np.asarray(case.truth)) for answer, case in pairs]
    near = [distance < NEAR * _side(case) for distance, (_, case) in zip(away, pairs, strict=True)]
    return {"pck": float(np.mean(near)), "error": float(np.mean(away))}


def _distance(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(np.hypot(*(one.astype(float) - other.astype(float)).T))


def _side(case: Case) -> int:
    return int(max(case.inputs["image"].shape[:2]))
