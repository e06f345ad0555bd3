"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

GROUP: Final = Path("/sys/fs/cgroup")
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


def _group() -> int | None:
    """What a control group leaves; None without a limit.  Files that it read count as free: they are dropped first."""
    try:
        limit, taken = (int((GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        lines = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
        return limit - taken + int(lines.get("inactive_file", 0))
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
