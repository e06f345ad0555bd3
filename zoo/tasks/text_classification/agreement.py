"""Whether two text classifiers agree: the same top-1 for every text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

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
    """An item agrees when its likeliest class is the same; it is undecided where the reference has no clear one."""
    margin = MARGIN * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    for expected_answer, actual_answer, case in zip(reference, candidate, cases, strict=True):
        expected, actual = expected_answer[OUTPUT][0], actual_answer[OUTPUT][0]
        second, first = np.sort(expected)[-2:] if len(expected) > 1 else (-np.inf, expected[0])
        gap = float(first - second)
        before, after = int(expected.argmax()), int(actual.argmax())
        if expected[before] - expected[after] > margin:  # a tie of the best two does not accept a third
            change = f"class {before} ({expected[before]:.4f}) became {after} ({actual[after]:.4f})"
            wrong.append((gap, f"{case.origin or case.name}: {change}, with a margin of {gap:.2g}"))
        elif gap > margin:
            agreeing += 1
        else:
            undecided += 1
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics=scores(reference, cases),
        candidate_metrics=scores(candidate, cases),
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """accuracy over the cases whose truth is known."""
    pairs = zip(answers, cases, strict=True)
    hits = [int(answer[OUTPUT][0].argmax()) == case.truth for answer, case in pairs if case.truth is not None]
    return {"accuracy": float(np.mean(hits))} if hits else {}
