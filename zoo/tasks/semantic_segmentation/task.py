"""Semantic segmentation: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.postprocess import PostprocessKind, PostprocessStep
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
from zoo.data.formats.masks.checks import check_masks
from zoo.data.formats.masks.layouts import LISTINGS, SCENES, detect_masks
from zoo.data.image.inputs import fit_channels, uncropped_input
from zoo.data.image.reading import IMAGE, read_input
from zoo.tasks.semantic_segmentation import runner
from zoo.tasks.semantic_segmentation.agreement import agreement
from zoo.tasks.semantic_segmentation.cases import cases as segmenter_cases
from zoo.tasks.semantic_segmentation.drawing import as_png, shown
from zoo.tasks.semantic_segmentation.facts import answer_dtype
from zoo.tasks.semantic_segmentation.sources import scenes_card

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch


class SemanticSegmentation:
    """Which of a list of classes every pixel of a picture belongs to."""

    name = "semantic-segmentation"
    monitor = Monitor(metric="miou", mode="max")
    runner = "zoo.tasks.semantic_segmentation.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """Folders of pictures and index masks, Pascal VOC's, COCO's JSON, or the embedded digit scenes."""
        return detect_masks(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture and mask decoded and held against each other; samples are `MaskSample`s."""
        if source.format == SCENES:
            return scenes_card(source)
        assert source.location is not None
        return check_masks(source, LISTINGS[source.format](source.location, request=source.request), progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes of the data, at the input given; with the data's channels where the model takes any."""
        return Problem(task=self.name, input=fit_channels(input, card), classes=card.classes)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] One split, resized to the problem's input without cropping."""
        from zoo.tasks.semantic_segmentation.dataset import open_split  # noqa: PLC0415  torch

        return open_split(card, split, uncropped_input(problem))

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] Pictures and masks changed together."""
        from zoo.tasks.semantic_segmentation.augment import augment as change  # noqa: PLC0415  torch

        return change(batch, augment, generator)

    # --- the two graphs ---
    def model_signature(self, problem: Problem) -> Signature:
        """input, normalised float32 [batch, channels, h, w] -> logits float32 [batch, classes, h, w]."""
        image = problem.image
        picture = Port(
            name="input", dtype="float32", shape=("batch", image.channels, *image.size), doc="normalised image"
        )
        logits = Port(
            name="logits", dtype="float32", shape=("batch", len(problem.classes), *image.size), doc="scores per pixel"
        )
        return Signature(inputs=(picture,), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """image uint8 [height, width, 3] -> classes [height, width] of the given image."""
        answer = Port(
            name="classes", dtype=answer_dtype(problem), shape=("height", "width"), doc="index into the class names"
        )
        return Signature(inputs=(IMAGE,), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] A picture of any size, resized to the model's without cropping."""
        from zoo.data.image.preprocess import ImagePrepare  # noqa: PLC0415  torch

        return ImagePrepare(uncropped_input(problem))

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Scores enlarged to the given image, then the likeliest class."""
        return (
            PostprocessStep(kind=PostprocessKind.RESIZE_TO_IMAGE),
            PostprocessStep(kind=PostprocessKind.ARGMAX),
        )

    def finish(self, problem: Problem) -> nn.Module:
        """[torch] Scores enlarged to the given picture, and the likeliest class of every pixel."""
        from zoo.tasks.semantic_segmentation.postprocess import class_map  # noqa: PLC0415  torch

        return class_map(problem)

    # --- measuring ---
    def metrics(self, problem: Problem) -> Metrics:
        """[torch] miou and pixel_accuracy; pictures with what the data and the model say."""
        from zoo.tasks.semantic_segmentation.metrics import SegmentationMetrics  # noqa: PLC0415  torch

        return SegmentationMetrics(problem)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures of many sizes and shapes; the truth is the mask."""
        return segmenter_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same class for every pixel away from ties."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic kinds; with a single class, none that permutes classes."""
        return generic_controls({} if len(problem.classes) > 1 else {"classes": "there is only one class"})

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:  # noqa: ARG002  every picture is read alike
        """`image` uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The share of every class, the picture beside itself with its classes over it, and the class map."""
        named = {"classes": problem.classes}
        shares = runner.shares(answer, named)
        return Shown(
            text=runner.show(answer, named, limit),
            record={"classes": [{"name": name, "share": share} for name, share in shares]},
            picture=shown(case.inputs["image"], answer["classes"]),
            files={"-classes.png": as_png(runner.class_map(answer))},
        )
