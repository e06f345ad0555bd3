"""Object detection: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import UsageError
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Input, Problem
from zoo.api.recipe import Augment
from zoo.api.task import (
    Agreement,
    Case,
    Control,
    Dataset,
    Metrics,
    Monitor,
    Port,
    Progress,
    Purpose,
    Shown,
    Signature,
    generic_controls,
)
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import LISTINGS, SCENES, detect_objects
from zoo.data.image.inputs import fit_channels, uncropped_input
from zoo.data.image.reading import IMAGE, read_input
from zoo.tasks.object_detection import runner
from zoo.tasks.object_detection.agreement import agreement
from zoo.tasks.object_detection.cases import cases as detector_cases
from zoo.tasks.object_detection.drawing import boxed
from zoo.tasks.object_detection.facts import max_detections, postprocess_steps, room_for
from zoo.tasks.object_detection.sources import scenes_card

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch


class ObjectDetection:
    """Where in a picture the things are, and what they are."""

    name = "object-detection"
    monitor = Monitor(metric="map", mode="max")
    runner = "zoo.tasks.object_detection.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """COCO's JSON, Pascal VOC's XML, YOLO's text files, or the embedded digit scenes."""
        return detect_objects(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every box held against it; samples are `ObjectSample`s."""
        if source.format == SCENES:
            return scenes_card(source)
        assert source.location is not None
        return check_objects(
            source, LISTINGS[source.format](source.location, request=source.request), progress=progress
        )

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes of the data and how many detections an answer may hold, at the input given; with the data's
        channels where the model takes any."""
        fullest = card.facts.get("fullest")
        facts = {"max_detections": room_for(fullest)} if isinstance(fullest, int) else {}
        return Problem(task=self.name, input=fit_channels(input, card), classes=card.classes, facts=facts)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, resized to the problem's input without cropping."""
        from zoo.tasks.object_detection.dataset import open_split  # noqa: PLC0415  torch

        return open_split(card, split, uncropped_input(problem))

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """Pictures and boxes changed together."""
        from zoo.tasks.object_detection.augment import augment as change  # noqa: PLC0415  torch

        return change(batch, augment, generator)

    # --- the two graphs ---
    def model_signature(self, problem: Problem) -> Signature:
        """`input` to `boxes`, corners in pixels of the input, and `scores` in 0..1 for every class.

        How many boxes there are is the architecture's: its adapter declares the signature with the number.
        """
        raise UsageError(f"the adapter of a model for {problem.task} must have a `signature`: `detector_signature`")

    def pipeline_signature(self, problem: Problem) -> Signature:
        """`image` to `boxes`, `scores` and `labels`, the best first."""
        limit = max_detections(problem)
        return Signature(
            inputs=(IMAGE,),
            outputs=(
                Port(name="boxes", dtype="float32", shape=("n", 4), doc="left, top, right, bottom in pixels of image"),
                Port(name="scores", dtype="float32", shape=("n",), doc=f"0..1, falling; n is at most {limit}"),
                Port(name="labels", dtype="int64", shape=("n",), doc="index into the class names"),
            ),
        )

    def prepare(self, problem: Problem) -> nn.Module:
        """A picture of any size, resized to the model's without cropping."""
        from zoo.data.image.preprocess import ImagePrepare  # noqa: PLC0415  torch

        return ImagePrepare(uncropped_input(problem))

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        """Non-maximum suppression, then pixels of the given image."""
        return postprocess_steps(problem)

    def finish(self, problem: Problem) -> nn.Module:
        """Non-maximum suppression and the way back to the pixels of the given picture."""
        from zoo.tasks.object_detection.postprocess import detections  # noqa: PLC0415  torch

        return detections(problem)

    # --- measuring ---
    def metrics(self, problem: Problem) -> Metrics:
        """COCO's mean average precision."""
        from zoo.tasks.object_detection.metrics import DetectionMetrics  # noqa: PLC0415  torch

        return DetectionMetrics(problem)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Scenes, crowds, nothing at all, odd sizes and colours; see `cases.py`."""
        return detector_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """Detections matched by class, overlap and score, whatever their order."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic kinds; with a single class, none that permutes classes."""
        return generic_controls({} if len(problem.classes) > 1 else {"classes": "there is only one class"})

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:  # noqa: ARG002  every picture is read alike
        """`image` uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The sure detections as text and drawn into the picture."""
        facts = {"classes": problem.classes}
        names = [problem.classes[label] for label in answer["labels"]]
        sure = runner.found(answer, facts)
        return Shown(
            text=runner.show(answer, facts, limit),
            record={
                "detections": [{"label": name, "score": score, "box": list(box)} for name, score, box in sure],
                "found": len(names),
            },
            picture=boxed(case.inputs["image"], answer["boxes"].tolist(), names, answer["scores"].tolist()),
        )
