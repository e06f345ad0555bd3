"""Which of several processes this one is, as its launcher says: torchrun, srun, or `--devices`.  Without torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zoo.api.errors import UsageError

if TYPE_CHECKING:
    from zoo.runs.train_config import TrainConfig

INTERACTIVE: Final = ("bash", "interactive")
"""Names of SLURM jobs in which nobody has started the tasks that the job may have."""
FIRST_PORT: Final = 15_000
"""Of a SLURM job; the last four digits of its number are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One process among those of a training."""

    rank: int
    world: int
    local_rank: int
    """Among the processes of this machine."""
    local_world: int
    """Processes of this machine."""
    address: str
    """Of the machine of the first process."""
    port: int
    launcher: str
    """What started the process, as in "torchrun"."""


def launched(environment: Mapping[str, str] | None = None) -> Place | None:
    """This process's place among those that a launcher has started; None without a launcher.

    A SLURM job of one task is none: there `--devices` starts the processes, one for each of its GPUs.
    """
    variables = os.environ if environment is None else environment
    if "WORLD_SIZE" in variables and "RANK" in variables:
        return _by_torchrun(variables)
    if int(variables.get("SLURM_NTASKS", "1")) > 1 and variables.get("SLURM_JOB_NAME") not in INTERACTIVE:
        return _by_slurm(variables)
    return None


def processes(config: TrainConfig, *, asked: int | None) -> int:
    """How many processes train: as many as a launcher has started, else `asked`, else those of the config.

    UsageError where `asked` contradicts the launcher, or where the batch cannot be shared evenly.
    """
    place, batch = launched(), config.recipe.batch_size
    if place is not None and asked not in (None, place.world):
        raise UsageError(
            f"--devices {asked} is said to one of {place.world} processes that {place.launcher} has started",
            hint=f"leave out --devices: {place.launcher} says how many there are",
        )
    count = place.world if place else asked or config.devices
    if batch % count:
        down, up = batch // count * count, -(-batch // count) * count
        raise UsageError(
            f"a batch of {batch} cannot be shared evenly by {count} processes",
            hint=f"--batch-size is over all of them: try --batch-size {down or up}" + (f" or {up}" if down else ""),
        )
    return count


def leads() -> bool:
    """True in the process that prints and writes: the first of several, or the only one."""
    place = launched()
    return place is None or place.rank == 0


def _by_torchrun(variables: Mapping[str, str]) -> Place:
    """The variables of torchrun; Kubeflow sets those without LOCAL_, for one process in each container."""
    rank, world = int(variables["RANK"]), int(variables["WORLD_SIZE"])
    local_rank = int(variables.get("LOCAL_RANK", "0"))
    return Place(
        rank=rank,
        world=world,
        local_rank=local_rank,
        local_world=int(variables.get("LOCAL_WORLD_SIZE", str(local_rank + 1))),
        address=variables.get("MASTER_ADDR", "127.0.0.1"),
        port=int(variables.get("MASTER_PORT", "29500")),
        launcher="--devices" if "ZOO_FIRST_PROCESS" in variables else "torchrun",
    )


def _by_slurm(variables: Mapping[str, str]) -> Place:
    world = int(variables["SLURM_NTASKS"])
    lists = (variables.get(name) for name in ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"))
    nodes = next((nodes for nodes in lists if nodes), "127.0.0.1")
    job = re.sub(r"\D", "", variables.get("SLURM_JOB_ID", ""))[-4:]
    return Place(
        rank=int(variables.get("SLURM_PROCID", "0")),
        world=world,
        local_rank=int(variables.get("SLURM_LOCALID", "0")),
        local_world=_tasks_here(variables, world),
        address=variables.get("MASTER_ADDR", first_host(nodes)),
        port=int(variables.get("MASTER_PORT", FIRST_PORT + int(job or 0))),
        launcher="srun",
    )


def _tasks_here(variables: Mapping[str, str], world: int) -> int:
    """Tasks on this node: SLURM_STEP_TASKS_PER_NODE is a list as in "4(x2),3"."""
    for name in ("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"):
        counts = [
            int(count)
            for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", variables.get(name, ""))
            for _ in range(int(times or 1))
        ]
        node = int(variables.get("SLURM_NODEID", "0"))
        if node < len(counts):
            return counts[node]
    nodes = int(variables.get("SLURM_NNODES", variables.get("SLURM_JOB_NUM_NODES", "1")))
    return int(variables.get("SLURM_NTASKS_PER_NODE", max(1, world // nodes)))


def first_host(nodes: str) -> str:
    """The first host of a SLURM list: "gpu04" of "gpu[04-07,9],cpu1"."""
    first = re.split(r",(?![^\[]*\])", nodes)[0]
    return re.sub(r"\[(\d+)[^\]]*\]", r"\1", first)
