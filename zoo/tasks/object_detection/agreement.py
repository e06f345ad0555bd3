"""Two detectors compared as their users would: every box of the one has its like in the other, whatever the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case
from zoo.data.agreement import AGREEING, UNDECIDED, Verdict, item_agreement
from zoo.tasks.object_detection.facts import MIN_LIMIT, OVERLAP, SCORE

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MIN_IOU: Final = 0.9
"""The smallest intersection over union of two matching boxes."""
PIXEL_TOLERANCE: Final = 0.01
"""Pixels.  Boxes whose corners differ by at most this are the same box, however small."""
SCORE_TOLERANCE: Final = 1e-5
"""Scores may differ by this and eight times the reference's own error; edges by `PIXEL_TOLERANCE` and eight times
that of edges."""
MAX_NOISE: Final = 1e-4
"""The largest error of the reference that widens a tolerance; a larger one only means another order of the rows.
For edges it is relative to the farthest edge."""
IOU_TOLERANCE: Final = 0.01
"""A box whose overlap with another of its class is within this of the NMS IoU limit may be kept or suppressed."""

Floats = npt.NDArray[np.float64]


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
) -> Agreement:
    """A picture agrees when every box has a match and the boxes are in the order of their scores.

    An unmatched box is accepted only at the score threshold, at the NMS IoU limit, as the last of a full list, or
    where it has no area and overlaps its like; the picture is undecided then.  The order must match.
    """
    tolerance = SCORE_TOLERANCE + 8 * min(noise.get("scores", 0.0), MAX_NOISE)
    limit = max(MIN_LIMIT, *(len(answer["scores"]) for answer in reference))

    def compare(expected: Arrays, actual: Arrays, _: Case) -> Verdict:
        return _verdict(expected, actual, limit=limit, tolerance=tolerance, noise=noise.get("boxes", 0.0))

    return item_agreement(reference, candidate, cases=cases, compare=compare)


def _verdict(expected: Arrays, actual: Arrays, *, limit: int, tolerance: float, noise: float) -> Verdict:
    missing, added = unmatched(expected, actual, tolerance=tolerance, noise=noise)
    full = len(expected["scores"]) == len(actual["scores"]) == limit
    differences = [
        (answer, what, index)
        for answer, what, indices in ((expected, "is missing", missing), (actual, "is new", added))
        for index in indices
        if not _borderline(answer, index, unmatched=indices, full=full, tolerance=tolerance)
    ]
    late = _out_of_order(actual, tolerance=max(tolerance, _largest_rise(expected)))
    if late is not None:
        differences.append((actual, "stands behind one with a lower score", late))
    if differences:
        answer, what, index = max(differences, key=lambda row: float(row[0]["scores"][row[2]]))
        return Verdict("differing", float(answer["scores"][index]), _sentence(answer, index, what))
    return UNDECIDED if missing or added else AGREEING


def unmatched(expected: Arrays, actual: Arrays, *, tolerance: float, noise: float) -> tuple[list[int], list[int]]:
    """Indices of the boxes of either answer without a match in the other; boxes with higher scores match first."""
    boxes, others = _float64(expected, "boxes"), _float64(actual, "boxes")
    iou = overlaps(boxes, others)
    score_difference = np.abs(_float64(expected, "scores")[:, None] - _float64(actual, "scores")[None])
    distance = np.abs(boxes[:, None] - others[None]).max(-1, initial=0.0)
    near = distance <= PIXEL_TOLERANCE + 8 * min(noise, MAX_NOISE * np.abs(boxes).max(initial=0.0))
    same_label = expected["labels"][:, None] == actual["labels"][None]
    matching = (iou >= MIN_IOU) & near & (score_difference <= tolerance) & same_label
    free = np.ones(len(actual["scores"]), bool)
    missing = []
    for index in np.argsort(-_float64(expected, "scores"), kind="stable").tolist():
        choices = np.where(matching[index] & free, iou[index], -1.0)
        if choices.size and choices.max() >= 0:
            free[int(choices.argmax())] = False
        else:
            missing.append(index)
    return missing, np.flatnonzero(free).tolist()


def overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes [a, 4] and [b, 4] -> [a, b]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = (first[:, 2:] - first[:, :2]).prod(-1)[:, None] + (second[:, 2:] - second[:, :2]).prod(-1)[None]
    # two boxes without area match where their corners do
    same = (np.abs(first[:, None] - second[None]) <= PIXEL_TOLERANCE).all(-1)
    return np.where(same, 1.0, shared / np.maximum(areas - shared, 1e-12))


def _borderline(answer: Arrays, index: int, *, unmatched: Sequence[int], full: bool, tolerance: float) -> bool:
    """Whether rounding decides if a box is answered; `unmatched` are all boxes of its answer without a match."""
    scores, boxes = _float64(answer, "scores"), _float64(answer, "boxes")
    if abs(scores[index] - SCORE) <= tolerance or (full and scores[index] <= scores.min() + tolerance):
        return True
    # of two boxes that overlap by just the limit, the one with the higher score is kept in any case
    rivals = np.abs(overlaps(boxes[index : index + 1], boxes)[0] - OVERLAP) <= IOU_TOLERANCE
    if (boxes[index, 2:] - boxes[index, :2]).min() <= PIXEL_TOLERANCE:  # its overlaps are 0 / 0, or made of rounding
        rivals |= overlaps(_grown(boxes[index : index + 1]), _grown(boxes))[0] >= OVERLAP - IOU_TOLERANCE
    rivals &= (answer["labels"] == answer["labels"][index]) & (scores >= scores[index] - tolerance)
    rivals[list(unmatched)] = False
    return bool(rivals.any())


def _grown(boxes: Floats) -> Floats:
    """The boxes with every edge moved outwards by as much as edges may differ, so that none is without area."""
    return boxes + np.array([-1.0, -1.0, 1.0, 1.0]) * PIXEL_TOLERANCE


def _largest_rise(answer: Arrays) -> float:
    """The largest amount by which a score exceeds the one before it; 0 where they are sorted."""
    return float(np.diff(_float64(answer, "scores")).max(initial=0.0))


def _out_of_order(answer: Arrays, *, tolerance: float) -> int | None:
    """The index of the first box with a higher score than the one before it."""
    rises = np.flatnonzero(np.diff(_float64(answer, "scores")) > tolerance)
    return int(rises[0]) + 1 if rises.size else None


def _float64(answer: Arrays, name: str) -> Floats:
    return np.asarray(answer[name], np.float64)


def _sentence(answer: Arrays, index: int, what: str) -> str:
    box = ", ".join(f"{edge:.1f}" for edge in answer["boxes"][index])
    return f"class {answer['labels'][index]} at ({box}) with score {answer['scores'][index]:.4f} {what}"


def precision(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """map and map50 over the cases whose truth is known: a mapping with boxes [k, 4] and labels [k].

    Where it has `ignored` [m, 4] and `ignored_labels` [m] too, what is found there counts neither way.
    """
    known = [(answer, case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]
    if not any(len(truth["labels"]) for _, truth in known):
        return {}
    from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415  half a second, for measuring only

    truth = COCO(_document(known))
    detections = [
        {"image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "score": float(score)}
        for number, (answer, _) in enumerate(known, 1)
        for box, score, label in zip(answer["boxes"], answer["scores"], answer["labels"], strict=True)
    ]
    if not detections:
        return {"map": 0.0, "map50": 0.0}
    run = COCOeval_faster(truth, truth.loadRes(detections), "bbox", print_function=lambda *_: None)
    run.run()
    return {"map": max(float(run.stats[0]), 0.0), "map50": max(float(run.stats[1]), 0.0)}


def _document(known: Sequence[tuple[Arrays, Any]]) -> dict[str, Any]:
    rows = [
        (number, box, label, crowd)
        for number, (_, truth) in enumerate(known, 1)
        for boxes, labels, crowd in (("boxes", "labels", 0), ("ignored", "ignored_labels", 1))
        for box, label in zip(truth.get(boxes, ()), truth.get(labels, ()), strict=True)
    ]
    return {
        "images": [{"id": number, "height": 1, "width": 1} for number in range(1, len(known) + 1)],
        "categories": [{"id": label, "name": str(label)} for label in sorted({int(row[2]) + 1 for row in rows})],
        "annotations": [
            {"id": key, "image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "iscrowd": crowd}
            | {"area": _sides(box)[2] * _sides(box)[3]}
            for key, (number, box, label, crowd) in enumerate(rows, 1)
        ],
    }


def _sides(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = (float(edge) for edge in box)
    return [left, top, right - left, bottom - top]
