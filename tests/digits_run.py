"""A run of `cnn` on the digits that nobody had to train, and what its network says, computed by hand."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from zoo import Catalog, DataRequest, Recipe
from zoo.models.build import build
from zoo.runs.checkpoints import point, write_checkpoint
from zoo.runs.run import DataRecord, Run, RunRecord, now
from zoo.runs.train_config import TrainConfig

MEAN, STD = 0.1307, 0.3081
"""What the digits are normalised with, as `zoo info cnn` shows."""


def probabilities(model: nn.Module, images: np.ndarray[Any, Any]) -> torch.Tensor:
    """What the network says to digits, uint8 [n, 28, 28] -> [n, 10], with nothing of zoo's around it."""
    pixels = torch.from_numpy(images.copy()).float().div(255).unsqueeze(1)
    with torch.inference_mode():
        return torch.softmax(model((pixels - MEAN) / STD), dim=1)


def make_digits_run(place: Path) -> nn.Module:
    """Write a run whose network has the random parameters of seed 0, and return that network."""
    catalog = Catalog.discover()
    entry = catalog.model("cnn")
    task = catalog.make_task(entry.spec.task)
    card = task.data.check(task.data.detect(DataRequest(source="digits")), progress=lambda _done, _total: None)
    problem = task.problem(card, entry.spec.input)
    model = build(catalog, entry, problem, seed=0).eval()
    opened = Run.create(
        place,
        record=RunRecord(
            status="finished",
            created=now(),
            argv=(),
            model=entry.full_name,
            task=task.name,
            seeds={},
            versions={},
            host=socket.gethostname(),
            pid=os.getpid(),
        ),
        config=TrainConfig(
            model=entry.full_name,
            plugin=entry.plugin.name,
            plugin_version=entry.plugin.version,
            data="digits",
            input=problem.input,
            recipe=Recipe(),
        ),
        data=DataRecord(
            source="digits",
            format=card.source.format,
            fingerprint=card.fingerprint,
            counts=card.counts(),
            classes=card.classes,
            problem=problem,
        ),
    )
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    checkpoint = write_checkpoint(
        opened.checkpoints,
        model=entry.full_name,
        step=1,
        epoch=1,
        metrics={},
        fill=lambda folder: save_file(tensors, folder / "model.safetensors"),
    )
    point(opened.checkpoints, "best", checkpoint)
    return model
