"""Optimisers do the same without the compiler as with it, and do not import it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import nn

from zoo.api.recipe import Recipe
from zoo.training.engine.optimizer_step import step_of
from zoo.training.recipe.optimizers import build_optimizer

KINDS: list[Callable[..., torch.optim.Optimizer]] = [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD]
IMPORTS = """
import sys
import torch
from zoo.api.recipe import Recipe
from zoo.training.engine.optimizer_step import step_of, without_compiler
from zoo.training.recipe.optimizers import build_optimizer
without_compiler()
module = torch.nn.Linear(2, 2)
for name in ("adamw", "adam", "sgd"):
    optimizer = build_optimizer(module, Recipe(optimizer=name))
    module(torch.ones(1, 2)).sum().backward()
    step_of(optimizer)()
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo" not in sys.modules
import torch._dynamo
optimizer.zero_grad()
assert getattr(torch.optim.Optimizer.zero_grad.__wrapped__, "__dynamo_disable").__module__ != (
    "zoo.training.engine.optimizer_step"
)
"""


def test_no_optimiser_of_a_recipe_imports_the_compiler_and_one_that_is_imported_is_heeded() -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    subprocess.run([sys.executable, "-c", IMPORTS], env=os.environ | {"PYTHONPATH": path}, check=True, timeout=120)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_the_optimisers_own(kind: Callable[..., torch.optim.Optimizer]) -> None:
    modules = [nn.Linear(3, 2), nn.Linear(3, 2)]
    modules[1].load_state_dict(modules[0].state_dict())
    optimizers = [kind(module.parameters(), lr=0.1) for module in modules]
    steps: list[Callable[[], object]] = [optimizers[0].step, step_of(optimizers[1])]
    for _ in range(3):
        for module, step in zip(modules, steps, strict=True):
            module(torch.ones(1, 3)).pow(2).sum().backward()
            step()
            module.zero_grad()
    assert modules[0].weight.equal(modules[1].weight)


def test_hooks_of_an_optimiser_are_called() -> None:
    called = []
    module = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    step_of(optimizer)()
    assert called == [1]


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_fused_optimisers_give_the_same_parameters_to_within_rounding(
    name: Literal["adamw", "adam", "sgd"], layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    modules = [nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)]
    modules[1].load_state_dict(modules[0].state_dict())
    fused, plain = (
        build_optimizer(module.to(memory_format=layout), Recipe(optimizer=name, lr=0.01)) for module in modules
    )
    assert all(group["fused"] for group in fused.param_groups)
    for group in plain.param_groups:
        group["fused"] = False
    for _ in range(20):
        images = torch.randn(4, 3, 8, 8).contiguous(memory_format=layout)
        for module, optimizer in zip(modules, (fused, plain), strict=True):
            optimizer.zero_grad()
            module(images).pow(2).mean().backward()
            optimizer.step()
    torch.testing.assert_close(modules[0].weight, modules[1].weight, rtol=1e-4, atol=1e-6)


def test_on_other_devices_nothing_is_fused() -> None:
    module = nn.Linear(2, 2, device="meta")
    assert not any(group["fused"] for group in build_optimizer(module, Recipe()).param_groups)
