"""A step before the first: how long it takes, whether its batch is large enough, what the disk must hold.  [torch]"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.api.errors import DiskError, UsageError
from zoo.api.problem import Problem
from zoo.api.trainer import Trainer
from zoo.runs.recipe_overrides import Option
from zoo.runs.train_config import TrainConfig
from zoo.training.engine.fabric import Engine
from zoo.training.loop.augmenting import augmented
from zoo.training.loop.batches import channels_last, on_device
from zoo.training.loop.components import Training
from zoo.training.loop.context import Context
from zoo.training.loop.progress_events import later_cost
from zoo.training.loop.split_metrics import EvalMode, evaluation_batch

KEPT_CHECKPOINTS: Final = 5
"""Two within an epoch, that of the epoch before, the best, and the one that is being written."""
FINAL_CHECKPOINTS: Final = 3
"""What a finished run keeps at most: the best and the newest two."""
MOMENTS: Final = {"adam": 2, "adamw": 2, "sgd": 1}
"""Tensors beside each parameter that an optimiser keeps."""
TIMED_STEPS: Final = 4
"""Steps of a training whose pictures grow that are timed, for an estimate of all."""
MEASURED_ITEMS: Final = 32
"""Validation items of which the time is taken."""
TOO_FEW_VALUES: Final = "Expected more than 1 value per channel"
"""How PyTorch's batch normalisation begins to say that it cannot train on one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What one step told."""

    step_seconds: float
    """The mean over the training."""
    steps: int
    """Of the whole training."""
    evaluation_seconds: float
    """Of one pass over the validation data."""
    evaluations: int
    """One after each epoch."""
    max_seconds: float | None = None
    """The limit of time that the user set."""
    checkpoint_bytes: int
    """Of all checkpoints that lie on the disk at once."""
    final_bytes: int
    """Of those that a finished run keeps."""
    free_bytes: int

    @property
    def seconds(self) -> float:
        """Of all steps, without the evaluations."""
        return self.step_seconds * self.steps

    @property
    def total_seconds(self) -> float:
        """Of all steps and evaluations, or up to the limit of time."""
        whole = self.seconds + self.evaluation_seconds * self.evaluations
        return whole if self.max_seconds is None else min(whole, self.max_seconds)


def make_modules(
    trainer: Trainer, model: nn.Module, problem: Problem, config: TrainConfig, engine: Engine
) -> dict[str, nn.Module]:
    """What a trainer makes of a model, on the device where it will learn."""
    modules = trainer.modules(model, problem)
    for module in modules.values():
        module.to(engine.device)
        if config.recipe.channels_last:
            module.to(memory_format=torch.channels_last)
    return modules


