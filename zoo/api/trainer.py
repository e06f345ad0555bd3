"""The protocol of a trainer: how a model learns a task.  The loop calls it; it calls the context.

A trainer of one model with one loss is a `zoo.SingleModelTrainer` with `step` and `predict`, five lines each; one with
two optimisers (a GAN) calls `context.backward` and `context.update` twice.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """What one step tells the loop: detached tensors, read only when a line is printed."""

    loss: torch.Tensor
    """A scalar."""
    count: int
    """Samples in the batch."""
    parts: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Named parts of the loss, logged beside it."""


class StepContext(Protocol):
    """What the loop lends a trainer for one step."""

    modules: Mapping[str, nn.Module]
    """As `Trainer.modules` named them, wrapped for the device and the launch."""
    problem: Problem
    """What the model was built for."""
    recipe: Recipe
    """The numbers of this training."""
    options: Mapping[str, float | int | str | bool]
    """The trainer's own numbers: its declared defaults with the recipe's changes."""
    step: int
    """Steps done so far."""
    epoch: int
    """Epochs completed so far."""
    total_steps: int
    """Steps of the whole training."""
    generator: torch.Generator
    """Seeded from the run's seed and the step number, on the batch's device."""

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a scalar loss, scaled for precision and accumulation."""

    def update(self, optimizer: str) -> None:
        """Clip, step, zero, advance the schedule and the moving average of one optimiser's module.

        Does nothing until `recipe.accumulate` batches have passed.
        """


class Trainer(Protocol):
    """How a model learns.  Attributes that must survive a resume go through the two state methods."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """Everything that has parameters, by name; "model" is the one that is saved, evaluated and exported."""

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One optimiser per entry that learns on its own; `head` names the parameters kept at the full rate."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from one ready batch, under autocast."""

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """What the task's metrics need, by name, without gradients, in eval mode."""

    def state_dict(self) -> dict[str, torch.Tensor | int | float | str]:
        """The trainer's own state."""

    def load_state_dict(self, state: Mapping[str, torch.Tensor | int | float | str]) -> None:
        """Put back what `state_dict` gave."""
