"""Learning rates, number by number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from zoo.api.recipe import Recipe
from zoo.training.recipe.learning_rates import learning_rates


@pytest.mark.parametrize(("steps", "warmup"), [(20, 0.25), (423, 0.25), (100, 0.1)])
def test_onecycle_is_torchs(steps: int, warmup: float) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    torch_schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=4e-3, total_steps=steps, pct_start=warmup, cycle_momentum=False
    )
    expected = []
    for _ in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < steps:
            torch_schedule.step()
    assert learning_rates(Recipe(schedule="onecycle", lr=4e-3, warmup=warmup), steps) == pytest.approx(expected)


def test_cosine_rises_in_a_line_and_falls_along_a_cosine() -> None:
    recipe = Recipe(schedule="cosine", lr=1.0, warmup=0.2)
    assert learning_rates(recipe, 10) == pytest.approx(
        [1 / 3, 2 / 3, 1.0, 0.9619398, 0.8535534, 0.6913417, 0.5, 0.3086583, 0.1464466, 0.0380602]
    )


def test_constant_rises_and_stays() -> None:
    recipe = Recipe(schedule="constant", lr=3.0, warmup=0.5)
    assert learning_rates(recipe, 4) == pytest.approx([1.0, 2.0, 3.0, 3.0])
    assert learning_rates(replace(recipe, warmup=0.0), 3) == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("schedule", ["onecycle", "cosine", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_every_schedule_has_a_positive_rate_for_every_step(schedule: str, steps: int) -> None:
    rates = learning_rates(Recipe(schedule=schedule, lr=1.0, warmup=0.3), steps)  # type: ignore[arg-type]
    assert len(rates) == steps and all(0 < rate <= 1 for rate in rates)
