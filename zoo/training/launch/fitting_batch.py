"""`--batch-size auto`: the recipe's batches, halved until a training step fits into memory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from zoo.api.recipe import Recipe
from zoo.runs.train_config import Choice, TrainConfig
from zoo.training.launch.memory import is_out_of_memory, memory_error

SMALLEST_SHARE: Final = 16
"""The search begins with a batch of the recipe's divided by this."""
SPARE: Final = 1.25
"""The memory that must be free, as a multiple of what a step is expected to take."""
Step = Callable[[TrainConfig], object]
"""Does one training step of a config, on a copy of its model."""


def fit_batch(config: TrainConfig, step: Step, *, items: int) -> TrainConfig:
    """The config with the largest batch of which a step fits; so many batches are accumulated that a step of the
    optimiser sees as many items as before, or half, a quarter, where an epoch has fewer `items` than that.

    The batches grow from a small one, and each is tried only where twice the memory of the one before is free: where
    the system hands out more than it has, a step that is too large would end the process.
    OutOfMemory where not even the smallest fits.
    """
    recipe, fitting, taken = config.recipe, None, 0
    whole = replace(config, recipe=replace(recipe, batch_size=_within(recipe, items)))
    for share in _shares(whole):
        smaller = _divided(whole, share)
        if fitting is not None and SPARE * 2 * taken > free_memory():
            break
        try:
            taken = _memory_of(partial(step, smaller))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if fitting is None:
                raise memory_error(smaller, "before the first step") from error
            break
        fitting = smaller
    assert fitting is not None, "the first batch was tried"
    return _with_reason(fitting, whole, items=items if whole != config else None)


def _within(recipe: Recipe, items: int) -> int:
    """The recipe's batch, halved until the items of an epoch make one step of so many."""
    batch = recipe.batch_size
    while batch * recipe.accumulate > items and batch >= 4 and batch % 2 == 0:
        batch //= 2
    return batch


def _shares(config: TrainConfig) -> list[int]:
    """What the recipe's batch is divided by, the largest first; each process has at least two items."""
    batch, shares = config.recipe.batch_size, [1]
    while shares[0] < SMALLEST_SHARE and batch % (2 * shares[0] * config.devices) == 0 and batch // shares[0] >= 4:
        shares.insert(0, 2 * shares[0])
    return shares


def _divided(config: TrainConfig, share: int) -> TrainConfig:
    recipe: Recipe = config.recipe
    smaller = replace(recipe, batch_size=recipe.batch_size // share, accumulate=recipe.accumulate * share)
    return replace(config, recipe=smaller)


def _with_reason(fitting: TrainConfig, config: TrainConfig, *, items: int | None) -> TrainConfig:
    batch = fitting.recipe.batch_size
    reason = "a step of the recipe's batch fits into memory"
    if items is not None:
        reason = f"the recipe's would be more than the {items} items of an epoch; a step fits into memory"
    if batch < config.recipe.batch_size:
        reason = f"the largest of which a step fits into memory; {fitting.recipe.accumulate} are accumulated"
    return replace(fitting, choices=(*config.choices, Choice(name="batch_size", value=str(batch), reason=reason)))


def _memory_of(work: Callable[[], object]) -> int:
    """The bytes that some work took at its peak, above what the process had before; 0 where nobody can tell."""
    before = _status("VmRSS")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    except OSError:
        work()
        return 0
    work()
    return max(_status("VmHWM") - before, 0)


def free_memory() -> float:
    """The bytes that this process may still take: of the machine, of its group, of its own limit."""
    limits = [_kilobytes(Path("/proc/meminfo"), "MemAvailable")]
    group = Path("/sys/fs/cgroup")
    maximum, used = _number(group / "memory.max"), _number(group / "memory.current")
    if maximum is not None and used is not None:
        limits.append(maximum - used)
    if (own := _address_space()) is not None:
        limits.append(own - _status("VmSize"))
    known = [limit for limit in limits if limit]
    return min(known) if known else float("inf")


def _address_space() -> int | None:
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def _status(name: str) -> int:
    return _kilobytes(Path(f"/proc/{os.getpid()}/status"), name)


def _kilobytes(file: Path, name: str) -> int:
    """A number of a table of the kernel, in bytes; 0 where there is none."""
    try:
        match = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) * 1024 if match else 0


def _number(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
