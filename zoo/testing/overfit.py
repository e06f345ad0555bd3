"""A short training in memory, watched step by step: the real trainer on a few items, without a run.  [torch]"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from zoo.api.data import DataCard
from zoo.api.recipe import Augment, Recipe
from zoo.api.specs import ModelSpec
from zoo.api.task import Batch
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.train_options import TrainOptions
from zoo.testing.check_context import CheckContext
from zoo.training.batches import channels_last
from zoo.training.build import build_training, starting_model
from zoo.training.components import Training
from zoo.training.engine.fabric import Engine, launch
from zoo.training.request import TrainingRequest, resolve_training

ITEMS = 8
"""What a lesson repeats."""
HELD = 16
"""Items of validation and test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitTest:
    """What a few steps showed."""

    losses: tuple[float, ...]
    parameters: int
    """Tensors of the model that may learn."""
    deaf: tuple[str, ...]
    """Those that got no gradient in any step."""


def plain(recipe: Recipe) -> Recipe:
    """The recipe without what keeps a network from learning a few items by heart: chance, averages, decay."""
    return replace(
        recipe,
        batch_size=ITEMS,
        accumulate=1,
        augment=Augment(),
        schedule="constant",
        warmup=0.0,
        label_smoothing=0.0,
        weight_decay=0.0,
        ema=0.0,
        precision="32",
    )


def intended(
    context: CheckContext,
    entry: RegistryEntry[ModelSpec],
    change: Callable[[Recipe], Recipe],
    *,
    items: int,
    place: Path | None = None,
) -> TrainingRequest:
    """A training of the model on the first items of the data, on this machine as it is."""
    options = TrainOptions(
        data=context.source(entry),
        output=place or context.folder("run"),
        device="cpu",
        threads=torch.get_num_threads(),
        workers=0,
        limit_train=items,
    )
    catalog = context.sampled(entry, {"train": items, "validation": HELD, "test": HELD})
    intent = resolve_training(entry.full_name, options, catalog=catalog)
    return replace(intent, config=replace(intent.config, recipe=change(intent.config.recipe)))


def learn(
    context: CheckContext,
    entry: RegistryEntry[ModelSpec],
    *,
    steps: int,
    items: int = ITEMS,
    enough: Callable[[OverfitTest], bool] = lambda _: False,
) -> OverfitTest:
    """At most so many steps of eight on so many items, fewer once the lesson is `enough`."""
    intent = intended(context, entry, plain, items=items)
    with torch.random.fork_rng(devices=[]), launch(device="cpu", devices=1, precision="32") as engine:
        training = prepared(intent, context.card(entry), engine, steps=steps)
        learning = dict(_learning(training.modules["model"]))
        heard: set[str] = set()
        for name, parameter in learning.items():
            parameter.register_post_accumulate_grad_hook(partial(_hear, heard, name))  # type: ignore[no-untyped-call]
        overfit_test = OverfitTest(losses=(), parameters=len(learning), deaf=tuple(learning))
        for loss in run(training, steps):
            deaf = tuple(name for name in learning if name not in heard)
            overfit_test = replace(overfit_test, losses=(*overfit_test.losses, loss), deaf=deaf)
            if enough(overfit_test):
                break
    return overfit_test


def prepared(intent: TrainingRequest, card: DataCard, engine: Engine, *, steps: int) -> Training:
    """The training at its first step."""
    problem = intent.task.problem(card, intent.config.input)
    recipe = replace(intent.config.recipe, epochs=steps)
    config = replace(intent.config, input=problem.input, max_steps=steps, recipe=recipe)
    intent = replace(intent, config=config)
    model, _ = starting_model(intent, problem)
    training = build_training(intent, card=card, problem=problem, model=model, engine=engine)
    training.context.set_optimizers(training.optimizers, training.rates, training.average)
    return training


def run(training: Training, steps: int) -> Iterator[float]:
    """The loss of each step."""
    for module in training.modules.values():
        module.train()
    step = epoch = 0
    while step < steps:
        for indices in training.plan.epoch(epoch)[: steps - step]:
            training.context.begin(step, epoch)
            output = training.trainer.step(training.context, _ready(training, indices))
            yield float(output.loss)
            step += 1
        epoch += 1


def _ready(training: Training, indices: list[int]) -> Batch:
    batch = training.train.ready(training.train.batch(indices))
    return channels_last(batch) if training.config.recipe.channels_last else batch


def _learning(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, one) for name, one in module.named_parameters() if one.requires_grad)


def _hear(heard: set[str], name: str, parameter: torch.Tensor) -> None:
    if name not in heard and parameter.grad is not None and bool(parameter.grad.any()):
        heard.add(name)
