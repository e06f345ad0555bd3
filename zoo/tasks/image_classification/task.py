"""Image classification: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

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
from zoo.data.embedded.digits import CLASSES as DIGIT_CLASSES
from zoo.data.image import sources
from zoo.data.image.cases import picture_cases
from zoo.data.image.drawing import enlarged, labelled
from zoo.data.image.inputs import fit_channels
from zoo.data.image.reading import IMAGE, read_input
from zoo.tasks.image_classification import runner
from zoo.tasks.image_classification.agreement import agreement

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

LAYOUTS: Final = ("class-folders", "csv", "torchvision")


class ImageClassification:
    """Which of a list of classes a picture shows."""

    name = "image-classification"
    monitor = Monitor(metric="top1", mode="max")
    runner = "zoo.tasks.image_classification.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """Class folders, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""
        return sources.detect(request, accepted=LAYOUTS)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every label compared; samples are `zoo.data.formats.samples.Sample`."""
        return sources.check(source, labelled=True, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes of the data, at the input given; with the data's channels where the model takes any."""
        return Problem(task=self.name, input=fit_channels(input, card), classes=card.classes)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Pictures as whole levels, in memory where they fit."""
        from zoo.data.image.dataset import open_split  # noqa: PLC0415  torch

        return open_split(card, split, problem.image)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] The batch with its images moved, turned and coloured."""
        from zoo.data.image.augment import augment as changed  # noqa: PLC0415  torch

        return {**batch, "image": changed(batch["image"], augment, generator)}

    def model_signature(self, problem: Problem) -> Signature:
        """input, normalised float32 [batch, channels, height, width] -> logits float32 [batch, classes]."""
        image = problem.image
        picture = Port(
            name="input", dtype="float32", shape=("batch", image.channels, *image.size), doc="normalised image"
        )
        logits = Port(
            name="logits", dtype="float32", shape=("batch", len(problem.classes)), doc="scores before softmax"
        )
        return Signature(inputs=(picture,), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """image uint8 [height, width, 3] -> probabilities float32 [classes]."""
        answer = Port(name="probabilities", dtype="float32", shape=(len(problem.classes),), doc="sum to one")
        return Signature(inputs=(IMAGE,), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] Resizing, cropping and normalising."""
        from zoo.data.image.preprocess import ImagePrepare  # noqa: PLC0415  torch

        return ImagePrepare(problem.image)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Softmax."""
        return (PostprocessStep(kind=PostprocessKind.SOFTMAX),)

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every classifier's is the same
        """[torch] Softmax."""
        from zoo.data.image.postprocess import Probabilities  # noqa: PLC0415  torch

        return Probabilities()

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] top1, top5 above five classes; confusion matrix and worst mistakes as pictures."""
        from zoo.tasks.image_classification.metrics import ClassificationMetrics  # noqa: PLC0415  torch

        return ClassificationMetrics(problem.classes)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose; the truth is the index of the class."""
        return picture_cases(
            card,
            problem.image,
            purpose,
            truth=lambda sample, _: sample.label,
            embedded=problem.classes == DIGIT_CLASSES,
            limit=limit,
        )

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same first answer, and the same first five, wherever the reference is decided."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic kinds; with a single class, none that permutes classes."""
        return generic_controls({} if len(problem.classes) > 1 else {"classes": "there is only one class"})

    def read(self, path: Path, problem: Problem) -> Arrays:  # noqa: ARG002  every picture is read alike
        """image uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The likeliest classes with their probabilities, and the picture over its first answer."""
        named = {"classes": problem.classes}
        best = runner.top(answer, named, limit)
        truth = problem.classes[case.truth] if isinstance(case.truth, int) and case.truth >= 0 else None
        lines = [f"{best[0][0]}  {best[0][1]:.1%}", *([f"the data say {truth}"] if truth else [])]
        return Shown(
            text=runner.show(answer, named, limit),
            record={"classes": [{"name": name, "probability": share} for name, share in best], "truth": truth},
            picture=labelled(enlarged(case.inputs["image"]), lines) if "image" in case.inputs else None,
        )
