"""Processes, device and precision: the only file that knows Lightning Fabric.

Several processes and scaled losses need it; one process at precision 32 or bf16 does without, since importing it takes
more than twice the time of importing PyTorch (it imports every metric of torchmetrics, and torch._dynamo).

Gradients are averaged when an optimiser steps, not by wrapping modules: a trainer may run its modules in any order,
twice or not at all (a GAN, frozen parts, auxiliary heads), which DistributedDataParallel's bookkeeping forbids.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, Literal, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.optim import Optimizer

from zoo.api.errors import UsageError
from zoo.training.engine.allocator import kept_memory
from zoo.training.engine.kernels import gpu_kernels
from zoo.training.engine.optimizer_step import without_compiler

Precision = Literal["32", "bf16", "16"]
T = TypeVar("T")

_INTERACTIVE: Final = ("bash", "interactive")
_FABRIC: Final = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


class OneProcess:
    """What `Engine` needs of Fabric, for one process whose losses are not scaled."""

    global_rank = 0
    world_size = 1

    def __init__(self, device: str, precision: Precision) -> None:
        self.device = torch.device(device) if device == "cpu" else torch.device(device, 0)
        self._precision = precision

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward passes compute."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._precision == "bf16")

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss."""
        loss.backward()  # type: ignore[no-untyped-call]


