"""The boxes of two answers matched with each other, and which of the others rounding decides about.  Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from zoo.tasks.object_detection.facts import OVERLAP, SCORE

if TYPE_CHECKING:
    from zoo.api.task import Arrays

IOU_TOLERANCE: Final = 0.01
"""A box whose overlap with another of its class is within this of the NMS IoU limit may be kept or suppressed."""
ROUNDING: Final = 2.0**-23
"""Of a coordinate in single precision, relative to it."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How far numbers of the same box may differ."""

    score: float
    edge: float
    """In pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """One answer in double precision."""

    boxes: Floats
    """[n, 4] left, top, right, bottom."""
    scores: Floats
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def boxes_of(answer: Arrays) -> Boxes:
    """The boxes of an answer."""
    return Boxes(
        boxes=np.asarray(answer["boxes"], np.float64),
        scores=np.asarray(answer["scores"], np.float64),
        labels=np.asarray(answer["labels"], np.int64),
    )


def unmatched(expected: Boxes, actual: Boxes, tolerances: Tolerances) -> tuple[list[int], list[int]]:
    """Indices of the boxes of either answer without a match in the other; boxes with higher scores match first."""
    distance = np.abs(expected.boxes[:, None] - actual.boxes[None]).max(-1, initial=0.0)
    near_score = np.abs(expected.scores[:, None] - actual.scores[None]) <= tolerances.score
    same_label = expected.labels[:, None] == actual.labels[None]
    matching = (distance <= tolerances.edge) & near_score & same_label
    free = np.ones(len(actual), bool)
    missing = []
    for index in np.argsort(-expected.scores, kind="stable").tolist():
        choices = np.where(matching[index] & free, distance[index], np.inf)
        if choices.size and np.isfinite(choices.min()):
            free[int(choices.argmin())] = False
        else:
            missing.append(index)
    return missing, np.flatnonzero(free).tolist()


def decided(
    expected: Boxes, actual: Boxes, missing: Sequence[int], added: Sequence[int], *, limit: int, tolerances: Tolerances
) -> tuple[list[int], list[int]]:
    """Of the unmatched boxes those about which rounding does not decide; `limit` is the most that an answer holds.

    It decides about a box at the score threshold or at the NMS IoU limit, and about the last of a full answer.  Where
    it decides about one, it decides about those that this one suppresses or pushes out of a full answer.
    """
    sides = (expected, actual)
    rows = [(0, index) for index in missing] + [(1, index) for index in added]
    full = len(expected) == len(actual) == limit
    left = [
        (side, index)
        for side, index in rows
        if not _is_borderline(sides[side], index, (missing, added)[side], tolerances)
        and not (full and _is_last(sides[side], index, other=sides[1 - side], tolerances=tolerances))
    ]
    while left:
        excused = [row for row in rows if row not in left]
        still = [row for row in left if not _follows(row, excused, sides, limit if full else None, tolerances)]
        if len(still) == len(left):
            break
        left = still
    return [index for side, index in left if side == 0], [index for side, index in left if side == 1]


def _is_last(answer: Boxes, index: int, *, other: Boxes, tolerances: Tolerances) -> bool:
    """Whether a box is among the last of a full answer, and the other full answer holds none with a lower score."""
    score = answer.scores[index]
    return bool(score <= answer.scores.min() + tolerances.score and score <= other.scores.min() + tolerances.score)


def _is_borderline(answer: Boxes, index: int, unmatched: Sequence[int], tolerances: Tolerances) -> bool:
    """Whether rounding decides if a box is answered; `unmatched` are all boxes of its answer without a match."""
    scores, score = answer.scores, answer.scores[index]
    if abs(score - SCORE) <= tolerances.score:
        return True
    # of two boxes that overlap by just the limit, the one with the higher score is kept in any case
    least, most = overlap_ranges(answer.boxes[index], answer, label=int(answer.labels[index]), edge=tolerances.edge)
    rivals = (least <= OVERLAP + IOU_TOLERANCE) & (most >= OVERLAP - IOU_TOLERANCE)
    rivals &= (answer.labels == answer.labels[index]) & (scores >= score - tolerances.score)
    rivals[list(unmatched)] = False
    return bool(rivals.any())


def _follows(
    row: tuple[int, int],
    excused: Sequence[tuple[int, int]],
    sides: tuple[Boxes, Boxes],
    limit: int | None,
    tolerances: Tolerances,
) -> bool:
    """Whether a box is missing on the other side only because of boxes about which rounding decides."""
    side, index = row
    own, other = sides[side], sides[1 - side]
    surer = {  # the excused boxes of either side that come before it
        which: [
            at
            for where, at in excused
            if where == which and sides[where].scores[at] >= own.scores[index] - tolerances.score
        ]
        for which in (side, 1 - side)
    }
    if limit is not None and index - len(surer[side]) + len(surer[1 - side]) >= limit:
        return True
    _, most = overlap_ranges(own.boxes[index], other, label=int(own.labels[index]), edge=tolerances.edge)
    suppressing = (most >= OVERLAP - IOU_TOLERANCE) & (other.labels == own.labels[index])
    return bool(suppressing[surer[1 - side]].any())


def overlap_ranges(box: Floats, answer: Boxes, *, label: int, edge: float) -> tuple[Floats, Floats]:
    """The least and the greatest intersection over union of a box with each of an answer, each edge being off by
    `edge` at most; and by the rounding of coordinates that NMS moves by an offset for each class.

    For boxes that are no wider than that, everything between 0 and what their heights allow is possible.
    """
    edge += ROUNDING * (label + 1) * float(np.abs(answer.boxes).max(initial=0.0))
    shared = np.minimum(box[2:], answer.boxes[:, 2:]) - np.maximum(box[:2], answer.boxes[:, :2])
    sides = box[2:] - box[:2], answer.boxes[:, 2:] - answer.boxes[:, :2]
    least = [_shares(shared - 2 * edge, side + 2 * edge) for side in sides]
    most = [_shares(shared + 2 * edge, side - 2 * edge) for side in sides]
    return _iou(*least), _iou(*most)


def _shares(shared: Floats, sides: Floats) -> Floats:
    """The share of boxes that an intersection covers, from lengths of both along the two axes [n, 2] -> [n]."""
    shares = np.where(sides > 0, np.clip(shared, 0, None) / np.where(sides > 0, sides, 1.0), (shared > 0).astype(float))
    return np.asarray(np.minimum(shares, 1.0).prod(-1))


def _iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union from the shares of the two boxes that the intersection covers."""
    both = (first > 0) & (second > 0)
    first, second = np.where(both, first, 1.0), np.where(both, second, 1.0)
    return np.where(both, 1 / (1 / first + 1 / second - 1), 0.0)
