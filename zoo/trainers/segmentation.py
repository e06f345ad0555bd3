"""Learning the class of every pixel."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo.problem import Problem
from zoo.recipe import Recipe
from zoo.task import Batch
from zoo.tasks.semantic_segmentation.facts import IGNORE
from zoo.trainer import StepContext, StepOutput
from zoo.trainers.classification import as_tuple
from zoo.trainers.optimizers import build_optimizer


class SegmentationTrainer:
    """Cross-entropy over pixels.  A model that returns a tuple while it trains has auxiliary heads; the first is
    its own."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, channels, h, w] and `mask` uint8 [n, h, w]."""
        mask, smoothing = batch["mask"].long(), context.recipe.label_smoothing
        logits, *auxiliary = as_tuple(context.modules["model"](batch["input"]))
        loss = pixel_loss(logits, mask, label_smoothing=smoothing)
        weight = float(context.options["auxiliary_weight"])
        for other in auxiliary:
            loss = loss + weight * pixel_loss(other, mask, label_smoothing=smoothing)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(mask))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes, h, w]."""
        return {"logits": as_tuple(context.modules["model"](batch["input"]))[0]}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""


def pixel_loss(logits: Tensor, mask: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy over the pixels that are not ignored; zero where all are."""
    total = F.cross_entropy(logits, mask, ignore_index=IGNORE, label_smoothing=label_smoothing, reduction="sum")
    return total / (mask != IGNORE).sum().clamp(min=1)
