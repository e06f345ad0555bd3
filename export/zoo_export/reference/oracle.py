"""The oracle: the user's own eager model in double precision, and its own single-precision noise.

Every input is run once per arithmetic; whatever is compared with it later shares these runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Magnitude
from zoo.models.outputs import Array
from zoo_export.reference.backends import DEFAULT, Backends, backends_of
from zoo_export.reference.proposals import proposal_strategy
from zoo_export.reference.strategy import DENSE, DenseStrategy, Matching, ReferenceStrategy
from zoo_export.subject.batching import batches, group_size, join, split
from zoo_export.subject.large_outputs import kept_small
from zoo_export.subject.results import Failed, Outputs
from zoo_export.subject.rollout import Rollout

MAX_ELEMENTS_PER_BATCH = 1 << 16
"""Numbers that go through as one batch: PyTorch's own convolutions take large pictures faster one by one."""
BLOCK = 1 << 18
"""Numbers that are measured at once: what they become fits into a cache."""
DoubleRuns = Mapping[tuple[int, ...], Outputs]
"""Outputs in double precision per batch, by the indices of its inputs; a batch that failed is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleOutputs:
    """What double precision gives for one input."""

    outputs: Outputs
    matching: Matching = DENSE
    """How other outputs for this input are matched with these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRuns:
    """One input's outputs in every arithmetic."""

    double: DoubleOutputs | None
    """None where double precision does not run."""
    single: Mapping[str, Outputs]
    """By backend; "default" is always there."""
    unmoved: DoubleOutputs | None = None
    """What double precision gives for the inputs that the single runs had, where those are not the inputs of `double`.
    """
    alternatives: tuple[Outputs, ...] = ()
    """Of an answer: others, in double precision, that are as right."""

    def on_own_inputs(self) -> BackendRuns:
        """All runs on the same inputs."""
        return self if self.unmoved is None else replace(self, double=self.unmoved, unmoved=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOutputs:
    """What is right for one input, and how far PyTorch itself is off."""

    reference: Outputs
    """float64 where the output is a float."""
    single: Outputs
    """Plain eager fp32."""
    noise: Mapping[str, Magnitude]
    """Per float output: the smallest error over the backends."""
    typical: Mapping[str, Magnitude] = field(default_factory=dict)
    """The same, of the middle backend; not of an output that has no double precision."""
    moved: Mapping[str, Magnitude] = field(default_factory=dict)
    """Per float output: how far double precision moved with the inputs (see `Oracle.moved`)."""
    matching: Matching = DENSE
    """How the outputs of a file are matched with `reference`."""
    alternatives: tuple[Outputs, ...] = ()
    """Of an answer: others, in double precision, that are as right."""
    has_noise: bool = True
    """False where nothing but plain fp32 ran: it stands for what is right, and its noise, called zero, is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The eager model in every arithmetic, and how its outputs are matched."""

    backends: Backends
    strategy: ReferenceStrategy

    @property
    def signature(self) -> Signature:
        """Of the model."""
        return self.backends.signature

    def groups(self, inputs: Sequence[Outputs]) -> list[list[int]]:
        """Indices of the inputs that go through together."""
        return batches(inputs, self.signature, largest=_largest_batch(inputs))

    def run_double(self, inputs: Sequence[Outputs]) -> DoubleRuns:
        """Double precision alone, for `runs` of these very inputs.

        It is the slowest backend, and the fastest way to run it is while nothing else uses the cores.
        """
        done: dict[tuple[int, ...], Outputs] = {}
        for indices in self.groups(inputs):
            with contextlib.suppress(Exception):  # `runs` meets it again, and keeps the reason
                outputs = self.backends.run_double(join([inputs[index] for index in indices], self.signature.inputs))
                done |= {} if outputs is None else {tuple(indices): kept_small(outputs)}
        return done

    def runs(
        self, inputs: Sequence[Outputs], *, double: DoubleRuns | None = None, backends: Sequence[str] | None = None
    ) -> list[BackendRuns | Failed]:
        """Every arithmetic on every input; inputs of equal shapes go through together.

        `double` is what `run_double` gave for the same inputs; `backends` are all of the fp32 ones unless named.
        """
        return self._runs(inputs, double=double, backends=backends)

    def single_runs(self, inputs: Sequence[Outputs]) -> list[BackendRuns | Failed]:
        """Plain fp32 alone."""
        return self._runs(inputs, double=None, backends=(DEFAULT,), with_double=False)

    def _runs(
        self,
        inputs: Sequence[Outputs],
        *,
        double: DoubleRuns | None,
        backends: Sequence[str] | None,
        with_double: bool = True,
    ) -> list[BackendRuns | Failed]:
        done: dict[int, BackendRuns | Failed] = {}
        for indices in self.groups(inputs):
            group = [inputs[index] for index in indices]
            try:
                known = (double or {}).get(tuple(indices))
                runs = self._batch(group, known, backends, with_double=with_double)
                done.update(zip(indices, runs, strict=True))
            except Exception as error:
                if len(group) > 1:
                    alone = partial(self._runs, double=None, backends=backends, with_double=with_double)
                    done.update((index, alone([inputs[index]])[0]) for index in indices)
                else:
                    done[indices[0]] = _failed(error)
        return [done[index] for index in range(len(inputs))]

    def run(self, inputs: Outputs) -> BackendRuns | Failed:
        """Every arithmetic on one input alone."""
        return self.runs([inputs])[0]

    def moved(self, runs: BackendRuns, inputs: Outputs) -> BackendRuns | Failed:
        """The same runs with double precision moved to inputs that are as right; the noise stays what it is."""
        if runs.double is None:
            return runs
        outputs = self.backends.run_double(inputs)
        assert outputs is not None, "double precision ran before"
        matching = self.strategy.moved(runs.double.matching, inputs)
        if isinstance(matching, Failed):
            return matching
        moved = DoubleOutputs(outputs=kept_small(outputs), matching=matching)
        return replace(runs, double=moved, unmoved=runs.double)

    def rollout(self, rollout: Rollout) -> BackendRuns | Failed:
        """Every arithmetic through all steps, each fed its own state; for a split the whole sequence at once."""
        if rollout.kind == "split":
            return self.run(rollout.case.inputs)
        try:
            double = None
            if self.backends.double is not None:
                double = DoubleOutputs(outputs=rollout.run(lambda inputs: self.backends.run_double(inputs) or {}))
            single = {
                name: rollout.run(partial(self.backends.run_single, name)) for name in self.backends.facts.backends
            }
        except Exception as error:
            return _failed(error)
        return BackendRuns(double=double, single=single)

    def _batch(
        self, group: Sequence[Outputs], double: Outputs | None, backends: Sequence[str] | None, *, with_double: bool
    ) -> list[BackendRuns | Failed]:
        joined = join(group, self.signature.inputs)
        sizes = [group_size(inputs, self.signature) for inputs in group]
        if with_double:
            double = double or self.backends.run_double(joined)
        single = {
            name: self._split(self.backends.run_single(name, joined), sizes)
            for name in backends or self.backends.facts.backends
        }
        doubles = [None] * len(group) if double is None else self._split(double, sizes)
        return [
            self._runs_of(inputs, outputs, {name: rows[index] for name, rows in single.items()})
            for index, (inputs, outputs) in enumerate(zip(group, doubles, strict=True))
        ]

    def _split(self, outputs: Outputs, sizes: Sequence[int]) -> list[Outputs]:
        return [kept_small(row) for row in split(outputs, self.signature, sizes)]

    def _runs_of(self, inputs: Outputs, double: Outputs | None, single: Mapping[str, Outputs]) -> BackendRuns | Failed:
        if double is None:
            return BackendRuns(double=None, single=single)
        matching = self.strategy.matching(inputs)
        if isinstance(matching, Failed):
            return matching
        return BackendRuns(double=DoubleOutputs(outputs=double, matching=matching), single=single)


def oracle_of(module: nn.Module, signature: Signature, example: Outputs) -> Oracle:
    """The oracle of a module, with the strategy that it chooses by what it offers."""
    backends = backends_of(module, signature, example)
    return Oracle(backends=backends, strategy=proposal_strategy(backends) or DenseStrategy())


def _failed(error: Exception) -> Failed:
    return Failed(f"{type(error).__name__}: {error}".splitlines()[0])


def _largest_batch(inputs: Sequence[Outputs]) -> int:
    """How many inputs go through together: eight, or fewer when they are large."""
    size = max((sum(value.size for value in arrays.values()) for arrays in inputs), default=1)
    return min(8, max(1, MAX_ELEMENTS_PER_BATCH // max(1, size)))


def reference_outputs(runs: BackendRuns | Failed) -> ReferenceOutputs | Failed:
    """What is right and how noisy: against double precision, or around the mean of the backends without it."""
    if isinstance(runs, Failed):
        return runs
    reference = kept_small({name: _right(name, runs) for name in runs.single[DEFAULT]})
    noise: dict[str, Magnitude] = {}
    typical: dict[str, Magnitude] = {}
    moved: dict[str, Magnitude] = {}
    own = runs.unmoved or runs.double
    for name, default in runs.single[DEFAULT].items():
        if not np.issubdtype(default.dtype, np.floating):
            continue
        if own is not None:
            around = reference if runs.unmoved is None else runs.unmoved.outputs
            errors = [distance(*own.matching.pair(name, run, around)) for run in runs.single.values()]
            noise[name], typical[name] = _least_of(errors), _middle_of(errors)
            if runs.unmoved is not None:
                moved[name] = distance(reference[name], around[name])
        else:
            errors = [distance(run[name].astype(np.float64), reference[name]) for run in runs.single.values()]
            noise[name] = Magnitude(rms=_most(error.rms for error in errors), max=_most(e.max for e in errors))
    return ReferenceOutputs(
        reference=reference,
        single=runs.single[DEFAULT],
        noise=noise,
        typical=typical,
        moved=moved,
        matching=DENSE if runs.double is None else runs.double.matching,
        alternatives=runs.alternatives,
        has_noise=runs.double is not None or len(runs.single) > 1,
    )


def _right(name: str, runs: BackendRuns) -> Array:
    """One output as it should be; without double precision the mean of the backends, where their shapes are equal."""
    default = runs.single[DEFAULT][name]
    if not np.issubdtype(default.dtype, np.floating):
        return default if runs.double is None else runs.double.outputs[name].astype(default.dtype)
    if runs.double is not None:
        return runs.double.outputs[name].astype(np.float64, copy=False)
    wide = [run[name].astype(np.float64) for run in runs.single.values()]
    return np.mean(wide, axis=0) if all(value.shape == wide[0].shape for value in wide) else wide[0]


def _least_of(errors: Sequence[Magnitude]) -> Magnitude:
    return Magnitude(rms=_least(error.rms for error in errors), max=_least(error.max for error in errors))


def _middle_of(errors: Sequence[Magnitude]) -> Magnitude:
    return Magnitude(rms=_middle(error.rms for error in errors), max=_middle(error.max for error in errors))


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _middle(values: Iterable[float | None]) -> float | None:
    """The middle one, of an even number the larger."""
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def distance(actual: Array, expected: Array) -> Magnitude:
    """How far two outputs are apart; unknown where their lengths, which depend on the data, differ."""
    return magnitude(actual - expected) if actual.shape == expected.shape else Magnitude(rms=None, max=None)


def magnitude(values: Array) -> Magnitude:
    """rms and largest absolute value, in double precision; zero for nothing at all."""
    if values.size == 0:
        return Magnitude(rms=0.0, max=0.0)
    flat = values.reshape(-1)
    squares, most = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for at in range(0, flat.size, BLOCK):
            wide = np.abs(flat[at : at + BLOCK].astype(np.float64, copy=False))
            squares.append(np.square(wide).sum())
            most.append(wide.max())
        return Magnitude.of(float(np.sqrt(np.sum(squares) / flat.size)), float(np.max(most)))


def larger(own: Magnitude, other: Magnitude) -> Magnitude:
    """The larger of two sizes of noise, in both measures."""
    return Magnitude(rms=max(own.rms or 0.0, other.rms or 0.0), max=max(own.max or 0.0, other.max or 0.0))
