"""Lets the C library keep the memory of large tensors between steps, where it would return it to the system.

A step frees its activations and asks for as many again.  glibc maps blocks of more than 32 MB anew each time and gives
the end of its heap back, so that the system clears the same pages again and again: 20 to 60 % of the time of a step.
Where little memory is free, of the machine or of a control group, the opposite is done: each large block is mapped by
itself and returned as soon as it is free.  Between blocks that are in use hundreds of megabytes would stay otherwise.
ZOO_KEEP_MEMORY=0 leaves the C library as it is, and so do its own settings (GLIBC_TUNABLES, MALLOC_TRIM_THRESHOLD_).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from zoo.data.memory import free_memory

SWITCH: Final = "ZOO_KEEP_MEMORY"
TRIM_THRESHOLD: Final = -1
"""M_TRIM_THRESHOLD of malloc.h: free bytes at the end of the heap that are returned to the system."""
MMAP_THRESHOLD: Final = -3
"""M_MMAP_THRESHOLD of malloc.h: bytes from which on a block is mapped by itself."""
KEEP: Final = {TRIM_THRESHOLD: (1 << 31) - 1, MMAP_THRESHOLD: 1 << 30}
RETURN: Final = {TRIM_THRESHOLD: 1 << 20, MMAP_THRESHOLD: 1 << 20}
LEAST_FREE: Final = 2 * 10**9
"""Free bytes below which blocks are returned instead."""
RESTORED: Final = {TRIM_THRESHOLD: 64 << 20, MMAP_THRESHOLD: 32 << 20}
"""The values that glibc itself arrives at in a program that frees large blocks."""


@contextmanager
def kept_memory() -> Iterator[bool]:
    """Inside, freed blocks are kept for the next step, where memory is plentiful; afterwards they are given back.

    True where they are kept.
    """
    library = _glibc() if _wanted() else None
    if library is None:
        yield False
        return
    try:
        plentiful = free_memory() >= LEAST_FREE
        accepted = [library.mallopt(option, value) for option, value in (KEEP if plentiful else RETURN).items()]
        yield plentiful and all(accepted)
    finally:
        for option, value in RESTORED.items():
            library.mallopt(option, value)
        library.malloc_trim(0)


def give_back() -> None:
    """Give freed blocks back to the system, where the C library is glibc."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _wanted() -> bool:
    own = any(name in os.environ for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"))
    return os.environ.get(SWITCH, "1") != "0" and not own and "glibc.malloc" not in os.environ.get("GLIBC_TUNABLES", "")


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc."""
    try:
        if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return None
    except (AttributeError, ValueError, OSError):  # other systems and other C libraries know no such name
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
