"""Memory that does not suffice: recognised in what libraries raise, and told with the batch size to try."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zoo.api.errors import OutOfMemory

if TYPE_CHECKING:
    from zoo.runs.train_config import TrainConfig

PHRASES = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "Cannot allocate memory",
    "failed to map segment",
    "bad_alloc",
    "can't start new thread",
    "CUDA_ERROR_OUT_OF_MEMORY",
)
"""How libraries say so in errors of general types."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory."""
    if isinstance(error, MemoryError | OutOfMemory) or type(error).__name__ == "OutOfMemoryError":
        return True
    general = isinstance(error, RuntimeError | ImportError | OSError)
    return general and any(phrase in str(error) for phrase in PHRASES)


def memory_error(config: TrainConfig, where: str) -> OutOfMemory:
    """The sentence for a training that ran out of memory, with the batch size to try."""
    batch, devices = config.recipe.batch_size, config.devices
    smaller = max(batch // 2 // devices, 1) * devices
    hint = f"try --batch-size {smaller}, or --batch-size auto, which finds one that fits"
    if smaller >= batch:
        hint = "use smaller inputs, a smaller model or a machine with more memory: the batches cannot be smaller"
    return OutOfMemory(f"{config.model} ran out of memory {where} with batches of {batch}", hint=hint)


def check_memory_limit() -> None:
    """OutOfMemory where this process has a limit of memory in which PyTorch cannot be loaded: it would abort.

    Without a limit nothing is tried.
    """
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or "torch" in sys.modules:
        return
    import subprocess  # noqa: PLC0415  slow to import

    command = [sys.executable, "-P", "-c", "import torch, torchvision"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        raise OutOfMemory(
            f"this process may have {limit / 1e6:,.0f} MB of memory (`ulimit -v`): too little for PyTorch",
            hint="raise the limit, as in `ulimit -v unlimited`",
        )


@contextmanager
def memory_errors(config: TrainConfig, where: str) -> Iterator[None]:
    """Inside, an error about memory becomes the sentence about it."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise memory_error(config, where) from error
