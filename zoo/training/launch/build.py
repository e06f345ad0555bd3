"""Everything that a training consists of, made from its config."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo.api.data import DataCard
from zoo.api.errors import UsageError
from zoo.api.parts import declares
from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.api.trainer import Trainer
from zoo.data.image.dataset import for_training
from zoo.models.build import build, seeded, silent
from zoo.models.weights.start import Started, start_from
from zoo.runs.train_config import TrainConfig
from zoo.training.engine.fabric import Engine
from zoo.training.engine.kernels import compile_modules
from zoo.training.engine.threads import choose_threads, choose_workers, share_of_threads
from zoo.training.launch.rehearsal import check_batch, make_modules, rehearsal_step
from zoo.training.launch.request import TrainingRequest
from zoo.training.loop.components import Training
from zoo.training.loop.context import Context, seed_everything
from zoo.training.loop.data_order import Plan
from zoo.training.loop.progress import Progress
from zoo.training.recipe.batch_norm import raise_momentum
from zoo.training.recipe.learning_rates import learning_rates
from zoo.training.recipe.moving_average import MovingAverage
from zoo.training.trainers.teacher import load_teacher


def starting_model(request: TrainingRequest, problem: Problem) -> tuple[nn.Module, Started | None]:
    """The model with the parameters it starts from: those of the request's weights, else random ones."""
    catalog, entry, config = request.catalog, request.entry, request.config
    model = build(catalog, entry, problem, seed=config.seed)
    raise_momentum(model, config.recipe.batchnorm_momentum)
    started = None
    if request.weights:
        started = start_from(request.weights, model, catalog=catalog, entry=entry, problem=problem, progress=silent)
    if config.freeze == "backbone":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(entry.spec.head))
    return model, started


def frozen_parts(model: nn.Module) -> list[nn.Module]:
    """The submodules none of whose parameters learn: their statistics must stay as well."""
    parts = []
    for part in model.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            parts.append(part)
    return parts


