"""Run by torchrun in each of two processes: a few steps of training, then everybody's tensors compared.

python -m torch.distributed.run --standalone --nproc-per-node 2 -m zoo.testing.two_processes MODEL DATA
"""

from __future__ import annotations

import json
import sys

import torch
from torch import Tensor, distributed

from zoo.registry.catalog import Catalog
from zoo.testing.check_context import CheckContext
from zoo.testing.overfit import ITEMS, intended, plain, prepared, run
from zoo.training.components import Training
from zoo.training.engine.fabric import launch
from zoo.training.split_metrics import measure

STEPS = 3


def main(model: str, data: str) -> None:
    """Print what was found, from the first process."""
    catalog = Catalog.discover()
    entry = catalog.model(model)
    context = CheckContext(catalog, entry.plugin, data=data)
    intent = intended(context, entry, plain, items=2 * ITEMS)
    with launch(device="cpu", devices=2, precision="32") as engine:
        training = prepared(intent, context.card(entry), engine, steps=STEPS)
        for _ in run(training, STEPS):
            pass
        engine.share_tensors(training.modules["model"], buffers_only=True)
        metrics = training.task.tensors.metrics(training.context.problem)
        measured = measure(training.evaluation, training.trainer, training.validation, metrics) or {}
        tensors = {**_tensors(training), **{f"metric {name}": torch.tensor(value) for name, value in measured.items()}}
        differing = [name for name, tensor in tensors.items() if not _equal_everywhere(tensor)]
        if engine.leads:
            found = {"equal": not differing, "differing": differing, "tensors": len(tensors), "steps": STEPS}
            print(json.dumps(found), flush=True)


def _tensors(training: Training) -> dict[str, Tensor]:
    return {
        f"{module}.{name}": parameter.detach()
        for module, one in training.modules.items()
        for name, parameter in one.named_parameters()
    }


def _equal_everywhere(tensor: Tensor) -> bool:
    """Whether every process holds the same bits; NaN is like itself."""
    # flat: of a convolution of one pixel, channels last, the last stride is none that bytes can be seen by
    mine = tensor.reshape(-1).view(torch.uint8)
    others = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(others, mine)
    return all(torch.equal(mine, one) for one in others)


if __name__ == "__main__":
    main(*sys.argv[1:])
