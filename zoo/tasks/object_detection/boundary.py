"""Made-up outputs of a detector on both sides of everything that its postprocess decides by.  Torch-free.

Scores beside the threshold, overlaps beside the NMS limit, boxes across every border, more candidates and more boxes
than there is room for, boxes of neighbouring classes that a wrong class offset puts upon each other.  Everything is
far enough from its limit for single precision: scores by a thousandth of the threshold, overlaps by a thousandth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.problem import Problem
from zoo.api.task import BoundaryCase, Port
from zoo.tasks.object_detection.facts import CANDIDATES, OVERLAP, SCORE, max_detections

SEED: Final = 20_26
NEAR: Final = 1e-3
"""How far a score is from the threshold, relative to it."""
NEAR_OVERLAP: Final = 1 / 1024
"""How far an overlap is from the NMS IoU limit."""
OFFSETS: Final = (1 / 2, 3 / 4, 7 / 8)
"""Shares of the class offset at which two boxes of neighbouring classes would lie upon each other."""
MAX_ELEMENTS: Final = 1 << 20
"""Of all outputs of a detector; of larger ones, cases are put together."""
EXTRA: Final = 3
"""So many boxes more than an answer holds."""

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels of the model's input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detection:
    """One box that stands in a cell of its own."""

    box: Box
    score: float
    label: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The ports of one detector, and the numbers of its problem."""

    boxes: Port
    """float32 [1, cells, 4], or four for each class."""
    scores: Port
    """float32 [1, cells, classes]"""
    size: tuple[int, int]
    """Height and width of the model's input."""
    limit: int
    """The most boxes of an answer."""

    @property
    def cells(self) -> int:
        return int(self.scores.shape[1])

    @property
    def elements(self) -> int:
        return self.cells * (int(self.boxes.shape[2]) + self.classes)

    @property
    def classes(self) -> int:
        return int(self.scores.shape[2])

    def case(self, name: str, detections: Sequence[_Detection], *, picture: tuple[int, int]) -> BoundaryCase:
        """Each detection in a random cell; all other scores are a tenth of the threshold."""
        boxes, scores = self.empty()
        cells = np.random.default_rng(SEED).permutation(self.cells)
        for cell, detection in zip(cells, detections, strict=False):
            self.place(boxes, int(cell), detection.box, detection.label)
            scores[0, cell, detection.label] = detection.score
        return self.of(name, boxes, scores, picture=picture)

    def empty(self) -> tuple[Floats, Floats]:
        """No box, and no score above the threshold."""
        boxes = np.zeros([int(size) for size in self.boxes.shape], np.float32)
        return boxes, np.full([int(size) for size in self.scores.shape], SCORE / 10, np.float32)

    def place(self, boxes: Floats, cells: Any, box: Box, label: int) -> None:
        """Write a box into cells, where every class has its own into that of the label."""
        first = 0 if boxes.shape[2] == len(box) else len(box) * label
        boxes[0, cells, first : first + len(box)] = box

    def of(self, name: str, boxes: Floats, scores: Floats, *, picture: tuple[int, int]) -> BoundaryCase:
        """The case, for a picture of this height and width."""
        outputs = {self.boxes.name: boxes, self.scores.name: scores}
        return BoundaryCase(name=name, outputs=outputs, raw={"image": np.zeros((*picture, 3), np.uint8)})

    def grid(self, count: int) -> list[Box]:
        """So many boxes that do not touch, row by row."""
        side = int(np.ceil(np.sqrt(count)))
        high, wide = (edge / side for edge in self.size)
        cells = [divmod(number, side) for number in range(count)]
        return [(column * wide, row * high, (column + 0.75) * wide, (row + 0.75) * high) for row, column in cells]


