"""Image generation: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadFile, PluginError
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import ImageInput, Input, LatentInput, Problem
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
)
from zoo.data.image import sources
from zoo.data.image.drawing import enlarged
from zoo.data.image.inputs import fit_channels
from zoo.runs.serialization import to_json
from zoo.tasks.image_generation import runner
from zoo.tasks.image_generation.agreement import agreement
from zoo.tasks.image_generation.cases import cases as latent_cases
from zoo.tasks.image_generation.controls import generator_controls

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

LAYOUTS: Final = ("image-folder", "csv", "torchvision")


class ImageGeneration:
    """Pictures like those of the data, made of noise; the model's output lies in the space of its `picture`."""

    name = "image-generation"
    monitor = Monitor(metric="frechet_random", mode="min")
    runner = "zoo.tasks.image_generation.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """A folder of pictures, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""
        return sources.detect(request, accepted=LAYOUTS)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded; samples are `zoo.data.formats.samples.Sample` without labels."""
        return sources.check(source, labelled=False, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The input given, its picture with the data's channels where the model makes any."""
        if not isinstance(input, LatentInput) or input.picture is None:
            raise PluginError(f"a model for {self.name} has a LatentInput with a picture, not {input}")
        picture = cast("ImageInput", fit_channels(input.picture, card))
        return Problem(task=self.name, input=replace(input, picture=picture))

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Pictures as whole levels, in memory where they fit, with latents."""
        from zoo.data.image.dataset import open_split  # noqa: PLC0415  torch
        from zoo.tasks.image_generation.dataset import GenerationDataset  # noqa: PLC0415  torch

        return GenerationDataset(open_split(card, split, problem.image), problem.latent_size)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] The batch with its real pictures moved, turned and coloured."""
        from zoo.data.image.augment import augment as changed  # noqa: PLC0415  torch

        return {**batch, "image": changed(batch["image"], augment, generator)}

    def model_signature(self, problem: Problem) -> Signature:
        """latent -> image float32 [n, channels, height, width] in the space of the problem's picture."""
        image = problem.image
        image_port = Port(
            name="image", dtype="float32", shape=("n", image.channels, *image.size), doc="normalised pictures"
        )
        return Signature(inputs=(_latent(problem),), outputs=(image_port,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """latent float32 [n, size] -> images uint8 [n, height, width, channels]."""
        image = problem.image
        images = Port(name="images", dtype="uint8", shape=("n", *image.size, image.channels), doc="what was made")
        return Signature(inputs=(_latent(problem),), outputs=(images,))

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every latent is taken as it is
        """[torch] Nothing: latents are what the model takes."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Back to grey levels."""
        return (PostprocessStep(kind=PostprocessKind.DENORMALISE),)

    def finish(self, problem: Problem) -> nn.Module:
        """[torch] Grey levels."""
        from zoo.data.image.postprocess import Pictures  # noqa: PLC0415  torch

        return Pictures(problem.image)

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] A Fréchet distance on random features; a grid of samples."""
        from zoo.tasks.image_generation.metrics import GenerationMetrics  # noqa: PLC0415  torch

        return GenerationMetrics(problem.image)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:  # noqa: ARG002  nothing of the data goes in
        """Latents for a purpose; no latent has a truth."""
        return latent_cases(problem, purpose, limit=limit)

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
        """The generic kinds that apply to a generator, and latents in reverse order."""
        return generator_controls()

    def read(self, path: Path, problem: Problem) -> Arrays:
        """latent float32 [n, size]: 64 drawn from a seed, or those of an .npy file; BadFile for anything else."""
        try:
            return runner.read(path, to_json(problem))
        except (OSError, ValueError) as error:
            raise BadFile(str(error), hint="give a seed, as in 7, or float32 [n, size] in an .npy file") from error

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  nothing is ranked
        """How many pictures of which size, and all of them in rows of eight."""
        import numpy as np  # noqa: PLC0415  listing tasks needs no numpy

        count, height, width, channels = answer["images"].shape
        sheet = np.asarray(runner.picture(answer))
        return Shown(
            text=runner.show(answer, {}),
            record={"count": count, "height": height, "width": width, "channels": channels},
            picture=enlarged(sheet.reshape(*sheet.shape[:2], channels)),
        )


def _latent(problem: Problem) -> Port:
    return Port(name="latent", dtype="float32", shape=("n", problem.latent_size), doc="unit normal")