def build_training(
    request: TrainingRequest, *, card: DataCard, problem: Problem, model: nn.Module, engine: Engine
) -> Training:
    """A training at its beginning; its config has the threads and workers that were chosen."""
    config, catalog, entry, task = request.config, request.catalog, request.entry, request.task
    recipe, declared = config.recipe, request.trainer.spec
    trainer = catalog.make_trainer(entry)
    options = {**declared.options, **recipe.options}
    with for_training(reduced=recipe.reduced_decoding):
        train = task.tensors.dataset(card, "train", problem)
    if declares(task.tags.adjustable, train, "adjusted"):
        train = cast("Any", train).adjusted(options)
    ordered = declares(task.tags.ordered, train, "order")
    plan = Plan(
        dataset=train,
        batch_size=recipe.batch_size,
        accumulate=recipe.accumulate,
        seed=config.seed,
        ordered=ordered,
        limit=config.limit_train,
        rank=engine.rank,
        world=engine.world,
    )
    plan.check()
    weights = class_weights(card, plan, classes=len(problem.classes)) if needs_class_weights(recipe) else None
    if weights is not None and recipe.sampling == "balanced":
        labels = item_labels(card)
        plan = replace(plan, weights=tuple(weights[labels].tolist()))
    teacher = None
    if config.teacher:
        teacher, digest = load_teacher(
            config.teacher, catalog, problem, device=engine.device, sha256=config.teacher_sha256
        )
        config = replace(config, teacher_sha256=digest)
    seed_everything(engine, config.seed)
    modules = _modules(trainer, model, problem, config, engine)
    for module in modules.values():
        engine.share_tensors(module)
    head = entry.spec.head if config.weights else ()
    average = MovingAverage(modules["model"], decay=recipe.ema) if recipe.ema else None
    steps = total_steps(config, plan)
    context = Context(
        modules=modules,
        problem=problem,
        recipe=recipe,
        options=options,
        engine=engine,
        seed=config.seed,
        total_steps=steps,
        whole_batch=plan.whole_batch,
        class_weights=weights.to(engine.device) if weights is not None and recipe.class_weights != "none" else None,
        teacher=teacher,
    )
    averaged = {**modules, "model": average.module} if average else modules
    evaluation = Context(
        modules=averaged, problem=problem, recipe=recipe, options=options, engine=engine, seed=config.seed
    )
    training = Training(
        config=config,
        task=task,
        trainer=trainer,
        monitor=declared.monitor or task.monitor,
        engine=engine,
        modules=modules,
        optimizers=trainer.optimizers(modules, recipe, head),
        average=average,
        frozen=frozen_parts(modules["model"]) if config.freeze != "none" else (),
        context=context,
        evaluation=evaluation,
        rates=learning_rates(recipe, steps // recipe.accumulate),
        plan=plan,
        train=train,
        validation=task.tensors.dataset(card, "validation", problem),
        workers=0,
        progress=Progress(),
    )
    make_step = partial(rehearsal_of, training, request)
    check_batch(training, make_step)
    return _settle(training, make_step)


def needs_class_weights(recipe: Recipe) -> bool:
    """Whether a recipe asks how frequent the classes are."""
    return recipe.class_weights == "balanced" or recipe.sampling == "balanced"


def class_weights(card: DataCard, plan: Plan, *, classes: int) -> Tensor:
    """One over how frequent each class is among the training items, float32 [classes]; their mean over items is 1."""
    counts = torch.bincount(item_labels(card)[plan.chosen()], minlength=classes).float()
    present = counts > 0
    return torch.where(present, plan.items / (present.sum() * counts.clamp(min=1)), 0.0)


def item_labels(card: DataCard) -> Tensor:
    """The class of every training item, int64 [items]; UsageError where the data have no classes."""
    labels = [getattr(item, "label", None) for item in card.splits["train"]]
    if not all(isinstance(label, int) for label in labels):
        raise UsageError(
            f"the items of {card.source.request.source} have no classes to balance",
            hint="leave out balanced sampling and class weights",
        )
    return torch.tensor(labels, dtype=torch.int64)


def rehearsal_of(training: Training, request: TrainingRequest, *, planned: bool = False) -> Callable[..., object]:
    """One step of this training on a copy of its model, to be timed; see `rehearsal_step`."""
    head = request.entry.spec.head if training.config.weights else ()
    with seeded(training.config.seed):
        trainer, options = request.catalog.make_trainer(request.entry), training.context.options
        return rehearsal_step(training, trainer, head, options, planned=planned)


def total_steps(config: TrainConfig, plan: Plan) -> int:
    """Batches in the whole training, a whole number of optimiser steps."""
    steps = config.recipe.epochs * plan.batches
    if config.max_steps is None:
        return steps
    accumulate = config.recipe.accumulate
    return min(steps, -(-config.max_steps // accumulate) * accumulate)


def _modules(
    trainer: Trainer, model: nn.Module, problem: Problem, config: TrainConfig, engine: Engine
) -> dict[str, nn.Module]:
    """What a trainer makes of a model, drawn from the seed, where it will learn."""
    with seeded(config.seed):
        modules = make_modules(trainer, model, problem, config, engine)
    if config.recipe.compile:
        compile_modules(modules.values())
    return modules


def _settle(training: Training, make_step: Callable[[], Callable[[], object]]) -> Training:
    """Choose threads and workers where the config leaves them open, and write them into it."""
    config, engine, plan = training.config, training.engine, training.plan
    indices = plan.epoch(0)[0]
    workers = config.workers
    if workers is None:
        workers = engine.tell(choose_workers(lambda: training.train.batch(indices), beside_gpu=engine.pins))
    threads = config.threads
    if threads is None and "OMP_NUM_THREADS" in os.environ:
        threads = torch.get_num_threads()
    if threads is None:
        torch.set_num_threads(1)
        # one share for all: a process that took another would rehearse alone, and wait for the rest for ever
        share = engine.tell(share_of_threads(processes=engine.local_world))
        threads = choose_threads(make_step(), share=share, tell=engine.tell)
    torch.set_num_threads(threads)
    training.config = config.settled(threads=threads, workers=workers, device=engine.device.type, devices=engine.world)
    training.workers = workers
    return training
