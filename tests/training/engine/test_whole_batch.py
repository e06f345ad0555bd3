"""What two processes compute of the halves of a batch is what one computes of the whole."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.training.engine.several import run_script
from zoo.api.problem import LatentInput, Problem
from zoo.api.recipe import Recipe
from zoo.api.trainer import StepContext
from zoo.training.engine.fabric import Engine, launch
from zoo.training.engine.whole_batch import WholeBatch
from zoo.training.loop.context import Context
from zoo.training.trainers.contrastive import contrastive_loss

SCRIPT = """
import sys
from pathlib import Path
import torch
from zoo.training.engine.fabric import launch
from zoo.training.engine.whole_batch import WholeBatch
from tests.training.engine.test_whole_batch import ITEMS, UNEVEN, compute, learn

with launch(device="cpu", devices=2, precision="32") as engine:
    mode = WholeBatch(rank=engine.rank, world=2, items=ITEMS, generator=torch.Generator())
    part = slice(engine.rank, None, 2)
    torch.save(compute(part, mode) | learn(part, engine, items=UNEVEN), Path(sys.argv[1], f"{engine.rank}.pt"))
"""
ITEMS = 6
UNEVEN = 7
"""Items of a batch that two processes share as four and three."""


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


def learn(part: slice, engine: Engine, *, items: int) -> dict[str, Tensor]:
    """Losses and gradients of a part of the items: means over items, over what is counted, over pairs of items."""
    generator = torch.Generator().manual_seed(2)
    points, counts = torch.randn(items, 4, generator=generator)[part], torch.arange(items).square()[part]
    labels = (torch.arange(items) // 3)[part]
    context = Context(
        modules={},
        problem=Problem(task="toy", input=LatentInput(size=4)),
        recipe=Recipe(),
        options={},
        engine=engine,
        seed=0,
        whole_batch=items,
    )
    results: dict[str, Tensor] = {}
    for name, loss_of in {"items": _over_items, "counted": _over_counts, "pairs": _over_pairs}.items():
        weight = torch.eye(4).requires_grad_()
        loss = loss_of(context, points @ weight, counts, labels)
        context.backward(loss)
        assert weight.grad is not None
        results |= {f"{name} loss": loss.detach(), f"{name} gradient": weight.grad}
    return results


def _over_items(context: StepContext, answers: Tensor, counts: Tensor, labels: Tensor) -> Tensor:
    return answers.square().sum(1).mean()


def _over_counts(context: StepContext, answers: Tensor, counts: Tensor, labels: Tensor) -> Tensor:
    """Item i has i² things that count; the first process has 56 of 91."""
    return (answers.square().sum(1) * counts).sum() / context.divisor(counts.sum())


def _over_pairs(context: StepContext, answers: Tensor, counts: Tensor, labels: Tensor) -> Tensor:
    vectors = F.normalize(context.whole(answers))
    return contrastive_loss(vectors, context.whole(labels), temperature=0.5)


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What each of two processes computed."""
    folder = tmp_path_factory.mktemp("halves")
    run_script(folder, SCRIPT)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def test_losses_and_gradients_are_those_of_the_whole_batch(halves: list[dict[str, Tensor]]) -> None:
    with launch(device="cpu", devices=1, precision="32") as engine:
        whole = learn(slice(None), engine, items=UNEVEN)
    for name in ("items", "counted", "pairs"):
        loss = (4 * halves[0][f"{name} loss"] + 3 * halves[1][f"{name} loss"]) / 7  # as the loop adds them up
        torch.testing.assert_close(loss, whole[f"{name} loss"], rtol=1e-6, atol=0)
        gradient = (halves[0][f"{name} gradient"] + halves[1][f"{name} gradient"]) / 2  # as they are exchanged
        torch.testing.assert_close(gradient, whole[f"{name} gradient"], rtol=1e-5, atol=1e-6)


def test_a_count_is_at_least_what_the_trainer_says() -> None:
    with launch(device="cpu", devices=1, precision="32") as engine:
        context = Context(
            modules={}, problem=Problem(task="toy", input=LatentInput(size=4)), recipe=Recipe(), options={},
            engine=engine, seed=0,
        )  # fmt: skip
    assert context.divisor(torch.tensor(0)) == 1
    assert context.divisor(torch.tensor(0.25), least=0.0) == 0.25


def test_batch_statistics_are_those_of_the_whole_batch(halves: list[dict[str, Tensor]]) -> None:
    whole = compute(slice(None), nullcontext())
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
        "transposed": F.dropout(torch.ones(5, items, 3).transpose(0, 1), 0.5, training=True),
        "channels last": F.dropout(torch.ones(items, 8, 2, 5).contiguous(memory_format=torch.channels_last), 0.5),
        "channels": F.dropout2d(torch.ones(items, 8, 2, 5), 0.5),
        "unnamed": torch.empty(items, 1).bernoulli_(0.5),
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
        for name in whole.keys() - {"of the whole", "of another", "not training"}:
            assert torch.equal(share[name], whole[name][rank::world]), name
        assert torch.equal(share["of the whole"], whole["of the whole"])
        assert torch.equal(share["of another"], whole["of another"][:own])
        assert torch.equal(share["not training"], torch.ones(own, 8))
