"""What two processes compute of the halves of a batch is what one computes of the whole."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.training.engine.several import run_script
from zoo.training.engine.whole_batch import WholeBatch

SCRIPT = """
import sys
from pathlib import Path
import torch
from zoo.training.engine.fabric import launch
from zoo.training.engine.whole_batch import WholeBatch
from tests.training.engine.test_whole_batch import ITEMS, compute

with launch(device="cpu", devices=2, precision="32") as engine:
    mode = WholeBatch(rank=engine.rank, world=2, items=ITEMS, generator=torch.Generator())
    torch.save(compute(slice(engine.rank, None, 2), mode), Path(sys.argv[1], f"{engine.rank}.pt"))
"""
ITEMS = 6


def compute(part: slice, mode: Any) -> dict[str, Tensor]:
    """Batch normalisation of a part of six items, forwards and backwards."""
    generator = torch.Generator().manual_seed(1)
    whole, upstream = (torch.randn(ITEMS, 3, 4, 5, generator=generator) + 2 for _ in range(2))
    input = whole[part].clone().requires_grad_()
    weight, bias = torch.tensor([1.0, 2.0, 3.0]).requires_grad_(), torch.zeros(3, requires_grad=True)
    mean, variance = torch.zeros(3), torch.ones(3)
    with mode:
        output = F.batch_norm(input, mean, variance, weight, bias, training=True, momentum=0.1)
        torch.autograd.backward(output, upstream[part])
    fixed = F.batch_norm(input.detach(), mean, variance)
    results = {"output": output.detach(), "input": input.grad, "mean": mean, "variance": variance, "fixed": fixed}
    return {**results, "weight": weight.grad, "bias": bias.grad}  # type: ignore[dict-item]


def test_batch_statistics_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    run_script(tmp_path, SCRIPT)
    whole = compute(slice(None), nullcontext())
    halves = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for rank, half in enumerate(halves):
        for name in ("output", "input", "fixed"):
            torch.testing.assert_close(half[name], whole[name][rank::2], rtol=1e-5, atol=1e-5)
        for name in ("mean", "variance"):
            torch.testing.assert_close(half[name], whole[name], rtol=1e-6, atol=0)
    for name in ("weight", "bias"):
        torch.testing.assert_close(halves[0][name] + halves[1][name], whole[name], rtol=1e-5, atol=1e-5)


def draws(items: int, generator: torch.Generator, other: torch.Generator) -> dict[str, Tensor]:
    """Numbers for the items of a batch, in the ways in which tasks and trainers draw them."""
    generator.manual_seed(3)
    other.manual_seed(4)
    return {
        "rand": torch.rand(items, generator=generator),
        "randn": torch.randn((items, 2), generator=generator),
        "named": torch.randn(size=(items, 2), generator=generator),
        "randint": torch.randint(-2, 3, (items, 1), generator=generator),
        "filled": torch.empty(items, 3).normal_(1, 2, generator=generator),
        "dropout": F.dropout(torch.ones(items, 8), 0.5, training=True),
        "of the whole": torch.rand(5, generator=generator),
        "of another": torch.rand(items, generator=other),
        "not training": F.dropout(torch.ones(items, 8), 0.5, training=False),
    }


@pytest.mark.parametrize(("items", "world"), [(6, 2), (8, 4), (7, 3)])
def test_random_numbers_of_an_item_are_those_of_one_process(items: int, world: int) -> None:
    whole = draws(items, torch.default_generator, torch.Generator())
    for rank in range(world):
        generator = torch.Generator()
        own = len(range(rank, items, world))
        with WholeBatch(rank=rank, world=world, items=items, generator=generator):
            share = draws(own, generator, torch.Generator())
        for name in ("rand", "randn", "named", "randint", "filled", "dropout"):
            assert torch.equal(share[name], whole[name][rank::world]), name
        assert torch.equal(share["of the whole"], whole["of the whole"])
        assert torch.equal(share["of another"], whole["of another"][:own])
        assert torch.equal(share["not training"], torch.ones(own, 8))
