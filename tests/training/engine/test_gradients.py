"""Gradients averaged over two processes, in buckets, while the backward pass still runs."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from tests.training.engine.several import run_script
from zoo.training.engine import gradients

SCRIPT = """
import json, sys
from pathlib import Path
import torch
from torch import nn
from zoo.training.engine import gradients
from zoo.training.engine.fabric import launch
from zoo.training.engine.gradients import GradientExchange

gradients.FIRST_BYTES = gradients.BUCKET_BYTES = 8  # two numbers: every parameter travels alone
told = {}
with launch(device="cpu", devices=2, precision="32") as engine:
    # what a process lacks counts as zero, what all lack stays away
    both, first_alone, nobody, frozen = (nn.Parameter(torch.zeros(2)) for _ in range(4))
    frozen.requires_grad_(False)
    exchange = GradientExchange([both, first_alone, nobody, frozen], engine)
    for step in range(2):
        exchange.listens = True
        loss = both.sum() * (1.0 + engine.rank)
        if engine.leads:
            loss = loss + first_alone.sum() * 8
        loss.backward()
        if step == 1:
            frozen.requires_grad_(True)
            (frozen.sum() * (2.0 + engine.rank)).backward()
            engine.wishes.own = (engine.rank == 1, False)
        exchange.finish()
        grads = [p.grad for p in (both, first_alone, nobody, frozen)]
        told[step] = [None if grad is None else grad.tolist() for grad in grads]
        told[f"wishes {step}"] = engine.wishes.take()
        for p in (both, first_alone, nobody, frozen):
            p.grad = None
    # sent while the backward pass runs, and sent again where more comes later, if only in one process
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    exchange = GradientExchange([first, second], engine)
    sent = []
    first.register_hook(lambda gradient: sent.append(exchange._sent))
    exchange.listens = True
    ((first * 2).square() * second).sum().backward()
    sent.append(exchange._sent)
    if engine.leads:
        second.sum().backward()
    exchange.finish()
    told["sent"], told["again"] = list(sent), second.grad.tolist()
    # an accumulation: only the last backward pass sends
    exchange.listens = False
    first.grad = second.grad = None
    (first + second).sum().backward()
    told["quiet"] = exchange._sent
    exchange.listens = True
    (first + second).sum().backward()
    exchange.finish()
    told["accumulated"] = first.grad.tolist()
    Path(sys.argv[1], str(engine.rank)).write_text(json.dumps(told))
"""


def test_two_processes_average_their_gradients(tmp_path: Path) -> None:
    run_script(tmp_path, SCRIPT)
    first, second = (json.loads((tmp_path / str(rank)).read_text()) for rank in range(2))
    assert first == second
    assert first["0"] == [[1.5, 1.5], [4.0, 4.0], None, None]
    assert first["1"] == [[1.5, 1.5], [4.0, 4.0], None, [2.5, 2.5]]
    assert (first["wishes 0"], first["wishes 1"]) == ([False, False], [True, False])
    assert first["sent"] == [1, 2], "the second parameter travels while the gradient of the first is computed"
    assert first["again"] == [4.5, 4.5]
    assert (first["quiet"], first["accumulated"]) == (0, [2.0, 2.0])


def test_buckets_hold_the_last_parameters_first_and_one_type_each() -> None:
    sizes = [gradients.BUCKET_BYTES // 4, 10, gradients.FIRST_BYTES // 4, 10]
    parameters = [nn.Parameter(torch.empty(size)) for size in sizes]
    half = nn.Parameter(torch.empty(3, dtype=torch.bfloat16))
    buckets = gradients._buckets([*parameters, half])
    held = [[parameter.numel() for parameter in bucket.parameters] for bucket in buckets]
    assert held == [[3], [10, gradients.FIRST_BYTES // 4, 10, gradients.BUCKET_BYTES // 4]]