def rehearsal_step(
    training: Training, trainer: Trainer, head: tuple[str, ...], options: Mapping[str, Option], *, planned: bool
) -> Callable[..., object]:
    """One training step of another trainer on a copy of the model, to be timed.

    Where it is `planned` it takes the number of a step of the training and is as that step will be; else it is a step
    at full size.
    """
    real, engine = training.context, training.engine
    modules = make_modules(trainer, deepcopy(training.modules["model"]), real.problem, training.config, engine)
    context = Context(
        modules=modules,
        problem=real.problem,
        recipe=real.recipe,
        options=options,
        engine=engine,
        seed=real.seed,
        total_steps=real.total_steps if planned else 0,
        whole_batch=training.plan.whole_batch,
        class_weights=real.class_weights,
        teacher=real.teacher,
    )
    rates = [real.recipe.lr * 1e-3] * (real.total_steps if planned else 1)
    context.set_optimizers(trainer.optimizers(modules, real.recipe, head), rates)
    raw = training.train.batch(training.plan.epoch(0)[0])

    def step(number: int = 0) -> None:
        context.begin(number, number // training.plan.batches)
        batch = {name: value.to(engine.device) if hasattr(value, "to") else value for name, value in raw.items()}
        with context.whole_batch():
            batch = augmented(batch, training.task, real.recipe, context.generator)
            with engine.autocast():
                trainer.step(context, training.train.ready(batch))

    return step


def check_batch(training: Training, step: Callable[[], Callable[[], object]]) -> None:
    """UsageError where batch normalisation would get a single value for a channel, which only batches of one can do.

    `step` makes a step to try; it is called in these rare cases alone.
    """
    items = min(training.plan.batch_size, training.plan.items) // training.plan.world
    if items > 1 or training.frozen or not _normalises(training):
        return
    try:
        step()()
    except ValueError as error:
        if not str(error).startswith(TOO_FEW_VALUES):
            raise
        raise UsageError(
            f"{training.config.model} has batch normalisation, which cannot learn from {items} item at a time here",
            hint="use --batch-size 2 or more for each process",
        ) from error


def _normalises(training: Training) -> bool:
    return any(isinstance(part, _BatchNorm) for module in training.modules.values() for part in module.modules())


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBytes:
    """About how much the checkpoints of a training take."""

    weights: int
    """Of model.safetensors."""
    state: int
    """Of state.pt."""

    @property
    def at_once(self) -> int:
        """Of all checkpoints that lie on the disk at once."""
        return KEPT_CHECKPOINTS * (self.weights + self.state)

    @property
    def at_the_end(self) -> int:
        """Of those that a finished run keeps."""
        return FINAL_CHECKPOINTS * (self.weights + self.state)


def saved_bytes(training: Training) -> SavedBytes:
    """About how many bytes the checkpoints of a training take: every module, and what its optimiser keeps of it."""
    recipe = training.config.recipe
    weights = _bytes([*training.modules["model"].parameters(), *training.modules["model"].buffers()])
    whole = _bytes([item for module in training.modules.values() for item in (*module.parameters(), *module.buffers())])
    learning = _bytes(
        [item for module in training.modules.values() for item in module.parameters() if item.requires_grad]
    )
    state = learning * MOMENTS[recipe.optimizer] + (whole if recipe.ema else whole - weights)
    return SavedBytes(weights=weights, state=state)


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def check_room(output: Path, needed: SavedBytes) -> int:
    """The free bytes where a run will lie; DiskError where its checkpoints do not fit, or one file is too large."""
    folder = next(path for path in (output.absolute(), *output.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    if needed.at_once > free:
        raise DiskError(
            f"{folder} has {free / 1e6:,.0f} MB free, and the checkpoints of this training need "
            f"{needed.at_once / 1e6:,.0f} MB",
            hint="make room, or choose another disk with -o",
        )
    largest, limit = max(needed.weights, needed.state), _largest_file()
    if limit is not None and largest > limit:
        raise DiskError(
            f"a file of this process may have {limit / 1e6:,.1f} MB (`ulimit -f`), and a checkpoint of this training "
            f"has one of {largest / 1e6:,.1f} MB",
            hint="raise the limit and try again",
        )
    return free


def _largest_file() -> int | None:
    """The bytes that one file may have; None without a limit."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if limit == resource.RLIM_INFINITY else limit


def rehearse(training: Training, step: Callable[[int], object], output: Path) -> Rehearsal:
    """Planned steps done and timed on a copy of the model; nothing is trained and nothing written."""
    needed = saved_bytes(training)
    free = check_room(output, needed)
    config, steps = training.config, training.context.total_steps
    if config.stop_after is not None:
        steps = min(steps, config.stop_after)
    return Rehearsal(
        step_seconds=_mean_step_seconds(training, step, steps),
        steps=steps,
        evaluation_seconds=_evaluation_seconds(training),
        evaluations=-(-steps // training.plan.batches),
        max_seconds=config.max_time,
        checkpoint_bytes=needed.at_once,
        final_bytes=needed.at_the_end,
        free_bytes=free,
    )


def _mean_step_seconds(training: Training, step: Callable[[int], object], steps: int) -> float:
    """The seconds of a step; where later steps cost more than the first, the mean of some from all parts."""
    numbers = [0]
    if later_cost(training) != 1:
        numbers = [steps * (2 * part + 1) // (2 * TIMED_STEPS) for part in range(TIMED_STEPS)]
    return mean(_second_time(partial(step, number)) for number in numbers)


def _second_time(work: Callable[[], object]) -> float:
    """The seconds that some work takes when it is done again: the first time allocates."""
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _evaluation_seconds(training: Training) -> float:
    """The seconds that the whole validation split takes, from those of its first items."""
    dataset, context = training.validation, training.evaluation
    batch_size = evaluation_batch(context.recipe.batch_size, context.problem.input)
    indices = list(range(min(len(dataset), MEASURED_ITEMS, batch_size)))
    metrics = training.task.tensors.metrics(context.problem)

    def evaluate() -> None:
        batch = dataset.ready(on_device(dataset.batch(indices), training.engine.device))
        batch = channels_last(batch) if context.recipe.channels_last else batch
        metrics.update(training.trainer.predict(context, batch), batch)

    with torch.no_grad(), EvalMode(context.modules.values()), training.engine.autocast():
        return _second_time(evaluate) * len(dataset) / len(indices)
