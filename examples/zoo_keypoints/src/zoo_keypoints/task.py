"""Keypoints: data and answers.  The names of the points are the problem's classes, in the order of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import zoo
from zoo import Case, Problem, Shown, Verdict
from zoo_keypoints import device, tickets
from zoo_keypoints.drawing import marked

NEAR = 0.05
"""A point counts as found when it is nearer than this share of the picture's longer side (PCK@0.05)."""
SAME = 0.001
"""Two answers are the same where every point differs by less than this share of the longer side."""

Arrays = Mapping[str, np.ndarray[Any, Any]]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PointSample:
    """One picture and its points."""

    name: str
    """The path below the folder; of a ticket its split and number."""
    points: Points
    """x and y in pixels, in the order of the card's classes."""
    sides: tuple[int, int]
    """Height and width in pixels."""


class KeypointData(zoo.PictureTableData):
    """A folder with pictures and a points.csv, or `tickets`."""

    table = "points.csv"
    columns = "path,NAME_x,NAME_y,...[,split]"
    embedded = tickets.NAME
    embedded_classes = tickets.CORNERS

    def classes(self, header: Sequence[str]) -> Sequence[str]:
        """The names of the points."""
        return [name.removesuffix("_x") for name in header if name.endswith("_x")]

    def needed(self, classes: Sequence[str]) -> Sequence[str]:
        """y of every point."""
        return [f"{name}_y" for name in classes or ["NAME"]]

    def sample(
        self, name: str, cells: Mapping[str, str], sides: tuple[int, int], classes: Sequence[str]
    ) -> PointSample:
        """Every point held against the picture."""
        points = tuple((float(cells[f"{point}_x"] or "nan"), float(cells[f"{point}_y"] or "nan")) for point in classes)
        height, width = sides
        for point, (x, y) in zip(classes, points, strict=True):
            if not (0 <= x <= width and 0 <= y <= height):
                raise ValueError(f"{point} of {name} is at {x:g}, {y:g}, outside its {width} x {height} pixels")
        return PointSample(name, points, sides)

    def embedded_split(self, split: zoo.Split) -> tuple[Sequence[PointSample], np.ndarray[Any, Any]]:
        """The drawn tickets."""
        pictures, corners = tickets.load(split)
        sides = (tickets.SIDE, tickets.SIDE)
        points: list[Points] = [tuple((x, y) for x, y in ticket) for ticket in corners.tolist()]
        return [PointSample(f"{split}/{index}", ticket, sides) for index, ticket in enumerate(points)], pictures


class KeypointAnswers(zoo.PictureAnswers):
    """`points` float32 [k, 2], x and y in pixels of the picture; the truth is the same."""

    data = KeypointData

    def truth(self, sample: PointSample, pixels: Any, problem: Problem) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """[k, 2] in pixels."""
        return np.array(sample.points)

    def controls(self, problem: Problem) -> tuple[zoo.Control, ...]:  # noqa: ARG002  the same for all
        """All generic mutations but the one of classes."""
        return zoo.generic_controls({"classes": "points have names, but nothing is classified"})

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """The same places: a thousandth of a side is far above any noise."""
        away = _distances(expected["points"], actual["points"])
        if away.max() < SAME * _side(case):
            return Verdict("agreeing")
        return Verdict("differing", away.max(), f"point {away.argmax() + 1} is {away.max():.2f} pixels away")

    def item_metrics(self, answer: Arrays, case: Case, problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """pck and error."""
        away = _distances(answer["points"], case.truth)
        return {"pck": float((away < NEAR * _side(case)).mean()), "error": float(away.mean())}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  no ranking
        """The points by name, and drawn into the picture."""
        points = answer["points"].tolist()
        picture = marked(case.inputs["image"], points) if "image" in case.inputs else None
        record = dict(zip(problem.classes, points, strict=True))
        return Shown(text=device.show(answer, {"classes": problem.classes}), record=record, picture=picture)


def _distances(points: Any, others: Any) -> np.ndarray[Any, Any]:
    return np.asarray(np.hypot(*(np.asarray(points, float) - np.asarray(others, float)).T))


def _side(case: Case) -> int:
    """The longer side of the case's picture; cases of data know it without their picture."""
    return int(max(case.item.sample.sides if case.item else case.inputs["image"].shape[:2]))