class Engine:
    """One process of a training: its device, its precision and its communication with the other processes."""

    def __init__(self, fabric: Any, precision: Precision, *, local_world: int = 1) -> None:
        self._fabric = fabric
        self.device: torch.device = fabric.device
        self.rank: int = fabric.global_rank
        self.world: int = fabric.world_size
        self.local_world = local_world
        """Processes on this machine."""
        self.precision = precision
        self.scales = precision == "16"
        """True where losses are scaled, so that float16 gradients do not vanish."""

    @property
    def pins(self) -> bool:
        """True where batches are copied to the device while the process goes on."""
        return self.device.type == "cuda"

    @property
    def leads(self) -> bool:
        """True for the one process that writes and prints."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward passes compute."""
        if self.precision == "32":
            return nullcontext()
        return cast("AbstractContextManager[Any]", self._fabric.autocast())

    def generators(self) -> tuple[torch.Generator, ...]:
        """All random generators of this process; that of the device is the last."""
        on_cpu = torch.default_generator
        if self.device.type == "cuda":
            return on_cpu, torch.cuda.default_generators[self.device.index or 0]
        if self.device.type == "mps":
            return on_cpu, torch.mps._get_default_mps_generator()
        return (on_cpu,)

    def scaled(self, optimizer: Optimizer) -> Optimizer:
        """The optimiser; where losses are scaled, it unscales the gradients."""
        return cast("Optimizer", self._fabric.setup_optimizers(optimizer)) if self.scales else optimizer

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss."""
        if self.precision == "32":
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            with torch.autocast(self.device.type, enabled=False):
                self._fabric.backward(loss)

    def clip(self, parameters: list[nn.Parameter], module: nn.Module, optimizer: Optimizer, norm: float) -> None:
        """Clip the gradients of one optimiser's parameters to this total norm."""
        if self.scales:
            self._fabric.clip_gradients(module, optimizer, max_norm=norm, error_if_nonfinite=False)
        else:
            nn.utils.clip_grad_norm_(parameters, norm)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes; a missing gradient counts as zero.

        A parameter without a gradient on every process keeps none, so that weight decay and momentum do not change it.
        """
        own = list(parameters)
        if self.world == 1 or not own:
            return
        used = torch.tensor([float(parameter.grad is not None) for parameter in own], device=self.device)
        distributed.all_reduce(used)
        shared = [parameter for parameter, count in zip(own, used.tolist(), strict=True) if count]
        if not shared:
            return
        gradients = [torch.zeros_like(item) if item.grad is None else item.grad for item in shared]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.world
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for parameter, gradient, part in zip(shared, gradients, parts, strict=True):
            parameter.grad = gradient.copy_(part.view_as(gradient))

    def share_tensors(self, module: nn.Module, *, buffers_only: bool = False) -> None:
        """Copy the parameters and buffers of the first process to all others."""
        if self.world == 1:
            return
        tensors = list(module.buffers()) if buffers_only else [*module.parameters(), *module.buffers()]
        for tensor in tensors:
            shared = tensor.detach().contiguous()
            distributed.broadcast(shared, src=0)
            tensor.detach().copy_(shared)

    def sum(self, values: list[float]) -> list[float]:
        """Each value summed over the processes."""
        if self.world == 1:
            return values
        kind = torch.float32 if self.device.type == "mps" else torch.float64
        total = torch.tensor(values, dtype=kind, device=self.device)
        distributed.all_reduce(total)
        return cast("list[float]", total.tolist())

    def gather(self, value: float) -> list[float]:
        """The values of all processes, in order of rank."""
        return self.sum([value if rank == self.rank else 0.0 for rank in range(self.world)])

    def scaler_state(self) -> dict[str, Any]:
        """The state of the loss scaler; empty where losses are not scaled."""
        return dict(self._fabric._precision.state_dict()) if self.scales else {}

    def load_scaler_state(self, state: dict[str, Any]) -> None:
        """Load what `scaler_state` returned."""
        if self.scales and state:
            self._fabric._precision.load_state_dict(state)

    def tell(self, value: T) -> T:
        """The value of the first process, on every process."""
        return cast("T", self._fabric.broadcast(value)) if self.world > 1 else value

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.world > 1:
            self._fabric.barrier()


def launched_processes() -> int:
    """The number of processes that a launcher (torchrun, srun) has started; 1 without a launcher.

    In an interactive allocation SLURM counts tasks that are not started; Lightning Fabric tells one by its job name.
    """
    by_slurm = "1" if os.environ.get("SLURM_JOB_NAME") in _INTERACTIVE else os.environ.get("SLURM_NTASKS", "1")
    return int(os.environ.get("WORLD_SIZE", by_slurm))


def choose_precision(precision: str, *, device: str, parameters: int, side: int) -> Precision:
    """The precision for `--precision`; "auto" is bf16 on GPUs that have it and for large networks on CPUs that have it.

    Measured on avx512_bf16: 1.67x for ResNet-18 at 128 pixels, nothing end to end for small networks.
    """
    if precision != "auto":
        if precision == "16" and device == "cpu":
            raise UsageError("precision 16 needs a GPU", hint="use --precision bf16 or --precision 32")
        return cast("Precision", precision)
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "16"
    faster = device == "cpu" and parameters >= 10_000_000 and side >= 96 and torch.cpu._is_avx512_bf16_supported()
    return "bf16" if faster else "32"


@contextmanager
def launch(*, device: str, devices: int, precision: Precision) -> Iterator[Engine]:
    """An engine on every process; without a launcher, `devices` above 1 starts this command once more for each device.

    Under torchrun two of four runs aborted at exit without the barrier and the destruction of the process group.
    """
    local = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("SLURM_NTASKS_PER_NODE", devices)))
    nodes = max(1, launched_processes() // local)
    alone = local * nodes == 1 and precision != "16"
    without_compiler()
    fabric = OneProcess(device, precision) if alone else _launched(device, local, nodes, precision)
    engine = Engine(fabric, precision, local_world=local)
    try:
        with kept_memory(), gpu_kernels(device, precision):
            yield engine
        engine.barrier()
    finally:
        if engine.world > 1 and distributed.is_initialized():
            distributed.destroy_process_group()


def _launched(device: str, local: int, nodes: int, precision: Precision) -> Any:
    """Fabric on every process; imported here, as one process needs none of it."""
    from lightning_fabric import Fabric  # noqa: PLC0415

    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=nodes,
        strategy="ddp" if local * nodes > 1 else "auto",
        precision=_FABRIC[precision],  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric
