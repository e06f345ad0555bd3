"""The oracle: the user's own eager model in double precision, and its own single-precision noise.

Every input is run once per arithmetic; whatever is compared with it later shares these runs.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Magnitude, Reference
from zoo_export.reference.backends import ChannelsLast, in_double, traps, without_onednn
from zoo_export.reference.proposals import Rows, Selecting, grounds, possible_rows, slack
from zoo_export.subject.batching import batches, group_size, join, split
from zoo_export.subject.module_io import Array, call
from zoo_export.subject.rollout import Walk

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
    off: tuple[float, ...] = ()
    """Of a graph that chooses rows: how far off what it chooses by may be."""
    rows: Rows | None = None
    """All that `double` could have chosen then."""
    rows_before: Rows | None = None
    """The same of `moved_from`."""
    others: tuple[Outputs, ...] = ()
    """Of an answer that follows from chosen rows: what it is where they are chosen otherwise."""

    def unmoved(self) -> Runs:
        """All runs on the same inputs."""
        if self.moved_from is None:
            return self
        return replace(self, double=self.moved_from, moved_from=None, rows=self.rows_before, rows_before=None)


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
    rows: Rows | None = None
    """As of `Runs`: its outputs are compared row by row."""
    others: tuple[Outputs, ...] = ()
    """As of `Runs`: where they are other answers, so may the file's be."""


class Undecided(Exception):
    """PyTorch's own answer could be any of too many."""


class Oracle:
    """The eager model in every arithmetic that runs here."""

    def __init__(self, module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> None:
        self.signature = signature
        self._module = module
        self._double, reason = in_double(module, signature, example)
        convolves = any(parameter.ndim == 4 for parameter in module.parameters())
        self._backends = ("default", "no-onednn", "channels-last") if convolves else ("default", "no-onednn")
        self._last = copy.deepcopy(module).to(memory_format=torch.channels_last) if convolves else None
        self._ahead: dict[tuple[int, ...], Outputs] = {}
        self.facts = Reference(
            kind="spread" if reason else "fp64",
            backends=self._backends,
            reason=reason,
            discrepancies=traps(module, signature, example),
        )

    def ahead(self, inputs: Sequence[Mapping[str, Array]]) -> None:
        """Double precision alone, now: `runs` of these very inputs will take it from here.

        It is the slowest, and fastest while nothing else uses the cores.
        """
        for places in batches(inputs, self.signature, largest=_largest_batch(inputs)):
            group = [inputs[place] for place in places]
            with contextlib.suppress(Exception):  # `runs` will say it
                self._ahead[_identity(group)] = self._in_double(join(group, self.signature.inputs))

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
        double = call(self._double, inputs, self.signature, double=True)
        if not runs.off:
            return replace(runs, double=double, moved_from=runs.double)
        try:
            rows = self._rows(inputs, runs.off)
        except Undecided as error:
            return Runs(None, {}, error=str(error))
        return replace(runs, double=double, moved_from=runs.double, rows=rows, rows_before=runs.rows)

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

        double = self._ahead.pop(_identity(group), None) or self._in_double(joined)
        single = {name: apart(self._single(name, joined)) for name in self._backends}
        doubles = apart(double) if double else [None] * len(group)
        found = [Runs(one, {name: rows[place] for name, rows in single.items()}) for place, one in enumerate(doubles)]
        return [self._choosing(one, inputs) for one, inputs in zip(found, group, strict=True)]

    def _in_double(self, joined: Mapping[str, Array]) -> Outputs:
        """Empty where double precision does not run."""
        return {} if self._double is None else call(self._double, joined, self.signature, double=True)

    def _choosing(self, runs: Runs, inputs: Mapping[str, Array]) -> Runs:
        """With everything that could be chosen, where rows are."""
        off = self._off(inputs)
        return replace(runs, off=off, rows=self._rows(inputs, off)) if off else runs

    def _off(self, inputs: Mapping[str, Array]) -> tuple[float, ...]:
        """How far off the grounds of a choice may be; empty where nothing is chosen."""
        if not isinstance(self._module, Selecting) or not isinstance(self._double, Selecting):
            return ()
        single = [grounds(self._module, inputs, self.signature)]
        with without_onednn():
            single.append(grounds(self._module, inputs, self.signature))
        if isinstance(self._last, Selecting):
            single.append(grounds(self._last, inputs, self.signature))
        return slack(grounds(self._double, inputs, self.signature, double=True), single)

    def _rows(self, inputs: Mapping[str, Array], off: Sequence[float]) -> Rows:
        assert self._double is not None
        rows = possible_rows(self._double, inputs, self.signature, off=off)
        if rows is None:
            raise Undecided("more parts are as good as each other than could be looked into")
        return rows

    def _single(self, backend: str, inputs: Mapping[str, Array]) -> Outputs:
        if backend == "no-onednn":
            with without_onednn():
                return call(self._module, inputs, self.signature)
        if backend == "channels-last":
            assert self._last is not None
            return call(ChannelsLast(self._last), inputs, self.signature)
        return call(self._module, inputs, self.signature)


def _identity(group: Sequence[Mapping[str, Array]]) -> tuple[int, ...]:
    return tuple(map(id, group))


def _largest_batch(inputs: Sequence[Mapping[str, Array]]) -> int:
    """How many inputs go through together: eight, or fewer when they are large."""
    size = max((sum(value.size for value in one.values()) for one in inputs), default=1)
    return min(8, max(1, TOGETHER // max(1, size)))


def settle(runs: Runs) -> Answer:
    """What is right and how noisy: against double precision, or around the mean of the backends without it."""
    reference: dict[str, Array] = {}
    noise: dict[str, Magnitude] = {}
    typical: dict[str, Magnitude] = {}
    moved: dict[str, Magnitude] = {}
    for name, default in runs.single["default"].items():
        if runs.rows is not None and runs.double is not None and name != runs.rows.keys:
            rows = [distance(*runs.rows.paired(name, run)) for run in runs.single.values()]
            noise[name], typical[name] = _least_of(rows), _middle_of(rows)
            reference[name] = runs.double[name].astype(np.float64)
            continue
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
            noise[name], typical[name] = _least_of(errors), _middle_of(errors)
        else:
            wide = [one.astype(np.float64) for one in outputs]
            alike = all(one.shape == wide[0].shape for one in wide)
            reference[name] = np.mean(wide, axis=0) if alike else wide[0]
            errors = [distance(one, reference[name]) for one in wide]
            noise[name] = Magnitude(rms=_most(error.rms for error in errors), max=_most(e.max for e in errors))
    return Answer(reference, runs.single["default"], noise, typical, moved, rows=runs.rows, others=runs.others)


def _least_of(errors: Sequence[Magnitude]) -> Magnitude:
    return Magnitude(rms=_least(error.rms for error in errors), max=_least(error.max for error in errors))


def _middle_of(errors: Sequence[Magnitude]) -> Magnitude:
    return Magnitude(rms=_middle(error.rms for error in errors), max=_middle(error.max for error in errors))


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
