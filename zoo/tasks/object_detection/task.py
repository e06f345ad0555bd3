"""Object detection: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Input, Problem
from zoo.api.task import BoundaryCase, Case, Port, Progress, Purpose, Shown
from zoo.data.formats.detect import read_source
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import SCENES, detect_objects
from zoo.data.image.reading import read_as
from zoo.tasks.bases.pictures import PictureAnswers
from zoo.tasks.bases.scenes import SceneData
from zoo.tasks.object_detection import device
from zoo.tasks.object_detection.agreement import agreement
from zoo.tasks.object_detection.boundary import boundary_cases
from zoo.tasks.object_detection.cases import cases as detector_cases
from zoo.tasks.object_detection.drawing import boxed
from zoo.tasks.object_detection.facts import room_for
from zoo.tasks.object_detection.precision import precision, resampled_precision
from zoo.tasks.object_detection.sources import scenes_card

if TYPE_CHECKING:
    from zoo.api.task import Arrays


EDGES = ("left", "top", "right", "bottom")
"""The columns of a box in tables, in pixels of the given picture."""


class DetectionData(SceneData):
    """COCO's JSON, Pascal VOC's XML, YOLO's text files, or the embedded digit scenes; samples are `ObjectSample`s."""

    def detect(self, request: DataRequest) -> DataSource:
        """One of these; DataError names them."""
        return detect_objects(request, installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every box held against it."""
        if source.format == SCENES:
            return scenes_card(source)
        return check_objects(source, read_source(source), progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The classes of the data, and how many detections an answer may hold."""
        fullest = card.facts.get("fullest")
        facts = {"max_detections": room_for(fullest)} if isinstance(fullest, int) else {}
        problem = super().problem(task, card, input)
        return replace(problem, facts={**problem.facts, **facts})


class DetectionAnswers(PictureAnswers):
    """Boxes with scores and labels."""

    data = DetectionData
    agreement = staticmethod(agreement)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Scenes, crowds, nothing at all, odd sizes and colours; see `cases.py`."""
        given = read_as(card, problem) if card else None
        return detector_cases(given, self.data(), problem, purpose, limit=limit)

    def boundary_cases(self, problem: Problem, outputs: Sequence[Port]) -> Sequence[BoundaryCase]:
        """Scores, overlaps, borders and numbers of boxes on both sides of what decides; see `boundary.py`."""
        return boundary_cases(problem, outputs)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """COCO's mean average precision over the cases whose boxes are known."""
        return precision(answers, cases)

    def resampled_metrics(
        self,
        answers: Sequence[Arrays],
        cases: Sequence[Case],
        problem: Problem,  # noqa: ARG002
    ) -> Callable[[Sequence[int]], Mapping[str, float]]:
        """The same over any selection of these cases: each picture is matched once."""
        return resampled_precision(answers, cases)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The detections from the threshold on, as text and drawn into the picture; in tables a row for each box."""
        facts = {"classes": problem.classes, "facts": problem.facts}
        names = [problem.classes[label] for label in answer["labels"]]
        listed = device.found(answer, facts)
        boxes = answer["boxes"].tolist()
        least = device.threshold(facts)
        return Shown(
            text=device.show(answer, facts, limit),
            record=device.record(answer, facts),
            picture=boxed(case.inputs["image"], boxes, names, answer["scores"].tolist(), threshold=least),
            rows=[{"label": name, "score": score, **dict(zip(EDGES, box, strict=True))} for name, score, box in listed],
        )
