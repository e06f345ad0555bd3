"""Learning the class of every pixel."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.data.formats.masks.masks import IGNORE_INDEX
from zoo.training.trainers.classification import as_tuple
from zoo.training.trainers.single_model import SingleModelTrainer


class SegmentationTrainer(SingleModelTrainer):
    """Cross-entropy over pixels.  A model that returns a tuple while it trains has auxiliary heads; the first is
    its own."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, channels, h, w] and `mask` uint8 [n, h, w]."""
        mask, smoothing = batch["mask"].long(), context.recipe.label_smoothing
        logits, *auxiliary = as_tuple(context.modules["model"](batch["input"]))
        pixels = context.divisor((mask != IGNORE_INDEX).sum())
        loss = pixel_nats(logits, mask, label_smoothing=smoothing) / pixels
        weight = float(context.options["auxiliary_weight"])
        for other in auxiliary:
            loss = loss + weight * pixel_nats(other, mask, label_smoothing=smoothing) / pixels
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(mask))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes, h, w]."""
        return {"logits": as_tuple(context.modules["model"](batch["input"]))[0]}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Cross-entropy over the pixels, without label smoothing."""
        return pixel_loss(outputs["logits"].float(), batch["mask"].long())


def pixel_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy over the pixels that are not ignored; zero where all are."""
    return pixel_nats(logits, mask) / (mask != IGNORE_INDEX).sum().clamp(min=1)


def pixel_nats(logits: Tensor, mask: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy summed over the pixels that are not ignored."""
    return F.cross_entropy(logits, mask, ignore_index=IGNORE_INDEX, label_smoothing=label_smoothing, reduction="sum")
