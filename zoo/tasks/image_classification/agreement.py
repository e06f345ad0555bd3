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
"""Two probabilities are tied where they differ by less than this many times the reference's own error."""
OUTPUT: Final = "probabilities"
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """An item agrees when its top-1 is the same, and its top-5 too where the reference decides them."""
    margin = MARGIN * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    for expected_answer, actual_answer, case in zip(reference, candidate, cases, strict=True):
        expected, actual = np.asarray(expected_answer[OUTPUT], float), np.asarray(actual_answer[OUTPUT], float)
        gap = _gap(expected, 1)
        if expected.max() - expected[actual.argmax()] > margin:  # a tie of the best two does not accept a third
            wrong.append((gap, _sentence(case, expected, actual, gap)))
        elif not gap > margin:
            undecided += 1
        elif _same(expected, actual, 5) or not _gap(expected, 5) > margin:
            agreeing += 1
        else:
            wrong.append((gap, _sentence(case, expected, actual, gap)))
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
    return {name: float(np.mean(values)) for name, values in hits.items()}


def _first(values: npt.NDArray[Any], k: int) -> list[int]:
    best: list[int] = np.argsort(-values, kind="stable")[:k].tolist()
    return best


def _gap(values: npt.NDArray[Any], k: int) -> float:
    """How far the k-th largest value is above the next; infinite without a next."""
    ordered = np.sort(values)[::-1]
    return float(ordered[k - 1] - ordered[k]) if len(ordered) > k else float("inf")


def _same(expected: npt.NDArray[Any], actual: npt.NDArray[Any], k: int) -> bool:
    return set(_first(expected, k)) == set(_first(actual, k))


def _sentence(case: Case, expected: npt.NDArray[Any], actual: npt.NDArray[Any], gap: float) -> str:
    before, after = int(expected.argmax()), int(actual.argmax())
    where, fives = case.origin or case.name, f"{_first(expected, 5)} and {_first(actual, 5)}"
    if before == after:
        return f"{where}: {before} comes first in both, but the first five are {fives}"
    return (
        f"{where}: {before} ({expected[before]:.4f}) became {after} ({actual[after]:.4f}), with a margin of {gap:.2g}"
    )