def boundary_cases(problem: Problem, outputs: Sequence[Port]) -> tuple[BoundaryCase, ...]:
    """The cases for a detector with these outputs: boxes first, then scores."""
    head = _Head(boxes=outputs[0], scores=outputs[1], size=problem.image.size, limit=max_detections(problem))
    height, width = head.size
    groups = _groups(head)
    if head.elements > MAX_ELEMENTS and sum(map(len, groups.values())) <= head.limit:
        together = _together(list(groups.values()))
        if max(detection.label for detection in together) < head.classes:
            groups = {"thresholds, overlaps and borders together": together}
    sizes = ((height, width), (2 * height, width), (height // 2 + 3, 2 * width + 1), (37, 53))
    return (
        *(head.case(name, group, picture=size) for (name, group), size in zip(groups.items(), cycle(sizes))),
        *_more_boxes(head),
        *_candidates(head),
    )


def _groups(head: _Head) -> dict[str, list[_Detection]]:
    """What is asked of a few boxes, by the name of the case."""
    return {
        "scores beside the threshold": list(_scores(head)),
        "no score above the threshold": [],
        "overlaps beside the NMS limit": list(_overlaps(head, label=0)),
        "overlaps of the last class": list(_overlaps(head, label=head.classes - 1)),
        "boxes across every border": list(_borders(head)),
        "one place, several classes": list(_places(head)),
        **_neighbours(head),
    }


def _together(groups: Sequence[Sequence[_Detection]]) -> list[_Detection]:
    """All groups in one case, each in classes of its own, neighbours beside each other, and no two scores equal."""
    together: list[_Detection] = []
    first = 0
    for group in groups:
        labels = sorted({detection.label for detection in group})
        for detection in group:
            near = abs(detection.score - SCORE) < 10 * NEAR * SCORE
            score = detection.score - (0.0 if near else len(together) * 1e-5)
            together.append(replace(detection, score=score, label=first + labels.index(detection.label)))
        first += len(labels)
    return together


def _scores(head: _Head) -> Iterator[_Detection]:
    """Scores just above and just below the threshold, and two far above it."""
    scores = (SCORE * (1 + NEAR), 0.9, SCORE * (1 - NEAR), 0.3, SCORE * (1 + 3 * NEAR), SCORE * (1 - 3 * NEAR))
    for number, (box, score) in enumerate(zip(head.grid(len(scores)), scores, strict=True)):
        yield _Detection(box=box, score=score, label=number % head.classes)


def _overlaps(head: _Head, *, label: int) -> Iterator[_Detection]:
    """Four pairs of one class, the smaller box inside the larger: their overlaps are just above and just below the
    limit, and the one or the other is surer.  Then three in a row, of which the first suppresses the second alone."""
    side = float(1 << int(np.log2(min(head.size) / 4)))
    score = 0.95
    for row, share in enumerate((OVERLAP + NEAR_OVERLAP, OVERLAP - NEAR_OVERLAP)):
        for column, larger_first in enumerate((True, False)):
            left, top = 1.25 * side * column, 1.25 * side * row
            pair = [(left, top, left + side, top + side), (left, top, left + side * share, top + side)]
            for box in pair if larger_first else reversed(pair):
                yield _Detection(box=box, score=score, label=label)
                score -= 0.03
    for step in range(3):
        left = side * step / 5
        yield _Detection(box=(left, 2.5 * side, left + side, 3.5 * side), score=score - step / 50, label=label)


def _borders(head: _Head) -> Iterator[_Detection]:
    """A box across every border and corner; and two that overlap by more than the limit outside alone."""
    height, width = head.size
    wide, high = width / 8, height / 8
    boxes = [
        (x - wide, y - high, x + wide, y + high)
        for y in (0.0, height / 2, float(height))
        for x in (0.0, width / 2, float(width))
    ]
    for number, box in enumerate(boxes):
        yield _Detection(box=box, score=0.9 - 0.05 * number, label=0)
    # of the part inside the first covers a third of the second, of the whole more than two thirds
    inside = (width - 3 * wide, height / 4)
    last = head.classes - 1
    yield _Detection(box=(inside[0], inside[1], width + 9 * wide, inside[1] + high), score=0.4, label=last)
    yield _Detection(box=(inside[0] + 2 * wide, inside[1], width + 9 * wide, inside[1] + high), score=0.35, label=last)


def _places(head: _Head) -> Iterator[_Detection]:
    """The same box for several classes, all of which stay, and twice for one class, of which one stays."""
    box = head.grid(9)[4]
    for label in range(min(head.classes, 4)):
        yield _Detection(box=box, score=0.8 - 0.1 * label, label=label)
    yield _Detection(box=box, score=0.85, label=0)


def _neighbours(head: _Head) -> dict[str, list[_Detection]]:
    """Of two neighbouring classes a box each, one a share of the class offset further on."""
    pairs = {}
    for share in OFFSETS:
        offset = share * (max(head.size) + 1)
        side = min(head.size) - offset
        for label in sorted({0, head.classes - 2}) if side >= 1 and head.classes > 1 else ():
            pairs[f"classes {label} and {label + 1}, {share:g} of an offset"] = [
                _Detection(box=(0.0, 0.0, side, side), score=0.9, label=label + 1),
                _Detection(box=(offset, offset, offset + side, offset + side), score=0.8, label=label),
            ]
    return pairs


def _more_boxes(head: _Head) -> Iterator[BoundaryCase]:
    """More boxes than an answer holds: all far apart, or where there are few cells, of several classes."""
    count = min(head.limit + EXTRA, head.cells * head.classes)
    places = head.grid(min(count, head.cells))
    boxes, scores = head.empty()
    cells = np.random.default_rng(SEED).permutation(head.cells)
    for number, score in enumerate(np.linspace(0.99, 2 * SCORE, count)):
        place = number % len(places)
        label = (place + number // len(places)) % head.classes
        head.place(boxes, int(cells[place]), places[place], label)
        scores[0, cells[place], label] = score
    yield head.of("more boxes than an answer holds", boxes, scores, picture=(101, 67))


def _candidates(head: _Head) -> Iterator[BoundaryCase]:
    """More scores above the threshold than NMS sees: copies of one box for a few classes, and behind them two boxes
    far from it, the last that NMS sees and the first that it does not."""
    copies = head.cells - 2
    room = min(head.classes, head.limit - 2)
    before = min(CANDIDATES - 1, copies * room)
    if before < 1:
        return
    boxes, scores = head.empty()
    cells = np.random.default_rng(SEED).permutation(head.cells)
    crowded, last, beyond = cells[:copies], int(cells[-2]), int(cells[-1])
    first, second, third = (head.grid(9)[number] for number in (0, 4, 8))
    falling = np.linspace(0.99, 4 * SCORE, before + 2).astype(np.float32)
    for label in range(head.classes):
        head.place(boxes, crowded, first, label)
    # rank by rank through the cells of one class, then of the next
    ranks = np.arange(before)
    scores[0, crowded[ranks % copies], ranks // copies] = falling[:before]
    for cell, box, score in ((last, second, falling[-2]), (beyond, third, falling[-1])):
        head.place(boxes, cell, box, 0)
        scores[0, cell, 0] = score
    yield head.of("more candidates than NMS sees", boxes, scores, picture=(48, 80))
