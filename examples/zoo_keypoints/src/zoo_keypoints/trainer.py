"""Learning where points are.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer


class PointTrainer:
    """The mean distance between the points and the truth, in shares of the picture's sides."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002  every model alike
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, c, h, w] and `points` [n, k, 2]."""
        found = context.modules["model"](batch["input"])
        loss = torch.linalg.vector_norm(found - batch["points"], dim=2).mean()
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(found))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`points` [n, k, 2]."""
        return {"points": context.modules["model"](batch["input"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
