"""Two detectors compared as their users would: every box of the one has its like in the other, whatever the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from zoo.api.task import Agreement, Case
from zoo.data.agreement import AGREEING, UNDECIDED, Verdict, item_agreement
from zoo.tasks.object_detection.facts import MIN_LIMIT
from zoo.tasks.object_detection.matching import Boxes, Tolerances, boxes_of, decided, unmatched

if TYPE_CHECKING:
    from zoo.api.task import Arrays

PIXEL_TOLERANCE: Final = 0.01
"""Pixels.  Boxes whose corners differ by at most this are the same box, however small."""
SCORE_TOLERANCE: Final = 1e-5
"""Scores may differ by this and eight times the reference's own error; edges by `PIXEL_TOLERANCE` and eight times
that of edges."""
MAX_NOISE: Final = 1e-4
"""The largest error of the reference that widens a tolerance; a larger one only means another order of the rows.
For edges it is relative to the farthest edge."""


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
) -> Agreement:
    """A picture agrees when every box has a match and the boxes are in the order of their scores.

    An unmatched box is accepted only where rounding decides about it: at the score threshold, at the NMS IoU limit, as
    the last of a full list; or because of another such box.  The picture is undecided then.  The order must match.
    """
    limit = max(MIN_LIMIT, *(len(answer["scores"]) for answer in reference))

    def compare(expected: Arrays, actual: Arrays, _: Case) -> Verdict:
        counts = {name: len(actual[name]) for name in ("boxes", "scores", "labels")}
        if len(set(counts.values())) > 1:
            return Verdict("differing", float("inf"), " and ".join(f"{count} {name}" for name, count in counts.items()))
        return _verdict(boxes_of(expected), boxes_of(actual), limit=limit, noise=noise)

    return item_agreement(reference, candidate, cases=cases, compare=compare)


def _verdict(expected: Boxes, actual: Boxes, *, limit: int, noise: Mapping[str, float]) -> Verdict:
    tolerances = _tolerances(expected, noise)
    missing, added = unmatched(expected, actual, tolerances)
    rest = decided(expected, actual, missing, added, limit=limit, tolerances=tolerances)
    differences = [
        (answer, what, index)
        for answer, what, indices in ((expected, "is missing", rest[0]), (actual, "is new", rest[1]))
        for index in indices
    ]
    late = _out_of_order(actual, tolerance=max(tolerances.score, _largest_rise(expected)))
    if late is not None:
        differences.append((actual, "stands behind one with a lower score", late))
    if differences:
        answer, what, index = max(differences, key=lambda row: float(row[0].scores[row[2]]))
        return Verdict("differing", float(answer.scores[index]), _sentence(answer, index, what))
    return UNDECIDED if missing or added else AGREEING


def _tolerances(expected: Boxes, noise: Mapping[str, float]) -> Tolerances:
    farthest = float(np.abs(expected.boxes).max(initial=0.0))
    return Tolerances(
        score=SCORE_TOLERANCE + 8 * min(noise.get("scores", 0.0), MAX_NOISE),
        edge=PIXEL_TOLERANCE + 8 * min(noise.get("boxes", 0.0), MAX_NOISE * farthest),
    )


def _largest_rise(answer: Boxes) -> float:
    """The largest amount by which a score exceeds the one before it; 0 where they are sorted."""
    return float(np.diff(answer.scores).max(initial=0.0))


def _out_of_order(answer: Boxes, *, tolerance: float) -> int | None:
    """The index of the first box with a higher score than the one before it."""
    rises = np.flatnonzero(np.diff(answer.scores) > tolerance)
    return int(rises[0]) + 1 if rises.size else None


def _sentence(answer: Boxes, index: int, what: str) -> str:
    box = ", ".join(f"{edge:.1f}" for edge in answer.boxes[index])
    return f"class {answer.labels[index]} at ({box}) with score {answer.scores[index]:.4f} {what}"
