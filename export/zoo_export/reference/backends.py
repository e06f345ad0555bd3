"""The arithmetics in which PyTorch itself computes a module: double precision, other kernels, another memory layout.

A module that asks for a precision by name (`x.half()`, autocast) does not become double precision with its
parameters.  It is then run with every such request widened, so that the oracle is of double precision all the same.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch._ops import HigherOrderOperator
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Precision, Reference
from zoo.models.outputs import Array, call
from zoo.training.engine.allocator import give_back
from zoo_export.capture.capture_settings import slow_attention
from zoo_export.reference.kept_outputs import KeptOutputs, kept_outputs
from zoo_export.reference.mapped_state import MappedState
from zoo_export.subject.results import Failed, Outputs

DISAGREE = 1e-3
"""Relative difference above which two backends of PyTorch do not compute the same function."""
DEFAULT, NO_ONEDNN, CHANNELS_LAST = "default", "no-onednn", "channels-last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """A module in every arithmetic that runs here."""

    signature: Signature
    module: nn.Module
    """In single precision, as the user has it."""
    double: nn.Module | None
    """None where double precision does not run; `facts.reason` says why."""
    facts: Reference
    kept: KeptOutputs
    """What the module gave before."""
    double_state: MappedState | None = None
    """The numbers of `double`."""

    def release(self) -> None:
        """Give back what the runs have freed, and the numbers in double precision, which are read again when needed."""
        if self.double_state is not None:
            self.double_state.release()
        give_back()

    def run_double(self, inputs: Mapping[str, Array]) -> Outputs | None:
        """The outputs in double precision; None where it does not run."""
        if (double := self.double) is None:
            return None
        return self.kept.get("double", inputs, lambda: call(double, inputs, self.signature, double=True))

    def run_single(self, backend: str, inputs: Mapping[str, Array]) -> Outputs:
        """The outputs of one of `facts.backends`."""
        return self.kept.get(backend, inputs, lambda: self._run_single(backend, inputs))

    def _run_single(self, backend: str, inputs: Mapping[str, Array]) -> Outputs:
        if backend == NO_ONEDNN:
            with without_onednn():
                return call(self.module, inputs, self.signature)
        if backend == CHANNELS_LAST:
            return call(ChannelsLast(self.module), inputs, self.signature)
        return call(self.module, inputs, self.signature)


class ChannelsLast(nn.Module):
    """A module whose four-dimensional inputs have their channels as the fastest axis in memory.

    Convolutions take their layout from their inputs, so that no copy of the weights is needed.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.module(*in_channels_last(*inputs))


def in_channels_last(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The same tensors, those of four dimensions with their channels as the fastest axis in memory."""
    return tuple(
        tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor for tensor in inputs
    )


def backends_of(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> Backends:
    """The backends that run this module on this example; the module itself is left as it is."""
    precision = own_precision(module, signature, example)
    double = in_double(module, signature, example, precision=precision)
    convolves = any(parameter.ndim == 4 for parameter in module.parameters())
    return Backends(
        signature=signature,
        module=module,
        double=None if isinstance(double, Failed) else double,
        double_state=None if isinstance(double, Failed) else MappedState(double),
        facts=Reference(
            kind="spread" if isinstance(double, Failed) else "fp64",
            backends=(DEFAULT, NO_ONEDNN, CHANNELS_LAST) if convolves else (DEFAULT, NO_ONEDNN),
            reason=double.reason if isinstance(double, Failed) else "",
            precision=precision,
            discrepancies=known_discrepancies(module, signature, example),
        ),
        kept=kept_outputs(module, signature),
    )


HALF: Final[Mapping[torch.dtype, Precision]] = {torch.float16: "float16", torch.bfloat16: "bfloat16"}
NARROW: Final = frozenset({torch.float32, *HALF})


def own_precision(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> Precision:
    """The least precise floats that the module itself computes with."""
    recorder = _Dtypes()
    with recorder:
        call(module, example, signature)
    return next((name for dtype, name in reversed(tuple(HALF.items())) if dtype in recorder.dtypes), "float32")


class OperatorMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A mode that meets every operator, also inside the branch that `torch.cond` takes.

    It does not load torch's compiler, which takes two CPU seconds; torch.cond alone compiles something here.
    """

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        """torch.cond compiles itself, which this mode does not mind."""
        return True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if isinstance(func, HigherOrderOperator) and str(func) == "cond":  # torch.ops would load the compiler
            condition, if_true, if_false, operands = args
            with self:
                return (if_true if bool(condition) else if_false)(*operands)
        return self.computed(func, args, kwargs or {})

    def computed(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What an operator gives."""
        raise NotImplementedError


class _Dtypes(OperatorMode):  # type: ignore[no-untyped-call]
    """Remembers the dtypes of everything that is computed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtypes: set[torch.dtype] = set()

    def computed(self, func: Any, args: Any, kwargs: Any) -> Any:
        outputs = func(*args, **kwargs)
        self.dtypes.update(leaf.dtype for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor))
        return outputs


class _WideRequests(OperatorMode):  # type: ignore[no-untyped-call]
    """Every request for floats of less than double precision is one for double precision."""

    def computed(self, func: Any, args: Any, kwargs: Any) -> Any:
        return func(*pytree.tree_map(_wide, args), **pytree.tree_map(_wide, kwargs))


def _wide(value: object) -> object:
    return torch.float64 if isinstance(value, torch.dtype) and value in NARROW else value


class Widened(nn.Module):
    """A module in double precision, with everything in it that asks for less."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> object:
        with _WideRequests():  # type: ignore[no-untyped-call]
            return self.module(*inputs)


def in_double(
    module: nn.Module, signature: Signature, example: Mapping[str, Array], *, precision: Precision
) -> nn.Module | Failed:
    """A copy in double precision, or why there is none; `precision` is what the module itself computes with."""
    plain = copy.deepcopy(module).double()
    reasons = []
    for double in (plain, Widened(plain)) if precision == "float32" else (Widened(plain),):
        try:
            outputs = call(double, example, signature, double=True)
        except Exception as error:  # a dispatch mode meets what plain PyTorch does not
            reasons.append(f"the model does not run in double precision: {error}".splitlines()[0])
            continue
        narrow = [n for n, v in outputs.items() if np.issubdtype(v.dtype, np.floating) and v.dtype != np.float64]
        if not narrow:
            return double
        reasons.append(f"the model gives {', '.join(narrow)} in single precision even when run in double")
    return Failed(reasons[0])


def known_discrepancies(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[str, ...]:
    """A sentence per known discrepancy between paths of eager PyTorch that shows in this module."""
    if not any(isinstance(part, (nn.MultiheadAttention, nn.TransformerEncoderLayer)) for part in module.modules()):
        return ()
    with slow_attention():
        slow = call(module, example, signature)
    fast = call(module, example, signature)
    different = [
        name
        for name, value in slow.items()
        if np.issubdtype(value.dtype, np.floating)
        and not np.allclose(value, fast[name], rtol=0, atol=DISAGREE * float(np.abs(value).max() or 1.0))
    ]
    if not different:
        return ()
    return (
        f"PyTorch's attention fast path, which eval mode takes, and its plain path, which the file follows, give "
        f"different {', '.join(different)}: build the encoder with enable_nested_tensor=False",
    )


@contextlib.contextmanager
def without_onednn() -> Iterator[None]:
    """PyTorch's own kernels instead of oneDNN's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield
