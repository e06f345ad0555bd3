"""One model of a sweep: exported with seeded weights, proved, and timed.  [torch]"""

from __future__ import annotations

import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch

from zoo.api.errors import ZooError, describe_error
from zoo.bundle.judge.cases import cells
from zoo.bundle.report.record import Report
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.adapter import adapted, signature_of
from zoo.models.create import example_inputs
from zoo.models.load import load_trained
from zoo.models.target import ModelTarget, TargetRequest
from zoo.registry.catalog import Catalog
from zoo_export.bundle.write import Written
from zoo_export.export import export_target
from zoo_export.sweep.rows import SweepRow, Verdict

RUNS: Final = 5
"""A latency is the median of so many, after one that does not count."""


def sweep_model(catalog: Catalog, name: str, *, seed: int) -> SweepRow:
    """The row of a model; zoo's refusals are rows too, other errors are raised."""
    entry = catalog.model(name)
    row = SweepRow(
        model=entry.full_name,
        verdict="REFUSED",
        parameters=entry.spec.parameters,
        machine=machine(),
        versions=versions(),
    )
    cpu, start = _cpu_seconds(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="zoo-sweep-") as folder:
            request = TargetRequest(catalog=catalog, target=ModelTarget(model=catalog.usable_model(name)))
            written = export_target(request, output=Path(folder) / "bundle", seed=seed)
            row = _with_proof(row, written)
            row = replace(row, cpu_seconds=round(_cpu_seconds() - cpu, 1), seconds=round(time.monotonic() - start, 1))
            return _with_latency(row, request, written, seed=seed) if row.proved else row
    except ZooError as error:
        return replace(
            row,
            reason=error.message,
            cpu_seconds=round(_cpu_seconds() - cpu, 1),
            seconds=round(time.monotonic() - start, 1),
        )


def _with_proof(row: SweepRow, written: Written) -> SweepRow:
    report = written.report
    graph = next((graph for graph in report.evidence.graphs if graph.role == "model"), None)
    model = written.path / "model.onnx"
    verdict: Verdict = report.verdict.value
    return replace(
        row,
        verdict=verdict,
        reason="" if written.published else report.sentence,
        worst_ratio=_worst(report),
        nodes=sum(graph.facts.ops.values()) if graph and graph.facts else None,
        bytes=model.stat().st_size if model.is_file() else None,
    )


def _with_latency(row: SweepRow, request: TargetRequest, written: Written, *, seed: int) -> SweepRow:
    """The row with the time of one answer, of the file and of PyTorch, alternating.

    PyTorch's module has its first weights: other numbers take the same time, and to measure batch norms anew takes as
    long as many answers.
    """
    trained = load_trained(request.target, request.catalog, untrained=True, seed=seed)
    module = adapted(trained.model, request.catalog, trained.entry, trained.problem)
    ports = signature_of(module, trained.task, trained.problem).inputs
    tensors = example_inputs(trained.task, trained.problem)
    inputs = {port.name: tensor.numpy() for port, tensor in zip(ports, tensors, strict=True)}
    with Runtime() as runtime, torch.no_grad():
        session = runtime.session(written.path / "model.onnx")
        pairs = [
            (_seconds(lambda: runtime.run(session, inputs)), _seconds(lambda: module(*tensors)))
            for _ in range(RUNS + 1)
        ][1:]
    return replace(
        row,
        latency_ms=round(median(one for one, _ in pairs) * 1e3, 2),
        eager_ms=round(median(other for _, other in pairs) * 1e3, 2),
    )


def _worst(report: Report) -> float | None:
    ratios = [
        cell.ratio
        for graph in report.evidence.graphs
        for case in graph.cases
        if case.gates
        for cell in cells(case, graph, report.evidence).values()
        if cell.ratio is not None and cell.status != "INCONCLUSIVE"
    ]
    return round(max(ratios), 3) if ratios else None


def machine() -> str:
    """The processor, what PyTorch uses of it, and how many cores."""
    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {os.cpu_count()} cores"


def versions() -> dict[str, str]:
    """Of what decides over a verdict."""
    names = ("edgezoo", "torch", "torchvision", "timm", "transformers", "onnx", "onnxscript", "onnxruntime")
    return {name: found for name in names if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:  # PackageNotFoundError is one
        return ""


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def crashed(model: str, error: BaseException) -> SweepRow:
    """The row of an error that zoo did not expect."""
    return SweepRow(model=model, verdict="CRASH", reason=describe_error(error), machine=machine(), versions=versions())
