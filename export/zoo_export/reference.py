"""The oracle: the user's own eager model in double precision, and its own single-precision noise.

Every input is run once per arithmetic; whatever is compared with it later shares these runs.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from zoo.judge.evidence import Magnitude, Reference
from zoo.task import Signature
from zoo_export.attention import attention_traps
from zoo_export.ports import Array, call
from zoo_export.stacking import batches, group_size, join, split
from zoo_export.state import Walk

Outputs = Mapping[str, Array]
Run = Callable[[nn.Module, Mapping[str, Array]], Outputs]

TOGETHER = 1 << 16
"""Numbers that go through as one batch: PyTorch's own convolutions take large pictures faster one by one."""


@dataclass(frozen=True, slots=True)
class Runs:
    """One input's answers in every arithmetic; `error` says why there are none."""

    double: Outputs | None
    """None where double precision cannot run."""
    single: Mapping[str, Outputs]
    """By backend; "default" is always there."""
    error: str = ""
    moved_from: Outputs | None = None
    """What double precision says to the inputs that the single runs had, where it is not `double`."""

    def unmoved(self) -> Runs:
        """All runs on the same inputs."""
        return self if self.moved_from is None else replace(self, double=self.moved_from, moved_from=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is right for one input, and how far PyTorch itself is off."""

    reference: Outputs
    """float64 where the output is a float."""
    single: Outputs
    """Plain eager fp32."""
    noise: Mapping[str, Magnitude]
    """Per float output: the smallest error over the backends."""
    typical: Mapping[str, Magnitude] = field(default_factory=dict)
    """The same, of the middle backend."""
    moved: Mapping[str, Magnitude] = field(default_factory=dict)
    """Per float output: how far double precision moved with the inputs (see `Oracle.at`)."""


class Oracle:
    """The eager model in every arithmetic that runs here."""

    def __init__(self, module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> None:
        self.signature = signature
        self._module = module
        self._double, reason = _in_double(module, signature, example)
        convolves = any(parameter.ndim == 4 for parameter in module.parameters())
        self._backends = ("default", "no-onednn", "channels-last") if convolves else ("default", "no-onednn")
        self._last = copy.deepcopy(module).to(memory_format=torch.channels_last) if convolves else None
        self.facts = Reference(
            kind="spread" if reason else "fp64",
            backends=self._backends,
            reason=reason,
            traps=attention_traps(module, signature, example),
        )

    def runs(self, inputs: Sequence[Mapping[str, Array]]) -> list[Runs]:
        """Every arithmetic on every input; inputs of equal shapes go through together."""
        found: dict[int, Runs] = {}
        for places in batches(inputs, self.signature, largest=_largest_batch(inputs)):
            group = [inputs[place] for place in places]
            try:
                found.update(zip(places, self._together(group), strict=True))
            except Exception as error:
                if len(group) > 1:
                    found.update((place, self._alone(inputs[place])) for place in places)
                else:
                    found[places[0]] = Runs(None, {}, error=f"{type(error).__name__}: {error}".splitlines()[0])
        return [found[place] for place in range(len(inputs))]

    def at(self, runs: Runs, inputs: Mapping[str, Array]) -> Runs:
        """The same runs with double precision moved to inputs that are as right; the noise stays what it is."""
        if self._double is None or runs.error:
            return runs
        return Runs(call(self._double, inputs, self.signature, double=True), runs.single, moved_from=runs.double)

    def walk(self, walk: Walk) -> Runs:
        """Every arithmetic through all steps, each fed its own state; for a split the whole sequence at once."""
        if walk.kind == "split":
            return self._alone(walk.case.inputs)
        try:
            double = None
            if self._double is not None:
                wide = self._double
                double = walk.follow(lambda feeds: call(wide, feeds, self.signature, double=True))
            single = {name: walk.follow(partial(self._single, name)) for name in self._backends}
        except Exception as error:
            return Runs(None, {}, error=f"{type(error).__name__}: {error}".splitlines()[0])
        return Runs(double, single)

    def _alone(self, inputs: Mapping[str, Array]) -> Runs:
        return self.runs([inputs])[0]

    def _together(self, group: Sequence[Mapping[str, Array]]) -> list[Runs]:
        joined = join(group, self.signature.inputs)
        sizes = [group_size(one, self.signature) for one in group]

        def apart(outputs: Outputs) -> list[dict[str, Array]]:
            return split(outputs, self.signature, sizes)

        double = None if self._double is None else call(self._double, joined, self.signature, double=True)
        single = {name: apart(self._single(name, joined)) for name in self._backends}
        doubles = [None] * len(group) if double is None else apart(double)
        return [Runs(one, {name: rows[place] for name, rows in single.items()}) for place, one in enumerate(doubles)]

    def _single(self, backend: str, inputs: Mapping[str, Array]) -> Outputs:
        if backend == "no-onednn":
            with without_onednn():
                return call(self._module, inputs, self.signature)
        if backend == "channels-last":
            assert self._last is not None
            return call(_ChannelsLast(self._last), inputs, self.signature)
        return call(self._module, inputs, self.signature)


def _largest_batch(inputs: Sequence[Mapping[str, Array]]) -> int:
    """How many inputs go through together: eight, or fewer when they are large."""
    size = max((sum(value.size for value in one.values()) for one in inputs), default=1)
    return min(8, max(1, TOGETHER // max(1, size)))


class _ChannelsLast(nn.Module):
    """A module fed with pictures whose channels are the fastest axis in memory."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> object:
        moved = (one.contiguous(memory_format=torch.channels_last) if one.ndim == 4 else one for one in inputs)
        return self.module(*moved)


def settle(runs: Runs) -> Answer:
    """What is right and how noisy: against double precision, or around the mean of the backends without it."""
    reference: dict[str, Array] = {}
    noise: dict[str, Magnitude] = {}
    typical: dict[str, Magnitude] = {}
    moved: dict[str, Magnitude] = {}
    for name, default in runs.single["default"].items():
        outputs = [run[name] for run in runs.single.values()]
        if not np.issubdtype(default.dtype, np.floating):
            reference[name] = default if runs.double is None else runs.double[name].astype(default.dtype)
            continue
        if runs.double is not None:
            reference[name] = runs.double[name].astype(np.float64)
            around = reference[name] if runs.moved_from is None else runs.moved_from[name]
            if runs.moved_from is not None:
                moved[name] = distance(reference[name], around)
            errors = [distance(one, around) for one in outputs]
            noise[name] = Magnitude(rms=_least(error.rms for error in errors), max=_least(e.max for e in errors))
            typical[name] = Magnitude(rms=_middle(error.rms for error in errors), max=_middle(e.max for e in errors))
        else:
            wide = [one.astype(np.float64) for one in outputs]
            alike = all(one.shape == wide[0].shape for one in wide)
            reference[name] = np.mean(wide, axis=0) if alike else wide[0]
            errors = [distance(one, reference[name]) for one in wide]
            noise[name] = Magnitude(rms=_most(error.rms for error in errors), max=_most(e.max for e in errors))
    return Answer(reference, runs.single["default"], noise, typical, moved)


def _least(values: Iterator[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _middle(values: Iterator[float | None]) -> float | None:
    """The middle one, of an even number the larger."""
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def _most(values: Iterator[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def distance(one: Array, other: Array) -> Magnitude:
    """How far two answers are apart; unknown where their lengths, which depend on the data, differ."""
    return magnitude(one - other) if one.shape == other.shape else Magnitude(rms=None, max=None)


def magnitude(values: Array) -> Magnitude:
    """rms and largest absolute value, in double precision; zero for nothing at all."""
    if values.size == 0:
        return Magnitude(rms=0.0, max=0.0)
    wide = np.abs(values.astype(np.float64, copy=False))
    with np.errstate(over="ignore", invalid="ignore"):
        return Magnitude.of(float(np.sqrt(np.mean(np.square(wide)))), float(wide.max()))


def _in_double(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[nn.Module | None, str]:
    """A double-precision copy and "", or None and why there is none."""
    double = copy.deepcopy(module).double()
    try:
        outputs = call(double, example, signature, double=True)
    except (RuntimeError, TypeError) as error:
        return None, f"the model does not run in double precision: {error}".splitlines()[0]
    narrow = [n for n, v in outputs.items() if np.issubdtype(v.dtype, np.floating) and v.dtype != np.float64]
    if narrow:
        return None, f"the model gives {', '.join(narrow)} in single precision even when run in double"
    return double, ""


@contextlib.contextmanager
def without_onednn() -> Iterator[None]:
    """PyTorch's own kernels instead of oneDNN's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield
