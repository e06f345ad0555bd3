"""How fast the graphs of a bundle run on this machine, measured in the sandboxed runtime; torch-free."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile, UsageError
from zoo.api.task import Signature
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import feeds_of
from zoo.bundle.runtime.manifest import GoldenCase, VariantRecord
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MODEL, PIPELINE = "model.onnx", "pipeline.onnx"
BLOCK_SECONDS = 0.05
"""Of one subject, before the next has its turn: whatever else the machine does then slows all of them alike."""
LEAST_BLOCKS = 5
MAX_RUNS_A_BLOCK = 200
FP32 = "fp32"

Run = Callable[[int], Sequence[float]]
"""A number of runs to the seconds of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One subject: the fp32 graph, a variant, or PyTorch."""

    name: str
    """fp32, the name of a variant, eager PyTorch, torch.compile."""
    seconds: tuple[float, ...]
    """Of every run."""
    first_seconds: float | None = None
    """Of a cold start: a new process, the runtime and the graph loaded, the first answer."""
    peak_bytes: int | None = None
    """The most memory of that process; None where the system does not say."""
    bytes: int | None = None
    """Of the graph."""
    baseline: str = ""
    """The subject that answers the same pictures with the fp32 graph; empty for the first one."""

    def percentile(self, percent: float) -> float:
        """Seconds that so many percent of the runs take at most."""
        ordered = sorted(self.seconds)
        return ordered[min(round(percent / 100 * (len(ordered) - 1)), len(ordered) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """All subjects on one input."""

    graph: str
    """model.onnx or pipeline.onnx."""
    case: str
    """The golden case whose input they got."""
    batch: int
    threads: int
    subjects: tuple[Measured, ...]


def golden_input(bundle: Bundle, graph: str, *, batch: int) -> tuple[GoldenCase, Arrays]:
    """The first golden case of a graph and its inputs, repeated to a batch.

    UsageError where the graph takes no batches; BadFile where it has no golden case.
    """
    manifest = bundle.manifest
    case = next((case for case in manifest.golden if case.graph == graph), None)
    if case is None:
        raise BadFile(f"{bundle.path} has no golden case of {graph} to run it with")
    feeds = feeds_of(bundle.path, case)
    if batch == 1:
        return case, feeds
    signature = manifest.model_signature if graph == MODEL else manifest.pipeline_signature
    return case, _repeated(feeds, signature, batch, graph)


def _repeated(feeds: Arrays, signature: Signature, batch: int, graph: str) -> Arrays:
    import numpy as np  # noqa: PLC0415  `zoo --help` needs none

    name = signature.inputs[0].shape[0]
    if name != "batch" or any("batch" not in port.shape for port in signature.inputs):
        hint = "say --graph model" if graph == PIPELINE else "leave --batch out"
        raise UsageError(f"{graph} takes one item at a time", hint=hint)
    repeated = {}
    for port in signature.inputs:
        axis = port.shape.index("batch")
        first = np.take(feeds[port.name], [0], axis=axis)
        repeated[port.name] = np.repeat(first, batch, axis=axis)
    return repeated


def benchmark(
    bundle: Bundle,
    *,
    graph: str = PIPELINE,
    variants: Sequence[str] = (),
    threads: int = 1,
    batch: int = 1,
    seconds: float = 3.0,
    processor: bool = False,
    others: Callable[[Arrays], Sequence[tuple[str, Run]]] = lambda _: (),
) -> Benchmark:
    """The fp32 graph and these variants of it, in turns, for about so many seconds.

    `others` gives further subjects for the same input, as PyTorch; they take turns as well. With `processor` the runs
    of one thread are measured in processor time, for machines that are busy; `others` must do the same.
    """
    plans = _plans(bundle, graph, variants, batch=batch)
    cold = {title: _cold_start(bundle, plan, threads=threads) for title, plan in plans.items()}
    sizes = {file.name: file.bytes for file in bundle.manifest.files}
    first = next(iter(plans.values()))
    with Runtime(limits=bundle.limits(), threads=threads) as runtime:
        runs = {title: _run(bundle, runtime, plan, processor=processor) for title, plan in plans.items()}
        timed = in_turns({**runs, **dict(others(first.feeds[0]))}, seconds=seconds)
    return Benchmark(
        graph=graph,
        case=first.case,
        batch=batch,
        threads=threads,
        subjects=tuple(
            Measured(
                name=title,
                seconds=tuple(spent),
                first_seconds=cold[title][0] if title in cold else None,
                peak_bytes=cold[title][1] if title in cold else None,
                bytes=sizes[plans[title].graph] if title in plans else None,
                baseline=plans[title].baseline if title in plans else "",
            )
            for title, spent in timed.items()
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """One subject: a graph of the bundle, and what it is run on, one after the other."""

    graph: str
    case: str
    feeds: tuple[Arrays, ...]
    baseline: str = ""


def _plans(bundle: Bundle, graph: str, variants: Sequence[str], *, batch: int) -> dict[str, _Plan]:
    """The fp32 graph and the variants; beside one for one size or for batches the fp32 graph on the same pictures."""
    records = [bundle.manifest.variant(name) for name in variants]
    plans = {}
    if batch == 1 or not records or any(not record.takes_batches for record in records):
        case, feeds = golden_input(bundle, graph, batch=batch)
        plans[FP32] = _Plan(graph=graph, case=case.name, feeds=(feeds,))
        bits = [record for record in records if record.signature is None]
        plans |= {r.name: _Plan(graph=r.folder + graph, case=case.name, feeds=(feeds,)) for r in bits}
    for record in records:
        if record.signature is not None:
            plans |= _form_plans(bundle, record, record.signature, graph, batch=batch)
    return plans


def _form_plans(
    bundle: Bundle, record: VariantRecord, signature: Signature, graph: str, *, batch: int
) -> dict[str, _Plan]:
    """A variant for one size or for batches, and the fp32 pipeline on its pictures one by one."""
    if batch > 1 and not record.takes_batches:
        raise UsageError(f"the variant {record.name} takes one picture at a time", hint="leave --batch out")
    if graph != PIPELINE:
        raise UsageError(f"the variant {record.name} has no {graph}", hint="leave it out, or say --graph pipeline")
    case, feeds = variant_input(bundle, record, batch=batch)
    alone: tuple[Arrays, ...] = (feeds,)
    if record.takes_batches:
        ports = zip(bundle.manifest.pipeline_signature.inputs, signature.inputs, strict=True)
        names = [(own.name, port.name) for own, port in ports]
        alone = tuple({name: feeds[to][index] for name, to in names} for index in range(batch))
    baseline = f"{FP32} for {record.name}"
    return {
        baseline: _Plan(graph=PIPELINE, case=case.name, feeds=alone),
        record.name: _Plan(graph=record.folder + PIPELINE, case=case.name, feeds=(feeds,), baseline=baseline),
    }


def variant_input(bundle: Bundle, record: VariantRecord, *, batch: int) -> tuple[GoldenCase, Arrays]:
    """The first golden case of a variant for one size or for batches, its pictures repeated to a batch."""
    import numpy as np  # noqa: PLC0415  `zoo --help` needs none

    if not record.golden:
        raise BadFile(f"{bundle.path} has no golden case of the variant {record.name} to run it with")
    case = record.golden[0]
    feeds = feeds_of(bundle.path, case)
    if not record.takes_batches:
        return case, feeds
    return case, {name: np.ascontiguousarray(value[np.arange(batch) % len(value)]) for name, value in feeds.items()}


def _run(bundle: Bundle, runtime: Runtime, plan: _Plan, *, processor: bool) -> Run:
    session = bundle.session(runtime, plan.graph, timed=True)

    def run(count: int) -> Sequence[float]:
        spent = [0.0] * count
        for feeds in plan.feeds:
            timing = runtime.time([session], feeds, blocks=1, least=1, size=count, seconds=0, processor=processor)
            spent = [before + own for before, own in zip(spent, timing.runs[0][0], strict=True)]
        return spent

    return run


def _cold_start(bundle: Bundle, plan: _Plan, *, threads: int) -> tuple[float, int | None]:
    """Seconds from nothing to the first answer, and the memory of that process."""
    started = cold_start(
        lambda runtime: bundle.session(runtime, plan.graph, timed=True),
        plan.feeds[0],
        limits=bundle.limits(),
        threads=threads,
    )
    return started.first_seconds, started.peak_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """A new process that answers one input."""

    first_seconds: float
    """From nothing to the first answer."""
    peak_bytes: int | None
    """The most memory of the process; None where the system does not say."""
    seconds: tuple[float, ...]
    """Of the runs after the first, on the clock."""


def cold_start(
    load: Callable[[Runtime], Session], feeds: Arrays, *, limits: Limits, threads: int = 1, runs: int = 1
) -> ColdStart:
    """A graph loaded and answered in a new process; `load` gives the session in it."""
    start = time.perf_counter()
    with Runtime(limits=limits, threads=threads) as runtime:
        session = load(runtime)
        runtime.run(session, feeds)
        spent = time.perf_counter() - start
        timing = runtime.time([session], feeds, blocks=1, least=1, size=runs, seconds=0)
    return ColdStart(first_seconds=spent, peak_bytes=timing.peak_bytes, seconds=timing.runs[0][0])


def in_turns(runs: dict[str, Run], *, seconds: float) -> dict[str, list[float]]:
    """The seconds of every run, by subject: blocks of runs in turns, at least `LEAST_BLOCKS` of each."""
    sizes = {}
    for title, run in runs.items():
        fastest = min(run(3))
        sizes[title] = min(max(int(BLOCK_SECONDS / max(fastest, 1e-9)), 1), MAX_RUNS_A_BLOCK)
    spent: dict[str, list[float]] = {title: [] for title in runs}
    start, blocks = time.perf_counter(), 0
    while blocks < LEAST_BLOCKS or time.perf_counter() - start < seconds:
        for title, run in runs.items():
            spent[title] += run(sizes[title])
        blocks += 1
    return spent


def processor() -> str:
    """The processor of this machine, as "AMD EPYC 9R14, 2 cores"."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores"
