"""Tasks on pictures: tensors and graphs with defaults.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.parts import Signatures
from zoo.api.postprocess import CUSTOM_POSTPROCESS, PostprocessStep
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Dataset, Port, Signature
from zoo.data.image.augment import augment as augment_pictures
from zoo.data.image.dataset import PictureDataset, Values, labels, open_pictures
from zoo.data.image.inputs import uncropped_input
from zoo.data.image.preprocess import ImagePrepare
from zoo.data.image.reading import IMAGE, read_as
from zoo.tasks.bases.pictures import PictureData


class PictureTensors:
    """Pictures as whole grey levels, augmented as pictures; a task adds `metrics`, and `targets`.

    Examples:
        >>> class Tensors(zoo.PictureTensors):
        ...     def targets(self, card, split, image):
        ...         return {"angle": torch.tensor([sample.angle for sample in card.splits[split]])}
    """

    data: ClassVar[type[PictureData]] = PictureData
    """The task's data, which reads the pictures."""
    crops: ClassVar[bool] = True
    """False where answers are positions in the picture, so that nothing may be cropped away."""

    def targets(self, card: DataCard, split: Split, image: ImageInput) -> Mapping[str, Values]:  # noqa: ARG002  for overriding
        """What the data say of the samples of a split, by the names that batches have for it: their labels.

        A tensor [samples, ...], a sequence of tensors of any shapes, or pictures; `image` is what the model is fed.
        """
        return {"label": labels(card, split)}

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split."""
        return self.pictures(card, split, problem)

    def pictures(self, card: DataCard, split: Split, problem: Problem) -> PictureDataset:
        """One split: pictures at the model's size, in memory where they fit, with their targets."""
        card = read_as(card, problem)
        data, image = self.data(), problem.image if self.crops else uncropped_input(problem)
        return open_pictures(
            card,
            split,
            image,
            read=data.reader(card),
            stacked=lambda: data.stacked(card, split),
            targets=lambda: self.targets(card, split, image),
        )

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """The batch with its images moved, turned and coloured."""
        return {**batch, "image": augment_pictures(batch["image"], augment, generator)}


class PictureGraphs:
    """A picture goes in; a task adds `model_outputs`, `outputs` and `postprocess`.

    Examples:
        >>> class Graphs(zoo.PictureGraphs):
        ...     def model_outputs(self, problem):
        ...         return (zoo.Port(name="angle", dtype="float32", shape=("batch", 1)),)
    """

    crops: ClassVar[bool] = True
    """False where answers are positions in the picture, so that nothing may be cropped away."""

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """The outputs of model.onnx, with their batch axis."""
        raise NotImplementedError(f"{type(self).__name__} must say model_outputs")

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """The outputs of pipeline.onnx, for one picture."""
        raise NotImplementedError(f"{type(self).__name__} must say outputs")

    def signatures(self, problem: Problem) -> Signatures:
        """input, normalised float32 [batch, channels, height, width], and image uint8 [height, width, 3]."""
        given = picture_port(self.image(problem))
        return Signatures(
            model=Signature(inputs=(given,), outputs=self.model_outputs(problem)),
            pipeline=Signature(inputs=(IMAGE,), outputs=self.outputs(problem)),
        )

    def preprocess(self, problem: Problem) -> nn.Module:
        """Resizing, cropping and normalising."""
        return ImagePrepare(self.image(problem))

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002  for overriding
        """One custom step; a task whose postprocessing is made of known steps says them."""
        return CUSTOM_POSTPROCESS

    def image(self, problem: Problem) -> ImageInput:
        """The model's image input; UsageError where it crops and must not."""
        return problem.image if self.crops else uncropped_input(problem)


def picture_port(image: ImageInput) -> Port:
    """The input of a model on pictures: float32 [batch, channels, height, width]."""
    shape = ("batch", image.channels, *image.size)
    return Port(name="input", dtype="float32", shape=shape, doc="normalised image")
