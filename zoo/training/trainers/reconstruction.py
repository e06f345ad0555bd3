"""Trains autoencoders of images."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.training.trainers.single_model import SingleModelTrainer


class ReconstructionTrainer(SingleModelTrainer):
    """Mean squared error between the normalised image and its reconstruction."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, height, width]."""
        images = batch["input"]
        loss = F.mse_loss(context.modules["model"](images), images)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(images))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`reconstruction`, the same shape as `input`."""
        return {"reconstruction": context.modules["model"](batch["input"])}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Mean squared error."""
        return F.mse_loss(outputs["reconstruction"], batch["input"])
