"""Trains classifiers of labelled examples."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.training.trainers.single_model import SingleModelTrainer


class ClassificationTrainer(SingleModelTrainer):
    """Cross-entropy.  A model with auxiliary heads returns a tuple in training mode, its own logits first."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, ...] and `label` int64 [n]."""
        smoothing, label = context.recipe.label_smoothing, batch["label"]
        logits, *auxiliary = as_tuple(context.modules["model"](batch["input"]))
        loss = F.cross_entropy(logits, label, label_smoothing=smoothing)
        for other_logits in auxiliary:
            weight = float(context.options["auxiliary_weight"])
            loss = loss + weight * F.cross_entropy(other_logits, label, label_smoothing=smoothing)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(label))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes]."""
        return {"logits": as_tuple(context.modules["model"](batch["input"]))[0]}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Cross-entropy, without label smoothing."""
        return F.cross_entropy(outputs["logits"].float(), batch["label"])


def as_tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs that are not None, the model's own logits first."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(output for output in outputs if output is not None)
