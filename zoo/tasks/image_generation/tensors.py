"""Image generation: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.parts import Signatures
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Dataset, Metrics, Port, Signature
from zoo.data.image.postprocess import Pictures
from zoo.data.text.graphs import AsGiven
from zoo.tasks.bases.picture_tensors import PictureTensors
from zoo.tasks.image_generation.dataset import GenerationDataset


class GenerationTensors(PictureTensors):
    """Real pictures with latents."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """Pictures as whole levels, in memory where they fit, with latents."""
        return GenerationDataset(self.pictures(card, split, problem), problem.latent_size)

    def metrics(self, problem: Problem) -> Metrics:
        """A Fréchet distance on random features; a grid of samples."""
        from zoo.tasks.image_generation.metrics import GenerationMetrics  # noqa: PLC0415  answers need no metrics

        return GenerationMetrics(problem.image)


class GenerationGraphs:
    """Latents to pictures; the model's output lies in the space of the problem's picture."""

    def signatures(self, problem: Problem) -> Signatures:
        """latent float32 [n, size] -> images uint8 [n, height, width, channels]."""
        image = problem.image
        latent = Port(name="latent", dtype="float32", shape=("n", problem.latent_size), doc="unit normal")
        raw = Port(name="image", dtype="float32", shape=("n", image.channels, *image.size), doc="normalised pictures")
        images = Port(name="images", dtype="uint8", shape=("n", *image.size, image.channels), doc="what was made")
        return Signatures(
            model=Signature(inputs=(latent,), outputs=(raw,)), pipeline=Signature(inputs=(latent,), outputs=(images,))
        )

    def preprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every latent is taken as it is
        """A passthrough: latents are what the model takes."""
        return AsGiven()

    def postprocess(self, problem: Problem) -> nn.Module:
        """Grey levels."""
        return Pictures(problem.image)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Grey levels."""
        return (PostprocessStep(kind=PostprocessKind.DENORMALISE),)
