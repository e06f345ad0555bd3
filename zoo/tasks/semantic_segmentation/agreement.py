"""Two class maps compared as their users would: the same class for every pixel that is no tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import MARGIN, Agreement, Case
from zoo.data.formats.masks.masks import IGNORE_INDEX

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "classes"
TIED: Final = 10.0
"""Two scores closer than so many times the reference's own error have no order."""
SPARED: Final = 1e-3
FEW: Final = 2
"""The share of decided pixels, or their number in a small picture, that may differ: preparing rounds to whole levels,
and one level more or less moves an edge here and there.  Where the file's own levels are known (the gating cases of
pipeline.onnx) nothing is spared."""
OPEN: Final = 0.05
"""A picture of which a larger share is tied is undecided."""
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """A picture agrees when its pixels do, away from ties; the raw share of equal pixels stands among the metrics."""
    tie = TIED * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    equal: list[float] = []
    for ours, theirs, case in zip(reference, candidate, cases, strict=True):
        where, one, other = case.origin or case.name, ours[OUTPUT], theirs[OUTPUT]
        if one.shape != other.shape:
            wrong.append((1.0, f"{where}: {list(other.shape)} pixels instead of {list(one.shape)}"))
            continue
        decided = _decided(ours, tie)
        apart = one != other
        equal.append(1.0 - float(apart.mean()))
        count = int(np.count_nonzero(apart & decided))
        if count > max(SPARED * decided.sum(), FEW):
            wrong.append((count / apart.size, _sentence(where, ours, other, apart & decided)))
        elif np.count_nonzero(~decided) > OPEN * decided.size:
            undecided += 1
        else:
            agreeing += 1
    wrong.sort(reverse=True)
    raw = {"equal_pixels": float(np.mean(equal))} if equal else {}
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics={**scores(reference, cases), **({"equal_pixels": 1.0} if equal else {})},
        candidate_metrics={**scores(candidate, cases), **raw},
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def _decided(answer: Arrays, tie: float) -> npt.NDArray[np.bool_]:
    """Pixels whose first class stands clear of the second; all of them where nobody measured it."""
    margin = answer.get(MARGIN)
    return np.ones(answer[OUTPUT].shape, bool) if margin is None else np.asarray(margin) > tie


def _sentence(where: str, ours: Arrays, other: npt.NDArray[Any], apart: npt.NDArray[np.bool_]) -> str:
    row, column = (int(place[0]) for place in np.nonzero(apart))
    return (
        f"{where}: {np.count_nonzero(apart)} of {apart.size} pixels differ away from ties, the first at "
        f"({column}, {row}): class {ours[OUTPUT][row, column]} became {other[row, column]}"
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """miou and pixel_accuracy over the cases whose mask is known, at each picture's own size."""
    pairs = [
        (answer[OUTPUT], case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None
    ]
    if not pairs:
        return {}
    count = 1 + max(int(max(found.max(), _known(truth).max(initial=0))) for found, truth in pairs)
    matrix = np.zeros((count, count), np.int64)
    for found, truth in pairs:
        if found.shape == truth.shape:
            kept = truth != IGNORE_INDEX
            places = truth[kept].astype(np.int64) * count + found[kept]
            matrix += np.bincount(places, minlength=count * count).reshape(count, count)
    right = np.diag(matrix)
    union = matrix.sum(0) + matrix.sum(1) - right
    if not matrix.sum():
        return {}
    return {
        "miou": float(np.mean(right[union > 0] / union[union > 0])),
        "pixel_accuracy": float(right.sum() / matrix.sum()),
    }


def _known(truth: npt.NDArray[Any]) -> npt.NDArray[Any]:
    known: npt.NDArray[Any] = truth[truth != IGNORE_INDEX]
    return known
