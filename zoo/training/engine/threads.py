"""How many CPU threads a process may use without being in anybody's way.

Two threads on a busy machine of two cores took 13 times the CPU of one (they spin at barriers), so the count is what
is idle, and 1 where sharing a step does not make it faster.  It is chosen once, when a run starts, and reused when it
resumes, because sums depend on it in the last bit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LONG_STEP: Final = 0.5
"""Seconds; a longer one is shared without being tried out."""
ROUNDS: Final = 4
"""Of two steps with one thread and two with all of them; the fastest of each counts."""
WORTH: Final = 1.15
"""Times faster must a step be to be shared: small recurrent networks took twice the CPU for no gain at all."""
WATCHED: Final = 0.25
"""Seconds."""
SLOW_READ: Final = 0.005
"""Seconds; a batch that takes longer is being decoded."""


def idle_cores() -> int:
    """Cores that this process may use and that nobody keeps busy at the moment, at least 1."""
    return max(1, min(allowed_cores(), round(_idle())))


def _idle() -> float:
    """Idle cores of the machine, watched for a quarter of a second; from the load average where that is all there is.

    The load average of a minute would count what has just ended, an installation for example.
    """
    before = _ticks()
    if before is None:
        return (os.cpu_count() or 1) - os.getloadavg()[0]
    time.sleep(WATCHED)
    after = _ticks() or before
    idle, total = after[0] - before[0], after[1] - before[1]
    return (os.cpu_count() or 1) * idle / max(total, 1)


def _ticks() -> tuple[int, int] | None:
    """Idle and all time slices since the machine started; None on systems that do not say."""
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
    """Let PyTorch use so many cores, at least one; OMP_NUM_THREADS wins where it is set.

    For work whose last bits nobody compares.
    """
    import torch  # noqa: PLC0415  counting cores needs none of it

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
    """Threads for this process: its share of the cores, or 1 where `step` is hardly faster with all of them.

    `step` does the work of one training step, at first on one thread, without changing what is trained.  It may ask
    the other processes, so all of them must be given the same share, and `tell`, which gives everybody the seconds
    that the first one measured.
    """
    if share == 1:
        return 1
    import torch  # noqa: PLC0415  counting cores needs none of it

    alone, together = tell(_seconds(step)), float("inf")
    if alone > LONG_STEP:
        return share
    for _ in range(ROUNDS):  # in turns, for a machine is not equally fast all the time
        torch.set_num_threads(1)
        alone = min(alone, tell(_seconds(step)), tell(_seconds(step)))
        torch.set_num_threads(share)
        together = min(together, tell(_seconds(step)), tell(_seconds(step)))
    return share if alone > WORTH * together else 1


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def choose_workers(read: Callable[[], object]) -> int:
    """Threads that read batches ahead: none where reading one is a copy from memory, else two."""
    read()
    return 0 if _seconds(read) < SLOW_READ else 2
