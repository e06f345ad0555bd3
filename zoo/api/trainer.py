"""The protocol of a trainer: how a model is trained for a task.  The loop calls the trainer, which calls the context.

A trainer of one model with one loss is a `zoo.SingleModelTrainer` with `step` and `predict`, of five lines each.  A
trainer with two optimisers (a GAN) calls `context.backward` and `context.update` twice.  A trainer may also have
`validation_loss(context, outputs, batch)`: the mean loss of what its `predict` gave for a batch, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from zoo.api.problem import Problem
from zoo.api.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

    from zoo.api.task import Batch


@dataclass(slots=True, kw_only=True)
class StepOutput:
    """The result of one step: detached tensors, which the loop reads only from time to time.

    Examples:
        >>> zoo.StepOutput(loss=torch.tensor(0.7), count=32).parts
        {}
    """

    loss: torch.Tensor
    """A scalar."""
    count: int
    """Samples in the batch."""
    parts: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Named parts of the loss, logged beside it."""


class StepContext(Protocol):
    """What the loop gives a trainer for one step.

    Examples:
        >>> def step(context: zoo.StepContext, batch: zoo.Batch) -> zoo.StepOutput:
        ...     loss = context.modules["model"](batch["input"]).square().mean()
        ...     context.backward(loss)
        ...     context.update("model")
        ...     return zoo.StepOutput(loss=loss.detach(), count=len(batch["input"]))
    """

    modules: Mapping[str, nn.Module]
    """The modules that `Trainer.modules` returned, by name."""
    problem: Problem
    """The problem that the model was built for."""
    recipe: Recipe
    """The recipe of this training."""
    options: Mapping[str, float | int | str | bool]
    """The trainer's own options: its declared defaults, with the changes of the recipe."""
    step: int
    """Steps done so far."""
    epoch: int
    """Epochs completed so far."""
    total_steps: int
    """Steps of the whole training."""
    class_weights: torch.Tensor | None
    """How much each class counts, float32 [classes], where the recipe says `class_weights`."""
    teacher: Callable[..., torch.Tensor] | None
    """What the model takes -> the teacher's logits float32 [n, classes], where the user named one."""
    generator: torch.Generator
    """Seeded from the run's seed and the step number, on the batch's device."""

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a scalar loss, scaled for precision and accumulation."""

    def divisor(self, count: torch.Tensor, *, least: float = 1.0) -> torch.Tensor:
        """What to divide a sum by, for a loss that is a mean over tokens, pixels or boxes instead of items.

        `count` is how many this process has, a scalar; in one process the answer is `count`, at least `least`.  Several
        processes, of which each has a part of the batch, all call it together; their losses then make the mean over the
        whole batch.
        """

    def whole(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows [items of the batch, ...] of all processes in the order of the batch, for losses that compare items.

        In one process these are `rows` [n, ...] themselves.  Of several processes, all call it together.
        """

    def update(self, optimizer: str) -> None:
        """Clip, step, zero, advance the schedule and the moving average of one optimiser's module.

        Does nothing until `recipe.accumulate` batches have passed.
        """


class Trainer(Protocol):
    """How a model is trained.  The two state methods save and load what a resume needs.

    Examples:
        >>> class Regression(zoo.SingleModelTrainer):
        ...     def step(self, context, batch):
        ...         loss = (context.modules["model"](batch["input"]) - batch["target"]).abs().mean()
        ...         context.backward(loss)
        ...         context.update("model")
        ...         return zoo.StepOutput(loss=loss.detach(), count=len(batch["target"]))
        ...     def predict(self, context, batch):
        ...         return {"values": context.modules["model"](batch["input"])}
    """

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """Everything that has parameters, by name; "model" is the one that is saved, evaluated and exported."""

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """The optimisers by name; `head` names the parameters that train at the full learning rate."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Train on one batch that `Dataset.ready` prepared, under autocast."""

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """The outputs that the task's metrics need, by name; called in eval mode without gradients."""

    def state_dict(self) -> dict[str, torch.Tensor | int | float | str]:
        """The trainer's own state."""

    def load_state_dict(self, state: Mapping[str, torch.Tensor | int | float | str]) -> None:
        """Load what `state_dict` returned."""
