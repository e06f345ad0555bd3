"""What the loop lends a trainer for one step; the hot path, so nothing here is computed twice."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.runs.recipe_overrides import Option
from zoo.training.data_order import mixed
from zoo.training.engine.fabric import Engine
from zoo.training.moving_average import MovingAverage


class Context:
    """The `StepContext` of a training, moved from step to step by `begin`."""

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
    ) -> None:
        self.modules: Mapping[str, nn.Module] = modules
        self.problem = problem
        self.recipe = recipe
        self.options = options
        self.engine = engine
        self.seed = seed
        self.total_steps = total_steps
        self.step = 0
        self.epoch = 0
        self._generators = engine.generators()
        self.generator = self._generators[-1]
        self._accumulate = recipe.accumulate
        self._due = True
        self._learners: dict[str, _Learner] = {}

    def learn(
        self, optimizers: Mapping[str, Optimizer], rates: list[float], average: MovingAverage | None = None
    ) -> None:
        """Let `update` step these optimisers at these rates; `average` follows the module "model"."""
        ours = {id(parameter) for parameter in self.modules["model"].parameters()}
        for name, optimizer in optimizers.items():
            parameters = [one for group in optimizer.param_groups for one in group["params"]]
            follows = average if any(id(one) in ours for one in parameters) else None
            module = self.modules.get(name, self.modules["model"])
            self._learners[name] = _Learner(
                optimizer=self.engine.scaled(optimizer),
                module=module,
                parameters=parameters,
                rates=rates,
                clip=self.recipe.clip,
                engine=self.engine,
                average=follows,
            )

    def begin(self, step: int, epoch: int) -> None:
        """Move to a step: its random numbers depend on the seed, the step and the process alone."""
        self.step = step
        self.epoch = epoch
        self._due = (step + 1) % self._accumulate == 0
        seed = mixed(self.seed, step, stream=2 + self.engine.rank)
        for generator in self._generators:
            generator.manual_seed(seed)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss, scaled for precision and accumulation."""
        self.engine.backward(loss if self._accumulate == 1 else loss / self._accumulate)

    def update(self, optimizer: str) -> None:
        """Clip, step, zero, advance schedule and average of one optimiser, once enough batches have passed."""
        if self._due:
            self._learners[optimizer].step(self.step // self._accumulate)


class _Learner:
    """One optimiser with all that happens around its step."""

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
        self._module = module
        self._parameters = parameters
        self._groups = [(group, group.get("factor", 1.0)) for group in optimizer.param_groups]
        self._rates = rates
        self._clip = clip
        self._engine = engine
        self._average = average

    def step(self, number: int) -> None:
        rate = self._rates[number]
        for group, factor in self._groups:
            group["lr"] = rate * factor
        if self._engine.world > 1:
            self._engine.average_gradients(self._parameters)
        if self._clip is not None:
            self._engine.clip(self._parameters, self._module, self._optimizer, self._clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if self._average is not None:
            self._average.update()


def seed_everything(engine: Engine, seed: int) -> None:
    """Seed all that this process draws from, for what happens outside of steps."""
    for generator in engine.generators():
        generator.manual_seed(mixed(seed, 0))
