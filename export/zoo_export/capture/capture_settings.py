"""How Python, PyTorch and the terminal are set while a module is captured, and put back afterwards."""

from __future__ import annotations

import gc
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


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


class FourAxesAttention(TorchFunctionMode):
    """Inside, queries, keys and values of other than four axes are given to PyTorch's attention with four.

    torch's exporter writes no other attention ("only 4D query, key, and value are supported"), and models that attend
    within blocks of a picture have five axes.  A test fails once it does.  Upstream: microsoft/onnxscript#2558.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        return _attention(*args, **(kwargs or {}))


def _attention(  # noqa: PLR0917  PyTorch's own signature
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> torch.Tensor:
    attend: Any = F.scaled_dot_product_attention
    if query.ndim == 4 or not query.ndim == key.ndim == value.ndim:
        answer: torch.Tensor = attend(query, key, value, attn_mask, dropout_p, is_causal, **options)
        return answer
    if attn_mask is not None and attn_mask.ndim > 2:
        attn_mask = _with_four_axes(attn_mask.expand(*query.shape[:-1], key.shape[-2]))
    four = [_with_four_axes(tensor) for tensor in (query, key, value)]
    answer = attend(*four, attn_mask, dropout_p, is_causal, **options)
    return answer.reshape(*query.shape[:-1], value.shape[-1])


def _with_four_axes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.flatten(0, tensor.ndim - 4) if tensor.ndim > 4 else tensor[(None,) * (4 - tensor.ndim)]


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
