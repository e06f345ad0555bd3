"""Processes, device and precision: the only file that knows Lightning Fabric.

Scaled losses (precision 16) need it; precision 32 and bf16 do without, in one process and in several, since importing
it takes more than twice the time of importing PyTorch (it imports every metric of torchmetrics, and torch._dynamo).
Processes find each other and exchange tensors through torch.distributed (`group`).

Gradients are averaged by `gradients`, not by wrapping modules: a trainer may run its modules in any order, twice or not
at all (a GAN, frozen parts, auxiliary heads), which DistributedDataParallel's bookkeeping forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.optim import Optimizer

from zoo.api.errors import UsageError
from zoo.training.engine.allocator import kept_memory
from zoo.training.engine.kernels import gpu_kernels
from zoo.training.engine.optimizer_step import without_compiler
from zoo.training.engine.place import launched

if TYPE_CHECKING:
    from zoo.training.engine.group import Group

Precision = Literal["32", "bf16", "16"]
T = TypeVar("T")

_FABRIC: Final = "16-mixed"


class Unscaled:
    """What `Engine` needs of Fabric, where losses are not scaled."""

    def __init__(self, device: torch.device, precision: Precision) -> None:
        self.device = device
        self._precision = precision

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward passes compute."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._precision == "bf16")

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss."""
        loss.backward()  # type: ignore[no-untyped-call]


class Engine:
    """One process of a training: its device, its precision and its communication with the other processes."""

    def __init__(self, fabric: Any, precision: Precision, group: Group | None = None) -> None:
        self._fabric = fabric
        self._group = group
        self.device: torch.device = fabric.device
        self.rank = group.rank if group else 0
        self.world = group.world if group else 1
        self.local_world = group.local_world if group else 1
        """Processes on this machine."""
        self.precision = precision
        self.scales = precision == "16"
        """True where losses are scaled, so that float16 gradients do not vanish."""
        self.wishes = Wishes()

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

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order of rank."""
        return self._group.gather(value) if self._group else [value]

    def scaler_state(self) -> dict[str, Any]:
        """The state of the loss scaler; empty where losses are not scaled."""
        return dict(self._fabric._precision.state_dict()) if self.scales else {}

    def load_scaler_state(self, state: dict[str, Any]) -> None:
        """Load what `scaler_state` returned."""
        if self.scales and state:
            self._fabric._precision.load_state_dict(state)

    def tell(self, value: T) -> T:
        """The value of the first process, on every process."""
        return self._group.broadcast(value) if self._group else value

    def barrier(self) -> None:
        """Wait for all processes."""
        if self._group:
            self._group.barrier()

    def explained(self, error: BaseException) -> BaseException:
        """The error to raise: where another process failed or was lost, the sentence about that."""
        return self._group.explained(error) if self._group else error


class Wishes:
    """What a process would like all of them to do after the present step.

    They travel with the gradients of the next step (see `gradients`), so that asking costs nothing.
    """

    def __init__(self) -> None:
        self.own = (False, False)
        """To stop, and to save."""
        self._granted = (False, False)

    def grant(self, stop: bool, save: bool) -> None:
        """Note what any process has asked for; called on every process alike."""
        self._granted = (self._granted[0] or stop, self._granted[1] or save)

    def take(self) -> tuple[bool, bool]:
        """Whether all processes are to stop, and to save."""
        granted, self._granted = self._granted, (False, False)
        return granted


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
def launch(*, device: str, devices: int, precision: Precision, alone: bool = False) -> Iterator[Engine]:
    """An engine on every process that a launcher has started; `alone`, for this process, whoever else there is.

    Without a launcher, `devices` above 1 starts this command once more for each further device.
    Under torchrun two of four runs aborted at exit without the barrier and the destruction of the process group.
    """
    place = None if alone else launched()
    without_compiler()
    if (place.world if place else devices) == 1:
        with kept_memory(), gpu_kernels(device, precision):
            yield Engine(_compute(_device(device, 0), precision), precision)
        return
    from zoo.training.engine.group import check_gpus, join  # noqa: PLC0415  one process needs none of it

    index = check_gpus(place, devices) if device == "cuda" else 0
    if device == "cuda":
        torch.cuda.set_device(index)
    group, failed = join(place, device=device, devices=devices), True
    try:
        engine = Engine(_compute(_device(device, index), precision), precision, group)
        with kept_memory(), gpu_kernels(device, precision):
            yield engine
        engine.barrier()
        failed = False
    except BaseException as error:
        explained = group.explained(error)
        if explained is error:
            raise
        raise explained from error
    finally:
        group.close(failed=failed)


def _device(device: str, index: int) -> torch.device:
    return torch.device(device) if device == "cpu" else torch.device(device, index)


def _compute(device: torch.device, precision: Precision) -> Any:
    """What computes in this process: Fabric where losses are scaled, imported here, as others need none of it."""
    if precision != "16":
        return Unscaled(device, precision)
    from lightning_fabric import Fabric  # noqa: PLC0415
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment  # noqa: PLC0415

    # one device, whatever launcher there is: the processes are a group already
    return Fabric(
        accelerator=device.type,
        devices=[device.index or 0] if device.type == "cuda" else 1,
        precision=_FABRIC,
        plugins=[LightningEnvironment()],
    )
