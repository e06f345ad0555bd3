"""The context of a training step, as trainers see it.  It is on the hot path: nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.runs.recipe_overrides import Option
from zoo.training.engine.fabric import Engine
from zoo.training.engine.optimizer_step import step_of
from zoo.training.loop.data_order import mix_seed
from zoo.training.recipe.moving_average import MovingAverage

if TYPE_CHECKING:
    from zoo.training.engine.gradients import GradientExchange
    from zoo.training.engine.whole_batch import WholeBatch


class Context:
    """The `StepContext` of a training; `begin` sets the step."""

    def __init__(
        self,
        *,
        modules: Mapping[str, nn.Module],
        problem: Problem,
        recipe: Recipe,
        options: Mapping[str, Option],
        engine: Engine,
        seed: int,
        total_steps: int = 0,
        whole_batch: int = 0,
        class_weights: Tensor | None = None,
        teacher: Callable[..., Tensor] | None = None,
    ) -> None:
        self.modules: Mapping[str, nn.Module] = modules
        self.problem = problem
        self.recipe = recipe
        self.options = options
        self.engine = engine
        self.seed = seed
        self.total_steps = total_steps
        self.class_weights = class_weights
        self.teacher = teacher
        self.step = 0
        self.epoch = 0
        self._generators = engine.generators()
        self.generator = self._generators[-1]
        self._share = 1.0
        self._divided: WholeBatch | None = None
        self._whole_batch: AbstractContextManager[object] = nullcontext()
        if engine.world > 1 and whole_batch:
            self._divide(whole_batch)
        self._accumulate = recipe.accumulate
        self._due = True
        self._steps: dict[str, _OptimizerStep] = {}

    def _divide(self, items: int) -> None:
        """Let this process do its share of batches of so many items, as if it had the whole of them."""
        engine = self.engine
        from zoo.training.engine.whole_batch import WholeBatch  # noqa: PLC0415  several processes alone need it

        self.generator = torch.Generator(engine.device)
        self._divided = WholeBatch(rank=engine.rank, world=engine.world, items=items, generator=self.generator)
        self._whole_batch = self._divided
        # the mean of the processes' mean losses, each with the weight of its items
        self._share = len(range(engine.rank, items, engine.world)) * engine.world / items

    def whole_batch(self) -> AbstractContextManager[object]:
        """The context in which batches are augmented and learned from; see `zoo.training.engine.whole_batch`."""
        return self._whole_batch

    def set_optimizers(
        self, optimizers: Mapping[str, Optimizer], rates: list[float], average: MovingAverage | None = None
    ) -> None:
        """Let `update` step these optimisers at these learning rates; `average` is updated with the module "model"."""
        model_parameters = {id(parameter) for parameter in self.modules["model"].parameters()}
        for name, optimizer in optimizers.items():
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            trains_model = any(id(parameter) in model_parameters for parameter in parameters)
            module = self.modules.get(name, self.modules["model"])
            self._steps[name] = _OptimizerStep(
                optimizer=self.engine.scaled(optimizer),
                module=module,
                parameters=parameters,
                rates=rates,
                clip=self.recipe.clip,
                engine=self.engine,
                average=average if trains_model else None,
            )

    def begin(self, step: int, epoch: int) -> None:
        """Set the step and seed its random numbers, which depend on the seed, the step and the process alone."""
        self.step = step
        self.epoch = epoch
        self._due = (step + 1) % self._accumulate == 0
        seed = mix_seed(self.seed, step, stream=2 + self.engine.rank)
        for generator in self._generators:
            generator.manual_seed(seed)
        if self.engine.world > 1:
            self.generator.manual_seed(mix_seed(self.seed, step, stream=2))
            for optimizer_step in self._steps.values():
                optimizer_step.listen(self._due)

    def divisor(self, count: Tensor, *, least: float = 1.0) -> Tensor:
        """What makes the sum of a loss over some of the batch its share of the mean; see `StepContext`."""
        count = count.detach()
        if self._divided is None:
            return count.clamp(min=least)
        # `backward` weighs a loss by its items; this takes the weight away again
        return self._divided.total(count).clamp(min=least) * (self._share / self.engine.world)

    def whole(self, rows: Tensor) -> Tensor:
        """The rows of all processes in the order of the batch; see `StepContext`."""
        return rows if self._divided is None else self._divided.gathered(rows)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss, scaled for precision and accumulation."""
        loss = loss if self._share == 1 else loss * self._share
        self.engine.backward(loss if self._accumulate == 1 else loss / self._accumulate)

    def update(self, optimizer: str) -> None:
        """Clip, step, zero the gradients, and update learning rate and moving average, after `accumulate` batches."""
        if self._due:
            self._steps[optimizer].step(self.step // self._accumulate)


class _OptimizerStep:
    """One optimiser with clipping, learning rate and moving average."""

    def __init__(
        self,
        *,
        optimizer: Optimizer,
        module: nn.Module,
        parameters: list[nn.Parameter],
        rates: list[float],
        clip: float | None,
        engine: Engine,
        average: MovingAverage | None,
    ) -> None:
        self._optimizer = optimizer
        self._step = step_of(optimizer)
        self._module = module
        self._parameters = parameters
        self._groups = [(group, group.get("factor", 1.0)) for group in optimizer.param_groups]
        self._rates = rates
        self._clip = clip
        self._engine = engine
        self._average = average
        self._exchange: GradientExchange | None = None
        if engine.world > 1:
            from zoo.training.engine.gradients import GradientExchange  # noqa: PLC0415  several processes alone need it

            self._exchange = GradientExchange(parameters, engine)

    def listen(self, due: bool) -> None:
        """Send gradients to the other processes as they come, where the optimiser steps after this batch."""
        if self._exchange is not None:
            self._exchange.listens = due

    def step(self, index: int) -> None:
        rate = self._rates[index]
        for group, factor in self._groups:
            group["lr"] = rate * factor
        if self._exchange is not None:
            self._exchange.finish()
        if self._clip is not None:
            self._engine.clip(self._parameters, self._module, self._optimizer, self._clip)
        self._step()
        for parameter in self._parameters:
            parameter.grad = None
        if self._average is not None:
            self._average.update()


def seed_everything(engine: Engine, seed: int) -> None:
    """Seed every random generator of this process, for what happens outside of steps."""
    for generator in engine.generators():
        generator.manual_seed(mix_seed(seed, 0))
