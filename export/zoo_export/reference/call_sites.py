"""Where in a user's code an operator of PyTorch is called: module, file, line; from one eager run, or a traceback."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.api.task import Signature
from zoo.models.outputs import Array, call

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
    method = type(part).train
    if method is nn.Module.train:
        return None
    code = method.__code__
    lines = traceback.FrameSummary(code.co_filename, code.co_firstlineno, code.co_name)
    return CallSite(f"{path} ({type(part).__name__})", _short(code.co_filename), code.co_firstlineno, lines.line or "")


def operators(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> dict[str, CallSite]:
    """The operators that a call of the module runs, by name ("masked_scatter"), each with its first line."""
    recorder = _Recorder(module)
    with recorder, torch.no_grad():
        call(module, inputs, signature)
    return recorder.sites


def site_of(error: BaseException, module: nn.Module) -> CallSite | None:
    """The last line of the user's code in the traceback of an error, or of what caused it."""
    for cause in _causes(error):
        frames = [frame for frame, _ in traceback.walk_tb(cause.__traceback__)]
        lines = [line for _, line in traceback.walk_tb(cause.__traceback__)]
        site = _site(list(zip(frames, lines, strict=True)), module)
        if site is not None:
            return site
    return None


def site_in_trace(trace: str, module: nn.Module) -> CallSite | None:
    """The last line of the user's code in a traceback as text, as the exporter writes it into its graphs."""
    rows = re.findall(r'File "([^"]+)", line (\d+), in .*\n\s*(.*)', trace)
    users = [row for row in rows if not any(f"/{package}/" in row[0] for package in FOREIGN)]
    if not users:
        return None
    file, line, code = users[-1]
    return CallSite(f"the model ({type(module).__name__})", _short(file), int(line), code[:MAX_CODE])


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.module = module
        self.sites: dict[str, CallSite] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).split(".")[1] if "." in str(func) else str(func)
        if name not in self.sites:
            site = _site(list(_stack(sys._getframe(1))), self.module)
            if site is not None:
                self.sites[name] = site
        return func(*args, **(kwargs or {}))


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


def _site(frames: Iterable[tuple[FrameType, int]], module: nn.Module) -> CallSite | None:
    paths = {id(part): path for path, part in module.named_modules()}
    inside, found = "", None
    for frame, line in frames:
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and id(owner) in paths:
            inside = f"{paths[id(owner)] or 'the model'} ({type(owner).__name__})"
        if inside and _is_users(frame):
            found = CallSite(inside, _short(frame.f_code.co_filename), line, _code(frame, line))
    return found


def _is_users(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] not in FOREIGN and not name.startswith(("zoo.", "torchvision.ops"))


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


def _code(frame: FrameType, line: int) -> str:
    summary = traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name)
    code = summary.line or ""
    return code if len(code) <= MAX_CODE else f"{code[:MAX_CODE]} …"


MAX_CODE = 120
