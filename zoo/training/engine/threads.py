"""Chooses the number of CPU threads of a process.

Two threads on a busy machine with two cores took 13 times the CPU time of one (they spin at barriers).  So at most as
many threads are used as there are idle cores, and 1 where more do not make a step faster.  The number is chosen once,
when a run starts, and used again when it is resumed, because the last bit of sums depends on it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LONG_STEP_SECONDS: Final = 0.5
"""A longer step uses all threads without a measurement."""
MEASUREMENTS: Final = 4
"""Each of two steps with one thread and two with all threads; the fastest of each counts."""
MIN_SPEEDUP: Final = 1.15
"""A smaller speed-up is not worth more threads: small recurrent networks took twice the CPU time for no gain."""
IDLE_SECONDS: Final = 0.25
"""The time over which idle cores are measured."""
SLOW_READ_SECONDS: Final = 0.005
"""A batch that takes longer is being decoded."""


def idle_cores() -> int:
    """Cores that this process may use and that are idle now, at least 1."""
    return max(1, min(allowed_cores(), round(_idle())))


def _idle() -> float:
    """Idle cores of the machine, measured over a quarter of a second; from the load average on systems without /proc.

    The load average counts a whole minute, so also programs that have just ended.
    """
    before = _ticks()
    if before is None:
        return (os.cpu_count() or 1) - os.getloadavg()[0]
    time.sleep(IDLE_SECONDS)
    after = _ticks() or before
    idle, total = after[0] - before[0], after[1] - before[1]
    return (os.cpu_count() or 1) * idle / max(total, 1)


def _ticks() -> tuple[int, int] | None:
    """Idle and all clock ticks since the machine started; None on systems without /proc."""
    try:
        first = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        numbers = [int(number) for number in first[1:9]]
    except (OSError, ValueError, IndexError):
        return None
    return numbers[3] + numbers[4], sum(numbers)


def allowed_cores() -> int:
    """Cores of the affinity mask, or fewer where a control group limits them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, int(quota))) if quota else cores


def _quota(file: Path) -> float | None:
    """Cores a control group allows; None without a limit."""
    try:
        allowed, period = file.read_text().split()
        return int(allowed) / int(period)
    except (OSError, ValueError):
        return None


def use_cores(count: int) -> None:
    """Let PyTorch use this many cores, at least one; OMP_NUM_THREADS wins where it is set.

    For work whose result need not be the same to the last bit.
    """
    import torch  # noqa: PLC0415  counting cores needs no torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, count))


@contextmanager
def restored_torch() -> Iterator[None]:
    """At the end PyTorch's thread count and random state are the caller's again, also after an error."""
    import torch  # noqa: PLC0415  counting cores needs none of it

    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)


def share_of_threads(*, processes: int) -> int:
    """An even share of the idle cores for each of `processes` on this machine, at least one."""
    return max(1, idle_cores() // processes)


def choose_threads(
    step: Callable[[], object], *, share: int, tell: Callable[[float], float] = lambda seconds: seconds
) -> int:
    """The number of threads of this process: `share`, or 1 where `step` is hardly faster with `share` threads.

    `step` does the work of one training step, on one thread when it is called first, without changing what is trained.
    It may communicate with the other processes, so all of them must get the same share.  `tell` gives every process
    the seconds that the first one measured.
    """
    if share == 1:
        return 1
    import torch  # noqa: PLC0415  counting cores needs no torch

    one_thread, all_threads = tell(_seconds(step)), float("inf")
    if one_thread > LONG_STEP_SECONDS:
        return share
    for _ in range(MEASUREMENTS):  # in turns, since the speed of a machine varies
        torch.set_num_threads(1)
        one_thread = min(one_thread, tell(_seconds(step)), tell(_seconds(step)))
        torch.set_num_threads(share)
        all_threads = min(all_threads, tell(_seconds(step)), tell(_seconds(step)))
    return share if one_thread > MIN_SPEEDUP * all_threads else 1


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def choose_workers(read: Callable[[], object], *, beside_gpu: bool = False) -> int:
    """The number of threads that read batches ahead: 0 where a batch is a copy from memory, else 2.

    Beside a GPU it is at least 1: the processor has nothing else to do.
    """
    read()
    return int(beside_gpu) if _seconds(read) < SLOW_READ_SECONDS else 2
