"""How Python, PyTorch and the terminal are set while a module is captured, and put back afterwards."""

from __future__ import annotations

import gc
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch


@contextmanager
def silenced() -> Iterator[None]:
    """Swallow what is printed, warned and logged below errors; exceptions pass through."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def slow_attention() -> Iterator[None]:
    """PyTorch's plain attention: the fused fast path of eval mode is not what the exporter captures."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection: a capture makes millions of objects that it needs until its end, and few cycles."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
