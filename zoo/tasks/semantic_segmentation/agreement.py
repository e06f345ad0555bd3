"""Whether two class maps agree: the same class for every pixel that is not a tie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import MARGIN, Agreement, Case
from zoo.data.agreement import AGREEING, UNDECIDED, Verdict, item_agreement, noise_margin
from zoo.data.formats.masks.masks import IGNORE_INDEX
from zoo.tasks.bases.items import with_truth

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "classes"
MAX_DIFFERING_SHARE: Final = 1e-3
MAX_DIFFERING_PIXELS: Final = 2
"""The share of decided pixels, or their number in a small picture, that may differ: preprocessing rounds to whole
levels, and one level can move an edge by a pixel.  The gating cases of pipeline.onnx know the levels of the file
itself, so there no pixel may differ."""
MAX_TIED_SHARE: Final = 0.05
"""A picture with a larger share of tied pixels is undecided."""


def agreement(
    reference: Sequence[Arrays], candidate: Sequence[Arrays], *, cases: Sequence[Case], noise: Mapping[str, float]
) -> Agreement:
    """A picture agrees when its pixels do, away from ties; the share of all equal pixels is one of the metrics."""
    tie = noise_margin(noise, OUTPUT)
    verdicts = item_agreement(
        reference, candidate, cases=cases, compare=lambda expected, actual, _: _verdict(expected, actual, tie)
    )
    pairs = [(one[OUTPUT], other[OUTPUT]) for one, other in zip(reference, candidate, strict=True)]
    equal = [float((one == other).mean()) for one, other in pairs if one.shape == other.shape]
    return replace(
        verdicts,
        reference_metrics={"equal_pixels": 1.0} if equal else {},
        candidate_metrics={"equal_pixels": float(np.mean(equal))} if equal else {},
    )


def _verdict(expected_answer: Arrays, actual_answer: Arrays, tie: float) -> Verdict:
    expected, actual = expected_answer[OUTPUT], actual_answer[OUTPUT]
    if expected.shape != actual.shape:
        return Verdict("differing", 1.0, f"{list(actual.shape)} pixels instead of {list(expected.shape)}")
    decided = _decided(expected_answer, tie)
    differ = (expected != actual) & decided
    count = int(np.count_nonzero(differ))
    if count > max(MAX_DIFFERING_SHARE * decided.sum(), MAX_DIFFERING_PIXELS):
        return Verdict("differing", count / differ.size, _sentence(expected, actual, differ))
    return UNDECIDED if np.count_nonzero(~decided) > MAX_TIED_SHARE * decided.size else AGREEING


def _decided(answer: Arrays, tie: float) -> npt.NDArray[np.bool_]:
    """The pixels whose best class is ahead of the second by more than a tie; all pixels where no margin is known."""
    margin = answer.get(MARGIN)
    return np.ones(answer[OUTPUT].shape, bool) if margin is None else np.asarray(margin) > tie


def _sentence(expected: npt.NDArray[Any], actual: npt.NDArray[Any], differ: npt.NDArray[np.bool_]) -> str:
    row, column = (int(indices[0]) for indices in np.nonzero(differ))
    return (
        f"{np.count_nonzero(differ)} of {differ.size} pixels differ away from ties, the first at "
        f"({column}, {row}): class {expected[row, column]} became {actual[row, column]}"
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """miou and pixel_accuracy over the cases whose mask is known, at each picture's own size."""
    pairs = [(answer[OUTPUT], case.truth) for answer, case in with_truth(answers, cases)]
    if not pairs:
        return {}
    return _scores(_confusion(pairs, _classes(pairs)))


def resampled_scores(
    answers: Sequence[Arrays], cases: Sequence[Case]
) -> Callable[[Sequence[int]], Mapping[str, float]]:
    """`scores` of any selection of these cases, whose masks are known: the pixels of each picture are counted once."""
    pairs = [(answer[OUTPUT], case.truth) for answer, case in with_truth(answers, cases)]
    count = _classes(pairs)
    matrices = np.stack([_confusion([pair], count) for pair in pairs])
    return lambda indices: _scores(matrices[list(indices)].sum(0))


_Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""The classes that an answer gives to the pixels of a picture, and the true ones."""


def _classes(pairs: Sequence[_Pair]) -> int:
    return 1 + max(int(max(classes.max(), _known(truth).max(initial=0))) for classes, truth in pairs)


def _confusion(pairs: Sequence[_Pair], count: int) -> npt.NDArray[np.int64]:
    """How many pixels of each true class (rows) were given each class (columns), int64 [count, count]."""
    matrix = np.zeros((count, count), np.int64)
    for classes, truth in pairs:
        if classes.shape == truth.shape:
            kept = truth != IGNORE_INDEX
            cells = truth[kept].astype(np.int64) * count + classes[kept]
            matrix += np.bincount(cells, minlength=count * count).reshape(count, count)
    return matrix


def _scores(matrix: npt.NDArray[np.int64]) -> dict[str, float]:
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
