"""Run by torchrun in each of two processes: a few training steps, then the tensors of both are compared.

python -m torch.distributed.run --standalone --nproc-per-node 2 -m zoo.testing.two_processes MODEL DATA
"""

from __future__ import annotations

import json
import sys

import torch
from torch import Tensor, distributed

from zoo.registry.catalog import Catalog
from zoo.testing.check_context import CheckContext
from zoo.testing.overfit import ITEMS, plain, prepared, run, training_request
from zoo.training.engine.fabric import launch
from zoo.training.loop.components import Training
from zoo.training.loop.split_metrics import measure

STEPS = 3


def main(model: str, data: str) -> None:
    """Train, compare, and print the result as JSON from the first process."""
    catalog = Catalog.discover()
    entry = catalog.model(model)
    context = CheckContext(catalog, entry.plugin, data=data)
    request = training_request(context, entry, plain, items=2 * ITEMS)
    with launch(device="cpu", devices=2, precision="32") as engine:
        training = prepared(request, context.card(entry), engine, steps=STEPS)
        for _ in run(training, STEPS):
            pass
        engine.share_tensors(training.modules["model"], buffers_only=True)
        metrics = training.task.tensors.metrics(training.context.problem)
        measured = measure(training.evaluation, training.trainer, training.validation, metrics)
        tensors = {**_tensors(training), **{f"metric {name}": torch.tensor(value) for name, value in measured.items()}}
        differing = [name for name, tensor in tensors.items() if not _is_equal_everywhere(tensor)]
        if engine.leads:
            result = {"equal": not differing, "differing": differing, "tensors": len(tensors), "steps": STEPS}
            print(json.dumps(result), flush=True)


def _tensors(training: Training) -> dict[str, Tensor]:
    return {
        f"{module_name}.{name}": parameter.detach()
        for module_name, module in training.modules.items()
        for name, parameter in module.named_parameters()
    }


def _is_equal_everywhere(tensor: Tensor) -> bool:
    """True when all processes hold the same bits; a NaN equals the same NaN."""
    # flat, since a 1x1 convolution in channels-last format has a last stride that cannot be viewed as bytes
    own = tensor.reshape(-1).view(torch.uint8)
    others = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(others, own)
    return all(torch.equal(own, other) for other in others)


if __name__ == "__main__":
    main(*sys.argv[1:])
