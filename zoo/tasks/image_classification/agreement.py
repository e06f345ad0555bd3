"""Two classifiers compared as their users would: the same first answer, the same first five, the same scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MARGIN: Final = 10.0
"""Two probabilities closer than so many times the reference's own error have no order."""
OUTPUT: Final = "probabilities"
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """An item agrees when its first answer is the same, and its first five are as far as they are decided."""
    margin = MARGIN * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    for ours, theirs, case in zip(reference, candidate, cases, strict=True):
        one, other = np.asarray(ours[OUTPUT], float), np.asarray(theirs[OUTPUT], float)
        gap = _gap(one, 1)
        if one.max() - one[other.argmax()] > margin:  # a tie of two excuses no third
            wrong.append((gap, _sentence(case, one, other, gap)))
        elif not gap > margin:
            undecided += 1
        elif _same(one, other, 5) or not _gap(one, 5) > margin:
            agreeing += 1
        else:
            wrong.append((gap, _sentence(case, one, other, gap)))
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics=scores(reference, cases),
        candidate_metrics=scores(candidate, cases),
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def scores(answers: Iterable[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """top1 and, above five classes, top5 over the cases whose truth is known."""
    hits: dict[str, list[bool]] = {}
    for answer, case in zip(answers, cases, strict=True):
        values = np.asarray(answer[OUTPUT])
        for k in (1, 5) if case.truth is not None else ():
            if k < len(values):
                hits.setdefault(f"top{k}", []).append(case.truth in _first(values, k))
    return {name: float(np.mean(found)) for name, found in hits.items()}


def _first(values: npt.NDArray[Any], k: int) -> list[int]:
    best: list[int] = np.argsort(-values, kind="stable")[:k].tolist()
    return best


def _gap(values: npt.NDArray[Any], k: int) -> float:
    """How far the k-th value lies above the next; without a next there is nothing to mistake."""
    ordered = np.sort(values)[::-1]
    return float(ordered[k - 1] - ordered[k]) if len(ordered) > k else float("inf")


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any], k: int) -> bool:
    return set(_first(one, k)) == set(_first(other, k))


def _sentence(case: Case, one: npt.NDArray[Any], other: npt.NDArray[Any], gap: float) -> str:
    mine, theirs = int(one.argmax()), int(other.argmax())
    where = case.origin or case.name
    if mine == theirs:
        return f"{where}: {mine} comes first in both, but the first five are {_first(one, 5)} and {_first(other, 5)}"
    return f"{where}: {mine} ({one[mine]:.4f}) became {theirs} ({other[theirs]:.4f}), with a margin of {gap:.2g}"
