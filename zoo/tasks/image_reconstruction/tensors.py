"""Image reconstruction: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.parts import Signatures
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Metrics, Port, Signature
from zoo.data.image.postprocess import Picture
from zoo.data.image.preprocess import ImagePrepare, NoisyPrepare
from zoo.data.image.reading import IMAGE
from zoo.tasks.bases.picture_tensors import PictureGraphs, PictureTensors, picture_port


class ReconstructionTensors(PictureTensors):
    """Pictures, which are their own truth."""

    def metrics(self, problem: Problem) -> Metrics:
        """psnr, ssim, the nats of models that have a bound; originals beside what came back as a picture."""
        from zoo.tasks.image_reconstruction.metrics import ReconstructionMetrics  # noqa: PLC0415  answers need no metrics

        return ReconstructionMetrics(problem.image)


class ReconstructionGraphs(PictureGraphs):
    """A picture to a picture; the model's output lies in the space of its input."""

    def signatures(self, problem: Problem) -> Signatures:
        """image uint8 [height, width, 3] -> image_out uint8 at the model's size, [height, width, channels].

        A model with noise takes it too, float32 [size]; zeros give the mean.
        """
        image = problem.image
        picture = picture_port(image)
        raw = Port(name="reconstruction", dtype="float32", shape=picture.shape, doc="in the space of the input")
        answer = Port(name="image_out", dtype="uint8", shape=(*image.size, image.channels), doc="what came back")
        return Signatures(
            model=Signature(inputs=(picture, *_noise(image, "batch")), outputs=(raw,)),
            pipeline=Signature(inputs=(IMAGE, *_noise(image)), outputs=(answer,)),
        )

    def preprocess(self, problem: Problem) -> nn.Module:
        """Resizing, cropping and normalising; noise is handed on."""
        return NoisyPrepare(problem.image) if problem.image.noise else ImagePrepare(problem.image)

    def postprocess(self, problem: Problem) -> nn.Module:
        """Back to grey levels."""
        return Picture(problem.image)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Back to grey levels."""
        return (PostprocessStep(kind=PostprocessKind.DENORMALISE),)


def _noise(image: ImageInput, *batch: str) -> tuple[Port, ...]:
    if not image.noise:
        return ()
    return (Port(name="noise", dtype="float32", shape=(*batch, image.noise), doc="unit normal; zeros give the mean"),)
