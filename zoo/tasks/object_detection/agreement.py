"""Two detectors compared as their users would: every box of the one has its like in the other, whatever the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case
from zoo.tasks.object_detection.facts import FEWEST, OVERLAP, SCORE

if TYPE_CHECKING:
    from zoo.api.task import Arrays

ALIKE: Final = 0.9
"""The least overlap (intersection over union) of a box and its like."""
SAME: Final = 0.01
"""Boxes whose corners differ by no more, in pixels, are one box, however small."""
CLOSE: Final = 1e-5
"""Scores may differ by this and eight times the reference's own error; edges by `SAME` and eight times that."""
NOISIEST: Final = 1e-4
"""The reference's own error counts up to here; above it the two answers are merely in another order.  That of edges
is taken in parts of the farthest one."""
EDGE: Final = 0.01
"""A box that overlaps another of its class by so little more or less than the limit may stay or go."""
SHOWN: Final = 12

Floats = npt.NDArray[np.float64]


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
) -> Agreement:
    """A picture agrees when every detection has its like and the surest stand first; a detection without is excused
    when it stands on an edge: of the least score, of the greatest overlap, or of the end of two answers that are full.
    """
    close = CLOSE + 8 * min(noise.get("scores", 0.0), NOISIEST)
    limit = max(FEWEST, *(len(answer["scores"]) for answer in reference))
    agreeing = undecided = 0
    wrong: list[tuple[float, str]] = []
    for ours, theirs, case in zip(reference, candidate, cases, strict=True):
        lost, new = unmatched(ours, theirs, close=close, noise=noise.get("boxes", 0.0))
        full = len(ours["scores"]) == len(theirs["scores"]) == limit
        firm = [
            (one, what, place)
            for one, what, places in ((ours, "is missing", lost), (theirs, "is new", new))
            for place in places
            if not _on_edge(one, place, alone=places, full=full, close=close)
        ]
        late = _out_of_order(theirs, close=max(close, _rise(ours)))
        if late is not None:
            firm.append((theirs, "stands behind one that is less sure", late))
        if firm:
            answer, what, place = max(firm, key=lambda row: float(row[0]["scores"][row[2]]))
            wrong.append((float(answer["scores"][place]), _sentence(case, answer, place, what)))
        elif lost or new:
            undecided += 1
        else:
            agreeing += 1
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics=precision(reference, cases),
        candidate_metrics=precision(candidate, cases),
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def unmatched(ours: Arrays, theirs: Arrays, *, close: float, noise: float) -> tuple[list[int], list[int]]:
    """Places of detections in either answer that have no like in the other; the surest choose first."""
    boxes, others = _wide(ours, "boxes"), _wide(theirs, "boxes")
    shared = overlaps(boxes, others)
    apart = np.abs(_wide(ours, "scores")[:, None] - _wide(theirs, "scores")[None])
    moved = np.abs(boxes[:, None] - others[None]).max(-1, initial=0.0)
    near = moved <= SAME + 8 * min(noise, NOISIEST * np.abs(boxes).max(initial=0.0))
    alike = (shared >= ALIKE) & near & (apart <= close) & (ours["labels"][:, None] == theirs["labels"][None])
    free = np.ones(len(theirs["scores"]), bool)
    lost = []
    for place in np.argsort(-_wide(ours, "scores"), kind="stable").tolist():
        choices = np.where(alike[place] & free, shared[place], -1.0)
        if choices.size and choices.max() >= 0:
            free[int(choices.argmax())] = False
        else:
            lost.append(place)
    return lost, np.flatnonzero(free).tolist()


def overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes [a, 4] and [b, 4] -> [a, b]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = (first[:, 2:] - first[:, :2]).prod(-1)[:, None] + (second[:, 2:] - second[:, :2]).prod(-1)[None]
    # two boxes without area are alike where they lie in the same place
    same = (np.abs(first[:, None] - second[None]) <= SAME).all(-1)
    return np.where(same, 1.0, shared / np.maximum(areas - shared, 1e-12))


def _on_edge(answer: Arrays, place: int, *, alone: Sequence[int], full: bool, close: float) -> bool:
    """Whether a detection may as well be there as not; `alone` are those of its answer that have no like."""
    scores, boxes = _wide(answer, "scores"), _wide(answer, "boxes")
    if abs(scores[place] - SCORE) <= close or (full and scores[place] <= scores.min() + close):
        return True
    # of two that overlap by just the limit the surer stays in any case
    beside = np.abs(overlaps(boxes[place : place + 1], boxes)[0] - OVERLAP) <= EDGE
    beside &= (answer["labels"] == answer["labels"][place]) & (scores >= scores[place] - close)
    beside[list(alone)] = False
    return bool(beside.any())


def _rise(answer: Arrays) -> float:
    """By how much a score exceeds the one before it, at most."""
    return float(np.diff(_wide(answer, "scores")).max(initial=0.0))


def _out_of_order(answer: Arrays, *, close: float) -> int | None:
    """The place of a detection that is surer than the one before it."""
    rises = np.flatnonzero(np.diff(_wide(answer, "scores")) > close)
    return int(rises[0]) + 1 if rises.size else None


def _wide(answer: Arrays, name: str) -> Floats:
    return np.asarray(answer[name], np.float64)


def _sentence(case: Case, answer: Arrays, place: int, what: str) -> str:
    box = ", ".join(f"{edge:.1f}" for edge in answer["boxes"][place])
    where = case.origin or case.name
    return f"{where}: class {answer['labels'][place]} at ({box}) with score {answer['scores'][place]:.4f} {what}"


def precision(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """map and map50 over the cases whose truth is known: a mapping with boxes [k, 4] and labels [k]."""
    known = [(answer, case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]
    if not any(len(truth["labels"]) for _, truth in known):
        return {}
    from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415  half a second, for measuring only

    truth = COCO(_document(known))
    found = [
        {"image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "score": float(score)}
        for number, (answer, _) in enumerate(known, 1)
        for box, score, label in zip(answer["boxes"], answer["scores"], answer["labels"], strict=True)
    ]
    if not found:
        return {"map": 0.0, "map50": 0.0}
    run = COCOeval_faster(truth, truth.loadRes(found), "bbox", print_function=lambda *_: None)
    run.run()
    return {"map": max(float(run.stats[0]), 0.0), "map50": max(float(run.stats[1]), 0.0)}


def _document(known: Sequence[tuple[Arrays, Any]]) -> dict[str, Any]:
    rows = [
        (number, box, label)
        for number, (_, truth) in enumerate(known, 1)
        for box, label in zip(truth["boxes"], truth["labels"], strict=True)
    ]
    return {
        "images": [{"id": number, "height": 1, "width": 1} for number in range(1, len(known) + 1)],
        "categories": [{"id": label, "name": str(label)} for label in sorted({int(row[2]) + 1 for row in rows})],
        "annotations": [
            {"id": key, "image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "iscrowd": 0}
            | {"area": _sides(box)[2] * _sides(box)[3]}
            for key, (number, box, label) in enumerate(rows, 1)
        ],
    }


def _sides(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = (float(edge) for edge in box)
    return [left, top, right - left, bottom - top]
