"""Image reconstruction: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import ImageInput, Input, Problem
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
from zoo.data.image import sources
from zoo.data.image.cases import picture_cases
from zoo.data.image.drawing import enlarged, side_by_side
from zoo.data.image.inputs import fit_channels
from zoo.data.image.pillow import fitted
from zoo.data.image.reading import IMAGE, read_input
from zoo.tasks.image_reconstruction import runner
from zoo.tasks.image_reconstruction.agreement import agreement
from zoo.tasks.image_reconstruction.noise import with_noise

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

LAYOUTS: Final = ("image-folder", "csv", "torchvision")


class ImageReconstruction:
    """A picture through a narrow code and back; the model's output lies in the space of its input."""

    name = "image-reconstruction"
    monitor = Monitor(metric="psnr", mode="max")
    runner = "zoo.tasks.image_reconstruction.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """A folder of pictures, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""
        return sources.detect(request, accepted=LAYOUTS)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded; samples are `zoo.data.formats.samples.Sample` without labels."""
        return sources.check(source, labelled=False, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The input given, with the data's channels where the model takes any."""
        return Problem(task=self.name, input=fit_channels(input, card))

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Pictures as whole levels, in memory where they fit."""
        from zoo.data.image.dataset import open_split  # noqa: PLC0415  torch

        return open_split(card, split, problem.image)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] The batch with its images moved, turned and coloured."""
        from zoo.data.image.augment import augment as changed  # noqa: PLC0415  torch

        return {**batch, "image": changed(batch["image"], augment, generator)}

    def model_signature(self, problem: Problem) -> Signature:
        """input -> reconstruction, both normalised float32 [batch, channels, height, width]; also noise, if taken."""
        image = problem.image
        shape = ("batch", image.channels, *image.size)
        picture = Port(name="input", dtype="float32", shape=shape, doc="normalised image")
        reconstruction = Port(name="reconstruction", dtype="float32", shape=shape, doc="in the space of the input")
        return Signature(inputs=(picture, *_noise(image, "batch")), outputs=(reconstruction,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """image uint8 [height, width, 3] -> image_out uint8 at the model's size, [height, width, channels].

        A model with noise takes it too, float32 [size]; zeros give the mean.
        """
        image = problem.image
        image_out = Port(name="image_out", dtype="uint8", shape=(*image.size, image.channels), doc="what came back")
        return Signature(inputs=(IMAGE, *_noise(image)), outputs=(image_out,))

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] Resizing, cropping and normalising; noise is handed on."""
        from zoo.data.image.preprocess import ImagePrepare, NoisyPrepare  # noqa: PLC0415  torch

        return NoisyPrepare(problem.image) if problem.image.noise else ImagePrepare(problem.image)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Back to grey levels."""
        return (PostprocessStep(kind=PostprocessKind.DENORMALISE),)

    def finish(self, problem: Problem) -> nn.Module:
        """[torch] Back to grey levels."""
        from zoo.data.image.postprocess import Picture  # noqa: PLC0415  torch

        return Picture(problem.image)

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] psnr, ssim, the nats of models that have a bound; originals beside what came back as a picture."""
        from zoo.tasks.image_reconstruction.metrics import ReconstructionMetrics  # noqa: PLC0415  torch

        return ReconstructionMetrics(problem.image)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose; the truth is the original at the model's size, uint8 [height, width, channels]."""
        image = problem.image
        pictures = picture_cases(
            card,
            image,
            purpose,
            truth=lambda _, pixels: fitted(pixels, image),
            embedded=image.channels == 1,
            limit=limit,
        )
        return with_noise(pictures, image.noise, purpose) if image.noise else pictures

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same pictures but for a level here and there."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002  the same for all
        """All generic kinds except classes."""
        return generic_controls({"classes": "a reconstruction has no classes"})

    def read(self, path: Path, problem: Problem) -> Arrays:
        """image uint8 [height, width, 3] and no noise; BadFile names the file and what it looks like."""
        return read_input(path) | runner.silence(problem.image.noise)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  nothing is ranked
        """Size and levels in words; the original beside what came back."""
        reconstruction = answer["image_out"]
        original = fitted(case.inputs["image"], problem.image) if "image" in case.inputs else reconstruction
        return Shown(
            text=runner.show(answer, {}),
            record=dict(zip(("height", "width", "channels"), reconstruction.shape, strict=True)),
            picture=side_by_side(enlarged(original), enlarged(reconstruction)),
        )


def _noise(image: ImageInput, *batch: str) -> tuple[Port, ...]:
    if not image.noise:
        return ()
    return (Port(name="noise", dtype="float32", shape=(*batch, image.noise), doc="unit normal; zeros give the mean"),)
