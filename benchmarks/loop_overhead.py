"""What the training loop costs beside a bare PyTorch loop that does the same, in CPU time a step.

    OMP_NUM_THREADS=1 python benchmarks/loop_overhead.py > benchmarks/loop_overhead.md

Both do the same: batches of 64 digits by index, normalise, forward, cross-entropy, backward, learning rate from a
table, clipping, AdamW, moving average.  Short blocks alternate in one process, now the one first and now the other;
the median of the paired differences counts, with the range in which 95 of 100 such medians would lie.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F

from tests.builtin import builtin_task
from zoo.api.data import DataRequest
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Recipe
from zoo.api.task import Dataset
from zoo.runs.train_config import TrainConfig
from zoo.training.engine.fabric import Engine, launch
from zoo.training.loop.components import Training
from zoo.training.loop.context import Context
from zoo.training.loop.data_order import Plan
from zoo.training.loop.fit import Fit
from zoo.training.loop.notify import Notifier
from zoo.training.loop.progress import Progress
from zoo.training.loop.signals import StopSignals
from zoo.training.recipe.learning_rates import learning_rates
from zoo.training.recipe.moving_average import MovingAverage
from zoo.training.recipe.optimizers import build_optimizer
from zoo.training.trainers.classification import ClassificationTrainer

BLOCKS = {"linear": (156, 40), "convolutional": (24, 60)}
"""By net: steps in a block, and pairs of blocks."""
RECIPE = Recipe(epochs=1, batch_size=64, lr=1e-3, schedule="onecycle", warmup=0.25, clip=1.0, ema=0.99, precision="32")
INPUT = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,))


def linear() -> nn.Module:
    """8 thousand parameters."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def convolutional() -> nn.Module:
    """50 thousand parameters, 6 ms a step."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(1024, 10),
    )


def bare(model: nn.Module, dataset: Dataset, plan: Plan) -> None:
    """One epoch, written out."""
    model.train()
    optimizer = build_optimizer(model, RECIPE)
    parameters = list(model.parameters())
    average = deepcopy(model)
    pairs = list(zip(average.state_dict().values(), model.state_dict().values(), strict=True))
    averages = [average for average, _ in pairs if average.is_floating_point()]
    sources = [source for _, source in pairs if source.is_floating_point()]
    rates, losses = learning_rates(RECIPE, plan.batches), []
    for step, indices in enumerate(plan.epoch(0)):
        batch = dataset.ready(dataset.batch(indices))
        images = batch["input"].contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(model(images), batch["label"])
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch._foreach_lerp_(averages, sources, 0.01)
        losses.append(loss.detach())
    torch.stack(losses).tolist()


def whole(model: nn.Module, dataset: Dataset, plan: Plan, *, task: Task, problem: Problem, engine: Engine) -> None:
    """The same epoch by zoo's loop."""
    trainer = ClassificationTrainer()
    modules = trainer.modules(model, problem)
    average = MovingAverage(model, decay=RECIPE.ema)
    context = Context(
        modules=modules,
        problem=problem,
        recipe=RECIPE,
        options={},
        engine=engine,
        seed=0,
        total_steps=plan.batches,
    )
    optimizers = trainer.optimizers(modules, RECIPE, ())
    rates = learning_rates(RECIPE, plan.batches)
    context.set_optimizers(optimizers, rates, average)
    config = TrainConfig(model="cnn/linear", plugin="cnn", plugin_version="", data="digits", input=INPUT, recipe=RECIPE)
    training = Training(
        config=config,
        task=task,
        trainer=trainer,
        monitor=task.monitor,
        engine=engine,
        modules=modules,
        optimizers=optimizers,
        average=average,
        frozen=(),
        context=context,
        evaluation=context,
        rates=rates,
        plan=plan,
        train=dataset,
        validation=dataset,
        workers=0,
        progress=Progress(),
    )
    Fit(training, notifier=Notifier((), training.progress), signals=StopSignals())._train_epoch()


def seconds_per_step(run: Callable[[], None], steps: int) -> float:
    """CPU seconds of this process."""
    start = time.process_time()
    run()
    return (time.process_time() - start) / steps


def middle_range(values: list[float]) -> tuple[float, float]:
    """The 95 % confidence range of a median, by the sign test: order statistics, no assumption about the noise."""
    ordered, count = sorted(values), len(values)
    reach = int(0.98 * count**0.5 + 0.5)
    return ordered[max(count // 2 - reach, 0)], ordered[min(count // 2 + reach, count - 1)]


def main() -> None:
    """Measure both nets and print a table."""
    torch.set_num_threads(1)
    task = builtin_task("image-classification")
    card = task.data.check(task.data.detect(DataRequest(source="digits")), progress=lambda *_: None)
    problem = task.problem(card, INPUT)
    dataset = task.tensors.dataset(card, "train", problem)
    print("| net | bare, µs a step | zoo adds, µs | 95 % range | ratio | 95 % range |\n|---|---|---|---|---|---|")
    with launch(device="cpu", devices=1, precision="32") as engine:
        for build in (linear, convolutional):
            steps, pairs = BLOCKS[build.__name__]
            plan = Plan(dataset=dataset, batch_size=64, accumulate=1, seed=0, limit=64 * steps)
            bares, added = [], []
            for pair in range(pairs + 1):
                works = {
                    "bare": partial(bare, build(), dataset, plan),
                    "zoo": partial(whole, build(), dataset, plan, task=task, problem=problem, engine=engine),
                }
                order = ("bare", "zoo") if pair % 2 else ("zoo", "bare")
                took = {name: seconds_per_step(works[name], plan.batches) * 1e6 for name in order}
                if pair:  # the first pair warms up
                    bares.append(took["bare"])
                    added.append(took["zoo"] - took["bare"])
            usual, (low, high) = median(bares), middle_range(added)
            print(
                f"| {build.__name__} | {usual:.0f} | {median(added):.0f} | {low:.0f} to {high:.0f} "
                f"| {1 + median(added) / usual:.3f} | {1 + low / usual:.3f} to {1 + high / usual:.3f} |"
            )


if __name__ == "__main__":
    main()
