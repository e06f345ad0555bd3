"""Learning to give back what came in."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo.problem import Problem
from zoo.recipe import Recipe
from zoo.task import Batch
from zoo.trainer import StepContext, StepOutput
from zoo.trainers.optimizers import build_optimizer


class ReconstructionTrainer:
    """Mean squared error between the normalised picture and the reconstruction."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

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

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
