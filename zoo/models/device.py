"""The device that a model computes on.  [torch]"""

from __future__ import annotations

import torch

from zoo.api.errors import UsageError


def choose_device(device: str) -> str:
    """The name of the device for `--device`: cpu, cuda or mps.

    "auto" takes the first available of cuda, mps and cpu.  UsageError for a device that this machine does not have.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available.get(device, False):
        usable = ", ".join(name for name, present in available.items() if present)
        raise UsageError(f"--device {device} is not available here", hint=f"usable: {usable}, auto")
    return device
