"""How fast the pipelines of a new bundle answer here, for its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from zoo.bundle.benchmark import ColdStart, cold_start
from zoo.bundle.judge.evidence import Environment
from zoo.bundle.onnx_file.external_data import Weights
from zoo.bundle.runtime.golden_replay import feeds_of
from zoo.bundle.runtime.speed_record import SpeedRecord
from zoo.bundle.sandbox.limits import Limits
from zoo.models.outputs import Array
from zoo_export.bundle.golden_files import GoldenFile
from zoo_export.capture.capture import PIPELINE

RUNS: Final = 9
"""Answers after the first; the median counts."""


def pipeline_speeds(
    pipelines: Mapping[str, bytes], golden: Sequence[GoldenFile], environment: Environment, *, weights: Weights | None
) -> dict[str, SpeedRecord]:
    """The speed of each of these graphs, by its name, on the first golden case of pipeline.onnx; empty without one.

    `weights` lie outside of all of them.
    """
    file = next((file for file in golden if file.record.graph == PIPELINE), None)
    if file is None:
        return {}
    feeds = feeds_of(Path(), file.record, read=lambda _: file.data)
    return {
        name: _record(_started(graph, feeds, weights), file.record.name, environment)
        for name, graph in pipelines.items()
    }


def _started(graph: bytes, feeds: Mapping[str, Array], weights: Weights | None) -> ColdStart:
    return cold_start(
        lambda runtime: runtime.session(graph, title=PIPELINE, timed=True, weights=weights),
        feeds,
        limits=Limits.beside(0 if weights is None else weights.bytes),
        runs=RUNS,
    )


def _record(started: ColdStart, case: str, environment: Environment) -> SpeedRecord:
    return SpeedRecord(
        milliseconds=round(1e3 * median(started.seconds), 4),
        first_milliseconds=round(1e3 * started.first_seconds, 1),
        peak_bytes=started.peak_bytes,
        case=case,
        machine=environment.cpu,
        onnxruntime=environment.onnxruntime,
    )
