"""Learning classes from labelled examples."""

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


class ClassificationTrainer:
    """Cross-entropy.  A model that returns a tuple while it trains has auxiliary heads; the first is its own."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002
        """The model alone."""
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, ...] and `label` int64 [n]."""
        smoothing, label = context.recipe.label_smoothing, batch["label"]
        logits, *auxiliary = as_tuple(context.modules["model"](batch["input"]))
        loss = F.cross_entropy(logits, label, label_smoothing=smoothing)
        for other in auxiliary:
            weight = float(context.options["auxiliary_weight"])
            loss = loss + weight * F.cross_entropy(other, label, label_smoothing=smoothing)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(label))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes]."""
        return {"logits": as_tuple(context.modules["model"](batch["input"]))[0]}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""


def as_tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs that there are, the model's own logits first."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(one for one in outputs if one is not None)
