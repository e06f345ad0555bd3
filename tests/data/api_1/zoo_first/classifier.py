"""A classifier of 500 numbers, and a way of training it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer


class Linear(nn.Module):
    """float32 [n, channels, height, width] -> logits float32 [n, num_classes]."""

    def __init__(self, *, num_classes: int, channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(49 * channels, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(F.adaptive_avg_pool2d(image, 7).flatten(1))
        return logits


def linear(*, num_classes: int, channels: int) -> nn.Module:
    return Linear(num_classes=num_classes, channels=channels)


class ModestTrainer:
    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        logits = context.modules["model"](batch["input"])
        chances = F.log_softmax(logits, 1)
        entropy = -(chances.exp() * chances).sum(1).mean()
        loss = F.cross_entropy(logits, batch["label"]) - float(context.options["modesty"]) * entropy
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(logits), parts={"entropy": entropy.detach()})

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        return {"logits": context.modules["model"](batch["input"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        pass
