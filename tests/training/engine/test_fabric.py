"""What one process computes with, and in what precision."""

from __future__ import annotations

import torch
from torch import nn

from zoo.training.engine.fabric import Unscaled, launch


def test_one_process_computes_without_fabric_in_the_precision_asked_for() -> None:
    for precision, dtype in (("32", torch.float32), ("bf16", torch.bfloat16)):
        with launch(device="cpu", devices=1, precision=precision) as engine:  # type: ignore[arg-type]
            assert isinstance(engine._fabric, Unscaled)
            assert (engine.rank, engine.world, engine.leads, engine.device.type) == (0, 1, True, "cpu")
            module = nn.Linear(2, 2)
            with engine.autocast():
                output = module(torch.ones(1, 2))
            assert output.dtype == dtype
            engine.backward(output.float().sum())
            assert module.weight.grad is not None and module.weight.grad.equal(torch.ones(2, 2))
            assert engine.tell("text") == "text" and engine.sum([1.0]) == [1.0] and engine.gather("a") == ["a"]
