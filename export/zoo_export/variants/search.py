"""Which nodes cost most where they are converted, and how many of them must stay in float for the budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import onnx

from zoo.bundle.judge.variant_evidence import NodeSensitivity
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import Array
from zoo_export.subject.results import Failed
from zoo_export.variants.convert import Way, convert, convertible
from zoo_export.variants.measure import Baseline, execute, sqnr

MAX_NODES = 64
"""Each is converted alone."""
INPUTS = 8


def sensitivity(
    model: onnx.ModelProto,
    way: Way,
    baseline: Baseline,
    runtime: Runtime,
    *,
    inputs: Sequence[Mapping[str, Array]],
    ranges: Path,
) -> tuple[NodeSensitivity, ...]:
    """Every convertible node, the most sensitive first: the outputs' SQNR where it alone is converted."""
    ops = convertible(model)
    found = []
    for name in list(ops)[:MAX_NODES]:
        alone = way.keeping([other for other in ops if other != name])
        converted = convert(model, alone, inputs=inputs, ranges=ranges)
        if isinstance(converted, Failed):
            continue
        run = execute(runtime, converted.SerializeToString(), baseline.inputs[:INPUTS], title=f"{name} alone")
        if isinstance(run, Failed):
            continue
        worst = [sqnr(baseline.outputs[:INPUTS], run.actual, output) for output in baseline.floats]
        numbers = [value for value in worst if value is not None]
        found.append(NodeSensitivity(node=name, op=ops[name], sqnr_db=min(numbers, default=None)))
    return tuple(sorted(found, key=lambda node: float("inf") if node.sqnr_db is None else node.sqnr_db))


def repairs(way: Way, nodes: Sequence[NodeSensitivity]) -> Iterator[Way]:
    """The way with more and more of the most sensitive nodes in float: 1, 2, 4, … but never all of them."""
    count = 1
    while count < len(nodes):
        yield way.keeping([node.node for node in nodes[:count]])
        count *= 2
