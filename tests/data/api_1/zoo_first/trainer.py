"""Mean squared error between the numbers of pictures and the truth."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer


class FirstTrainer:
    """One network, one loss."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """Everything that learns; "model" is what is saved and exported."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, as the recipe says."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, h, w] and `value` float32 [n, 1]."""
        loss = F.mse_loss(context.modules["model"](batch["input"]), batch["value"])
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(batch["value"]))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`value` float32 [n, 1], which the task's metrics want."""
        return {"value": context.modules["model"](batch["input"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """What must survive an interruption: nothing here."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Put back what `state_dict` gave."""
