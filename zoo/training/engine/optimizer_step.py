"""Optimisers without PyTorch's compiler.

torch.optim imports torch._dynamo to keep it out of its methods, even where nothing is compiled; that takes two seconds.
As long as nobody has imported it, nothing can be compiled, and the methods are called as they are.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, Final

import torch
from torch.optim import SGD, Adam, AdamW, Optimizer, optimizer

COMPILER: Final = "torch._dynamo"
GUARDED: Final = ("state_dict", "load_state_dict", "zero_grad", "add_param_group")
"""Methods of all optimisers that import the compiler when they are called first."""
REMEMBERED: Final = "__dynamo_disable"
"""The attribute in which PyTorch remembers how it calls such a method; where it no longer looks there, this file
changes nothing but the time."""


def without_compiler() -> None:
    """Let optimisers be made, saved and loaded without the compiler, until somebody imports it."""
    for name in GUARDED:
        guarded = getattr(Optimizer, name)
        method = inspect.unwrap(guarded)
        if method is not guarded and not hasattr(method, REMEMBERED):
            setattr(method, REMEMBERED, _until_imported(method, guarded))


def _until_imported(method: Callable[..., Any], guarded: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if COMPILER not in sys.modules:
            return method(*args, **kwargs)
        delattr(method, REMEMBERED)  # from now on as PyTorch does it
        return guarded(*args, **kwargs)

    return call


def step_of(subject: Optimizer) -> Callable[[], object]:
    """What steps an optimiser: its `step`, without the compiler where nobody has imported it."""
    if type(subject) not in (SGD, Adam, AdamW):
        return subject.step
    plain = inspect.unwrap(type(subject).step)

    def step() -> None:
        if COMPILER in sys.modules or _listened_to(subject):
            subject.step()
        else:
            with torch.no_grad():
                plain(subject)

    return step


def _listened_to(subject: Optimizer) -> bool:
    """Whether `step` does more than its class says: hooks, or a function of its own."""
    hooks = (
        subject._optimizer_step_pre_hooks,
        subject._optimizer_step_post_hooks,
        optimizer._global_optimizer_pre_hooks,
        optimizer._global_optimizer_post_hooks,
    )
    return any(hooks) or "step" in vars(subject) or bool(subject.defaults.get("differentiable"))
