"""Image embedding: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Dataset, Metrics, Port
from zoo.data.embedding.postprocess import UnitLength
from zoo.data.embedding.steps import STEPS
from zoo.tasks.bases.picture_tensors import PictureGraphs, PictureTensors
from zoo.tasks.image_embedding.dataset import with_identities
from zoo.tasks.image_embedding.task import IdentityData


class IdentityTensors(PictureTensors):
    """Pictures in batches of a few identities, and pairs of them."""

    data = IdentityData

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """Pictures as whole levels; of train in batches of a few identities, of the others with their pairs."""
        return with_identities(self.pictures(card, split, problem), card, split)

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002  the same for all
        """roc_auc, accuracy, tar_at_far_1pct and threshold; the ROC curve and the hardest pairs as pictures."""
        from zoo.tasks.image_embedding.metrics import VerificationMetrics  # noqa: PLC0415  answers need no metrics

        return VerificationMetrics()


class EmbeddingGraphs(PictureGraphs):
    """A picture to a vector of unit length."""

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """features float32 [batch, d] of any length."""
        shape = ("batch", problem.image.embedding)
        return (Port(name="features", dtype="float32", shape=shape, doc="not yet of unit length"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """embedding float32 [d], of unit length."""
        return (Port(name="embedding", dtype="float32", shape=(problem.image.embedding,), doc="of unit length"),)

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every embedding's is the same
        """Division by the L2 norm."""
        return UnitLength()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Division by the L2 norm."""
        return STEPS
