"""All that a training consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.optim import Optimizer

from zoo.api.parts import Task
from zoo.api.task import Dataset, Monitor
from zoo.api.trainer import Trainer
from zoo.runs.train_config import TrainConfig
from zoo.training.engine.fabric import Engine
from zoo.training.loop.context import Context
from zoo.training.loop.data_order import Plan
from zoo.training.loop.progress import Progress
from zoo.training.recipe.moving_average import MovingAverage


@dataclass(slots=True, kw_only=True)
class Training:
    """All that a training consists of, ready to begin or to go on."""

    config: TrainConfig
    task: Task
    trainer: Trainer
    monitor: Monitor
    engine: Engine
    modules: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    average: MovingAverage | None
    frozen: Sequence[nn.Module]
    """Parts that stay in eval mode."""
    context: Context
    evaluation: Context
    """The same with the averaged model."""
    rates: list[float]
    plan: Plan
    train: Dataset
    validation: Dataset
    workers: int
    progress: Progress
    callback_states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By the callback's name, of the checkpoint that the training goes on from."""

    @property
    def saved_model(self) -> nn.Module:
        """The module that is evaluated, saved and exported."""
        return self.average.averaged() if self.average else self.modules["model"]

    @property
    def evaluated(self) -> tuple[nn.Module, ...]:
        """Every module whose statistics each process gathers for itself."""
        return (*self.modules.values(), *([self.average.module] if self.average else []))

    def learn_mode(self) -> None:
        """Every module in train mode, except frozen parts: their statistics must not move."""
        for module in self.modules.values():
            module.train()
        for part in self.frozen:
            part.training = False
