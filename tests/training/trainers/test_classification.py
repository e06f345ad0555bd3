"""Classifiers whose first steps see smaller pictures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Recipe
from zoo.api.task import Batch
from zoo.registry.catalog import Catalog
from zoo.training.engine.fabric import launch
from zoo.training.loop.context import Context
from zoo.training.recipe.optimizers import build_optimizer
from zoo.training.trainers.classification import ClassificationTrainer, grown_side

PROBLEM = Problem(task="image-classification", input=ImageInput(size=(28, 20), channels=1), classes=("a", "b"))


class Watched(nn.Module):
    """A classifier that remembers the sizes that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 2)
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(tuple(images.shape[-2:]))
        logits: Tensor = self.head(images.mean((2, 3)))
        return logits


def sizes_of_steps(first: float, *, total: int, steps: int, problem: Problem = PROBLEM) -> list[tuple[int, ...]]:
    """Of a training that plans `total` steps."""
    model, recipe = Watched(), Recipe()
    batch: Batch = {"input": torch.ones(2, 1, 28, 20), "label": torch.tensor([0, 1])}
    with launch(device="cpu", devices=1, precision="32") as engine:
        context = Context(
            modules={"model": model},
            problem=problem,
            recipe=recipe,
            options={"first_size": first},
            engine=engine,
            seed=0,
            total_steps=total,
        )
        context.set_optimizers({"model": build_optimizer(model, recipe)}, [recipe.lr] * steps)
        for step in range(steps):
            context.begin(step, 0)
            ClassificationTrainer().step(context, batch)
    return model.sizes


def test_pictures_grow_over_three_quarters_of_the_steps() -> None:
    sizes = sizes_of_steps(0.5, total=8, steps=8)
    assert [height for height, _ in sizes] == [16, 16, 16, 16, 20, 24, 28, 28]
    assert [width for _, width in sizes] == [8, 12, 12, 12, 16, 16, 20, 20]


def test_a_trainer_gives_whole_pictures_unless_it_is_asked_for_small_ones() -> None:
    assert sizes_of_steps(1.0, total=8, steps=2) == [(28, 20)] * 2
    declared = {entry.spec.name: entry.spec.options for entry in Catalog.discover().trainers()}
    assert declared["classification"]["first_size"] == 1.0


def test_another_size_than_the_models_only_one_is_refused() -> None:
    fixed = replace(PROBLEM, input=ImageInput(size=(28, 20), channels=1, fixed_size=True))
    assert sizes_of_steps(1.0, total=8, steps=1, problem=fixed) == [(28, 20)]
    with pytest.raises(UsageError, match="takes pictures of one size only"):
        sizes_of_steps(0.5, total=8, steps=1, problem=fixed)


@pytest.mark.parametrize("first", [0.0, -1.0, 1.5, float("nan")])
def test_shares_that_mean_nothing_are_refused(first: float) -> None:
    with pytest.raises(UsageError, match="it must be above 0 and at most 1"):
        sizes_of_steps(first, total=8, steps=1)


def test_a_rehearsal_sees_whole_pictures() -> None:
    """Its time stands for the dearest steps, and threads are chosen by it."""
    assert sizes_of_steps(0.5, total=0, steps=1) == [(28, 20)]


@pytest.mark.parametrize(
    ("side", "first", "share", "grown"),
    [
        (28, 0.5, 0.0, 16),
        (28, 0.5, 0.7, 20),
        (28, 0.5, 0.9, 24),
        (28, 0.5, 1.0, 28),
        (30, 0.9, 0.9, 28),
        (2, 0.5, 0, 2),
    ],
)
def test_a_side_grows_by_four_pixels_at_a_time(side: int, first: float, share: float, grown: int) -> None:
    assert grown_side(side, first=first, share=share) == grown


@pytest.mark.parametrize(
    ("first", "step", "expected"), [(1.0, 0, 1.0), (0.5, 0, 1.88), (0.5, 60, 1.28), (0.5, 80, 1.0), (0.5, 99, 1.0)]
)
def test_later_steps_cost_what_their_pictures_have_pixels(first: float, step: int, expected: float) -> None:
    square = replace(PROBLEM, input=ImageInput(size=(28, 28), channels=1))
    context = SimpleNamespace(options={"first_size": first}, total_steps=100, step=step, problem=square)
    assert ClassificationTrainer().later_cost(context) == pytest.approx(expected, abs=0.05)
