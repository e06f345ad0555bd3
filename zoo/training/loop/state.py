"""The tensor files of a checkpoint: a resume from them is exact, and reading them runs no code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.api.errors import BadFile
from zoo.api.trainer import Trainer
from zoo.models.weights.load import load_state
from zoo.models.weights.load import read_state as read_tensors
from zoo.runs.checkpoints import MODEL, STATE, Checkpoint
from zoo.training.loop.progress import Progress
from zoo.training.recipe.moving_average import MovingAverage


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What each of several processes has for itself."""

    trainer: Mapping[str, Tensor | int | float | str]
    sums: Mapping[str, float]
    """Of the losses of its items in this epoch."""
    items: int


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
    callbacks: Mapping[str, Mapping[str, Any]] | None = None,
    processes: Sequence[ProcessState] = (),
) -> None:
    """Write the weights to model.safetensors, and all else that a resume needs to state.pt."""
    with _system_errors():
        save_file(separate(model.state_dict()), directory / MODEL, metadata={"format": "pt"})
    module_states = {name: module.state_dict() for name, module in modules.items() if average or name != "model"}
    state: dict[str, Any] = {
        "modules": module_states,
        "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
        "average": average.updates if average else None,
        "trainer": trainer.state_dict(),
        "progress": progress.state(),
        "scaler": scaler,
        "callbacks": {name: dict(values) for name, values in (callbacks or {}).items()},
    }
    if len(processes) > 1:
        state["processes"] = [asdict(process) for process in processes]
    _save(state, directory / STATE)


def _save(state: dict[str, Any], file: Path) -> None:
    """Write state.pt.  An error of the operating system is raised as it is; torch would raise another in its place."""
    with file.open("wb") as opened:
        target = _ErrorKeepingFile(opened)
        try:
            torch.save(state, target)  # type: ignore[arg-type]
        except RuntimeError as error:
            raise target.error or error from error


class _ErrorKeepingFile:
    """A file open for writing that keeps the error of a failed write."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


@contextmanager
def _system_errors() -> Iterator[None]:
    """Turns an error of the operating system that safetensors reports as text back into an OSError."""
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def separate(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as safetensors needs them: contiguous, each in its own memory (tied ones are copied)."""
    seen: set[int] = set()
    copies = {}
    for name, tensor in state.items():
        copy = tensor.detach().cpu().contiguous()
        copies[name] = copy.clone() if copy.data_ptr() in seen else copy
        seen.add(copy.data_ptr())
    return copies


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState:
    """What of a checkpoint is no module, optimiser or trainer."""

    progress: Progress
    scaler: dict[str, Any]
    callbacks: Mapping[str, Mapping[str, Any]]
    """By name; empty in a checkpoint of zoo 0.2 and before."""


def read_state(
    checkpoint: Checkpoint,
    *,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    average: MovingAverage | None,
    trainer: Trainer,
    rank: int = 0,
    world: int = 1,
) -> ReadState:
    """Load a checkpoint into these objects; the rest of its state is returned.

    Process `rank` of `world` gets back what it had; where they were of another number, all get what the first one had.
    BadFile when the checkpoint belongs to another model or trainer.
    """
    try:
        weights = read_tensors(checkpoint.model)
        state = torch.load(checkpoint.state, map_location="cpu", weights_only=True)
        for name, module in modules.items():
            saved = state["modules"][name] if average or name != "model" else weights
            load_state(module, saved, origin=str(checkpoint.path))
        for name, optimizer in optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if average:
            average.load(weights, state["average"])
        progress = Progress(**state["progress"])
        own = _own(progress, state, rank=rank, world=world)
        trainer.load_state_dict(own.trainer)
        progress.sums, progress.items = dict(own.sums), own.items
        return ReadState(progress=progress, scaler=state["scaler"], callbacks=state.get("callbacks", {}))
    except (KeyError, RuntimeError, ValueError, TypeError, UnpicklingError, EOFError) as error:
        raise BadFile(f"{checkpoint.path} does not fit this model and trainer: {error}") from error


def _own(progress: Progress, state: Mapping[str, Any], *, rank: int, world: int) -> ProcessState:
    """What this process goes on with."""
    first = {"trainer": state["trainer"], "sums": progress.sums, "items": progress.items}
    processes = [ProcessState(**process) for process in state.get("processes", [first])]
    if len(processes) == world:
        return processes[rank]
    sums = {name: sum(process.sums[name] for process in processes) for name in progress.sums}
    if rank > 0:  # the first one has the losses of all
        return ProcessState(trainer=state["trainer"], sums=dict.fromkeys(sums, 0.0), items=0)
    return ProcessState(trainer=state["trainer"], sums=sums, items=sum(process.items for process in processes))


def not_finite(module: nn.Module) -> str:
    """The name of the first tensor of a module that holds a number that is not finite; empty where there is none."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            return name
    return ""
