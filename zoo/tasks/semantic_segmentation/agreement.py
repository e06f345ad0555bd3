"""Whether two class maps agree: the same class for every pixel that is not a tie."""

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
TIE_FACTOR: Final = 10.0
"""Two scores are tied where they differ by less than this many times the reference's own error."""
MAX_DIFFERING_SHARE: Final = 1e-3
MAX_DIFFERING_PIXELS: Final = 2
"""The share of decided pixels, or their number in a small picture, that may differ: preprocessing rounds to whole
levels, and one level can move an edge by a pixel.  The gating cases of pipeline.onnx know the levels of the file
itself, so there no pixel may differ."""
MAX_TIED_SHARE: Final = 0.05
"""A picture with a larger share of tied pixels is undecided."""
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """A picture agrees when its pixels do, away from ties; the share of all equal pixels is one of the metrics."""
    tie = TIE_FACTOR * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    equal: list[float] = []
    for expected_answer, actual_answer, case in zip(reference, candidate, cases, strict=True):
        where, expected, actual = case.origin or case.name, expected_answer[OUTPUT], actual_answer[OUTPUT]
        if expected.shape != actual.shape:
            wrong.append((1.0, f"{where}: {list(actual.shape)} pixels instead of {list(expected.shape)}"))
            continue
        decided = _decided(expected_answer, tie)
        differ = expected != actual
        equal.append(1.0 - float(differ.mean()))
        count = int(np.count_nonzero(differ & decided))
        if count > max(MAX_DIFFERING_SHARE * decided.sum(), MAX_DIFFERING_PIXELS):
            wrong.append((count / differ.size, _sentence(where, expected, actual, differ & decided)))
        elif np.count_nonzero(~decided) > MAX_TIED_SHARE * decided.size:
            undecided += 1
        else:
            agreeing += 1
    wrong.sort(reverse=True)
    raw = {"equal_pixels": float(np.mean(equal))} if equal else {}
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics={"equal_pixels": 1.0} if equal else {},
        candidate_metrics=raw,
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def _decided(answer: Arrays, tie: float) -> npt.NDArray[np.bool_]:
    """The pixels whose best class is ahead of the second by more than a tie; all pixels where no margin is known."""
    margin = answer.get(MARGIN)
    return np.ones(answer[OUTPUT].shape, bool) if margin is None else np.asarray(margin) > tie


def _sentence(where: str, expected: npt.NDArray[Any], actual: npt.NDArray[Any], differ: npt.NDArray[np.bool_]) -> str:
    row, column = (int(indices[0]) for indices in np.nonzero(differ))
    return (
        f"{where}: {np.count_nonzero(differ)} of {differ.size} pixels differ away from ties, the first at "
        f"({column}, {row}): class {expected[row, column]} became {actual[row, column]}"
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """miou and pixel_accuracy over the cases whose mask is known, at each picture's own size."""
    pairs = [
        (answer[OUTPUT], case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None
    ]
    if not pairs:
        return {}
    count = 1 + max(int(max(classes.max(), _known(truth).max(initial=0))) for classes, truth in pairs)
    matrix = np.zeros((count, count), np.int64)
    for classes, truth in pairs:
        if classes.shape == truth.shape:
            kept = truth != IGNORE_INDEX
            cells = truth[kept].astype(np.int64) * count + classes[kept]
            matrix += np.bincount(cells, minlength=count * count).reshape(count, count)
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
