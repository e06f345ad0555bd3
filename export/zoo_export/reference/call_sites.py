"""Where in a user's code an operator of PyTorch is called: module, file, line; from one eager run, or a traceback."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.api.task import Signature
from zoo.models.outputs import Array, call

BATCH_NORMS = frozenset({"native_batch_norm", "_native_batch_norm_legit"})
FOREIGN = ("torch", "onnxscript", "zoo_export", "sympy", "importlib", "concurrent", "threading")
"""Packages whose lines are not the user's."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """A line of a model's code."""

    module: str
    """Path and class of the innermost module: "layer1.0 (Block)"."""
    file: str
    """Folder and name: "zoo_ops/model.py"."""
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.module}, {self.file}:{self.line} `{self.code}`"


def training_site(part: nn.Module, path: str) -> CallSite | None:
    """Where the class of a module overrides `train`; None where it does not."""
    return None if type(part).train is nn.Module.train else _method_site(part, path, "train")


def forward_site(module: nn.Module) -> CallSite | None:
    """Where the class of a module says what a call does; None where that is not Python."""
    return _method_site(module, "the model", "forward")


def _method_site(part: nn.Module, path: str, name: str) -> CallSite | None:
    code = getattr(getattr(type(part), name), "__code__", None)
    if code is None:
        return None
    lines = traceback.FrameSummary(code.co_filename, code.co_firstlineno, code.co_name)
    return CallSite(f"{path} ({type(part).__name__})", _short(code.co_filename), code.co_firstlineno, lines.line or "")


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """One operator that a call of a module ran."""

    name: str
    """As in "masked_scatter"."""
    site: CallSite | None
    """None where no line of the user's calls it."""
    outputs: tuple[torch.Tensor, ...]


def operator_calls(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> list[OperatorCall]:
    """Every operator that a call of the module runs, in order."""
    recorder = _Recorder(module)
    with recorder, torch.no_grad():
        call(module, inputs, signature)
    return recorder.calls


def operators(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> dict[str, CallSite]:
    """The operators that a call of the module runs, by name ("masked_scatter"), each with its first line."""
    sites: dict[str, CallSite] = {}
    for ran in operator_calls(module, inputs, signature):
        if ran.site is not None:
            sites.setdefault(ran.name, ran.site)
    return sites


def site_of(error: BaseException, module: nn.Module) -> CallSite | None:
    """The last line of the user's code in the traceback of an error, or of what caused it."""
    sites = (_site(list(traceback.walk_tb(cause.__traceback__)), module) for cause in _causes(error))
    return next((site for site in sites if site is not None), None)


def site_of_node(error: BaseException, module: nn.Module) -> CallSite | None:
    """The line of the captured program's node that the exporter failed at: the innermost `forward`, all it keeps."""
    for cause in _causes(error):
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            node = frame.f_locals.get("node")
            if isinstance(node, torch.fx.Node) and (site := site_in_trace(str(node.meta.get("stack_trace")), module)):
                return site
    return None


def site_of_frame(frame: traceback.FrameSummary, module: nn.Module) -> CallSite | None:
    """A line that torch remembers; None where it is not the user's."""
    return site_in_trace(f'File "{frame.filename}", line {frame.lineno}, in {frame.name}\n  {frame.line}', module)


def site_in_trace(trace: str, module: nn.Module) -> CallSite | None:
    """The last line of the user's code in a traceback as text, as the exporter writes it into its graphs."""
    rows = re.findall(r'File "([^"]+)", line (\d+), in .*\n\s*(.*)', trace)
    users = [row for row in rows if row[0][0] != "<" and not any(f"/{package}/" in row[0] for package in FOREIGN)]
    if not users:
        return None
    file, line, code = users[-1]
    return CallSite(f"the model ({type(module).__name__})", _short(file), int(line), code[:MAX_CODE])


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.paths = _paths(module)
        self.parameters = {parameter.data_ptr() for parameter in module.parameters()}
        self.calls: list[OperatorCall] = []

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        """torch.cond compiles itself, which this mode does not mind."""
        return True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).split(".")[1] if "." in str(func) else str(func)
        if name in BATCH_NORMS and not self._is_over_items(args):
            name = "batch_norm"
        outputs = func(*args, **(kwargs or {}))
        self.record(name, outputs)
        return outputs

    def _is_over_items(self, args: Sequence[Any]) -> bool:
        """Whether a batch norm takes its statistics from a batch: not from running ones, and not of a weight."""
        training = next((value for value in args[3:] if isinstance(value, bool)), True)
        return training and args[0].data_ptr() not in self.parameters

    def record(self, name: str, outputs: object) -> None:
        """An operator that ran just now."""
        tensors = tuple(leaf.detach() for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor))
        self.calls.append(OperatorCall(name, _site_in(_stack(sys._getframe(2)), self.paths), tensors))


@torch.ops.higher_order.cond.py_impl(_Recorder)
def _record_cond(mode: _Recorder, condition: Any, if_true: Any, if_false: Any, operands: Any) -> Any:
    """torch.cond asks every mode how to run it: as Python does."""
    with mode:
        outputs = (if_true if bool(condition) else if_false)(*operands)
    mode.record("cond", outputs)
    return outputs


def _stack(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames of a call, the outermost first."""
    frames = []
    while frame is not None:
        frames.append((frame, frame.f_lineno))
        frame = frame.f_back
    return reversed(frames)


def _causes(error: BaseException | None) -> list[BaseException]:
    """The innermost cause first."""
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes[::-1]


def _paths(module: nn.Module) -> dict[int, str]:
    """The path of every part of a module, by identity."""
    return {id(part): path for path, part in module.named_modules()}


def _site(frames: Iterable[tuple[FrameType, int]], module: nn.Module) -> CallSite | None:
    return _site_in(frames, _paths(module))


def _site_in(frames: Iterable[tuple[FrameType, int]], paths: Mapping[int, str]) -> CallSite | None:
    inside: str = ""
    found: tuple[str, FrameType, int] | None = None
    for frame, line in frames:
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and id(owner) in paths:
            inside = f"{paths[id(owner)] or 'the model'} ({type(owner).__name__})"
        if inside and _is_users(frame):
            found = (inside, frame, line)
    return None if found is None else _called(*found)


def _called(inside: str, frame: FrameType, line: int) -> CallSite:
    return CallSite(inside, _short(frame.f_code.co_filename), line, _code(frame, line))


def _is_users(frame: FrameType) -> bool:
    if frame.f_code.co_filename.startswith("<eval_with_key>"):  # written by torch.compile, as in torch.cond
        return False
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] not in FOREIGN and not name.startswith(("zoo.", "torchvision.ops"))


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


def _code(frame: FrameType, line: int) -> str:
    summary = traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name)
    code = summary.line or ""
    return code if len(code) <= MAX_CODE else f"{code[:MAX_CODE]} …"


MAX_CODE = 120
