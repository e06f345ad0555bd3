"""The processes of a training as one group of torch.distributed: how they find each other, and how one of them is lost.

One process speaks for all: what another one fails at is told by the first, in the words of the one that failed.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import torch
from torch import distributed
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from zoo.api.errors import UsageError, ZooError, describe_error
from zoo.training.engine.local import OtherProcesses, end_with_first
from zoo.training.engine.network import network_card
from zoo.training.engine.place import Place
from zoo.training.engine.told import ProcessFailed, ProcessLost, is_told, mark_told

T = TypeVar("T")

FIRST: Final = 0
"""The rank of the process that tells and writes."""
JOIN: Final = timedelta(minutes=10)
"""Until all processes have come: machines do not start at the same instant."""
SILENCE: Final = timedelta(minutes=30)
"""A process that does not answer for so long is lost, though its connections are open."""
ANSWER_SECONDS: Final = 3.0
"""Within so long the processes that are left say that they have noticed a loss."""
POLL_SECONDS: Final = 0.1
LOSS_PHRASES: Final = (
    *("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Socket closed", "gloo/transport"),
    *("NCCL", "Timed out waiting", "timed out", "Failed to recv", "failed to connect", "Application timeout"),
)
"""How libraries say that another process does not answer, in errors of general types."""


@dataclass(slots=True)
class _Joined:
    """What of a group outlives a training: a program may train several times."""

    store: Store
    others: OtherProcesses | None
    trainings: int = 0


_joined: dict[int, _Joined] = {}
"""By the number of processes."""


class Group:
    """This process among those of one training."""

    def __init__(self, place: Place, store: Store, *, backend: str, others: OtherProcesses | None) -> None:
        self.rank, self.world = place.rank, place.world
        self.local_rank, self.local_world = place.local_rank, place.local_world
        self._store, self._others, self._backend = store, others, backend
        self._over = others.watch(self._give_up) if others else None

    def broadcast(self, value: T) -> T:
        """The value of the first process."""
        held: list[Any] = [value]
        distributed.broadcast_object_list(held, src=0)
        return cast("T", held[0])

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order of rank, on every process."""
        values: list[Any] = [None] * self.world
        distributed.all_gather_object(values, value)
        return values

    def barrier(self) -> None:
        """Wait for all processes."""
        distributed.barrier()

    def close(self, *, failed: bool) -> None:
        """Leave the group.  After a failure the connections may be gone, and to close them could wait for ever."""
        if self._over is not None:
            self._over.set()
        if distributed.is_initialized() and not (failed and self._backend == "nccl"):
            distributed.destroy_process_group()

    # --- what goes wrong ---

    def explained(self, error: BaseException) -> BaseException:
        """The error to raise: where another process failed or was lost, the sentence about that."""
        if isinstance(error, ProcessFailed) or is_told(error):
            return error
        if not _is_loss(error):
            self._report(error)
            return error if self.rank == FIRST else mark_told(error)
        with suppress(RuntimeError):
            self._store.set(f"noticed/{self.rank}", "")
        failure = self._failure()
        return failure if self.rank == self._speaker(failure) else mark_told(failure)

    def _report(self, error: BaseException) -> None:
        """Leave word of this process's own failure for the first one."""
        told = isinstance(error, ZooError)
        report = {
            "message": error.message if told else describe_error(error),  # type: ignore[attr-defined]
            "hint": error.hint if told else "",  # type: ignore[attr-defined]
            "exit_code": getattr(error, "exit_code", 3),
        }
        with suppress(RuntimeError):
            self._store.set(f"failed/{self.rank}", json.dumps(report))

    def _failure(self) -> ProcessFailed:
        """What another process failed at; else which process is gone."""
        until, silent, dead = time.monotonic() + ANSWER_SECONDS, list[int](), list[int]()
        try:
            while time.monotonic() < until and not (self._others and self._others.lost()):
                for rank in range(self.world):
                    if rank != self.rank and self._store.check([f"failed/{rank}"]):
                        return ProcessFailed(rank, self.world, **json.loads(self._store.get(f"failed/{rank}")))
                silent = [rank for rank in range(self.world) if not self._store.check([f"noticed/{rank}"])]
                if dead := [rank for rank in silent if self._lives_here(rank) is False]:
                    break
                time.sleep(POLL_SECONDS)
            lost = self._others.lost() if self._others else {}
            missing = list(lost) or dead or [rank for rank in silent if not self._lives_here(rank)]
            return ProcessLost([self._named(rank) for rank in missing], self.world, codes=lost)
        except RuntimeError:  # the store was in the first process
            return ProcessLost([str(FIRST)], self.world, codes={})

    def _speaker(self, failure: ProcessFailed) -> int:
        """The rank of the process that tells: the first one that is left."""
        gone = {name.split()[0] for name in failure.names}
        return next((rank for rank in range(self.world) if str(rank) not in gone), 0)

    def _named(self, rank: int) -> str:
        """As in "1 (number 4711 on gpu04)"."""
        host, number = self._store.get(f"who/{rank}").decode().split()
        return f"{rank} (number {number} on {host})"

    def _lives_here(self, rank: int) -> bool | None:
        """Whether a process of this machine still runs, which a zombie does not; None for one of another machine."""
        host, number = self._store.get(f"who/{rank}").decode().split()
        if host != socket.gethostname() or not Path("/proc/self/stat").exists():
            return None
        try:
            return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def _give_up(self) -> None:
        """End this process, which waits for one that is lost."""
        failure = self._failure()
        os.write(2, f"Error: {failure.message}\n{failure.hint}\n".encode())
        os._exit(failure.exit_code)


