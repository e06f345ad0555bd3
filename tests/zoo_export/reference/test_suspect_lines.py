"""Lines that put a batch together, run once per item, or give no numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo_export.reference.call_sites import CallSite
from zoo_export.reference.suspect_lines import mixing_site, not_finite_site, unrolling_site

PORT = Port(name="image", dtype="float32", shape=("batch", 5))
SIGNATURE = Signature(inputs=(PORT,), outputs=(Port(name="logits", dtype="float32", shape=("batch", 5)),))
INPUTS = [{"image": np.random.default_rng(seed).normal(size=(1, 5)).astype(np.float32)} for seed in range(2)]
TWO = {"image": np.concatenate([inputs["image"] for inputs in INPUTS])}
Op = Callable[[Tensor], Tensor]


class Net(nn.Module):
    def __init__(self, op: Op) -> None:
        super().__init__()
        self.op = op

    def forward(self, image: Tensor) -> Tensor:
        return self.op(image * 2) + 1


def whole_mean(x: Tensor) -> Tensor:
    return x - x.mean()


def counted(x: Tensor) -> Tensor:
    return x * len((x > 0).nonzero())


def turned(x: Tensor) -> Tensor:
    return x + x.flip(0)


def decided(x: Tensor) -> Tensor:
    chosen: Tensor = torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))
    return chosen


def looped(x: Tensor) -> Tensor:
    return torch.stack([row.cumsum(0) for row in x])


def of_one_item(x: Tensor) -> Tensor:
    return x - x.mean(1, keepdim=True)


def logarithm(x: Tensor) -> Tensor:
    return torch.log(x - 100)


def masked(x: Tensor) -> Tensor:
    return x.masked_fill(x > 0, -torch.inf).softmax(1)


def line(site: CallSite | None) -> int | None:
    return None if site is None else site.line


@pytest.mark.parametrize("op", [whole_mean, counted, turned, looped])
def test_the_line_that_puts_a_batch_together_is_named(op: Op) -> None:
    assert line(mixing_site(Net(op), INPUTS, SIGNATURE)) == op.__code__.co_firstlineno + 1


def test_a_decision_for_the_whole_batch_is_found_behind_torch_cond() -> None:
    rows = [{"image": np.full((1, 5), value, np.float32)} for value in (1.0, -2.0)]
    assert line(mixing_site(Net(decided), rows, SIGNATURE)) == decided.__code__.co_firstlineno + 1


@pytest.mark.parametrize("op", [of_one_item, masked])
def test_a_model_of_single_items_puts_nothing_together(op: Op) -> None:
    assert mixing_site(Net(op), INPUTS, SIGNATURE) is None
    assert unrolling_site(Net(op), TWO, SIGNATURE) is None
    assert not_finite_site(Net(op), TWO, SIGNATURE) is None


def test_the_line_that_runs_once_per_item_is_named() -> None:
    assert line(unrolling_site(Net(looped), TWO, SIGNATURE)) == looped.__code__.co_firstlineno + 1


def test_the_first_line_that_gives_no_numbers_is_named() -> None:
    assert line(not_finite_site(Net(logarithm), TWO, SIGNATURE)) == logarithm.__code__.co_firstlineno + 1
