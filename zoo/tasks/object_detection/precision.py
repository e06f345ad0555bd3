"""COCO's mean average precision of answers whose boxes are known, by faster-coco-eval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

NOTHING_FOUND: Final[Mapping[str, float]] = {"map": 0.0, "map50": 0.0}


def precision(answers: Sequence[Arrays], cases: Sequence[Case]) -> dict[str, float]:
    """map and map50 over the cases whose truth is known: a mapping with boxes [k, 4] and labels [k].

    Where it has `ignored` [m, 4] and `ignored_labels` [m] too, what is found there counts neither way.
    """
    known = [(answer, case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]
    if not any(len(truth["labels"]) for _, truth in known):
        return {}
    run = _evaluation(known)
    if run is None:
        return dict(NOTHING_FOUND)
    run.run()
    return {"map": max(float(run.stats[0]), 0.0), "map50": max(float(run.stats[1]), 0.0)}


def resampled_precision(
    answers: Sequence[Arrays], cases: Sequence[Case]
) -> Callable[[Sequence[int]], Mapping[str, float]]:
    """`precision` of any selection of these cases, whose truths are known: each picture is matched once."""
    known = [(answer, case.truth) for answer, case in zip(answers, cases, strict=True)]
    run, objects = _evaluation(known), [len(truth["labels"]) for _, truth in known]
    if run is not None:
        # map and map50 are of boxes of every size and of the longest lists alone
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], run.params.areaRngLbl[:1]
        run.params.maxDets = run.params.maxDets[-1:]
        run.separate_eval = True
        run.evaluate()
        matched = np.array(run._evalImgs_cpp, object).reshape(-1, len(known))  # [classes, pictures]

    def measure(indices: Sequence[int]) -> Mapping[str, float]:
        if not any(objects[index] for index in indices):
            return {}
        if run is None or not any(len(answers[index]["labels"]) for index in indices):
            return NOTHING_FOUND
        run.params.imgIds = list(range(1, len(indices) + 1))
        run._paramsEval.imgIds = run.params.imgIds
        run._evalImgs_cpp = matched[:, list(indices)].ravel().tolist()
        run.accumulate()
        by_overlap = run.eval["precision"]  # [overlaps, recalls, classes, 1, 1], -1 for a class without an object
        return {"map": _mean(by_overlap), "map50": _mean(by_overlap[:1])}

    return measure


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values[values > -1].mean())


def _evaluation(known: Sequence[tuple[Arrays, Any]]) -> Any:
    """The library's evaluation of these answers and truths; None where no answer has a detection."""
    from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415  half a second, for measuring only

    truth = COCO(_document(known))
    detections = [
        {"image_id": number, "category_id": int(label) + 1, "bbox": _sides(box), "score": float(score)}
        for number, (answer, _) in enumerate(known, 1)
        for box, score, label in zip(answer["boxes"], answer["scores"], answer["labels"], strict=True)
    ]
    if not detections:
        return None
    return COCOeval_faster(truth, truth.loadRes(detections), "bbox", print_function=lambda *_: None)


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