def _is_loss(error: BaseException) -> bool:
    if isinstance(error, distributed.DistError):
        return True
    return type(error) is RuntimeError and any(phrase in str(error) for phrase in LOSS_PHRASES)


# --- coming together ---


def join(place: Place | None, *, device: str, devices: int) -> Group:
    """The group of the processes that a launcher has started; without one, of this process and those it starts now."""
    if device not in ("cpu", "cuda"):
        raise UsageError(f"--device {device} is for one process", hint="leave out --devices, or say --device cpu")
    world = place.world if place else devices
    if world not in _joined:
        _joined[world] = _meet(place, devices)
    joined = _joined[world]
    joined.trainings += 1
    store = PrefixStore(f"training-{joined.trainings}", joined.store)
    place = place or _first(devices)
    _present(place, store, joined.others)
    backend = "nccl" if device == "cuda" else "gloo"
    if place.world > place.local_world and (card := network_card(place.address)):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", card)
    distributed.init_process_group(backend, store=store, rank=place.rank, world_size=place.world, timeout=SILENCE)
    return Group(place, store, backend=backend, others=joined.others)


def _first(devices: int) -> Place:
    return Place(
        rank=0,
        world=devices,
        local_rank=0,
        local_world=devices,
        address="127.0.0.1",
        port=0,
        launcher="--devices",
    )


def _meet(place: Place | None, devices: int) -> _Joined:
    """The store through which the processes find each other; torchrun has one already."""
    if place is None:
        server = TCPStore("127.0.0.1", 0, devices, is_master=True, wait_for_workers=False, timeout=JOIN)
        return _Joined(server, OtherProcesses(devices, server.port))
    end_with_first()
    serves = place.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    try:
        store = TCPStore(place.address, place.port, place.world, is_master=serves, wait_for_workers=False, timeout=JOIN)
    except distributed.DistError as error:
        raise UsageError(
            f"the process with rank {place.rank} of {place.world} does not reach the first one at "
            f"{place.address}:{place.port}: {describe_error(error)}",
            hint="look whether it runs, and whether MASTER_ADDR and MASTER_PORT name its machine and a free port",
        ) from error
    return _Joined(store, None)


def _present(place: Place, store: Store, others: OtherProcesses | None) -> None:
    """Say who this process is, and wait until all have said so."""
    store.set(f"who/{place.rank}", f"{socket.gethostname()} {os.getpid()}")
    until = time.monotonic() + JOIN.total_seconds()
    while missing := [rank for rank in range(place.world) if not store.check([f"who/{rank}"])]:
        lost = others.lost() if others else {}
        if lost:
            raise ProcessLost([str(rank) for rank in lost], place.world, codes=lost)
        if time.monotonic() > until:
            ranks = ", ".join(map(str, missing))
            raise UsageError(
                f"of {place.world} processes, those with rank {ranks} have not come within {JOIN}",
                hint=f"look at what their machines say; {place.launcher} must start all of them",
            )
        time.sleep(POLL_SECONDS)


def check_gpus(place: Place | None, devices: int) -> int:
    """The number of this process's GPU; UsageError where there are too few for the processes of this machine."""
    count = torch.cuda.device_count()
    if place is not None and count == 1:
        return 0  # a scheduler shows each process its own
    here = place.local_world if place else devices
    if here > count:
        raise UsageError(
            f"{here} processes on this machine need a GPU each, and it has {count}", hint=f"use --devices {count}"
        )
    return place.local_rank if place else 0
