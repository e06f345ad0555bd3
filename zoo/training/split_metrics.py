"""A task's metrics of a model over a whole split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import torch
from torch import nn

from zoo.api.recipe import Augment
from zoo.api.task import Dataset, Metrics
from zoo.api.trainer import Trainer
from zoo.training.batches import channels_last, on_device, read_batches
from zoo.training.context import Context

MAX_BATCH_SIZE: Final = 250
NO_AUGMENT: Final = Augment()
"""No random changes of the training batches."""


@torch.no_grad()
def measure(
    context: Context,
    trainer: Trainer,
    dataset: Dataset,
    metrics: Metrics,
    *,
    workers: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, float] | None:
    """The metrics of context.modules["model"], by name; None when `stop` returned True.

    Every process evaluates its share of the items; the metrics are synchronised when they are computed.
    """
    engine, recipe = context.engine, context.recipe
    size = min(max(recipe.batch_size, 64), MAX_BATCH_SIZE)
    order = list(range(engine.rank, len(dataset), engine.world))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    with _EvalMode(context.modules.values()), engine.autocast():
        for raw in read_batches(dataset, batches, workers=workers):
            if stop():
                return None
            batch = dataset.ready(on_device(raw, engine.device))
            metrics.update(trainer.predict(context, channels_last(batch) if recipe.channels_last else batch), batch)
    return metrics.compute()


class _EvalMode:
    """A context in which all modules are in eval mode; afterwards each has its former mode."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        parts = [part for module in modules for part in module.modules()]
        self._modes: list[tuple[nn.Module, bool]] = [(part, part.training) for part in parts]

    def __enter__(self) -> None:
        for part, _ in self._modes:
            part.training = False

    def __exit__(self, *_: object) -> None:
        for part, mode in self._modes:
            part.training = mode
