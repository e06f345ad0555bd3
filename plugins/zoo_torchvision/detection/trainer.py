"""How torchvision's detectors learn: by the losses that they bring."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer


class DetectionTrainer:
    """The sum of the network's losses."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002  every model alike
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, 3, h, w] and the lists `boxes` and `labels`."""
        objects = list(zip(batch["boxes"], batch["labels"], strict=True))
        losses: dict[str, Tensor] = context.modules["model"](batch["input"], objects)
        loss = sum(losses.values(), start=batch["input"].new_zeros(()))
        context.backward(loss)
        context.update("model")
        parts = {name: part.detach() for name, part in losses.items()}
        return StepOutput(loss=loss.detach(), count=len(objects), parts=parts)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`boxes` [n, cells, 4] in pixels, or as many for each class, and `scores` [n, cells, classes]."""
        boxes, scores = context.modules["model"](batch["input"])[:2]
        return {"boxes": boxes, "scores": scores}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
