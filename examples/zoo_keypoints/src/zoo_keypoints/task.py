"""Keypoints: data and answers.  The names of the points are the problem's classes, in the order of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo import Agreement, Case, DataCard, DataRequest, DataSource, Problem, Shown
from zoo_keypoints import device, layout, tickets
from zoo_keypoints.drawing import marked

NEAR = 0.05
"""A point counts as found when it is nearer than this share of the picture's longer side (PCK@0.05)."""
SAME = 0.001
"""Two answers are the same where every point differs by less than this share of the longer side."""

Arrays = Mapping[str, np.ndarray[Any, Any]]


class KeypointData(zoo.PictureData):
    """A folder with pictures and a points.csv, or `tickets`."""

    def detect(self, request: DataRequest) -> DataSource:
        """One of these; DataError names them."""
        if request.source == tickets.NAME:
            return DataSource(request=request, format=tickets.NAME)
        folder = Path(request.source).expanduser()
        if not (folder / layout.TABLE).is_file():
            found = f"has no {layout.TABLE}" if folder.is_dir() else "is not a folder"
            raise zoo.DataError(f"{folder} {found}", hint=layout.ACCEPTED)
        return DataSource(request=request, format="points-csv", location=folder.resolve())

    def check(self, source: DataSource, *, progress: Callable[[int, int], None]) -> DataCard:
        """Every picture decoded, every point held against it."""
        folder = source.location
        return layout.ticket_card(source) if folder is None else layout.folder_card(source, folder, progress)


class KeypointAnswers(zoo.PictureAnswers):
    """`points` float32 [k, 2], x and y in pixels of the picture; the truth is the same."""

    no_classes = "points have names, but nothing is classified"

    def embedded(self, problem: Problem) -> DataCard | None:
        """The tickets, for models of their corners."""
        if problem.classes != tickets.CORNERS:
            return None
        return layout.ticket_card(DataSource(request=DataRequest(source=tickets.NAME), format=tickets.NAME))

    def reader(self, card: DataCard) -> Callable[[Any], np.ndarray[Any, Any]]:
        """From files, or drawn."""
        return layout.reader(card)

    def truth(self, sample: layout.PointSample, pixels: Any, problem: Problem) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """[k, 2] in pixels."""
        return np.array(sample.points)

    def controls(self, problem: Problem) -> tuple[zoo.Control, ...]:  # noqa: ARG002  the same for all
        """All generic mutations but the one of classes."""
        return zoo.generic_controls({"classes": self.no_classes})

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],  # noqa: ARG002  a thousandth of a side is far above any noise
    ) -> Agreement:
        """The same places."""
        return zoo.item_agreement(reference, candidate, cases=cases, compare=_same_places)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """pck and error over the cases whose points are known."""
        known = [(one["points"], case) for one, case in zip(answers, cases, strict=True) if case.truth is not None]
        if not known:
            return {}
        away = [_distances(points, case.truth) for points, case in known]
        near = [distance < NEAR * _side(case) for distance, (_, case) in zip(away, known, strict=True)]
        return {"pck": float(np.mean(near)), "error": float(np.mean(away))}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  no ranking
        """The points by name, and drawn into the picture."""
        points = answer["points"].tolist()
        picture = marked(case.inputs["image"], points) if "image" in case.inputs else None
        record = dict(zip(problem.classes, points, strict=True))
        return Shown(text=device.show(answer, {"classes": problem.classes}), record=record, picture=picture)


def _same_places(expected: Arrays, actual: Arrays, case: Case) -> zoo.Verdict:
    away = _distances(expected["points"], actual["points"])
    if away.max() < SAME * _side(case):
        return zoo.Verdict("agreeing")
    return zoo.Verdict("differing", away.max(), f"point {away.argmax() + 1} is {away.max():.2f} pixels away")


def _distances(points: Any, others: Any) -> np.ndarray[Any, Any]:
    return np.asarray(np.hypot(*(np.asarray(points, float) - np.asarray(others, float)).T))


def _side(case: Case) -> int:
    """The longer side of the case's picture; cases of data know it without their picture."""
    return int(max(case.item.sample.sides if case.item else case.inputs["image"].shape[:2]))
