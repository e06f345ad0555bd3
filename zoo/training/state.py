"""The tensors of a checkpoint: written so that going on is exact, read without running code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.checkpoints import MODEL, STATE, Checkpoint
from zoo.errors import BadFile
from zoo.trainer import Trainer
from zoo.training.moving_average import MovingAverage
from zoo.training.progress import Progress
from zoo.weights.load import load_state


def write_state(
    directory: Path,
    *,
    model: nn.Module,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    average: MovingAverage | None,
    trainer: Trainer,
    progress: Progress,
    scaler: dict[str, Any],
) -> None:
    """model.safetensors with the weights to evaluate and export, state.pt with all else that resuming needs."""
    save_file(separate(model.state_dict()), directory / MODEL, metadata={"format": "pt"})
    kept = {name: module.state_dict() for name, module in modules.items() if average or name != "model"}
    state = {
        "modules": kept,
        "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
        "average": average.updates if average else None,
        "trainer": trainer.state_dict(),
        "progress": progress.state(),
        "scaler": scaler,
    }
    torch.save(state, directory / STATE)


def separate(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as safetensors wants them: contiguous, each with memory of its own (tied ones are copied)."""
    seen: set[int] = set()
    copies = {}
    for name, tensor in state.items():
        copy = tensor.detach().cpu().contiguous()
        copies[name] = copy.clone() if copy.data_ptr() in seen else copy
        seen.add(copy.data_ptr())
    return copies


def read_state(
    checkpoint: Checkpoint,
    *,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    average: MovingAverage | None,
    trainer: Trainer,
) -> tuple[Progress, dict[str, Any]]:
    """Put a checkpoint back into these objects; the progress, and the state of the loss scaler.

    BadFile when it belongs to another model.
    """
    try:
        weights = load_file(checkpoint.model)
        state = torch.load(checkpoint.state, map_location="cpu", weights_only=True)
        for name, module in modules.items():
            saved = state["modules"][name] if average or name != "model" else weights
            load_state(module, saved, origin=str(checkpoint.path))
        for name, optimizer in optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if average:
            average.load(weights, state["average"])
        trainer.load_state_dict(state["trainer"])
        return Progress(**state["progress"]), state["scaler"]
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise BadFile(f"{checkpoint.path} does not fit this model and trainer: {error}") from error
