"""How much memory this process may still take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup")
GROUPS: Final = Path("/proc/self/cgroup")
"""The control groups of this process: a line 0::PATH of version 2, and NUMBER:memory:PATH of version 1."""
STATUS: Final = Path("/proc/self/statm")


def free_memory() -> int:
    """Bytes that are available: of the machine, of the control group, and below the limit of `ulimit -v`."""
    limits = (_machine(), _group(), _address_space())
    return max(0, min(limit for limit in limits if limit is not None))


def _machine() -> int:
    """Of the machine; half of all memory where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The files of a control group, as its version calls them."""

    folder: str
    """Below the root."""
    limit: str
    taken: str
    idle: str
    """The line of memory.stat that counts what was read from files and can be dropped."""


_VERSION_1: Final = _Files(
    folder="memory", limit="memory.limit_in_bytes", taken="memory.usage_in_bytes", idle="total_inactive_file"
)
_VERSION_2: Final = _Files(folder="", limit="memory.max", taken="memory.current", idle="inactive_file")


def _group() -> int | None:
    """What the control groups of this process leave, its own and those above; None without a limit."""
    limits = [
        left
        for files, path in _own_groups()
        for group in (path, *path.parents)
        if (left := _left(ROOT / files.folder / str(group).lstrip("/"), files)) is not None
    ]
    return min(limits, default=None)


def _own_groups() -> Iterator[tuple[_Files, Path]]:
    try:
        lines = GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield _VERSION_2, Path(path)
        elif "memory" in controllers.split(","):
            yield _VERSION_1, Path(path)


def _left(folder: Path, files: _Files) -> int | None:
    """What one group leaves; None without a limit.  Files that it read count as free: they are dropped first."""
    try:
        limit, taken = (int((folder / name).read_text()) for name in (files.limit, files.taken))
        lines = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return limit - taken + int(lines.get(files.idle, 0))
    except (OSError, ValueError):  # "max" is no number
        return None


def _address_space() -> int | None:
    """What a limit on the address space leaves; None without one."""
    try:
        import resource  # noqa: PLC0415  not on every system

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        return limit - int(STATUS.read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None
