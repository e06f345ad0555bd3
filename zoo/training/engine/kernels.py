"""Which kernels compute a training: those of a GPU, and those that PyTorch's compiler makes where it is asked to.

Nothing of this is measured on a GPU: none was at hand.  On CPUs compiling never paid for trainings of minutes (4 to 8
seconds of warm-up, no faster step), so it is never a default.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from zoo.api.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

COMPILERS: Final = ("g++", "c++", "clang++")
"""What PyTorch's compiler needs: it writes C++."""


@contextmanager
def gpu_kernels(device: str, precision: str) -> Iterator[None]:
    """Inside, cuDNN tries its convolutions and keeps the fastest, and TF32 is used unless the precision is 32.

    32 is single precision everywhere, also in convolutions, where PyTorch's own default is TF32.  With bf16 and 16,
    what autocast leaves in single precision takes TF32.  Afterwards everything is as it was; on other devices nothing
    changes.
    """
    if device != "cuda":
        yield
        return
    from torch.backends import cuda, cudnn  # noqa: PLC0415  checking options needs no torch

    before = cudnn.benchmark, cudnn.allow_tf32, cuda.matmul.allow_tf32
    mixed = precision != "32"
    cudnn.benchmark, cudnn.allow_tf32, cuda.matmul.allow_tf32 = True, mixed, mixed
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32, cuda.matmul.allow_tf32 = before


def check_compiler() -> None:
    """UsageError where `--compile` has no C++ compiler to work with."""
    own = os.environ.get("CXX")
    if not any(map(shutil.which, (own,) if own else COMPILERS)):
        raise UsageError(
            f"--compile needs a C++ compiler, and {own or 'g++'} is not on the path",
            hint="install one (Debian: apt install g++), or leave --compile out",
        )


def compile_modules(modules: Iterable[nn.Module]) -> None:
    """Let PyTorch compile every module at its first step; names and values of its parameters stay."""
    for module in modules:
        module.compile()
