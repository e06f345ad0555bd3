"""The base of most trainers: one model, one optimiser, no state."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.api.task import Batch
from zoo.api.trainer import StepContext
from zoo.training.recipe.optimizers import build_optimizer


class SingleModelTrainer:
    """A trainer of one model with one optimiser and no state; a subclass adds `step` and `predict`.

    Examples:
        >>> class Regression(zoo.SingleModelTrainer):
        ...     def step(self, context, batch):
        ...         values = context.modules["model"](batch["input"])
        ...         loss = torch.nn.functional.mse_loss(values, batch["target"])
        ...         context.backward(loss)
        ...         context.update("model")
        ...         return zoo.StepOutput(loss=loss.detach(), count=len(values))
        ...     def predict(self, context, batch):
        ...         return {"values": context.modules["model"](batch["input"])}
    """

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002  every model alike
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One optimiser of the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """The mean loss of what `predict` gave for a batch; None where a trainer does not say it."""
        return None

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Empty: this trainer has no state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Does nothing: this trainer has no state."""
