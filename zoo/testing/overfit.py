"""A short training in memory: the real trainer on a few items, step by step, without a run folder.  [torch]"""

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
from zoo.training.engine.fabric import Engine, launch
from zoo.training.launch.build import build_training, starting_model
from zoo.training.launch.request import TrainingRequest, resolve_training
from zoo.training.loop.batches import channels_last
from zoo.training.loop.components import Training

ITEMS = 8
"""The number of training items that are repeated."""
HELD_OUT_ITEMS = 16
"""The number of items of validation and of test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitTest:
    """The result of a few training steps."""

    losses: tuple[float, ...]
    parameters: int
    """The number of trainable tensors of the model."""
    without_gradient: tuple[str, ...]
    """Names of trainable tensors that got no gradient in any step."""


def plain(recipe: Recipe) -> Recipe:
    """The recipe without what hinders overfitting: augmentation, moving average, weight decay, label smoothing."""
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


def training_request(
    context: CheckContext,
    entry: RegistryEntry[ModelSpec],
    change: Callable[[Recipe], Recipe],
    *,
    items: int,
    output: Path | None = None,
) -> TrainingRequest:
    """The request for a training of the model on the first items of the data, on one CPU process."""
    options = TrainOptions(
        data=context.source(entry),
        output=output or context.folder("run"),
        device="cpu",
        threads=torch.get_num_threads(),
        workers=0,
        limit_train=items,
    )
    catalog = context.sampled(entry, {"train": items, "validation": HELD_OUT_ITEMS, "test": HELD_OUT_ITEMS})
    request = resolve_training(entry.full_name, options, catalog=catalog)
    return replace(request, config=replace(request.config, recipe=change(request.config.recipe)))


def learn(
    context: CheckContext,
    entry: RegistryEntry[ModelSpec],
    *,
    steps: int,
    items: int = ITEMS,
    enough: Callable[[OverfitTest], bool] = lambda _: False,
) -> OverfitTest:
    """Train at most `steps` steps of eight items, of `items` in all; stop early once the result is `enough`."""
    request = training_request(context, entry, plain, items=items)
    with torch.random.fork_rng(devices=[]), launch(device="cpu", devices=1, precision="32", alone=True) as engine:
        training = prepared(request, context.card(entry), engine, steps=steps)
        trainable = dict(_trainable(training.modules["model"]))
        with_gradient: set[str] = set()
        for name, parameter in trainable.items():
            parameter.register_post_accumulate_grad_hook(partial(_note, with_gradient, name))  # type: ignore[no-untyped-call]
        overfit_test = OverfitTest(losses=(), parameters=len(trainable), without_gradient=tuple(trainable))
        for loss in run(training, steps):
            missing = tuple(name for name in trainable if name not in with_gradient)
            overfit_test = replace(overfit_test, losses=(*overfit_test.losses, loss), without_gradient=missing)
            if enough(overfit_test):
                break
    return overfit_test


def prepared(request: TrainingRequest, card: DataCard, engine: Engine, *, steps: int) -> Training:
    """The training of a request, before its first step."""
    problem = request.task.problem(card, request.config.input)
    recipe = replace(request.config.recipe, epochs=steps)
    config = replace(request.config, input=problem.input, max_steps=steps, recipe=recipe)
    request = replace(request, config=config)
    model, _ = starting_model(request, problem)
    training = build_training(request, card=card, problem=problem, model=model, engine=engine)
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


def _trainable(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad)


def _note(with_gradient: set[str], name: str, parameter: torch.Tensor) -> None:
    if name not in with_gradient and parameter.grad is not None and bool(parameter.grad.any()):
        with_gradient.add(name)
